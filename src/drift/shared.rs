//! The images that the panels of two runs have in common.

use std::collections::HashMap;

/// Pairs of places in two panels that hold the same image.
pub(super) struct SharedImages {
    pairs: Vec<(usize, usize)>,
}

impl SharedImages {
    /// Images with the same id, in the order of the first panel; `None` where the panels share no image.
    pub(super) fn of(one: &[String], other: &[String]) -> Option<Self> {
        let places: HashMap<&str, usize> = other.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
        let both = one.iter().enumerate();
        let pairs: Vec<_> = both.filter_map(|(place, id)| Some((place, *places.get(id.as_str())?))).collect();
        (!pairs.is_empty()).then_some(SharedImages { pairs })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_shared_by_id_in_the_order_of_the_first_panel() {
        let ids = |ids: &[&str]| ids.iter().map(|id| id.to_string()).collect::<Vec<_>>();
        let shared = SharedImages::of(&ids(&["a", "b", "c"]), &ids(&["c", "x", "a"])).unwrap();
        assert_eq!(shared.of_one(&[Some(1.0), Some(2.0), Some(3.0)]), [Some(1.0), Some(3.0)]);
        assert_eq!(shared.of_other(&[Some(4.0), Some(5.0), None]), [None, Some(4.0)]);
        assert!(SharedImages::of(&ids(&["a"]), &ids(&["b"])).is_none());
    }
}
