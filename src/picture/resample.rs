//! Scaling that equals Pillow's to the last bit: a model should see the same pixels here as where it was trained.

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

/// A rectangular part of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first column.
    pub left: usize,
    /// Its first row.
    pub top: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

/// Weights are whole multiples of 2⁻²²: 255 times their sum and its overshoot still fits 32 bits.
const FRACTION_BITS: u32 = 22;
const HALF: i32 = 1 << (FRACTION_BITS - 1);

/// The weights of the input pixels, in a row or a column, that make one output pixel.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// Scales `[height, width, 3]` bytes.
///
/// # Source
///
/// `PIL.Image.resize`, Pillow 13: a filter that widens with the reduction, along one axis and then along the other, the
/// bytes between them rounded and cut to 0..=255. Rows are first, unless the height loses more than twice the pixels
/// that the width loses (before Pillow 13 they always were). The order shows where a cubic filter overshoots.
pub(super) fn resample(pixels: &[u8], from: [usize; 2], to: [usize; 2], interpolation: Interpolation) -> Vec<u8> {
    let whole = Window { left: 0, top: 0, width: to[0], height: to[1] };
    resample_window(pixels, from, to, whole, interpolation)
}

/// A window of what [`resample`] gives, equal to the bit; only the pixels that it depends on are read.
pub(super) fn resample_window(
    pixels: &[u8],
    from: [usize; 2],
    to: [usize; 2],
    window: Window,
    interpolation: Interpolation,
) -> Vec<u8> {
    let ([width, height], [new_width, new_height]) = (from, to);
    let columns = taps(width, new_width, window.left..window.left + window.width, interpolation);
    let rows = taps(height, new_height, window.top..window.top + window.height, interpolation);
    let (left, right) = span(&columns);
    let (top, bottom) = span(&rows);
    let needed = pixels.chunks_exact(3 * width).take(bottom).skip(top);
    let cut: Vec<u8> = match (left, right) {
        (0, right) if right == width => pixels[3 * width * top..3 * width * bottom].to_vec(),
        _ => needed.flat_map(|row| row[3 * left..3 * right].iter().copied()).collect(),
    };
    let across = |pixels: &[u8]| along_rows(pixels, right - left, &moved(&columns, left));
    let down = |pixels: &[u8], row: usize| along_columns(pixels, row, &moved(&rows, top));
    let lost = |old: usize, new: usize| old as i64 - new as i64;
    let columns_first = lost(height, new_height) > 0 && lost(height, new_height) > 2 * lost(width, new_width);
    match (width == new_width, height == new_height) {
        (true, true) => cut,
        (false, true) => across(&cut),
        (true, false) => down(&cut, 3 * (right - left)),
        (false, false) if columns_first => across(&down(&cut, 3 * (right - left))),
        (false, false) => down(&across(&cut), 3 * columns.len()),
    }
}

/// The range of input pixels that the output pixels depend on: the first, and the one after the last.
fn span(taps: &[Taps]) -> (usize, usize) {
    let first = taps.iter().map(|taps| taps.first).min().unwrap_or(0);
    let end = taps.iter().map(|taps| taps.first + taps.weights.len()).max().unwrap_or(0);
    (first, end)
}

/// The same weights on pixels of which the first `by` were cut off.
fn moved(taps: &[Taps], by: usize) -> Vec<Taps> {
    taps.iter().map(|taps| Taps { first: taps.first - by, weights: taps.weights.clone() }).collect()
}

/// For each of the `wanted` pixels of a row scaled from `old` to `new` pixels, weights that sum to one; where `old` is
/// `new`, each pixel is copied.
fn taps(old: usize, new: usize, wanted: Range<usize>, interpolation: Interpolation) -> Vec<Taps> {
    if old == new {
        return wanted.map(|index| Taps { first: index, weights: vec![1 << FRACTION_BITS] }).collect();
    }
    let scale = old as f64 / new as f64;
    let widening = scale.max(1.0);
    let support = widening * if interpolation == Interpolation::Bilinear { 1.0 } else { 2.0 };
    let taps = |index: usize| {
        let centre = (index as f64 + 0.5) * scale;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(old);
        let weigh = |pixel: usize| filter((pixel as f64 - centre + 0.5) / widening, interpolation);
        let sum: f64 = (first..end).map(weigh).sum();
        let fixed = |weight: f64| (weight / sum * f64::from(1 << FRACTION_BITS)).round() as i32;
        Taps { first, weights: (first..end).map(|pixel| fixed(weigh(pixel))).collect() }
    };
    wanted.map(taps).collect()
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

fn byte(sum: i32) -> u8 {
    (sum >> FRACTION_BITS).clamp(0, 255) as u8
}

fn along_rows(pixels: &[u8], width: usize, taps: &[Taps]) -> Vec<u8> {
    let mut scaled = Vec::with_capacity(pixels.len() / width * taps.len());
    for row in pixels.chunks_exact(3 * width) {
        for Taps { first, weights } in taps {
            let mut sums = [HALF; 3];
            for (pixel, weight) in row[3 * first..].as_chunks::<3>().0.iter().zip(weights) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(value) * weight;
                }
            }
            scaled.extend(sums.map(byte));
        }
    }
    scaled
}

/// Whole rows of `row` bytes at a time.
fn along_columns(pixels: &[u8], row: usize, taps: &[Taps]) -> Vec<u8> {
    let mut scaled = Vec::with_capacity(row * taps.len());
    let mut sums = vec![HALF; row];
    for Taps { first, weights } in taps {
        sums.fill(HALF);
        for (values, weight) in pixels[row * first..].chunks_exact(row).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += i32::from(value) * weight;
            }
        }
        scaled.extend(sums.iter().copied().map(byte));
    }
    scaled
}
