//! What [`lanes`](super::lanes) is held to: the same sums byte by byte, in whole numbers.

use super::lanes::{along_both, along_columns, along_rows};
use super::scalar::exact;
use super::view::{View, Window};
use super::weights::{Interpolation, Weights};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Every row scaled.
fn across(bytes: &[u8], width: usize, columns: &Weights) -> Vec<u8> {
    let mut scaled = Vec::new();
    for row in bytes.chunks_exact(3 * width) {
        for taps in columns.iter() {
            let channel = |channel: usize| row[3 * taps.first + channel..].iter().step_by(3).copied();
            scaled.extend([0, 1, 2].map(|at| exact(channel(at), taps.weights)));
        }
    }
    scaled
}

/// Every column scaled.
fn down(bytes: &[u8], width: usize, rows: &Weights) -> Vec<u8> {
    let row = 3 * width;
    let sum = |first: usize, at: usize, weights: &[i32]| {
        exact(bytes[first * row + at..].iter().step_by(row).copied(), weights)
    };
    rows.iter().flat_map(|taps| (0..row).map(move |at| sum(taps.first, at, taps.weights)).collect::<Vec<_>>()).collect()
}

/// Noise; smooth shades; black and white, where a cubic filter overshoots; or one of three values, so that many sums lie
/// halfway between two bytes.
fn picture(kind: usize, [width, height]: [usize; 2], seed: u64) -> Vec<u8> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let byte = |at: usize| match kind {
        0 => generator.random_range(0..=255_u32) as u8,
        1 => (at / 7 % 256) as u8,
        2 => 255 * generator.random_range(0..2_u32) as u8,
        _ => [0, 1, 2][generator.random_range(0..3_usize)],
    };
    (0..width * height * 3).map(byte).collect()
}

fn agree(kind: usize, from: [usize; 2], to: [usize; 2], interpolation: Interpolation, seed: u64) {
    let bytes = picture(kind, from, seed);
    let [columns, rows] = [0, 1].map(|axis| Weights::new(from[axis], to[axis], 0..to[axis], interpolation));
    let view = View::new(&bytes, from[0], from[1]);
    let wide = across(&bytes, from[0], &columns);
    assert!(along_rows(&view, &columns) == wide, "rows, {from:?} to {to:?}");
    assert!(along_columns(&view, &rows) == down(&bytes, from[0], &rows), "columns, {from:?} to {to:?}");
    assert!(along_both(&view, &columns, &rows) == down(&wide, to[0], &rows), "both, {from:?} to {to:?}");
}

#[test]
fn photographs_are_scaled_as_their_sums_say() {
    for (seed, (from, to)) in (0..).zip([
        ([300, 300], [224, 224]),
        ([640, 427], [224, 224]),
        ([431, 640], [248, 368]),
        ([97, 61], [224, 224]),
        ([112, 112], [224, 224]),
        ([448, 448], [224, 224]),
        ([225, 223], [224, 224]),
    ]) {
        for kind in 0..4 {
            for interpolation in [Interpolation::Bilinear, Interpolation::Bicubic] {
                agree(kind, from, to, interpolation, seed);
            }
        }
    }
}

/// Thousands of bytes in one sum, where single precision is certain of nothing.
#[test]
fn what_is_thousands_of_times_too_long_is_scaled_as_its_sums_say() {
    for kind in 0..4 {
        for (from, to) in
            [([30_000, 1], [1, 1]), ([1, 30_000], [1, 2]), ([2, 9_000], [3, 5]), ([1, 1], [500, 3]), ([3, 2], [1, 900])]
        {
            agree(kind, from, to, Interpolation::Bicubic, 3);
            agree(kind, from, to, Interpolation::Bilinear, 4);
        }
    }
}

/// On paper: halved by a triangle filter, 0 and 1 side by side twice over make 3·0 + 3·1 and their like, of 8: halves in
/// plenty, and each goes up.
#[test]
fn a_sum_that_is_half_a_byte_goes_up() {
    // Inside, the four weights are 1:3:3:1 of 8: (0 + 3·1 + 3·0 + 1)/8 = ½.
    let row: Vec<u8> = [0, 0, 1, 0, 1, 1, 0, 0].into_iter().flat_map(|value| [value; 3]).collect();
    let columns = Weights::new(8, 4, 0..4, Interpolation::Bilinear);
    let halved = along_rows(&View::new(&row, 8, 1), &columns);
    assert_eq!(halved, across(&row, 8, &columns));
    assert_eq!(halved[3], 1);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_picture_and_any_part_of_it_is_scaled_as_its_sums_say(
        kind in 0..4_usize,
        from in [1..90_usize, 1..90],
        to in [1..90_usize, 1..90],
        corner in [0.0..1.0, 0.0..1.0],
        bicubic in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let interpolation = if bicubic { Interpolation::Bicubic } else { Interpolation::Bilinear };
        agree(kind, from, to, interpolation, seed);
        // A part in place is that part cut out.
        let [left, top] = [0, 1].map(|axis| (corner[axis] * from[axis] as f64) as usize);
        let part = Window { left, top, width: from[0] - left, height: from[1] - top };
        let bytes = picture(kind, from, seed);
        let rows = bytes.chunks_exact(3 * from[0]).skip(top);
        let cut: Vec<u8> = rows.flat_map(|row| row[3 * left..].to_vec()).collect();
        let columns = Weights::new(part.width, to[0], 0..to[0], interpolation);
        let view = View::new(&bytes, from[0], from[1]).part(part);
        prop_assert!(along_rows(&view, &columns) == across(&cut, part.width, &columns));
    }
}
