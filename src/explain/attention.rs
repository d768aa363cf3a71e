//! What the attention methods share: which blocks, and the class token's row carried through them.

use super::ExplainError;
use crate::heatmap::Heatmap;
use crate::models::{Tap, TapSpec, Watch};
use burn::tensor::{Device, Tensor};

/// The attention taps from block `start` on, first to last.
pub(super) fn blocks(
    taps: &[TapSpec],
    explainer: &'static str,
    start: usize,
    watch: Watch,
) -> Result<Vec<(TapSpec, Watch)>, ExplainError> {
    let numbered = taps.iter().filter_map(|spec| match spec.tap {
        Tap::Attention(block) => Some((block, *spec)),
        _ => None,
    });
    let all: Vec<(usize, TapSpec)> = numbered.collect();
    if all.is_empty() {
        return Err(ExplainError::NotForThisModel { explainer, needs: "attention" });
    }
    let from: Vec<_> = all.iter().filter(|(block, _)| *block >= start).map(|(_, spec)| (*spec, watch)).collect();
    if from.is_empty() {
        let available = all.iter().map(|(block, _)| *block).collect();
        return Err(ExplainError::NoLayer { explainer, setting: "start_block", layer: start, available });
    }
    Ok(from)
}

/// The class token's row of the identity, `[batch, 1, tokens]`: where every product of attention matrices starts.
pub(super) fn class_token(batch: usize, tokens: usize, device: &Device) -> Tensor<3> {
    let class = Tensor::<3>::ones([batch, 1, 1], device);
    Tensor::cat(vec![class, Tensor::<3>::zeros([batch, 1, tokens - 1], device)], 2)
}

/// The patches' share of a row `[batch, 1, tokens]`, one map an image.
pub(super) fn patches(row: Tensor<3>, spec: &TapSpec) -> Result<Vec<Heatmap>, ExplainError> {
    let ([batch, _, tokens], [rows, columns]) = (row.dims(), spec.grid);
    super::heatmaps(row.slice([0..batch, 0..1, spec.prefix_tokens..tokens]).reshape([batch, rows, columns]))
}

/// One step of a rollout towards the input: `row·Â`, `Â` the rows of `(1 − residual)·matrix + residual·I` divided by
/// their sums. `Â` itself is never formed.
pub(super) fn step(row: Tensor<3>, matrix: Tensor<3>, residual: f64) -> Tensor<3> {
    let sums = matrix.clone().sum_dim(2) * (1.0 - residual) + residual;
    let row = row / sums.swap_dims(1, 2);
    row.clone().matmul(matrix) * (1.0 - residual) + row * residual
}

/// Sets the lowest `share` of each image's `tokens²` entries to zero, but never that of the class token for itself.
///
/// # Source
///
/// vit-explain `vit_rollout.py`.
pub(super) fn discard(matrix: Tensor<3>, share: f64) -> Tensor<3> {
    let [batch, tokens, _] = matrix.dims();
    let count = (share * (tokens * tokens) as f64) as usize;
    if count == 0 {
        return matrix;
    }
    let device = matrix.device();
    let mut values = super::numbers(matrix);
    for image in values.chunks_mut(tokens * tokens) {
        let mut order: Vec<usize> = (0..image.len()).collect();
        let by_value = |one: &usize, other: &usize| image[*one].total_cmp(&image[*other]).then(one.cmp(other));
        order.select_nth_unstable_by(count.min(image.len()) - 1, by_value);
        order[..count].iter().filter(|&&index| index != 0).for_each(|&index| image[index] = 0.0);
    }
    Tensor::from_data(burn::tensor::TensorData::new(values, [batch, tokens, tokens]), &device)
}
