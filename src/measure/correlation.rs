//! Whether two maps rise and fall together.

use super::heatmap::{Heatmap, MapStatus, Normalise};
use super::prepared::scaled;
use crate::stats::Vector;

/// Pearson's correlation over all cells, `cov(a, b) / (sd(a) sd(b))`, in [-1, 1], 1 for maps that differ by a positive
/// factor and an offset.
///
/// `None` on different grids, where a normalisation does not exist, and where a normalised map is constant.
///
/// # Source
///
/// Pearson 1895; `scipy.stats.pearsonr`.
pub fn pearson(one: &Heatmap, other: &Heatmap, normalise: Normalise) -> Option<f64> {
    (one.grid() == other.grid()).then_some(())?;
    let centred = |map| Vector::centred(&scaled(map, normalise)?);
    Some(centred(one)?.cosine(&centred(other)?))
}

/// Spearman's rank correlation over all cells: [`pearson`] of the maps' average ranks, in [-1, 1], 1 for the same order
/// of cells, -1 for the reverse.
///
/// Only the order of the cells counts, so no normalisation is asked for. `None` unless both maps are finite and not
/// constant.
///
/// # Source
///
/// Spearman 1904; ties as in `scipy.stats.spearmanr`.
pub fn spearman(one: &Heatmap, other: &Heatmap) -> Option<f64> {
    (one.grid() == other.grid()).then_some(())?;
    Some(centred_ranks(one.average_ranks()?)?.cosine(&centred_ranks(other.average_ranks()?)?))
}

/// Average ranks minus their mean. Ranks are multiples of a half, so all is exact and equal orders correlate by 1.
pub(super) fn centred_ranks(ranks: Vec<f64>) -> Option<Vector> {
    let mean = (ranks.len() + 1) as f64 / 2.0;
    Vector::new(ranks.into_iter().map(|rank| rank - mean).collect())
}

/// Kendall's rank correlation, tau-b, in [-1, 1]: pairs of cells in the same order less those in the opposite one,
/// divided by the geometric mean of the pairs that each map orders at all.
///
/// Only the order of the cells counts, so no normalisation is asked for. `None` unless both maps are finite and not
/// constant.
///
/// # Source
///
/// Kendall 1945; `scipy.stats.kendalltau`.
pub fn kendall(one: &Heatmap, other: &Heatmap) -> Option<f64> {
    let alive = |map: &Heatmap| map.status() == MapStatus::Alive;
    if one.grid() != other.grid() || !alive(one) || !alive(other) {
        return None;
    }
    let order = |left: f32, right: f32| i64::from(left > right) - i64::from(left < right);
    let (mut agreement, mut ordered) = (0, [0; 2]);
    for last in 1..one.values().len() {
        let (of_one, of_other) = (one.values()[last], other.values()[last]);
        for (&first_of_one, &first_of_other) in one.values()[..last].iter().zip(other.values()) {
            let pair = [order(of_one, first_of_one), order(of_other, first_of_other)];
            agreement += pair[0] * pair[1];
            ordered[0] += pair[0].abs();
            ordered[1] += pair[1].abs();
        }
    }
    Some((agreement as f64 / (ordered[0] as f64 * ordered[1] as f64).sqrt()).clamp(-1.0, 1.0))
}

/// Cosine of the angle between two maps, `a · b / (|a| |b|)`, in [-1, 1], 1 for maps that differ by a positive factor.
///
/// `None` on different grids, where a normalisation does not exist, and for a map that is zero everywhere.
///
/// # Source
///
/// `1 - scipy.spatial.distance.cosine`.
pub fn cosine(one: &Heatmap, other: &Heatmap, normalise: Normalise) -> Option<f64> {
    (one.grid() == other.grid()).then_some(())?;
    let vector = |map| Vector::new(scaled(map, normalise)?);
    Some(vector(one)?.cosine(&vector(other)?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::row;
    use super::*;

    /// Ranks of (1, 2, 2, 4): 1, 2.5, 2.5, 4; of (1, 3, 2, 4): 1, 3, 2, 4. Deviations from 2.5: (-1.5, 0, 0, 1.5) and
    /// (-1.5, 0.5, -0.5, 1.5). Covariance 4.5, variances 4.5 and 5: 4.5 / sqrt(22.5) = sqrt(0.9).
    #[test]
    fn spearman_shares_ranks_between_ties() {
        let found = spearman(&row(&[1.0, 2.0, 2.0, 4.0]), &row(&[1.0, 3.0, 2.0, 4.0])).unwrap();
        assert!((found - 0.9f64.sqrt()).abs() < 1e-12, "{found}");
        assert_eq!(spearman(&row(&[1.0, 2.0, 3.0]), &row(&[9.0, 1.0, -7.0])), Some(-1.0));
    }

    /// The same maps: of six pairs five are ordered alike and one is a tie of the first map, so 5 / sqrt(5 * 6).
    #[test]
    fn kendall_counts_pairs_and_leaves_ties_out() {
        let found = kendall(&row(&[1.0, 2.0, 2.0, 4.0]), &row(&[1.0, 3.0, 2.0, 4.0])).unwrap();
        assert!((found - (5.0f64 / 6.0).sqrt()).abs() < 1e-15, "{found}");
        assert_eq!(kendall(&row(&[1.0, 2.0, 3.0]), &row(&[9.0, 1.0, -7.0])), Some(-1.0));
    }

    /// (1, 2, 3) and (0, 0, 3) about their means: (-1, 0, 1) and (-1, -1, 2), so 3 / sqrt(2 * 6) = sqrt(3) / 2.
    /// Clipping the negative first: (-2, 2, 3) becomes (0, 2, 3) / 5.
    #[test]
    fn pearson_follows_its_formula_and_its_normalisation() {
        let found = pearson(&row(&[1.0, 2.0, 3.0]), &row(&[0.0, 0.0, 3.0]), Normalise::None).unwrap();
        assert!((found - 0.75f64.sqrt()).abs() < 1e-15, "{found}");
        let (signed, clipped, other) = (row(&[-2.0, 2.0, 3.0]), row(&[0.0, 2.0, 3.0]), row(&[1.0, 5.0, 2.0]));
        let of = |map, normalise| pearson(map, &other, normalise).unwrap();
        assert!((of(&signed, Normalise::UnitSum) - of(&clipped, Normalise::None)).abs() < 1e-12);
        assert!((of(&signed, Normalise::None) - of(&clipped, Normalise::None)).abs() > 0.01);
    }

    /// (3, 4) and (4, 3): 24 / 25. A factor changes nothing, an offset does, a constant is a direction like any other.
    #[test]
    fn cosine_follows_its_formula() {
        let of = |one: &[f32], other: &[f32]| cosine(&row(one), &row(other), Normalise::None);
        assert_eq!(of(&[3.0, 4.0], &[4.0, 3.0]), Some(0.96));
        assert_eq!(of(&[3.0, 4.0], &[-6.0, -8.0]), Some(-1.0));
        assert_eq!(of(&[1.0, 1.0], &[2.0, 2.0]), Some(1.0));
        assert_eq!(of(&[0.0, 0.0], &[2.0, 2.0]), None);
    }
}
