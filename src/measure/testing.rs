//! Maps for tests.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::heatmap::Heatmap;

/// One row of cells.
pub(super) fn row(values: &[f32]) -> Heatmap {
    Heatmap::new(1, values.len(), values.to_vec()).unwrap()
}

/// Independent uniform values in [0, 1).
pub(super) fn random(rows: usize, cols: usize, seed: u64) -> Heatmap {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    Heatmap::new(rows, cols, (0..rows * cols).map(|_| generator.random::<f32>()).collect()).unwrap()
}
