//! How much of the evidence two maps have in common.

use super::heatmap::{Heatmap, Normalise};
use super::prepared::{count_of, descending, distribution, top_of};

/// Overlap of the strongest cells: `|A ∩ B| / |A ∪ B|`, in [0, 1], 1 for the same cells.
///
/// `A` and `B` are the `round(fraction * n)` cells (at least one) with the largest raw signed values; of equal values
/// the one with the smaller index is taken first. So a map with fewer non-zero cells than that fills up with its first
/// zeros, and two such maps share some by construction: read the value against its chance. Only the order of the cells
/// counts, so no normalisation is asked for. `None` unless both maps are finite and not constant, and `fraction` is in
/// (0, 1].
///
/// # Source
///
/// Jaccard 1901 on top-k sets. Two independent random maps give about `k / (2 - k)` for `k = fraction`.
pub fn top_k_iou(one: &Heatmap, other: &Heatmap, fraction: f64) -> Option<f64> {
    let valid = fraction > 0.0 && fraction <= 1.0;
    if !valid || one.grid() != other.grid() {
        return None;
    }
    let top = |map| Some(top_of(&descending(map)?, count_of(one.values().len(), fraction)));
    Some(shared_of_all(&top(one)?, &top(other)?))
}

/// Intersection over union of two sets of cells, a bit a cell, neither of them empty.
pub(super) fn shared_of_all(one: &[u64], other: &[u64]) -> f64 {
    let count = |of: fn(u64, u64) -> u64| -> u32 { one.iter().zip(other).map(|(&a, &b)| of(a, b).count_ones()).sum() };
    f64::from(count(|a, b| a & b)) / f64::from(count(|a, b| a | b))
}

/// Soft intersection over union, `sum min(p, q) / sum max(p, q)`, in [0, 1], 1 for the same distribution and 0 for
/// disjoint ones.
///
/// `p` and `q` are the normalised maps, divided by their sums. `None` on different grids, where a normalisation does
/// not exist, and where it leaves negative values or none at all.
///
/// # Source
///
/// Ruzicka 1958; `(1 - b) / (1 + b)` with `b` of `scipy.spatial.distance.braycurtis`.
pub fn soft_iou(one: &Heatmap, other: &Heatmap, normalise: Normalise) -> Option<f64> {
    (one.grid() == other.grid()).then_some(())?;
    Some(soft(&distribution(one, normalise)?, &distribution(other, normalise)?))
}

/// [`soft_iou`] of two distributions.
pub(super) fn soft(one: &[f64], other: &[f64]) -> f64 {
    let pairs = || one.iter().zip(other);
    let shared: f64 = pairs().map(|(&p, &q)| p.min(q)).sum();
    shared / pairs().map(|(&p, &q)| p.max(q)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{random, row};
    use super::*;

    /// Of five cells 40 % are two. Top of the first: cells 4 and 3; of the second: cells 4 and 0. One shared of three.
    #[test]
    fn iou_counts_shared_top_cells_by_signed_value() {
        let (one, other) = (row(&[-9.0, 0.0, 1.0, 2.0, 3.0]), row(&[2.0, 1.0, 1.0, -9.0, 3.0]));
        assert_eq!(top_k_iou(&one, &other, 0.4), Some(1.0 / 3.0));
        assert_eq!(top_k_iou(&one, &other, 1.0), Some(1.0));
        assert_eq!(top_k_iou(&one, &other, 0.0), None);
        assert_eq!(top_k_iou(&one, &other, f64::NAN), None);
    }

    /// The top cell of the first map is a tie of cells 1, 2 and 3 (-0 is 0): the first of them, cell 1, is taken.
    #[test]
    fn ties_go_to_the_smaller_index() {
        let tied = row(&[-1.0, -0.0, 0.0, 0.0, -2.0]);
        assert_eq!(top_k_iou(&tied, &row(&[0.0, 1.0, 0.0, 0.0, 0.0]), 0.2), Some(1.0));
        assert_eq!(top_k_iou(&tied, &row(&[0.0, 0.0, 1.0, 0.0, 0.0]), 0.2), Some(0.0));
    }

    /// More than 64 cells take more than one word of bits.
    #[test]
    fn a_map_shares_all_its_top_with_itself_on_a_large_grid() {
        let map = random(14, 14, 1);
        for fraction in [0.1, 0.15, 0.2, 0.3] {
            assert_eq!(top_k_iou(&map, &map, fraction), Some(1.0));
        }
    }

    /// p = (3/4, 1/4, 0) and q = (1/4, 1/4, 1/2): minima sum to 1/2, maxima to 3/4 + 1/4 + 1/2 = 3/2. The negative
    /// counts as nothing. Min-max first: (1, 3/7, 0) / (10/7) = (7/10, 3/10, 0) and (1, 1, 0) / 2, minima 4/5, maxima
    /// 6/5.
    #[test]
    fn soft_iou_follows_its_formula() {
        let soft = soft_iou(&row(&[3.0, 1.0, -2.0]), &row(&[1.0, 1.0, 2.0]), Normalise::UnitSum).unwrap();
        assert!((soft - 1.0 / 3.0).abs() < 1e-15, "{soft}");
        let (one, other) = (row(&[5.0, 1.0, -2.0]), row(&[4.0, 4.0, 2.0]));
        let stretched = soft_iou(&one, &other, Normalise::MinMax).unwrap();
        assert!((stretched - 2.0 / 3.0).abs() < 1e-15, "{stretched}");
        assert_eq!(soft_iou(&one, &other, Normalise::None), None, "a negative value is no share");
    }
}
