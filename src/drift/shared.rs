//! The images that the panels of two runs have in common.

use std::collections::HashMap;

use super::DriftError;
use super::analysis::Analysis;

/// Pairs of places in two panels that hold the same image.
pub(super) struct SharedImages {
    pairs: Vec<(usize, usize)>,
}

impl SharedImages {
    /// By id, in the order of the first panel.
    pub(super) fn of(one: &Analysis, other: &Analysis) -> Result<Self, DriftError> {
        let places: HashMap<&str, usize> =
            other.images.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
        let both = one.images.iter().enumerate();
        let pairs: Vec<_> = both.filter_map(|(place, id)| Some((place, *places.get(id.as_str())?))).collect();
        if pairs.is_empty() {
            return Err(DriftError::NoSharedImages { one: one.run.clone(), other: other.run.clone() });
        }
        Ok(SharedImages { pairs })
    }

    pub(super) fn count(&self) -> usize {
        self.pairs.len()
    }

    /// Values of the first panel, of the shared images only.
    pub(super) fn of_one(&self, values: &[Option<f64>]) -> Vec<Option<f64>> {
        self.pairs.iter().map(|&(place, _)| values[place]).collect()
    }

    /// Values of the second panel, of the shared images only.
    pub(super) fn of_other(&self, values: &[Option<f64>]) -> Vec<Option<f64>> {
        self.pairs.iter().map(|&(_, place)| values[place]).collect()
    }
}
