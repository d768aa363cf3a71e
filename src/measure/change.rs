//! How much the signed values themselves changed, in the unit of the method that made the maps.

use super::heatmap::{Heatmap, Normalise};
use super::prepared::scaled;

/// Sum of the absolute changes, `sum |a - b|`, in [0, ∞), in the unit of the normalised maps; of raw maps that is the
/// method's own. `None` on different grids and where a normalisation does not exist.
///
/// # Source
///
/// `scipy.spatial.distance.cityblock`.
pub fn l1_change(one: &Heatmap, other: &Heatmap, normalise: Normalise) -> Option<f64> {
    (one.grid() == other.grid()).then_some(())?;
    Some(absolute(&scaled(one, normalise)?, &scaled(other, normalise)?))
}

/// Root of the summed squared changes, `sqrt(sum (a - b)²)`, in [0, ∞), in the unit of the normalised maps; of raw maps
/// that is the method's own. `None` on different grids and where a normalisation does not exist.
///
/// # Source
///
/// `scipy.spatial.distance.euclidean`.
pub fn l2_change(one: &Heatmap, other: &Heatmap, normalise: Normalise) -> Option<f64> {
    (one.grid() == other.grid()).then_some(())?;
    Some(euclidean(&scaled(one, normalise)?, &scaled(other, normalise)?))
}

/// [`l1_change`] of values.
pub(super) fn absolute(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other).abs()).sum()
}

/// [`l2_change`] of values.
pub(super) fn euclidean(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::testing::row;
    use super::*;

    /// Changes of 3 and -4: 7 and 5. Stretched to [0, 1] the two maps are (0, 1) and (1, 0): 2 and √2.
    #[test]
    fn changes_are_of_the_signed_values() {
        let (one, other) = (row(&[1.0, 2.0]), row(&[-2.0, 6.0]));
        assert_eq!(l1_change(&one, &other, Normalise::None), Some(7.0));
        assert_eq!(l2_change(&one, &other, Normalise::None), Some(5.0));
        let turned = row(&[5.0, 3.0]);
        assert_eq!(l1_change(&one, &turned, Normalise::MinMax), Some(2.0));
        assert_eq!(l2_change(&one, &turned, Normalise::MinMax), Some(2f64.sqrt()));
    }
}
