//! How much two maps have in common.

/// Intersection over union of two sets of cells, a bit per cell, neither of them empty, in [0, 1].
pub(super) fn iou(one: &[u64], other: &[u64]) -> f64 {
    let count = |of: fn(u64, u64) -> u64| -> u32 { one.iter().zip(other).map(|(&a, &b)| of(a, b).count_ones()).sum() };
    f64::from(count(|a, b| a & b)) / f64::from(count(|a, b| a | b))
}

/// Soft intersection over union of two distributions, `sum min(p, q) / sum max(p, q)`, in [0, 1].
pub(super) fn soft_iou(one: &[f64], other: &[f64]) -> f64 {
    let pairs = || one.iter().zip(other);
    let shared: f64 = pairs().map(|(&p, &q)| p.min(q)).sum();
    shared / pairs().map(|(&p, &q)| p.max(q)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::super::scale::{descending, top_of};
    use super::super::testing::row;
    use super::*;

    /// The IoU of the `count` strongest cells.
    fn top(one: &[f32], other: &[f32], count: usize) -> f64 {
        let [one, other] = [one, other].map(|values| top_of(&descending(&row(values)).unwrap(), count));
        iou(&one, &other)
    }

    /// The top two of the first are cells 4 and 3; of the second cells 4 and 0. One shared of three.
    #[test]
    fn iou_counts_shared_top_cells_by_signed_value() {
        let (one, other) = ([-9.0, 0.0, 1.0, 2.0, 3.0], [2.0, 1.0, 1.0, -9.0, 3.0]);
        assert_eq!(top(&one, &other, 2), 1.0 / 3.0);
        assert_eq!(top(&one, &other, 5), 1.0);
    }

    /// The top cell of the first map is a tie of cells 1, 2 and 3 (-0 is 0): the first of them, cell 1, is taken.
    #[test]
    fn ties_go_to_the_smaller_index() {
        let tied = [-1.0, -0.0, 0.0, 0.0, -2.0];
        assert_eq!(top(&tied, &[0.0, 1.0, 0.0, 0.0, 0.0], 1), 1.0);
        assert_eq!(top(&tied, &[0.0, 0.0, 1.0, 0.0, 0.0], 1), 0.0);
    }

    /// p = (3/4, 1/4, 0) and q = (1/4, 1/4, 1/2): minima sum to 1/2, maxima to 3/4 + 1/4 + 1/2 = 3/2.
    #[test]
    fn soft_iou_follows_its_formula() {
        let found = soft_iou(&[0.75, 0.25, 0.0], &[0.25, 0.25, 0.5]);
        assert!((found - 1.0 / 3.0).abs() < 1e-15, "{found}");
    }
}
