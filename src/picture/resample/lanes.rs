//! Weighted sums of many bytes at once, in loops that any compiler makes vector instructions of, equal to
//! [`scalar`](super::scalar) to the last bit.
//!
//! A sum of whole products needs 32 bits, and few processors multiply those fast. So it is summed in single precision, and
//! the error of that is bounded: *n* products and their sum, in any order, differ from the exact value by at most
//! n·u/(1 − n·u) times the sum of the products' magnitudes, u = 2⁻²⁴ (Higham, *Accuracy and Stability of Numerical
//! Algorithms*, section 3.1). Bytes and weights themselves are exact in single precision. Where the sum is farther than
//! that from a half, it is rounded to the byte that the exact sum is rounded to. The others, one in thousands, are summed
//! again in whole numbers.
//!
//! Columns lie side by side in memory, so a sum along columns takes many at once. A sum along rows takes [`ROWS`] rows
//! at once, whose bytes are laid side by side before and put back in rows after.

use super::scalar::exact;
use super::view::View;
use super::weights::{FRACTION_BITS, Weights};
use std::array::from_fn;
use std::ops::Range;

/// Rows that are summed along at once.
const ROWS: usize = 16;

/// Sums that are looked at together for whether all are certain.
const CHUNK: usize = 3 * ROWS;

/// 1.5·2²³: adding it to a small number leaves the nearest whole one in the low bits, and the even one of two.
const TO_WHOLE: f32 = 12_582_912.0;

/// The weights of one output pixel, in single precision and as they are.
struct Run {
    first: usize,
    place: Range<usize>,
    /// A sum farther than this from a whole number is too near to a half.
    margin: f32,
}

/// All weights along one axis.
struct Runs {
    runs: Vec<Run>,
    floats: Vec<f32>,
    fixed: Vec<i32>,
}

impl Runs {
    fn new(weights: &Weights) -> Self {
        let one = f64::from(1 << FRACTION_BITS);
        let fixed: Vec<i32> = weights.iter().flat_map(|taps| taps.weights).copied().collect();
        let (mut runs, mut at) = (Vec::with_capacity(weights.len()), 0);
        for taps in weights.iter() {
            let count = taps.weights.len();
            let magnitude: f64 = taps.weights.iter().map(|weight| f64::from(weight.abs()) / one).sum();
            let bound = count as f64 / f64::from(1 << 24);
            // Above a half it says that nothing is certain: every sum is farther than −1 from a whole number.
            let margin = (0.5 - 255.0 * magnitude * bound / (1.0 - bound).max(0.5) - 1e-6).max(-1.0);
            runs.push(Run { first: taps.first, place: at..at + count, margin: margin as f32 });
            at += count;
        }
        Self { runs, floats: fixed.iter().map(|weight| *weight as f32 / one as f32).collect(), fixed }
    }
}

/// Every column of a picture scaled: `[rows, width, 3]`.
pub(super) fn along_columns(picture: &View, rows: &Weights) -> Vec<u8> {
    let row = 3 * picture.width();
    let mut pixels = vec![0.0; row * picture.height()];
    picture.rows().zip(pixels.chunks_exact_mut(row)).for_each(|(bytes, floats)| widen(bytes, floats));
    down(&pixels, row, &Runs::new(rows))
}

/// Every row of a picture scaled: `[height, columns, 3]`.
pub(super) fn along_rows(picture: &View, columns: &Weights) -> Vec<u8> {
    let scaled = across(picture, &Runs::new(columns));
    let mut bytes = vec![0; scaled.len()];
    narrow(&scaled, &mut bytes);
    bytes
}

/// Rows scaled, and then columns: `[rows, columns, 3]`.
pub(super) fn along_both(picture: &View, columns: &Weights, rows: &Weights) -> Vec<u8> {
    down(&across(picture, &Runs::new(columns)), 3 * columns.len(), &Runs::new(rows))
}

/// Scaled rows, whole numbers of 0 to 255.
fn across(picture: &View, columns: &Runs) -> Vec<f32> {
    let (row, new_row) = (3 * picture.width(), 3 * columns.runs.len());
    let mut bytes = vec![[0; ROWS]; row];
    let mut lanes = vec![0.0; row * ROWS];
    let mut sums = vec![0.0; new_row * ROWS];
    let mut scaled = vec![0.0; new_row * picture.height()];
    for (block, scaled) in scaled.chunks_mut(new_row * ROWS).enumerate() {
        for (place, row) in picture.rows().skip(block * ROWS).take(ROWS).enumerate() {
            bytes.iter_mut().zip(row).for_each(|(lanes, byte)| lanes[place] = *byte);
        }
        widen(bytes.as_flattened(), &mut lanes);
        for (run, sums) in columns.runs.iter().zip(sums.chunks_exact_mut(CHUNK)) {
            weigh(columns, run, &lanes[run.first * CHUNK..], CHUNK, sums);
        }
        for (place, row) in scaled.chunks_exact_mut(new_row).enumerate() {
            row.iter_mut().zip(sums.as_chunks::<ROWS>().0).for_each(|(value, lanes)| *value = lanes[place]);
        }
    }
    scaled
}

/// Scaled columns of rows of `row` whole numbers.
fn down(pixels: &[f32], row: usize, rows: &Runs) -> Vec<u8> {
    let mut scaled = vec![0; row * rows.runs.len()];
    let mut sums = vec![0.0; row];
    for (run, scaled) in rows.runs.iter().zip(scaled.chunks_exact_mut(row)) {
        weigh(rows, run, &pixels[run.first * row..], row, &mut sums);
        narrow(&sums, scaled);
    }
    scaled
}

/// Weighted sums, rounded and cut to 0..=255: of lines of numbers that lie `stride` apart, number by number.
fn weigh(Runs { floats, fixed, .. }: &Runs, run: &Run, lines: &[f32], stride: usize, sums: &mut [f32]) {
    let weights = &floats[run.place.clone()];
    sums.fill(0.0);
    for (place, weights) in weights.chunks(MOST).enumerate() {
        let lines = &lines[place * MOST * stride..];
        match weights.len() {
            1 => add::<1>(sums, lines, stride, weights),
            2 => add::<2>(sums, lines, stride, weights),
            3 => add::<3>(sums, lines, stride, weights),
            4 => add::<4>(sums, lines, stride, weights),
            5 => add::<5>(sums, lines, stride, weights),
            6 => add::<6>(sums, lines, stride, weights),
            7 => add::<7>(sums, lines, stride, weights),
            _ => add::<MOST>(sums, lines, stride, weights),
        }
    }
    let mut rounded = [0.0; CHUNK];
    for (chunk, sums) in sums.chunks_mut(CHUNK).enumerate() {
        let rounded = &mut rounded[..sums.len()];
        if !round(sums, rounded, run.margin) {
            for (lane, (sum, rounded)) in sums.iter().zip(&mut *rounded).enumerate() {
                if is_doubtful(*sum, run.margin) {
                    let line = lines[chunk * CHUNK + lane..].iter().step_by(stride);
                    *rounded = f32::from(exact(line.map(|value| *value as u8), &fixed[run.place.clone()]));
                }
            }
        }
        sums.copy_from_slice(rounded);
    }
}

/// Lines that are added at once: their weights stay in registers.
const MOST: usize = 8;

/// Adds `N` weighted lines; by index, since iterators over several lines at once become no vector instructions.
#[inline(never)]
fn add<const N: usize>(sums: &mut [f32], lines: &[f32], stride: usize, weights: &[f32]) {
    let count = sums.len();
    let lines: [&[f32]; N] = from_fn(|line| &lines[line * stride..][..count]);
    let weights: [f32; N] = from_fn(|line| weights[line]);
    for lane in 0..count {
        let mut sum = sums[lane];
        for line in 0..N {
            sum += lines[line][lane] * weights[line];
        }
        sums[lane] = sum;
    }
}

fn whole(sum: f32) -> f32 {
    sum + TO_WHOLE - TO_WHOLE
}

fn is_doubtful(sum: f32, margin: f32) -> bool {
    (sum - whole(sum)).abs() > margin
}

/// Whether all are certain.
#[inline(never)]
fn round(sums: &[f32], rounded: &mut [f32], margin: f32) -> bool {
    let mut doubtful = 0;
    for (&sum, rounded) in sums.iter().zip(rounded) {
        doubtful |= u32::from(is_doubtful(sum, margin));
        // Not `clamp`, which takes care of numbers that are none, one by one.
        let least = if whole(sum) < 0.0 { 0.0 } else { whole(sum) };
        *rounded = if least > 255.0 { 255.0 } else { least };
    }
    doubtful == 0
}

#[inline(never)]
fn widen(bytes: &[u8], floats: &mut [f32]) {
    floats.iter_mut().zip(bytes).for_each(|(float, byte)| *float = f32::from(*byte));
}

/// Whole numbers of 0 to 255 as bytes.
#[inline(never)]
fn narrow(floats: &[f32], bytes: &mut [u8]) {
    bytes.iter_mut().zip(floats).for_each(|(byte, float)| *byte = (float + TO_WHOLE).to_bits() as u8);
}
