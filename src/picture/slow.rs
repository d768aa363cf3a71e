//! Scaling once more, as slow as its definition: every output byte from all bytes of its row or column. [`Picture::resized`]
//! must give the same.

use super::{Interpolation, Picture, Window};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The filter at a distance in units of its own width.
fn filter(distance: f64, interpolation: Interpolation) -> f64 {
    const A: f64 = -0.5;
    match (interpolation, distance.abs()) {
        (Interpolation::Bilinear, x) => f64::max(1.0 - x, 0.0),
        (Interpolation::Bicubic, x) if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        (Interpolation::Bicubic, x) if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        (Interpolation::Bicubic, _) => 0.0,
    }
}

/// Byte `index` of `new` that a line of bytes is scaled to.
///
/// # Source
///
/// Pillow `libImaging/Resample.c`: weights that sum to one, rounded to multiples of 2⁻²²; their sum rounded and cut to a byte.
fn scaled(line: &[u8], new: usize, index: usize, interpolation: Interpolation) -> u8 {
    if line.len() == new {
        return line[index];
    }
    let scale = line.len() as f64 / new as f64;
    let centre = (index as f64 + 0.5) * scale;
    let weight = |at: usize| filter((at as f64 - centre + 0.5) / scale.max(1.0), interpolation);
    let sum: f64 = (0..line.len()).map(weight).sum();
    let fixed = |at: usize| (weight(at) / sum * f64::from(1 << 22)).round() as i64;
    let total: i64 = line.iter().enumerate().map(|(at, byte)| fixed(at) * i64::from(*byte)).sum();
    ((total + (1 << 21)) >> 22).clamp(0, 255) as u8
}

/// One channel, `pixels[row][column]`.
type Plane = Vec<Vec<u8>>;

fn transposed(plane: &Plane) -> Plane {
    (0..plane[0].len()).map(|column| plane.iter().map(|row| row[column]).collect()).collect()
}

fn across(plane: &Plane, width: usize, interpolation: Interpolation) -> Plane {
    plane.iter().map(|row| (0..width).map(|index| scaled(row, width, index, interpolation)).collect()).collect()
}

fn down(plane: &Plane, height: usize, interpolation: Interpolation) -> Plane {
    transposed(&across(&transposed(plane), height, interpolation))
}

/// Rows first, unless the height loses more than twice what the width loses.
fn resized(plane: &Plane, [width, height]: [usize; 2], interpolation: Interpolation) -> Plane {
    let lost = |old: usize, new: usize| old as i64 - new as i64;
    let (rows, columns) = (lost(plane.len(), height), lost(plane[0].len(), width));
    match rows > 0 && rows > 2 * columns {
        true => across(&down(plane, height, interpolation), width, interpolation),
        false => down(&across(plane, width, interpolation), height, interpolation),
    }
}

fn planes(picture: &Picture) -> [Plane; 3] {
    let pixel = |row: usize, column: usize| &picture.pixels()[3 * (row * picture.width() + column)..];
    [0, 1, 2].map(|channel| {
        let row = |row: usize| (0..picture.width()).map(|column| pixel(row, column)[channel]).collect();
        (0..picture.height()).map(row).collect()
    })
}

fn pictures() -> impl Strategy<Value = Picture> {
    // Black and white are frequent, so that a cubic filter overshoots.
    let byte = prop_oneof![Just(0_u8), Just(255), any::<u8>()];
    (1..14_usize, 1..14_usize).prop_flat_map(move |(width, height)| {
        vec(byte.clone(), width * height * 3).prop_map(move |pixels| Picture::new(width, height, pixels))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn scaling_is_what_its_definition_gives(
        picture in pictures(),
        width in 1..18_usize,
        height in 1..18_usize,
        interpolation in prop_oneof![Just(Interpolation::Bilinear), Just(Interpolation::Bicubic)],
        corner in [0.0..1.0, 0.0..1.0],
        size in [0.0..1.0, 0.0..1.0],
    ) {
        let expected = planes(&picture).map(|plane| resized(&plane, [width, height], interpolation));
        prop_assert_eq!(&planes(&picture.resized(width, height, interpolation)), &expected);
        let part = |side: usize, from: f64, share: f64| {
            let first = (from * side as f64) as usize;
            (first, 1 + (share * (side - first - 1) as f64) as usize)
        };
        let ((left, window_width), (top, window_height)) =
            (part(width, corner[0], size[0]), part(height, corner[1], size[1]));
        let window = Window { left, top, width: window_width, height: window_height };
        let cut = expected.map(|plane| {
            plane[top..top + window_height].iter().map(|row| row[left..left + window_width].to_vec()).collect::<Plane>()
        });
        prop_assert_eq!(&planes(&picture.resized_window(width, height, window, interpolation)), &cut);
    }
}
