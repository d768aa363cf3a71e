//! Generic attention relevance of Chefer, Gur and Wolf.

use super::attention::{blocks, class_token, patches};
use super::seen::{Reader, Seen};
use super::{ExplainError, Explanation, plain};
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

const KIND: &str = "generic-relevance";

impl Reader for GenericRelevance {
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<(TapSpec, Watch)>, ExplainError> {
        blocks(taps, KIND, 0, Watch::Lift)
    }

    fn explain(&self, seen: &Seen) -> Result<Vec<Explanation>, ExplainError> {
        let blocks = self.requests(&seen.specs())?;
        let (last, _) = blocks[blocks.len() - 1];
        let mut row: Option<Tensor<3>> = None;
        for (spec, _) in blocks.iter().rev() {
            let positive = (seen.value(spec.tap)? * seen.gradient(spec.tap)?).clamp_min(0.0);
            let [batch, _, tokens, _] = positive.dims();
            let from = row.unwrap_or_else(|| class_token(batch, tokens, &positive.device()));
            let through = from.clone().unsqueeze_dim::<4>(1).matmul(positive).mean_dim(1).squeeze_dim::<3>(1);
            row = Some(from + through);
        }
        let Some(row) = row else { return Err(ExplainError::NotForThisModel { explainer: KIND, needs: "attention" }) };
        Ok(plain(patches(row, &last)?))
    }
}
