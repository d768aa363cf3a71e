//! Random maps, which show what a criterion gives by chance.

use rand::RngExt;

use crate::measure::Heatmap;
use crate::seed::{Purpose, generator};

/// A map of independent uniform cells in [0, 1): the same for the same seed, place of the image in the panel, and draw.
///
/// # Panics
///
/// When the grid has no cells.
pub fn random_map(grid: [usize; 2], seed: u64, index: u64, draw: u64) -> Heatmap {
    let [rows, cols] = grid;
    let mut generator = generator(seed, Purpose::Control, &[1, index, draw]);
    let values = (0..rows * cols).map(|_| generator.random::<f32>()).collect();
    Heatmap::new(rows, cols, values).unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_map_is_named_by_all_that_it_is_for() {
        let one = random_map([3, 4], 1, 2, 3);
        assert_eq!(one, random_map([3, 4], 1, 2, 3));
        assert_eq!(one.grid(), [3, 4]);
        for other in [random_map([3, 4], 0, 2, 3), random_map([3, 4], 1, 0, 3), random_map([3, 4], 1, 2, 0)] {
            assert_ne!(one, other);
        }
    }
}
