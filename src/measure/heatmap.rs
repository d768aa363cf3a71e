//! A heat map: rows, columns and one f32 a cell; whether it says anything, and its bilinear resizing.
//!
//! Maps are kept raw, signed and at the grid they were computed on. Measures and drawings bring them to a scale first
//! ([`super::Normalise`]).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// Why some values do not make a heat map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeatmapError {
    /// No rows or no columns.
    #[error("a heat map of {rows} x {cols} has no cells")]
    Empty {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
    },
    /// The number of values is not that of the cells.
    #[error("a heat map of {rows} x {cols} takes {expected} values, found {found}")]
    Length {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
        /// The number of cells, `rows * cols`.
        expected: usize,
        /// Values given.
        found: usize,
    },
}

/// Whether a map can be measured at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapStatus {
    /// Finite, and not the same everywhere: it ranks its cells.
    Alive,
    /// Zero everywhere: the method found nothing.
    Dead,
    /// The same non-zero value everywhere: it points nowhere.
    Constant,
    /// Holds a NaN or an infinity.
    NonFinite,
}

/// One raw map, `[rows, cols]`, row by row, signed, in the unit of the method that made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    rows: usize,
    cols: usize,
    values: Vec<f32>,
}

impl Heatmap {
    /// A map from its values, row by row. Non-finite values are kept and show in [`Heatmap::status`].
    ///
    /// # Errors
    ///
    /// When there are no cells, or not one value per cell.
    pub fn new(rows: usize, cols: usize, values: Vec<f32>) -> Result<Self, HeatmapError> {
        let expected = rows.saturating_mul(cols);
        if expected == 0 {
            return Err(HeatmapError::Empty { rows, cols });
        }
        if values.len() != expected {
            return Err(HeatmapError::Length { rows, cols, expected, found: values.len() });
        }
        Ok(Heatmap { rows, cols, values })
    }

    /// Number of rows, at least 1.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, at least 1.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The grid, `[rows, cols]`.
    pub fn grid(&self) -> [usize; 2] {
        [self.rows, self.cols]
    }

    /// The values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Whether the map can be measured. One non-finite cell makes the whole map [`MapStatus::NonFinite`].
    pub fn status(&self) -> MapStatus {
        let first = self.values[0];
        if self.values.iter().any(|value| !value.is_finite()) {
            MapStatus::NonFinite
        } else if self.values.iter().any(|&value| value != first) {
            MapStatus::Alive
        } else if first == 0.0 {
            MapStatus::Dead
        } else {
            MapStatus::Constant
        }
    }

    /// The map on another grid, each new cell interpolated between the centres of the four nearest old ones.
    ///
    /// # Source
    ///
    /// `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)`: half-pixel centres, edges repeated, no
    /// anti-aliasing when shrinking.
    ///
    /// # Errors
    ///
    /// When the new grid has no cells.
    pub fn resize_bilinear(&self, rows: usize, cols: usize) -> Result<Heatmap, HeatmapError> {
        let across: Vec<Neighbours> = (0..cols).map(|col| Neighbours::of(col, cols, self.cols)).collect();
        let mut values = Vec::with_capacity(rows.saturating_mul(cols));
        for row in 0..rows {
            let down = Neighbours::of(row, rows, self.rows);
            let (above, below) = (self.row(down.low), self.row(down.high));
            values.extend(across.iter().map(|at| down.mix(at.mix_of(above), at.mix_of(below)) as f32));
        }
        Heatmap::new(rows, cols, values)
    }

    /// The values of one row.
    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.cols..][..self.cols]
    }

    /// The indices of all cells, sorted by an order on their values; equal values stay in index order. Values are
    /// passed with -0 replaced by 0.
    pub fn cells_by(&self, order: impl Fn(f32, f32) -> Ordering) -> Vec<usize> {
        let mut cells: Vec<usize> = (0..self.values.len()).collect();
        cells.sort_by(|&left, &right| order(self.values[left] + 0.0, self.values[right] + 0.0));
        cells
    }
}

/// The two old cells a new one lies between along one axis, and how far it is from the lower one, in [0, 1).
struct Neighbours {
    low: usize,
    high: usize,
    distance: f64,
}

impl Neighbours {
    /// Of cell `index` out of `new` on an axis of `old` cells.
    fn of(index: usize, new: usize, old: usize) -> Self {
        let centre = ((index as f64 + 0.5) * old as f64 / new as f64 - 0.5).max(0.0);
        let low = (centre as usize).min(old - 1);
        Neighbours { low, high: (low + 1).min(old - 1), distance: centre - low as f64 }
    }

    /// Between a value at the lower and one at the higher cell.
    fn mix(&self, low: f64, high: f64) -> f64 {
        // Equal neighbours give their value exactly, an infinite one included.
        if low == high { low } else { low * (1.0 - self.distance) + high * self.distance }
    }

    /// Between the two cells of a row.
    fn mix_of(&self, row: &[f32]) -> f64 {
        self.mix(f64::from(row[self.low]), f64::from(row[self.high]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f32]) -> Heatmap {
        Heatmap::new(1, values.len(), values.to_vec()).unwrap()
    }

    #[test]
    fn a_map_has_one_value_a_cell_and_at_least_one_cell() {
        let wrong = HeatmapError::Length { rows: 2, cols: 3, expected: 6, found: 5 };
        assert_eq!(Heatmap::new(2, 3, vec![0.0; 5]), Err(wrong));
        assert_eq!(Heatmap::new(0, 3, vec![]), Err(HeatmapError::Empty { rows: 0, cols: 3 }));
        assert_eq!(Heatmap::new(2, 3, vec![0.0; 6]).unwrap().grid(), [2, 3]);
    }

    #[test]
    fn the_status_tells_dead_constant_and_broken_maps_apart() {
        assert_eq!(row(&[0.0, -0.0]).status(), MapStatus::Dead);
        assert_eq!(row(&[-2.0, -2.0]).status(), MapStatus::Constant);
        assert_eq!(row(&[0.0, f32::NAN]).status(), MapStatus::NonFinite);
        assert_eq!(row(&[f32::INFINITY, f32::INFINITY]).status(), MapStatus::NonFinite);
        assert_eq!(row(&[-1.0, -2.0]).status(), MapStatus::Alive);
        assert_eq!(serde_json::to_string(&MapStatus::NonFinite).unwrap(), "\"non-finite\"");
    }

    /// Four cells from two: the new centres lie at -0.25, 0.25, 0.75 and 1.25 of the old axis, so 0, a quarter, three
    /// quarters and 1 after repeating the edges. With [0, 8] across that is 0, 2, 6, 8; the row below adds 4 at its full
    /// weight.
    #[test]
    fn upscaling_uses_half_pixel_centres() {
        let wide = row(&[0.0, 8.0]).resize_bilinear(1, 4).unwrap();
        assert_eq!(wide.values(), [0.0, 2.0, 6.0, 8.0]);
        let square = Heatmap::new(2, 2, vec![0.0, 8.0, 4.0, 12.0]).unwrap().resize_bilinear(4, 4).unwrap();
        assert_eq!(square.values()[..4], [0.0, 2.0, 6.0, 8.0]);
        assert_eq!(square.values()[4..8], [1.0, 3.0, 7.0, 9.0]);
        assert_eq!(square.values()[12..], [4.0, 6.0, 10.0, 12.0]);
    }

    /// Two cells from four: the new centres lie at 0.5 and 2.5, half-way between neighbours.
    #[test]
    fn downscaling_reads_between_the_nearest_two() {
        assert_eq!(row(&[0.0, 2.0, 10.0, 20.0]).resize_bilinear(1, 2).unwrap().values(), [1.0, 15.0]);
    }

    #[test]
    fn resizing_keeps_the_same_grid_and_a_constant_exactly() {
        let map = Heatmap::new(2, 2, vec![0.1, -0.7, 3.3, 0.2]).unwrap();
        assert_eq!(map.resize_bilinear(2, 2).unwrap(), map);
        assert_eq!(row(&[0.1]).resize_bilinear(3, 5).unwrap().values(), [0.1; 15]);
        assert!(map.resize_bilinear(0, 5).is_err());
    }
}
