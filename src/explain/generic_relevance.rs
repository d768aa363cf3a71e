//! Generic attention relevance of Chefer, Gur and Wolf.

use super::attention::{blocks, class_token, patches};
use super::error::ExplainError;
use super::explanation::{Explanation, plain};
use super::method::{Method, Reads, Runner};
use super::pass::{Pass, Reader, Request};
use crate::models::{TapSpec, Watch};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// `R ← R + C·R` over the blocks from `R = I`, `C = mean over heads of max(A ⊙ ∂logit/∂A, 0)`; the map is the class
/// token's row at the patches. Never negative; in the unit of the logit, roughly.
///
/// # Source
///
/// Chefer et al. 2021, "Generic Attention-model Explainability", equations 5 and 6 for self-attention;
/// `Transformer_MM_explainability_ViT.ipynb` in their repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GenericRelevance {}

impl Method for GenericRelevance {
    const NAME: &'static str = "generic-relevance";
    const TITLE: &'static str = "Generic relevance";
    const READS: Reads = Reads::Attention;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Reads(self)
    }
}

impl Reader for GenericRelevance {
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<Request>, ExplainError> {
        blocks(taps, Self::NAME, 0, Watch::Lift)
    }

    fn explain(&self, pass: &Pass) -> Result<Vec<Explanation>, ExplainError> {
        let blocks = self.requests(&pass.specs())?;
        let Request { spec: last, .. } = blocks[blocks.len() - 1];
        let mut row: Option<Tensor<3>> = None;
        for Request { spec, .. } in blocks.iter().rev() {
            let positive = (pass.value(spec.tap)? * pass.gradient(spec.tap)?).clamp_min(0.0);
            let [batch, _, tokens, _] = positive.dims();
            let from = row.unwrap_or_else(|| class_token(batch, tokens, &positive.device()));
            let through = from.clone().unsqueeze_dim::<4>(1).matmul(positive).mean_dim(1).squeeze_dim::<3>(1);
            row = Some(from + through);
        }
        let Some(row) = row else {
            return Err(ExplainError::NotForThisModel { explainer: Self::NAME, needs: "attention" });
        };
        Ok(plain(patches(row, &last)?))
    }
}
