//! How alike two maps are, in the measures of the sanity checks.

use serde::{Deserialize, Serialize};

use crate::measure::{Heatmap, Measure, Normalise};

/// A way to compare the maps of two models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Similarity {
    /// Spearman's rank correlation, in [-1, 1].
    Spearman,
    /// The same of the absolute values: whether the same cells matter, for or against.
    SpearmanAbsolute,
    /// [`ssim`] of the min-max normalised maps.
    Ssim,
}

impl Similarity {
    /// Every one, in the order of all reports.
    pub const ALL: [Similarity; 3] = [Similarity::Spearman, Similarity::SpearmanAbsolute, Similarity::Ssim];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Similarity::Spearman => "spearman",
            Similarity::SpearmanAbsolute => "spearman-absolute",
            Similarity::Ssim => "ssim",
        }
    }

    /// How alike the two are; 1 for the same map. `None` where it is not defined: on different grids, for a map that is
    /// constant or not finite, and for SSIM on a grid smaller than its window.
    pub fn between(self, one: &Heatmap, other: &Heatmap) -> Option<f64> {
        match self {
            Similarity::Spearman => Measure::Spearman.between(one, other),
            Similarity::SpearmanAbsolute => Measure::Spearman.between(&absolute(one)?, &absolute(other)?),
            Similarity::Ssim => ssim(&one.normalised(Normalise::MinMax)?, &other.normalised(Normalise::MinMax)?),
        }
    }
}

fn absolute(map: &Heatmap) -> Option<Heatmap> {
    Heatmap::new(map.rows(), map.cols(), map.values().iter().map(|value| value.abs()).collect()).ok()
}

/// Edge of the window of [`ssim`], in cells.
const WINDOW: usize = 7;

/// Mean structural similarity, in [-1, 1]: over all 7 x 7 windows within the maps, with `K1 = 0.01`, `K2 = 0.03`, sample
/// covariances and as range that of both maps together.
///
/// `None` on different grids, on one smaller than the window, for a map that is not finite, and when both are one and the
/// same constant.
///
/// # Source
///
/// Wang et al. 2004; `skimage.metrics.structural_similarity(im1, im2, data_range=range)`. Quantus flattens maps first and
/// so compares windows of seven cells in a row; here they are windows of the map, as in Adebayo et al. 2018.
pub fn ssim(one: &Heatmap, other: &Heatmap) -> Option<f64> {
    let [rows, cols] = one.grid();
    let (one, other) = (one.normalised(Normalise::None)?, other.normalised(Normalise::None)?);
    if one.grid() != other.grid() || rows < WINDOW || cols < WINDOW {
        return None;
    }
    let both = || one.values().iter().chain(other.values()).map(|&value| f64::from(value));
    let range = both().fold(f64::NEG_INFINITY, f64::max) - both().fold(f64::INFINITY, f64::min);
    if range == 0.0 {
        return None;
    }
    let constants = [(0.01 * range).powi(2), (0.03 * range).powi(2)];
    let corners = (0..=rows - WINDOW).flat_map(|row| (0..=cols - WINDOW).map(move |col| (row, col)));
    let of_window = |(row, col)| {
        let cells = (0..WINDOW * WINDOW).map(|cell| (row + cell / WINDOW) * cols + col + cell % WINDOW);
        let pairs: Vec<[f64; 2]> = cells.map(|at| [&one, &other].map(|map| f64::from(map.values()[at]))).collect();
        similarity_of_window(&pairs, constants)
    };
    let count = ((rows - WINDOW + 1) * (cols - WINDOW + 1)) as f64;
    Some(corners.map(of_window).sum::<f64>() / count)
}

/// Luminance times structure of one window.
fn similarity_of_window(pairs: &[[f64; 2]], [c1, c2]: [f64; 2]) -> f64 {
    let count = pairs.len() as f64;
    let mean = |of: &dyn Fn(&[f64; 2]) -> f64| pairs.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(&|pair| pair[0]), mean(&|pair| pair[1]));
    let sample = count / (count - 1.0);
    let (xx, yy) = (sample * mean(&|pair| (pair[0] - x).powi(2)), sample * mean(&|pair| (pair[1] - y).powi(2)));
    let xy = sample * mean(&|pair| (pair[0] - x) * (pair[1] - y));
    (2.0 * x * y + c1) * (2.0 * xy + c2) / ((x * x + y * y + c1) * (xx + yy + c2))
}

#[cfg(test)]
mod tests {
    use super::super::testing::map;
    use super::*;

    fn ramp(sign: f32) -> Heatmap {
        map(8, 9, &(0..72).map(|cell| sign * cell as f32).collect::<Vec<_>>())
    }

    #[test]
    fn a_map_is_like_itself_and_unlike_its_negative_whose_absolute_values_are_the_same() {
        for similarity in Similarity::ALL {
            let same = similarity.between(&ramp(1.0), &ramp(1.0)).unwrap();
            assert!((same - 1.0).abs() < 1e-12, "{similarity:?} {same}");
            assert_eq!(serde_json::to_value(similarity).unwrap(), similarity.name());
        }
        assert_eq!(Similarity::Spearman.between(&ramp(1.0), &ramp(-1.0)), Some(-1.0));
        assert_eq!(Similarity::SpearmanAbsolute.between(&ramp(1.0), &ramp(-1.0)), Some(1.0));
        assert!(Similarity::Ssim.between(&ramp(1.0), &ramp(-1.0)).unwrap() < 0.0);
    }

    /// One window, all 0 against all 1: range 1, variances 0, so only luminance counts: c1 / (1 + c1) with c1 = 1e-4.
    #[test]
    fn ssim_of_two_constants_is_their_luminance() {
        let found = ssim(&map(7, 7, &[0.0; 49]), &map(7, 7, &[1.0; 49])).unwrap();
        assert!((found - 1e-4 / 1.0001).abs() < 1e-15, "{found}");
        assert_eq!(ssim(&map(7, 7, &[1.0; 49]), &map(7, 7, &[1.0; 49])), None);
    }

    #[test]
    fn small_flat_broken_and_mismatched_maps_have_no_similarity() {
        let mut broken = ramp(1.0).values().to_vec();
        broken[0] = f32::NAN;
        let transposed = map(9, 8, ramp(1.0).values());
        for bad in [map(8, 9, &[1.0; 72]), map(8, 9, &broken), transposed] {
            for similarity in Similarity::ALL {
                assert_eq!(similarity.between(&ramp(1.0), &bad), None, "{similarity:?}");
            }
        }
        assert_eq!(ssim(&map(1, 3, &[0.0, 1.0, 2.0]), &map(1, 3, &[0.0, 1.0, 2.0])), None);
    }
}
