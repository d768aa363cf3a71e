//! What the attention methods share: which blocks, and the class token's row carried through them.

use super::error::ExplainError;
use super::explanation::{heatmaps, numbers};
use super::pass::Request;
use crate::measure::Heatmap;
use crate::models::{Tap, TapSpec, Watch};
use burn::tensor::{Device, Tensor, TensorData};

/// The attention taps from block `start` on, first to last.
pub(super) fn blocks(
    taps: &[TapSpec],
    explainer: &'static str,
    start: usize,
    watch: Watch,
) -> Result<Vec<Request>, ExplainError> {
    let numbered = taps.iter().filter_map(|spec| match spec.tap {
        Tap::Attention(block) => Some((block, *spec)),
        _ => None,
    });
    let all: Vec<(usize, TapSpec)> = numbered.collect();
    if all.is_empty() {
        return Err(ExplainError::NotForThisModel { explainer, needs: "attention" });
    }
    let from: Vec<_> =
        all.iter().filter(|(block, _)| *block >= start).map(|(_, spec)| Request { spec: *spec, watch }).collect();
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

/// The patches of a row `[batch, 1, tokens]` as a map for each image.
pub(super) fn patches(row: Tensor<3>, spec: &TapSpec) -> Result<Vec<Heatmap>, ExplainError> {
    let ([batch, _, tokens], [rows, columns]) = (row.dims(), spec.grid);
    heatmaps(row.slice([0..batch, 0..1, spec.prefix_tokens..tokens]).reshape([batch, rows, columns]))
}

/// How far each head of a block looks, `[batch, heads]`: the distance between the centres of a query's patch and a key's,
/// weighted by attention, mean over queries; in units of the image's side. Attention to and from prefix tokens, which lie
/// nowhere, is left out.
///
/// # Source
///
/// Dosovitskiy et al. 2021, "An Image is Worth 16×16 Words", section 4.5 and appendix D.7.
pub(super) fn distance(attention: Tensor<4>, spec: &TapSpec) -> Tensor<2> {
    let ([batch, heads, tokens, _], [rows, columns]) = (attention.dims(), spec.grid);
    let (patches, first) = (rows * columns, spec.prefix_tokens);
    let centre = |patch: usize| {
        // Without the half patch that all centres share.
        ((patch / columns) as f32 / rows as f32, (patch % columns) as f32 / columns as f32)
    };
    let between = |query: usize, key: usize| {
        let ((y, x), (other_y, other_x)) = (centre(query), centre(key));
        (y - other_y).hypot(x - other_x)
    };
    let all: Vec<f32> = (0..patches).flat_map(|query| (0..patches).map(move |key| between(query, key))).collect();
    let distances = Tensor::<2>::from_data(TensorData::new(all, [patches, patches]), &attention.device());
    let between_patches = attention.slice([0..batch, 0..heads, first..tokens, first..tokens]);
    let weighted = (between_patches.clone() * distances.unsqueeze()).sum_dim(3) / between_patches.sum_dim(3);
    weighted.mean_dim(2).reshape([batch, heads])
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
    let mut values = numbers(matrix);
    for image in values.chunks_mut(tokens * tokens) {
        let mut order: Vec<usize> = (0..image.len()).collect();
        let by_value = |one: &usize, other: &usize| image[*one].total_cmp(&image[*other]).then(one.cmp(other));
        order.select_nth_unstable_by(count.min(image.len()) - 1, by_value);
        order[..count].iter().filter(|&&index| index != 0).for_each(|&index| image[index] = 0.0);
    }
    Tensor::from_data(TensorData::new(values, [batch, tokens, tokens]), &device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Tap;

    /// On paper: of 2 × 2 patches half a side apart, one query's keys lie at 0, ½, ½ and √½, on average (1 + √½)/4, and
    /// that of every query; a head that looks at itself looks nowhere. What goes to the class token does not count.
    #[test]
    fn a_head_looks_as_far_as_its_attention_reaches_between_patches() {
        let device = Device::flex();
        let spec = TapSpec { tap: Tap::Attention(0), grid: [2, 2], prefix_tokens: 1 };
        let everywhere = Tensor::<4>::ones([1, 1, 5, 5], &device) / 5.0;
        let itself = Tensor::<2>::eye(5, &device).reshape([1, 1, 5, 5]) * 0.5 + class_key(&device) * 0.5;
        let found = numbers(distance(Tensor::cat(vec![everywhere, itself], 1), &spec));
        let expected = [(1.0 + 0.5_f32.sqrt()) / 4.0, 0.0];
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{found:?}");
    }

    /// Attention of every query to the class token alone.
    fn class_key(device: &Device) -> Tensor<4> {
        let columns = [Tensor::<4>::ones([1, 1, 5, 1], device), Tensor::zeros([1, 1, 5, 4], device)];
        Tensor::cat(columns.to_vec(), 3)
    }
}
