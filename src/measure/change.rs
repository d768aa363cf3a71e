//! How much the values themselves changed.

/// Sum of the absolute changes, `sum |a - b|`, in the unit of the values.
pub(super) fn l1(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other).abs()).sum()
}

/// Root of the summed squared changes, `sqrt(sum (a - b)²)`, in the unit of the values.
pub(super) fn l2(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes of 3 and -4: 7 and 5.
    #[test]
    fn changes_follow_their_formulas() {
        assert_eq!(l1(&[1.0, 2.0], &[-2.0, 6.0]), 7.0);
        assert_eq!(l2(&[1.0, 2.0], &[-2.0, 6.0]), 5.0);
    }
}
