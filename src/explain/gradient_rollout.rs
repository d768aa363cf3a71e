//! Gradient-weighted rollout: attention counts where the target logit rises with it.

use super::attention::{blocks, class_token, discard, patches, step};
use super::error::{ExplainError, within};
use super::explanation::{Explanation, plain};
use super::method::{Method, Reads, Runner};
use super::pass::{Pass, Reader, Request};
use crate::models::{TapSpec, Watch};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Rollout over `max(mean over heads of A ⊙ ∂logit/∂A, 0)` with a residual share of one half, rows divided by their sums.
/// Values are shares in `0..1`.
///
/// # Source
///
/// Gildenblat 2020, vit-explain `vit_grad_rollout.py`, which pairs every block with the gradient of another (its issue 6)
/// and divides by the wrong sums; here each block has its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientRollout {
    /// Share of each block's lowest entries that are set to zero, 0 to 1 (exclusive). vit-explain takes 0.9.
    pub discard: f64,
}

impl Method for GradientRollout {
    const NAME: &'static str = "gradient-rollout";
    const TITLE: &'static str = "Gradient rollout";
    const READS: Reads = Reads::Attention;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Reads(self)
    }
}

impl Reader for GradientRollout {
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<Request>, ExplainError> {
        within(Self::NAME, "discard", self.discard, 0.0..1.0)?;
        blocks(taps, Self::NAME, 0, Watch::Lift)
    }

    fn explain(&self, pass: &Pass) -> Result<Vec<Explanation>, ExplainError> {
        let blocks = self.requests(&pass.specs())?;
        let Request { spec: last, .. } = blocks[blocks.len() - 1];
        let mut row: Option<Tensor<3>> = None;
        for Request { spec, .. } in blocks.iter().rev() {
            let weighted = pass.value(spec.tap)? * pass.gradient(spec.tap)?;
            let fused = weighted.mean_dim(1).squeeze_dim::<3>(1).clamp_min(0.0);
            let [batch, tokens, _] = fused.dims();
            let from = row.unwrap_or_else(|| class_token(batch, tokens, &fused.device()));
            row = Some(step(from, discard(fused, self.discard), 0.5));
        }
        let Some(row) = row else {
            return Err(ExplainError::NotForThisModel { explainer: Self::NAME, needs: "attention" });
        };
        Ok(plain(patches(row, &last)?))
    }
}
