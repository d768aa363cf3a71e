//! Whether the cells of two maps come in the same order.

use crate::stats::Vector;

/// Average ranks minus their mean. Ranks are multiples of a half, so all is exact and equal orders correlate by 1.
pub(super) fn centred_ranks(ranks: Vec<f64>) -> Option<Vector> {
    let mean = (ranks.len() + 1) as f64 / 2.0;
    Vector::new(ranks.into_iter().map(|rank| rank - mean).collect())
}

/// Kendall's tau-b of two maps' values, neither of them all equal, in [-1, 1]: pairs of cells in the same order minus
/// those in the opposite one, divided by the geometric mean of the pairs that each map orders at all.
pub(super) fn kendall(one: &[f32], other: &[f32]) -> f64 {
    let order = |left: f32, right: f32| i64::from(left > right) - i64::from(left < right);
    let (mut agreement, mut ordered) = (0, [0; 2]);
    for last in 1..one.len() {
        let (of_one, of_other) = (one[last], other[last]);
        for (&first_of_one, &first_of_other) in one[..last].iter().zip(other) {
            let pair = [order(of_one, first_of_one), order(of_other, first_of_other)];
            agreement += pair[0] * pair[1];
            ordered[0] += pair[0].abs();
            ordered[1] += pair[1].abs();
        }
    }
    (agreement as f64 / (ordered[0] as f64 * ordered[1] as f64).sqrt()).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks of (1, 2, 2, 4): 1, 2.5, 2.5, 4; of (1, 3, 2, 4): 1, 3, 2, 4. Deviations from 2.5: (-1.5, 0, 0, 1.5) and
    /// (-1.5, 0.5, -0.5, 1.5). Covariance 4.5, variances 4.5 and 5: 4.5 / sqrt(22.5) = sqrt(0.9).
    #[test]
    fn spearman_is_the_correlation_of_the_ranks() {
        let [one, other] = [[1.0, 2.5, 2.5, 4.0], [1.0, 3.0, 2.0, 4.0]].map(|ranks| centred_ranks(ranks.to_vec()));
        let found = one.unwrap().cosine(&other.unwrap());
        assert!((found - 0.9f64.sqrt()).abs() < 1e-12, "{found}");
    }

    /// Of six pairs five are ordered alike and one is a tie of the first map, so 5 / sqrt(5 * 6).
    #[test]
    fn kendall_counts_pairs_and_leaves_ties_out() {
        let found = kendall(&[1.0, 2.0, 2.0, 4.0], &[1.0, 3.0, 2.0, 4.0]);
        assert!((found - (5.0f64 / 6.0).sqrt()).abs() < 1e-15, "{found}");
        assert_eq!(kendall(&[1.0, 2.0, 3.0], &[9.0, 1.0, -7.0]), -1.0);
    }
}
