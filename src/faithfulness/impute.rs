//! ROAD's linear imputation: missing pixels become the weighted mean of their neighbours, missing ones included.

use super::input::{CHANNELS, Input};
use super::multigrid::{Level, Stencil};

/// Weight of the four neighbours that share an edge with a pixel, and of the four that share a corner.
const EDGE: f64 = 1.0 / 6.0;
const CORNER: f64 = 1.0 / 12.0;

/// The image with the pixels that are not `known` (`[height * width]`) filled in, so that each is the weighted mean of
/// its up to eight neighbours: 1/6 for those beside it, 1/12 for those at its corners, scaled up at the border. Known
/// pixels keep their values exactly. No noise is added.
///
/// `None` when nothing is known or `known` is not one flag a pixel: there is then no solution, or no single one. Also when
/// a value is not finite.
///
/// # Source
///
/// Rong et al. 2022, "A Consistent and Efficient Evaluation Strategy for Attribution Methods" (ROAD);
/// pytorch-grad-cam `metrics/road.py`, `NoisyLinearImputer`, which solves by sparse LU. The system is a graph Laplacian
/// with the known pixels as boundary, so symmetric, and positive definite once anything is known, since every pixel is
/// connected with every other: conjugate gradients converge, and one order of summation in f64 gives the same bits every
/// time.
pub fn impute(input: &Input, known: &[bool]) -> Option<Input> {
    if known.len() != input.pixels() || !known.contains(&true) || input.values().iter().any(|v| !v.is_finite()) {
        return None;
    }
    let (pixels, width) = (input.pixels(), input.width());
    let colour = |pixel: usize| std::array::from_fn(|channel| f64::from(input.values()[channel * pixels + pixel]));
    let mut start = [0.0; CHANNELS];
    let count = known.iter().filter(|&&known| known).count() as f64;
    (0..pixels).filter(|&pixel| known[pixel]).for_each(|pixel| add(&mut start, 1.0 / count, &colour(pixel)));

    let unknown: Vec<usize> = (0..pixels).filter(|&pixel| !known[pixel]).collect();
    let mut stencils = Vec::with_capacity(unknown.len());
    let mut known_sums = Vec::with_capacity(unknown.len());
    for &pixel in &unknown {
        let (mut stencil, mut known_sum): (Stencil, [f64; CHANNELS]) = ([0.0; 9], [0.0; CHANNELS]);
        for (place, weight) in [CORNER, EDGE, CORNER, EDGE, 0.0, EDGE, CORNER, EDGE, CORNER].into_iter().enumerate() {
            let (row, col) = (pixel / width + place / 3, pixel % width + place % 3);
            if weight == 0.0 || row == 0 || row > input.height() || col == 0 || col > width {
                continue;
            }
            let near = (row - 1) * width + col - 1;
            stencil[4] += weight;
            if known[near] {
                add(&mut known_sum, weight, &colour(near));
            } else {
                stencil[place] = -weight;
            }
        }
        stencils.push(stencil);
        known_sums.push(known_sum);
    }
    let solution = Level::new([input.height(), width], unknown, stencils).solve(&known_sums, start)?;
    let filled = |channel: usize, pixel: usize| solution[pixel][channel] as f32;
    Some(input.map(|channel, pixel, value| if known[pixel] { value } else { filled(channel, pixel) }))
}

/// `to += factor * from`.
fn add(to: &mut [f64; CHANNELS], factor: f64, from: &[f64; CHANNELS]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

#[cfg(test)]
mod tests {
    use super::super::testing::grey;
    use super::*;

    #[test]
    fn a_constant_image_stays_that_constant() {
        let input = grey(5, 4, &[0.3; 20]);
        let mut known = [false; 20];
        known[7] = true;
        let found = impute(&input, &known).unwrap();
        assert!(found.values().iter().all(|value| (value - 0.3).abs() < 1e-7), "{found:?}");
    }

    /// A pixel amid known ones: (2 + 4 + 6 + 8) / 6 of those beside it and (1 + 3 + 7 + 9) / 12 of those at its corners:
    /// 20/6 + 20/12 = 5.
    #[test]
    fn a_single_hole_is_the_weighted_mean_of_its_neighbours() {
        let input = grey(3, 3, &[1.0, 2.0, 3.0, 4.0, 100.0, 6.0, 7.0, 8.0, 9.0]);
        let found = impute(&input, &std::array::from_fn::<bool, 9, _>(|pixel| pixel != 4)).unwrap();
        assert!((found.values()[4] - 5.0).abs() < 1e-6, "{found:?}");
        assert_eq!(found.values()[..4], input.values()[..4]);
    }

    /// One row, 0 and 9 known at its ends, two pixels between. Each has two neighbours of equal weight, so the values lie
    /// on a line: 3 and 6. The other planes are -1 and +1 times as much.
    #[test]
    fn a_gap_in_a_row_is_bridged_by_a_line_in_every_channel() {
        let row = [0.0, 50.0, -50.0, 9.0];
        let planes = [1.0, -1.0, 0.0].map(|factor: f32| row.map(|value| factor * value)).concat();
        let found = impute(&Input::new(1, 4, planes).unwrap(), &[true, false, false, true]).unwrap();
        let expected = [0.0, 3.0, 6.0, 9.0, 0.0, -3.0, -6.0, -9.0, 0.0, 0.0, 0.0, 0.0];
        let near = |(found, expected): (&f32, f32)| (found - expected).abs() < 1e-6;
        assert!(found.values().iter().zip(expected).all(near), "{found:?}");
    }

    #[test]
    fn nothing_known_and_a_broken_image_have_no_solution_and_nothing_missing_changes_nothing() {
        let input = grey(1, 2, &[1.0, 2.0]);
        assert_eq!(impute(&input, &[false, false]), None);
        assert_eq!(impute(&input, &[true]), None);
        assert_eq!(impute(&grey(1, 2, &[f32::NAN, 2.0]), &[true, false]), None);
        assert_eq!(impute(&input, &[true, true]), Some(input));
    }

    /// Every filled pixel obeys its equation, on an image of noise with three quarters missing, in one hole and in many.
    #[test]
    fn every_filled_pixel_is_the_mean_of_its_neighbours() {
        let (height, width) = (33, 20);
        let plane: Vec<f32> = (0..height * width).map(|pixel| ((pixel * 7919) % 101) as f32 / 50.0 - 1.0).collect();
        let input = grey(height, width, &plane);
        for known in [|pixel: usize| pixel < 165, |pixel: usize| (pixel * 7919) % 103 < 26] {
            let known: Vec<bool> = (0..height * width).map(known).collect();
            let found = impute(&input, &known).unwrap();
            let at = |row: usize, col: usize| f64::from(found.values()[row * width + col]);
            for (row, col) in (0..height * width).filter(|&pixel| !known[pixel]).map(|p| (p / width, p % width)) {
                let (mut sum, mut weights) = (0.0, 0.0);
                for near_row in row.saturating_sub(1)..height.min(row + 2) {
                    for near_col in col.saturating_sub(1)..width.min(col + 2) {
                        let beside = near_row.abs_diff(row) + near_col.abs_diff(col);
                        let weight = [0.0, 2.0, 1.0][beside];
                        sum += weight * at(near_row, near_col);
                        weights += weight;
                    }
                }
                assert!((at(row, col) - sum / weights).abs() < 1e-6, "{row} {col}");
            }
        }
    }
}
