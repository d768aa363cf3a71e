//! Attention rollout: how much of each patch reaches the class token through all blocks.

use super::{ExplainError, Seen, heatmaps};
use crate::heatmap::Heatmap;
use crate::models::{Tap, TapSpec, Watch};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// `R = Â_L ⋯ Â_1`, `Â = ½·mean over heads of A + ½·I`; the map is the class token's row of `R` at the patches.
///
/// Values are shares in `0..1`; together with the shares of the prefix tokens they sum to one. Only that row is carried
/// through the blocks, last to first, so no product of whole matrices is formed. The same for every class.
///
/// # Source
///
/// Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers", section 3. The rows of a softmax sum to one, so
/// `Â` needs no further normalising.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {}

impl Rollout {
    /// Attention of every block.
    pub(super) fn requests(&self, taps: &[TapSpec]) -> Result<Vec<(TapSpec, Watch)>, ExplainError> {
        let attention = taps.iter().filter(|spec| matches!(spec.tap, Tap::Attention(_)));
        let requests: Vec<_> = attention.map(|spec| (*spec, Watch::Value)).collect();
        if requests.is_empty() {
            return Err(ExplainError::NotForThisModel { explainer: "rollout", needs: "attention" });
        }
        Ok(requests)
    }

    pub(super) fn explain(&self, seen: &Seen) -> Result<Vec<Heatmap>, ExplainError> {
        let specs: Vec<TapSpec> = seen.specs().collect();
        let blocks = self.requests(&specs)?;
        let mut row: Option<Tensor<3>> = None;
        for (spec, _) in blocks.iter().rev() {
            let attention: Tensor<3> = seen.value(spec.tap)?.mean_dim(1).squeeze_dim(1);
            let [batch, tokens, _] = attention.dims();
            row = Some(match row {
                // The class token's own row of Â: half its attention, and half itself.
                None => half_with_itself(attention.slice([0..batch, 0..1, 0..tokens])),
                Some(row) => (row.clone().matmul(attention) + row) * 0.5,
            });
        }
        let (Some(row), Some((spec, _))) = (row, blocks.last()) else {
            return Err(ExplainError::NotForThisModel { explainer: "rollout", needs: "attention" });
        };
        let ([batch, _, tokens], [rows, columns]) = (row.dims(), spec.grid);
        heatmaps(row.slice([0..batch, 0..1, spec.prefix_tokens..tokens]).reshape([batch, rows, columns]))
    }
}

/// `½·row + ½·e_0`.
fn half_with_itself(row: Tensor<3>) -> Tensor<3> {
    let [batch, _, tokens] = row.dims();
    let class = Tensor::<3>::ones([batch, 1, 1], &row.device());
    let others = Tensor::<3>::zeros([batch, 1, tokens - 1], &row.device());
    (row + Tensor::cat(vec![class, others], 2)) * 0.5
}
