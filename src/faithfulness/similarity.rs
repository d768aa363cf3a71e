//! How alike two maps are, in the measures of the sanity checks.

use serde::{Deserialize, Serialize};

use crate::measure::{Heatmap, Measure};

/// A way to compare the maps of two models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Similarity {
    /// [`Measure::Spearman`], in [-1, 1].
    Spearman,
    /// The same of the absolute values: whether the same cells matter, for or against.
    SpearmanAbsolute,
    /// [`Measure::Ssim`]. Quantus flattens maps first and so compares windows of cells in a row; here they are windows of
    /// the map, as in Adebayo et al. 2018.
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
    /// constant or not finite, and for SSIM on a grid with a side shorter than 3.
    pub fn between(self, one: &Heatmap, other: &Heatmap) -> Option<f64> {
        match self {
            Similarity::Spearman => Measure::Spearman.between(one, other),
            Similarity::SpearmanAbsolute => Measure::Spearman.between(&absolute(one)?, &absolute(other)?),
            Similarity::Ssim => Measure::Ssim.between(one, other),
        }
    }
}

fn absolute(map: &Heatmap) -> Option<Heatmap> {
    Heatmap::new(map.rows(), map.cols(), map.values().iter().map(|value| value.abs()).collect()).ok()
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
        let narrow = map(2, 3, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(Similarity::Ssim.between(&narrow, &narrow), None);
    }
}
