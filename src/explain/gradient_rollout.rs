//! Gradient-weighted rollout: attention counts where the target logit rises with it.

use super::attention::{blocks, class_token, discard, patches, step};
use super::seen::{Reader, Seen};
use super::{ExplainError, Explanation, plain};
use crate::models::{TapSpec, Watch};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Rollout over `max(mean over heads of A ⊙ ∂logit/∂A, 0)` with half a shortcut, rows divided by their sums. Values are
/// shares in `0..1`.
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

const KIND: &str = "gradient-rollout";

impl Reader for GradientRollout {
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<(TapSpec, Watch)>, ExplainError> {
        super::within(KIND, "discard", self.discard, 0.0..1.0)?;
        blocks(taps, KIND, 0, Watch::Lift)
    }

    fn explain(&self, seen: &Seen) -> Result<Vec<Explanation>, ExplainError> {
        let blocks = self.requests(&seen.specs())?;
        let (last, _) = blocks[blocks.len() - 1];
        let mut row: Option<Tensor<3>> = None;
        for (spec, _) in blocks.iter().rev() {
            let weighted = seen.value(spec.tap)? * seen.gradient(spec.tap)?;
            let fused = weighted.mean_dim(1).squeeze_dim::<3>(1).clamp_min(0.0);
            let [batch, tokens, _] = fused.dims();
            let from = row.unwrap_or_else(|| class_token(batch, tokens, &fused.device()));
            row = Some(step(from, discard(fused, self.discard), 0.5));
        }
        let Some(row) = row else { return Err(ExplainError::NotForThisModel { explainer: KIND, needs: "attention" }) };
        Ok(plain(patches(row, &last)?))
    }
}
