//! Models for tests that are solved on paper.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use super::ask::{Ask, Logits};
use super::input::Input;
use crate::measure::Heatmap;

/// Three equal planes.
pub(super) fn grey(height: usize, width: usize, plane: &[f32]) -> Input {
    Input::new(height, width, plane.repeat(3)).unwrap()
}

pub(super) fn map(rows: usize, cols: usize, values: &[f32]) -> Heatmap {
    Heatmap::new(rows, cols, values.to_vec()).unwrap()
}

/// Logits `[Σ weight * first plane, 0]`.
pub(super) fn linear(weights: &[f32]) -> impl FnMut(&[Input]) -> Result<Vec<Vec<f32>>, Infallible> + '_ {
    move |inputs| {
        let logit = |input: &Input| input.values().iter().zip(weights).map(|(value, weight)| value * weight).sum();
        Ok(inputs.iter().map(|input| vec![logit(input), 0.0]).collect())
    }
}

/// Three images at a time, so that batches end in odd places.
pub(super) fn ask<'a>(model: &'a mut Ask<'a, Vec<f32>, Infallible>) -> Logits<'a, Infallible> {
    Logits::new(model, NonZeroUsize::new(3).unwrap())
}
