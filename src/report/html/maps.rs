//! Maps as the page carries them: 16 bits a cell over each map's own range.
//!
//! Eight bits would do for one map in 256 colours, but the page also subtracts maps and draws them on scales shared by
//! epochs and images, where the steps of eight bits show. Sixteen keep every value within 1/131070 of its map's range.
//! A range of its own for every map, because one epoch's raw maps differ in strength by orders of magnitude.

use super::error::ReportError;
use crate::measure::{Heatmap, MapStatus};
use crate::store::{Explanations, RunReader};
use data_encoding::BASE64;
use serde::Serialize;

/// What all maps of a page may take, in bytes of base64.
const BUDGET: usize = 5 << 20;
/// Longest sides a map may have in the page, in cells, the best first. Grids of patches and of last layers are below the
/// last; only maps of a grid near the pixels' are ever made smaller.
const SIDES: [usize; 7] = [224, 112, 56, 40, 28, 20, 14];

/// One explainer's maps of one kind of target, epoch by epoch.
#[derive(Serialize)]
pub(super) struct Method {
    explainer: String,
    title: String,
    tap: String,
    target: String,
    class_specific: bool,
    /// Rows and columns in the page.
    grid: [usize; 2],
    /// Rows and columns in the explanation file.
    stored_grid: [usize; 2],
    signed: bool,
    epochs: Vec<Maps>,
}

/// The maps of one epoch.
#[derive(Serialize)]
struct Maps {
    epoch: usize,
    untrained_head: bool,
    /// Base64 of f32, little-endian, `[N, 2]`: the least and the greatest finite value of each map.
    ranges: String,
    /// Base64 of u16, little-endian, `[N, h, w]`: 0 the least, 65535 the greatest.
    cells: String,
    status: Vec<MapStatus>,
}

impl Method {
    /// A method without epochs. Its maps will have at most `side` cells along the longer side.
    pub(super) fn new(explanations: &Explanations, target: usize, side: usize) -> Self {
        Method {
            explainer: explanations.explainer.clone(),
            title: explanations.title.clone(),
            tap: explanations.tap.clone(),
            target: explanations.target_kinds[target].clone(),
            class_specific: explanations.class_specific,
            grid: within(explanations.grid, side),
            stored_grid: explanations.grid,
            signed: false,
            epochs: Vec::new(),
        }
    }

    /// Adds an epoch's maps.
    pub(super) fn push(&mut self, explanations: &Explanations, epoch: usize, target: usize) {
        let (mut ranges, mut cells, mut status) = (Vec::new(), Vec::new(), Vec::new());
        for map in (0..explanations.images()).filter_map(|image| explanations.map(image, target)) {
            status.push(map.status());
            let values = shrunk(&map, self.grid);
            let finite = || values.iter().copied().filter(|value| value.is_finite());
            let least = finite().reduce(f32::min).unwrap_or(0.0);
            let greatest = finite().reduce(f32::max).unwrap_or(0.0);
            self.signed |= least < 0.0;
            ranges.extend([least, greatest].into_iter().flat_map(f32::to_le_bytes));
            cells.extend(values.iter().flat_map(|&value| quantised(value, least, greatest).to_le_bytes()));
        }
        let (ranges, cells) = (BASE64.encode(&ranges), BASE64.encode(&cells));
        self.epochs.push(Maps { epoch, untrained_head: explanations.untrained_head, ranges, cells, status });
    }
}

/// How far a value is from the least to the greatest, in 65535 steps. A cast saturates: what is not finite ends at a
/// border, and its map's status says that it is no evidence.
fn quantised(value: f32, least: f32, greatest: f32) -> u16 {
    let width = f64::from(greatest) - f64::from(least);
    if width > 0.0 { ((f64::from(value) - f64::from(least)) / width * 65535.0).round() as u16 } else { 0 }
}

/// The longest side of [`SIDES`] with which the maps of all runs stay within the budget, if every epoch holds what the
/// last one does.
pub(super) fn side_within_budget(readers: &[&RunReader]) -> Result<usize, ReportError> {
    let mut kinds = Vec::new();
    for reader in readers {
        let Some(&last) = reader.epochs().last() else { continue };
        for explainer in reader.explainers(last)? {
            let one = reader.explanations(last, &explainer)?;
            kinds.push((one.grid, one.images() * one.target_kinds.len() * reader.epochs().len()));
        }
    }
    let bytes = |side: usize| -> usize {
        let size = |&(grid, maps): &([usize; 2], usize)| within(grid, side).iter().product::<usize>() * maps * 2;
        kinds.iter().map(size).sum::<usize>() / 3 * 4
    };
    let fitting = SIDES.into_iter().find(|&side| bytes(side) <= BUDGET);
    Ok(fitting.unwrap_or(SIDES[SIDES.len() - 1]))
}

/// A grid of the same proportions with no side longer than `side`.
fn within([rows, cols]: [usize; 2], side: usize) -> [usize; 2] {
    let longest = rows.max(cols);
    if longest <= side { [rows, cols] } else { [rows, cols].map(|length| (length * side / longest).max(1)) }
}

/// The map on a grid no finer than its own: every new cell is the mean of the old ones it covers, by area.
fn shrunk(map: &Heatmap, [rows, cols]: [usize; 2]) -> Vec<f32> {
    if map.grid() == [rows, cols] {
        return map.values().to_vec();
    }
    let across: Vec<_> = (0..cols).map(|col| covered(col, cols, map.cols())).collect();
    let mut values = Vec::with_capacity(rows * cols);
    for row in 0..rows {
        let down = covered(row, rows, map.rows());
        for columns in &across {
            let weighted = down.iter().flat_map(|&(row, height)| {
                columns
                    .iter()
                    .map(move |&(col, width)| f64::from(map.values()[row * map.cols() + col]) * height * width)
            });
            values.push(weighted.sum::<f64>() as f32);
        }
    }
    values
}

/// Which of `old` cells along an axis the cell `index` of `new` covers, and what share of it each of them is.
fn covered(index: usize, new: usize, old: usize) -> Vec<(usize, f64)> {
    let width = old as f64 / new as f64;
    let (from, to) = (index as f64 * width, (index + 1) as f64 * width);
    let share = |cell: usize| (to.min((cell + 1) as f64) - from.max(cell as f64)) / width;
    (from as usize..old).map(|cell| (cell, share(cell))).take_while(|&(_, share)| share > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three cells on two: each new cell is one and a half old ones, so (1 + 4/2) / 1.5 = 2 and (4/2 + 7) / 1.5 = 6.
    #[test]
    fn a_smaller_map_holds_means_by_area() {
        let map = Heatmap::new(1, 3, vec![1.0, 4.0, 7.0]).unwrap();
        assert_eq!(shrunk(&map, [1, 2]), [2.0, 6.0]);
        assert_eq!(shrunk(&map, [1, 3]), map.values());
        assert_eq!([within([224, 224], 56), within([20, 10], 14), within([7, 7], 14)], [[56, 56], [14, 7], [7, 7]]);
    }

    /// Half-way up is 32767.5 steps, rounded away from zero.
    #[test]
    fn cells_are_steps_between_the_least_and_the_greatest() {
        assert_eq!([-2.0, 0.0, 2.0].map(|value| quantised(value, -2.0, 2.0)), [0, 32768, 65535]);
        assert_eq!(quantised(f32::MAX, f32::MIN, f32::MAX), 65535);
        assert_eq!([f32::NAN, f32::INFINITY, 3.0].map(|value| quantised(value, 0.0, 1.0)), [0, 65535, 65535]);
        assert_eq!(quantised(3.0, 3.0, 3.0), 0);
    }
}
