//! Eigen-CAM: the strongest pattern in a feature map, whatever the class.

use super::cam::{Cam, cam_settings};
use super::error::ExplainError;
use super::explanation::numbers;
use super::method::{Method, Reads, Runner};
use crate::measure::Heatmap;
use burn::tensor::Tensor;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

cam_settings! {
    /// Every cell's channels, centred over the cells, projected on their first principal direction. Signed.
    ///
    /// A principal direction has no sign of its own; here the map gets the one by which the cell furthest from zero is
    /// positive: what stands out is positive. (The total activation cannot decide: behind a ViT's norm it is the same in
    /// every cell.) The same for every class.
    ///
    /// # Source
    ///
    /// Muhammad & Yeasin 2020, "Eigen-CAM"; pytorch-grad-cam `utils/svd_on_activations.py`, which centres too and leaves
    /// the sign to chance; the rule for it is SegEigenCAM's.
    EigenCam
}

impl Method for EigenCam {
    const NAME: &'static str = "eigen-cam";
    const TITLE: &'static str = "Eigen-CAM";
    const READS: Reads = Reads::FeatureMap;
    const CLASS_SPECIFIC: bool = false;

    fn runner(&self) -> Runner<'_> {
        Runner::Reads(self)
    }
}

impl Cam for EigenCam {
    const DIFFERENTIATES: bool = false;

    fn combine(activation: Tensor<4>, _: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError> {
        let [_, channels, rows, columns] = activation.dims();
        let cells = rows * columns;
        let values: Vec<f32> = numbers(activation);
        let images: Vec<&[f32]> = values.chunks(channels * cells).collect();
        let map = |image: &&[f32]| Ok(Heatmap::new(rows, columns, first_component(image, cells))?);
        images.par_iter().map(map).collect()
    }
}

/// Steps of the power iteration at most: enough for two strongest patterns that differ by 1 %.
const ITERATIONS: usize = 2_000;
/// Where an iteration changes the direction by less than this (of a unit vector), it has settled.
const SETTLED: f64 = 1e-12;

/// The scores of the cells on the first principal direction of `image` `[channels, cells]`.
///
/// The direction itself is not needed: with `X` the centred cells, the scores are `√λ·u`, `u` the first eigenvector of
/// `X·Xᵀ`, which has as many rows as there are cells, in float64.
fn first_component(image: &[f32], cells: usize) -> Vec<f32> {
    let mut gram = vec![0.0_f64; cells * cells];
    for channel in image.chunks(cells) {
        let mean = channel.iter().map(|&value| f64::from(value)).sum::<f64>() / cells as f64;
        let centred: Vec<f64> = channel.iter().map(|&value| f64::from(value) - mean).collect();
        for (row, left) in gram.chunks_mut(cells).zip(&centred) {
            row.iter_mut().zip(&centred).for_each(|(sum, right)| *sum += left * right);
        }
    }
    // Start from the row of the cell that varies most, which is almost never orthogonal to the strongest pattern.
    let most = (0..cells).max_by(|&one, &other| gram[one * (cells + 1)].total_cmp(&gram[other * (cells + 1)]));
    let mut direction = gram[most.unwrap_or(0) * cells..][..cells].to_vec();
    let mut strength = normalise(&mut direction);
    for _ in 0..ITERATIONS {
        let mut next: Vec<f64> = gram.chunks(cells).map(|row| dot(row, &direction)).collect();
        strength = normalise(&mut next);
        let change = next.iter().zip(&direction).map(|(new, old)| (new - old).abs()).fold(0.0, f64::max);
        direction = next;
        if change < SETTLED || strength == 0.0 {
            break;
        }
    }
    let furthest =
        direction.iter().copied().fold(0.0_f64, |far, value| if value.abs() > far.abs() { value } else { far });
    let sign = if furthest < 0.0 { -1.0 } else { 1.0 };
    direction.iter().map(|value| (sign * strength.sqrt() * value) as f32).collect()
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// Divides by the norm, which it returns; a zero vector stays.
fn normalise(vector: &mut [f64]) -> f64 {
    let norm = dot(vector, vector).sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|value| *value /= norm);
    }
    norm
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On paper: two channels, four cells along the direction (3, 4)/5 of channel space with scores −3, −1, −1, 5.
    #[test]
    fn cells_on_a_line_get_their_place_on_it() {
        let scores = [-3.0_f32, -1.0, -1.0, 5.0];
        let image: Vec<f32> = [0.6, 0.8].iter().flat_map(|part| scores.map(|score| part * score + 5.0)).collect();
        for (found, expected) in first_component(&image, 4).iter().zip(scores) {
            assert!((found - expected).abs() < 1e-5, "{found} instead of {expected}");
        }
        let flipped: Vec<f32> = image.iter().map(|value| 10.0 - value).collect();
        assert!(first_component(&flipped, 4)[3] > 4.9, "the cell furthest from zero is positive");
        assert_eq!(first_component(&[1.0; 8], 4), [0.0; 4], "no pattern at all");
    }
}
