//! The weights of the input pixels that make each output pixel.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How a picture is scaled; both average over the source when they shrink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// Triangle filter, Pillow's `BILINEAR`.
    Bilinear,
    /// Cubic filter with a = −0.5, Pillow's.
    Bicubic,
}

/// Weights are whole multiples of 2⁻²²: 255 times their sum and its overshoot still fits 32 bits.
pub(super) const FRACTION_BITS: u32 = 22;

/// Along one axis: for every output pixel the run of input pixels that it is made of, and their weights.
pub(super) struct Weights {
    /// Of each output pixel: its first input pixel, and where its weights are.
    runs: Vec<(usize, Range<usize>)>,
    fixed: Vec<i32>,
}

/// The weights of one output pixel.
#[derive(Clone, Copy)]
pub(super) struct Taps<'a> {
    /// The first input pixel.
    pub(super) first: usize,
    pub(super) weights: &'a [i32],
}

impl Weights {
    /// For each of the `wanted` pixels of a row scaled from `old` to `new` pixels, weights that sum to one; where `old` is
    /// `new`, each pixel is copied.
    pub(super) fn new(old: usize, new: usize, wanted: Range<usize>, interpolation: Interpolation) -> Self {
        if old == new {
            let runs = wanted.enumerate().map(|(place, index)| (index, place..place + 1)).collect::<Vec<_>>();
            return Self { fixed: vec![1 << FRACTION_BITS; runs.len()], runs };
        }
        let scale = old as f64 / new as f64;
        let widening = scale.max(1.0);
        let support = widening * if interpolation == Interpolation::Bilinear { 1.0 } else { 2.0 };
        let (mut runs, mut fixed) = (Vec::with_capacity(wanted.len()), Vec::new());
        let mut weights = Vec::new();
        for index in wanted {
            let centre = (index as f64 + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5) as usize).min(old);
            weights.clear();
            weights.extend((first..end).map(|pixel| filter((pixel as f64 - centre + 0.5) / widening, interpolation)));
            let sum: f64 = weights.iter().sum();
            let from = fixed.len();
            let rounded = |weight: &f64| (weight / sum * f64::from(1 << FRACTION_BITS)).round() as i32;
            fixed.extend(weights.iter().map(rounded));
            runs.push((first, from..fixed.len()));
        }
        Self { runs, fixed }
    }

    /// Number of output pixels.
    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    /// The input pixels that the output pixels depend on: the first, and the one after the last.
    pub(super) fn span(&self) -> Range<usize> {
        let first = self.runs.iter().map(|(first, _)| *first).min().unwrap_or(0);
        first..self.runs.iter().map(|(first, weights)| first + weights.len()).max().unwrap_or(0)
    }

    /// The same weights on pixels of which the first `by` were cut off.
    pub(super) fn moved(mut self, by: usize) -> Self {
        self.runs.iter_mut().for_each(|(first, _)| *first -= by);
        self
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Taps<'_>> {
        self.runs.iter().map(|(first, weights)| Taps { first: *first, weights: &self.fixed[weights.clone()] })
    }
}

fn filter(distance: f64, interpolation: Interpolation) -> f64 {
    let x = distance.abs();
    match interpolation {
        Interpolation::Bilinear => (1.0 - x).max(0.0),
        Interpolation::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        Interpolation::Bicubic if x < 2.0 => -0.5 * (((x - 5.0) * x + 8.0) * x - 4.0),
        Interpolation::Bicubic => 0.0,
    }
}
