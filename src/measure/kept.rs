//! What one measure needs of a map, and no more: for maps that are kept to be compared with those of all later epochs.

use super::heatmap::{Heatmap, MapStatus};
use super::measure::Measure;
use super::prepared::Prepared;
use crate::stats::CompactVector;

/// A map as one measure needs it.
#[derive(Clone, Debug)]
pub struct Kept {
    status: MapStatus,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// Ranks of the cells; none of a map that ranks nothing.
    Ranks(Option<CompactVector>),
    /// The map, and what the measure has worked out of it.
    Map(Box<Prepared>),
}

impl Kept {
    /// Whether the map can be measured.
    pub fn status(&self) -> MapStatus {
        self.status
    }
}

impl Measure {
    /// What this measure needs of a map.
    pub fn keep(self, map: Heatmap) -> Kept {
        let map = Prepared::new(map);
        let status = map.status();
        let form = match self {
            Measure::Spearman => Form::Ranks(map.ranks().map(CompactVector::from)),
            _ => Form::Map(Box::new(map)),
        };
        Kept { status, form }
    }

    /// [`Measure::between_prepared`] of two maps of one grid that this measure kept.
    pub fn between_kept(self, one: &Kept, other: &Kept) -> Option<f64> {
        match (&one.form, &other.form) {
            (Form::Ranks(one), Form::Ranks(other)) => Some(one.as_ref()?.cosine(other.as_ref()?)),
            (Form::Map(one), Form::Map(other)) => self.between_prepared(one, other),
            // Kept for different measures.
            _ => None,
        }
    }

    /// About how many bytes a kept map of so many cells takes, at most.
    pub const fn kept_bytes(self, cells: usize) -> usize {
        match self {
            Measure::Spearman => 4 * cells + 96,
            // The map and up to three vectors of it.
            _ => 32 * cells + 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{random, row};
    use super::*;

    /// To the last bit: an answer from kept maps is that of the maps.
    #[test]
    fn a_kept_map_measures_as_the_map_does() {
        let maps = [random(7, 7, 1), random(7, 7, 2), random(7, 7, 1), random(14, 14, 3), random(14, 14, 4)];
        for measure in [Measure::Spearman, Measure::JensenShannon, Measure::TopIou20] {
            for (one, other) in [(0, 1), (0, 2), (3, 4)] {
                let kept = [one, other].map(|map: usize| measure.keep(maps[map].clone()));
                let found = measure.between_kept(&kept[0], &kept[1]);
                assert!(found.is_some());
                assert_eq!(found, measure.between(&maps[one], &maps[other]), "{measure}");
            }
        }
    }

    #[test]
    fn a_map_that_ranks_nothing_has_no_value() {
        let (alive, constant) = (row(&[1.0, 2.0, 3.0]), row(&[2.0, 2.0, 2.0]));
        let kept = [alive, constant].map(|map| Measure::Spearman.keep(map));
        assert_eq!(Measure::Spearman.between_kept(&kept[0], &kept[1]), None);
        assert_eq!([kept[0].status(), kept[1].status()], [MapStatus::Alive, MapStatus::Constant]);
    }
}
