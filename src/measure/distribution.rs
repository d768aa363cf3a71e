//! How far two distributions of evidence over one grid are from one another. Each sums to 1.

/// Jensen-Shannon divergence, `(KL(p || m) + KL(q || m)) / 2` with `m = (p + q) / 2` and logarithms to base 2, in [0, 1].
pub(super) fn jensen_shannon(one: &[f64], other: &[f64]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(&p, &q)| surprise(p, (p + q) / 2.0) + surprise(q, (p + q) / 2.0)).sum();
    (sum / 2.0).clamp(0.0, 1.0)
}

/// `p log2(p / m)`, and its limit 0 at `p = 0`.
fn surprise(p: f64, m: f64) -> f64 {
    if p > 0.0 { p * (p / m).log2() } else { 0.0 }
}

/// Total variation, `sum |p - q| / 2`, in [0, 1].
pub(super) fn total_variation(one: &[f64], other: &[f64]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(p, q)| (p - q).abs()).sum();
    (sum / 2.0).min(1.0)
}

/// The square root of every share.
pub(super) fn roots(distribution: &[f64]) -> Vec<f64> {
    distribution.iter().map(|share| share.sqrt()).collect()
}

/// Hellinger distance, `sqrt(sum (sqrt p - sqrt q)² / 2)`, in [0, 1], of two distributions given by the roots of their
/// shares.
pub(super) fn hellinger(one: &[f64], other: &[f64]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(p, q)| (p - q).powi(2)).sum();
    (sum / 2.0).sqrt().min(1.0)
}

/// The Euclidean distance of two points.
pub(super) fn displacement(one: [f64; 2], other: [f64; 2]) -> f64 {
    (one[0] - other[0]).hypot(one[1] - other[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4): KL(p||m) = log2(4/3), KL(q||m) = (log2(2/3) + log2(2)) / 2. Half
    /// their sum is (log2 4 - log2 3)/2 + (1 - log2 3 + 1)/4 = 3/2 - (3/4) log2 3 = 0.3112781…
    #[test]
    fn js_follows_its_formula() {
        let found = jensen_shannon(&[1.0, 0.0], &[0.5, 0.5]);
        assert!((found - (1.5 - 0.75 * 3f64.log2())).abs() < 1e-12, "{found}");
    }

    #[test]
    fn disjoint_distributions_are_as_far_apart_as_can_be() {
        let (left, right) = ([1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]);
        for measure in [jensen_shannon, total_variation] {
            assert_eq!(measure(&left, &right), 1.0);
        }
        assert_eq!(hellinger(&roots(&left), &roots(&right)), 1.0);
    }

    /// p = (1, 0), q = (1/2, 1/2): half of 1/2 + 1/2; half of (1 - √½)² + ½, which is 1 - √½. Points 3 and 4 apart.
    #[test]
    fn variation_hellinger_and_displacement_follow_their_formulas() {
        let (one, other) = ([1.0, 0.0], [0.5, 0.5]);
        assert_eq!(total_variation(&one, &other), 0.5);
        let found = hellinger(&roots(&one), &roots(&other));
        assert!((found - (1.0 - 0.5f64.sqrt()).sqrt()).abs() < 1e-15, "{found}");
        assert_eq!(displacement([1.0, 7.0], [4.0, 3.0]), 5.0);
    }
}
