//! Two maps as distributions of evidence over the grid, and how far they are from one another.
//!
//! `p` and `q` are the normalised maps, divided by their sums. With [`Normalise::UnitSum`] that is the share of the
//! positive evidence: neither its strength nor evidence against the class enters. Every function is `None` on different
//! grids, where a normalisation does not exist, and where it leaves a negative value or nothing but zeros. A constant
//! positive map is a distribution like any other.

use super::heatmap::{Heatmap, Normalise};
use super::prepared::distribution;
use super::shape::centre;

/// Jensen-Shannon divergence, `(KL(p || m) + KL(q || m)) / 2` with `m = (p + q) / 2` and logarithms to base 2, in [0,
/// 1], 0 for the same distribution, 1 for disjoint ones.
///
/// # Source
///
/// Lin 1991, "Divergence measures based on the Shannon entropy"; the square of
/// `scipy.spatial.distance.jensenshannon(p, q, base=2)`.
pub fn jensen_shannon(one: &Heatmap, other: &Heatmap, normalise: Normalise) -> Option<f64> {
    of_both(one, other, normalise, divergence)
}

/// [`jensen_shannon`] of two distributions.
pub(super) fn divergence(one: &[f64], other: &[f64]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(&p, &q)| surprise(p, (p + q) / 2.0) + surprise(q, (p + q) / 2.0)).sum();
    (sum / 2.0).clamp(0.0, 1.0)
}

/// `p log2(p / m)`, and its limit 0 at `p = 0`.
fn surprise(p: f64, m: f64) -> f64 {
    if p > 0.0 { p * (p / m).log2() } else { 0.0 }
}

/// Total variation, `sum |p - q| / 2`, in [0, 1]: the share of the evidence that would have to move.
///
/// # Source
///
/// Half of `scipy.spatial.distance.cityblock(p, q)`.
pub fn total_variation(one: &Heatmap, other: &Heatmap, normalise: Normalise) -> Option<f64> {
    of_both(one, other, normalise, variation)
}

/// [`total_variation`] of two distributions.
pub(super) fn variation(one: &[f64], other: &[f64]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(p, q)| (p - q).abs()).sum();
    (sum / 2.0).min(1.0)
}

/// Hellinger distance, `sqrt(sum (sqrt p - sqrt q)² / 2)`, in [0, 1], 1 for disjoint distributions.
///
/// # Source
///
/// Hellinger 1909; `scipy.spatial.distance.euclidean` of the roots, over the root of 2.
pub fn hellinger(one: &Heatmap, other: &Heatmap, normalise: Normalise) -> Option<f64> {
    of_both(one, other, normalise, |p, q| distance_of_roots(&roots(p), &roots(q)))
}

/// The square root of every share.
pub(super) fn roots(distribution: &[f64]) -> Vec<f64> {
    distribution.iter().map(|share| share.sqrt()).collect()
}

/// [`hellinger`] of two distributions, given the roots of their shares.
pub(super) fn distance_of_roots(one: &[f64], other: &[f64]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(p, q)| (p - q).powi(2)).sum();
    (sum / 2.0).sqrt().min(1.0)
}

/// How far the centre of the evidence moved, in units of the grid's sides, in [0, √2): the Euclidean distance of the
/// means of `((col + 1/2) / cols, (row + 1/2) / rows)` under `p` and `q`.
///
/// A map that spreads evenly has its centre in the middle, whatever it shows: read it beside other measures.
///
/// # Source
///
/// `scipy.ndimage.center_of_mass`, in units of the grid's sides.
pub fn centroid_displacement(one: &Heatmap, other: &Heatmap, normalise: Normalise) -> Option<f64> {
    of_both(one, other, normalise, |p, q| displacement(centre(p, one.grid()), centre(q, one.grid())))
}

/// The distance of two points.
pub(super) fn displacement(one: [f64; 2], other: [f64; 2]) -> f64 {
    (one[0] - other[0]).hypot(one[1] - other[1])
}

/// A function of both distributions, where there are two of one grid.
fn of_both(one: &Heatmap, other: &Heatmap, normalise: Normalise, of: impl Fn(&[f64], &[f64]) -> f64) -> Option<f64> {
    (one.grid() == other.grid()).then_some(())?;
    Some(of(&distribution(one, normalise)?, &distribution(other, normalise)?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::row;
    use super::*;

    /// p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4): KL(p||m) = log2(4/3), KL(q||m) = (log2(2/3) + log2(2)) / 2. Half
    /// their sum is (log2 4 - log2 3)/2 + (1 - log2 3 + 1)/4 = 3/2 - (3/4) log2 3 = 0.3112781…
    #[test]
    fn js_follows_its_formula_and_ignores_strength_and_negatives() {
        let expected = 1.5 - 0.75 * 3f64.log2();
        for (one, other) in [([2.0, 0.0], [1.0, 1.0]), ([8.0, -5.0], [0.5, 0.5])] {
            let found = jensen_shannon(&row(&one), &row(&other), Normalise::UnitSum).unwrap();
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
    }

    #[test]
    fn disjoint_distributions_are_as_far_apart_as_can_be() {
        let (left, right) = (row(&[3.0, 0.0, 0.0, 0.0]), row(&[0.0, 0.0, 0.0, 7.0]));
        for measure in [jensen_shannon, total_variation, hellinger] {
            assert_eq!(measure(&left, &right, Normalise::UnitSum), Some(1.0));
        }
        assert_eq!(centroid_displacement(&left, &right, Normalise::UnitSum), Some(0.75));
    }

    /// p = (1, 0), q = (1/2, 1/2): half of 1/2 + 1/2; half of (1 - √½)² + ½, which is 1 - √½; centres at 1/4 and 1/2.
    #[test]
    fn variation_hellinger_and_displacement_follow_their_formulas() {
        let (one, other) = (row(&[4.0, -1.0]), row(&[2.0, 2.0]));
        assert_eq!(total_variation(&one, &other, Normalise::UnitSum), Some(0.5));
        let found = hellinger(&one, &other, Normalise::UnitSum).unwrap();
        assert!((found - (1.0 - 0.5f64.sqrt()).sqrt()).abs() < 1e-15, "{found}");
        assert_eq!(centroid_displacement(&one, &other, Normalise::UnitSum), Some(0.25));
    }

    /// Cells in opposite corners of 2 x 2 have centres (1/4, 1/4) and (3/4, 3/4).
    #[test]
    fn a_displacement_goes_across_and_down() {
        let corner = |cell: usize| Heatmap::new(2, 2, (0..4).map(|at| f32::from(at == cell)).collect()).unwrap();
        let found = centroid_displacement(&corner(0), &corner(3), Normalise::UnitSum).unwrap();
        assert!((found - 0.5f64.sqrt()).abs() < 1e-15, "{found}");
    }
}
