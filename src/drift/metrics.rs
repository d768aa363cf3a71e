//! How alike two maps are: pure functions on two heat maps of one grid, at the maps' own resolution.
//!
//! Each answers `None` where it is not defined, never NaN and never a zero that means "unknown": on different grids, on
//! a map with a non-finite cell, and where a map is too flat for the question. All are symmetric and exact on equal maps.

use serde::{Deserialize, Serialize};

use crate::heatmap::{Heatmap, MapStatus};

/// A way to compare two maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// [`top_k_iou`] of the top fifth of the cells.
    #[serde(rename = "top20-iou")]
    TopIou20,
    /// [`spearman`].
    #[serde(rename = "spearman")]
    Spearman,
    /// [`jensen_shannon`].
    #[serde(rename = "js-divergence")]
    JensenShannon,
}

impl Measure {
    /// Every measure, in the order of all reports.
    pub const ALL: [Measure; 3] = [Measure::TopIou20, Measure::Spearman, Measure::JensenShannon];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Measure::TopIou20 => "top20-iou",
            Measure::Spearman => "spearman",
            Measure::JensenShannon => "js-divergence",
        }
    }

    /// The name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Measure::TopIou20 => "IoU of the top 20 %",
            Measure::Spearman => "Spearman correlation",
            Measure::JensenShannon => "Jensen-Shannon divergence",
        }
    }

    /// Whether a larger value means more alike: true for similarities, false for divergences.
    pub const fn higher_is_more_similar(self) -> bool {
        !matches!(self, Measure::JensenShannon)
    }

    /// The smallest and the largest value possible.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Measure::TopIou20 | Measure::JensenShannon => (0.0, 1.0),
            Measure::Spearman => (-1.0, 1.0),
        }
    }

    /// The measure between two maps, in [`Measure::range`]; `None` where it is not defined.
    pub fn between(self, one: &Heatmap, other: &Heatmap) -> Option<f64> {
        match self {
            Measure::TopIou20 => top_k_iou(one, other, 0.2),
            Measure::Spearman => spearman(one, other),
            Measure::JensenShannon => jensen_shannon(one, other),
        }
    }
}

/// Overlap of the strongest cells: `|A ∩ B| / |A ∪ B|`, in [0, 1], 1 for the same cells.
///
/// `A` and `B` are the `round(fraction * n)` cells (at least one) with the largest raw signed values; of equal values the
/// one with the smaller index is taken first. So a map with fewer non-zero cells than that fills up with its first
/// zeros, and two such maps share some by construction: read the value against its chance. `None` unless both maps are
/// finite and not constant, and `fraction` is in (0, 1].
///
/// # Source
///
/// Jaccard 1901 on top-k sets. Two independent random maps give about `k / (2 - k)` for `k = fraction`.
pub fn top_k_iou(one: &Heatmap, other: &Heatmap, fraction: f64) -> Option<f64> {
    let valid = fraction > 0.0 && fraction <= 1.0;
    if !valid || one.grid() != other.grid() {
        return None;
    }
    let count = ((fraction * one.values().len() as f64).round() as usize).max(1);
    let (one, other) = (top_cells(one, count)?, top_cells(other, count)?);
    let shared = one.iter().zip(&other).filter(|&(&in_one, &in_other)| in_one && in_other).count();
    Some(shared as f64 / (2 * count - shared) as f64)
}

/// Which cells are among the `count` strongest; `None` for a map that does not tell its cells apart.
fn top_cells(map: &Heatmap, count: usize) -> Option<Vec<bool>> {
    if map.status() != MapStatus::Alive {
        return None;
    }
    let mut top = vec![false; map.values().len()];
    for cell in map.cells_by(|left, right| right.total_cmp(&left)).into_iter().take(count) {
        top[cell] = true;
    }
    Some(top)
}

/// Spearman's rank correlation over all cells: `cov(r, s) / (sd(r) sd(s))` of the maps' average ranks, in [-1, 1], 1 for
/// the same order of cells, -1 for the reverse.
///
/// `None` unless both maps are finite and not constant.
///
/// # Source
///
/// Spearman 1904; ties as in `scipy.stats.spearmanr`.
pub fn spearman(one: &Heatmap, other: &Heatmap) -> Option<f64> {
    if one.grid() != other.grid() {
        return None;
    }
    let (one, other) = (one.average_ranks()?, other.average_ranks()?);
    let mean = (one.len() + 1) as f64 / 2.0;
    let covariance = |left: &[f64], right: &[f64]| -> f64 {
        left.iter().zip(right).map(|(left, right)| (left - mean) * (right - mean)).sum()
    };
    // Ranks are multiples of a half, so these sums are exact and equal orders give exactly 1.
    let scale = (covariance(&one, &one) * covariance(&other, &other)).sqrt();
    Some((covariance(&one, &other) / scale).clamp(-1.0, 1.0))
}

/// Jensen-Shannon divergence of the positive evidence: `(KL(p || m) + KL(q || m)) / 2` with `m = (p + q) / 2` and
/// logarithms to base 2, in [0, 1], 0 for the same distribution, 1 for disjoint ones.
///
/// `p` and `q` are the maps with negatives clipped to zero, divided by their sums; so neither the strength of the
/// evidence nor evidence against the class enters. A constant positive map is a distribution like any other. `None`
/// unless both maps are finite and have a positive cell.
///
/// # Source
///
/// Lin 1991, "Divergence measures based on the Shannon entropy".
pub fn jensen_shannon(one: &Heatmap, other: &Heatmap) -> Option<f64> {
    if one.grid() != other.grid() {
        return None;
    }
    let (one, other) = (one.positive_mass()?, other.positive_mass()?);
    let sum: f64 = one.iter().zip(&other).map(|(&p, &q)| surprise(p, (p + q) / 2.0) + surprise(q, (p + q) / 2.0)).sum();
    Some((sum / 2.0).clamp(0.0, 1.0))
}

/// `p log2(p / m)`, and its limit 0 at `p = 0`.
fn surprise(p: f64, m: f64) -> f64 {
    if p > 0.0 { p * (p / m).log2() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn row(values: &[f32]) -> Heatmap {
        Heatmap::new(1, values.len(), values.to_vec()).unwrap()
    }

    /// Independent uniform values in [0, 1) on a grid of 14 x 14.
    fn random(generator: &mut ChaCha8Rng) -> Heatmap {
        Heatmap::new(14, 14, (0..196).map(|_| generator.random::<f32>()).collect()).unwrap()
    }

    /// Mean of a measure over 400 pairs of independent random maps.
    fn by_chance(measure: Measure) -> f64 {
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let mut one = || measure.between(&random(&mut generator), &random(&mut generator)).unwrap();
        (0..400).map(|_| one()).sum::<f64>() / 400.0
    }

    #[test]
    fn identical_maps_have_iou_and_correlation_one_and_zero_js() {
        let mut generator = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..50 {
            let map = random(&mut generator);
            assert_eq!(top_k_iou(&map, &map, 0.2), Some(1.0));
            assert_eq!(spearman(&map, &map), Some(1.0));
            assert_eq!(jensen_shannon(&map, &map), Some(0.0));
        }
    }

    #[test]
    fn disjoint_unit_masses_have_js_one_and_no_shared_top() {
        let (left, right) = (row(&[3.0, 0.0, 0.0, 0.0, 0.0]), row(&[0.0, 0.0, 7.0, 0.0, 0.0]));
        assert_eq!(jensen_shannon(&left, &right), Some(1.0));
        assert_eq!(top_k_iou(&left, &right, 0.2), Some(0.0));
    }

    /// p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4): KL(p||m) = log2(4/3), KL(q||m) = (log2(2/3) + log2(2)) / 2. Half their
    /// sum is (log2 4 - log2 3)/2 + (1 - log2 3 + 1)/4 = 3/2 - (3/4) log2 3 = 0.3112781…
    #[test]
    fn js_follows_its_formula_and_ignores_strength_and_negatives() {
        let expected = 1.5 - 0.75 * 3f64.log2();
        for (one, other) in [([2.0, 0.0], [1.0, 1.0]), ([8.0, -5.0], [0.5, 0.5])] {
            let found = jensen_shannon(&row(&one), &row(&other)).unwrap();
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
    }

    /// Ranks of (1, 2, 2, 4): 1, 2.5, 2.5, 4; of (1, 3, 2, 4): 1, 3, 2, 4. Deviations from 2.5: (-1.5, 0, 0, 1.5) and
    /// (-1.5, 0.5, -0.5, 1.5). Covariance 4.5, variances 4.5 and 5: 4.5 / sqrt(22.5) = sqrt(0.9).
    #[test]
    fn spearman_shares_ranks_between_ties() {
        let found = spearman(&row(&[1.0, 2.0, 2.0, 4.0]), &row(&[1.0, 3.0, 2.0, 4.0])).unwrap();
        assert!((found - 0.9f64.sqrt()).abs() < 1e-12, "{found}");
        assert_eq!(spearman(&row(&[1.0, 2.0, 3.0]), &row(&[9.0, 1.0, -7.0])), Some(-1.0));
    }

    /// Of five cells 40 % are two. Top of the first: cells 4 and 3; of the second: cells 4 and 0. One shared of three.
    #[test]
    fn iou_counts_shared_top_cells_by_signed_value() {
        let (one, other) = (row(&[-9.0, 0.0, 1.0, 2.0, 3.0]), row(&[2.0, 1.0, 1.0, -9.0, 3.0]));
        assert_eq!(top_k_iou(&one, &other, 0.4), Some(1.0 / 3.0));
        assert_eq!(top_k_iou(&one, &other, 1.0), Some(1.0));
    }

    /// The top cell of the first map is a tie of cells 1, 2 and 3 (-0 is 0): the first of them, cell 1, is taken.
    #[test]
    fn ties_go_to_the_smaller_index() {
        let tied = row(&[-1.0, -0.0, 0.0, 0.0, -2.0]);
        assert_eq!(top_k_iou(&tied, &row(&[0.0, 1.0, 0.0, 0.0, 0.0]), 0.2), Some(1.0));
        assert_eq!(top_k_iou(&tied, &row(&[0.0, 0.0, 1.0, 0.0, 0.0]), 0.2), Some(0.0));
    }

    #[test]
    fn flat_broken_and_mismatched_maps_have_no_measure() {
        let good = row(&[1.0, 2.0, 3.0, 4.0]);
        let transposed = Heatmap::new(4, 1, good.values().to_vec()).unwrap();
        for bad in [row(&[0.0; 4]), row(&[f32::NAN, 1.0, 2.0, 3.0]), row(&[f32::INFINITY, 1.0, 2.0, 3.0]), transposed] {
            for measure in Measure::ALL {
                assert_eq!(measure.between(&good, &bad), None, "{measure:?}");
                assert_eq!(measure.between(&bad, &good), None, "{measure:?}");
            }
        }
        let constant = row(&[2.0; 4]);
        assert_eq!(top_k_iou(&good, &constant, 0.2), None);
        assert_eq!(spearman(&constant, &good), None);
        assert!(jensen_shannon(&constant, &good).is_some());
        assert_eq!(jensen_shannon(&row(&[-1.0, -2.0, -3.0, -4.0]), &good), None);
        assert_eq!(top_k_iou(&good, &good, 0.0), None);
        assert_eq!(top_k_iou(&good, &good, f64::NAN), None);
    }

    /// Top 39 of 196 cells: 39 * 39 / 196 = 7.76 shared on average, 7.76 / (78 - 7.76) = 0.1105. Ranks of independent
    /// maps do not correlate.
    #[test]
    fn independent_random_maps_land_near_chance() {
        let iou = by_chance(Measure::TopIou20);
        assert!((iou - 0.1105).abs() < 0.01, "{iou}");
        let correlation = by_chance(Measure::Spearman);
        assert!(correlation.abs() < 0.02, "{correlation}");
    }

    #[test]
    fn every_measure_is_symmetric_in_its_range_and_serialised_by_its_name() {
        let mut generator = ChaCha8Rng::seed_from_u64(3);
        let (one, other) = (random(&mut generator), random(&mut generator));
        for measure in Measure::ALL {
            let (low, high) = measure.range();
            let value = measure.between(&one, &other).unwrap();
            assert!((low..=high).contains(&value));
            assert_eq!(measure.between(&other, &one), Some(value));
            assert_eq!(serde_json::to_value(measure).unwrap(), measure.name());
        }
    }
}
