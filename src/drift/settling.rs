//! Whether drift is within its floor: from when on it was, whether it is by now, and which epoch to keep.
//!
//! Everything here reads estimates, so it answers alike for a run that is training ([`super::Timeline`]) and for one on
//! disk.

use std::collections::{BTreeMap, BTreeSet};

use super::matrix::Floor;
use super::paths::{distance, series};
use crate::measure::Measure;
use crate::store::{ALL_IMAGES, Against, DriftEstimate};

/// The value of an estimate's floor, in the estimate's measure.
fn floor_of(estimate: &DriftEstimate, floor: Floor) -> Option<f64> {
    match floor {
        Floor::Noise => estimate.floor,
        Floor::Seed => estimate.seed_floor,
    }
}

/// By how much the drift between two epochs exceeds its floor; negative within it. `None` where either is undefined.
pub fn above_floor(estimate: &DriftEstimate, floor: Floor) -> Option<f64> {
    Some(distance(estimate, estimate.value)? - distance(estimate, floor_of(estimate, floor))?)
}

/// How many of the last steps in a row are within the floor.
fn quiet_steps(steps: &[&DriftEstimate], floor: Floor) -> usize {
    steps.iter().rev().take_while(|step| above_floor(step, floor).is_some_and(|above| above <= 0.0)).count()
}

/// What decides whether a run that is training has settled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settling {
    /// In which measure.
    pub measure: Measure,
    /// Against which floor.
    pub floor: Floor,
    /// How many steps in a row must be within the floor; at least one.
    pub patience: usize,
}

impl Settling {
    /// Whether the drift of every explainer and target has been within its floor for the last `patience` steps.
    /// `estimates` are those of a run so far, from [`super::Timeline::for_epoch`]. False where there are none.
    pub fn has_settled(&self, estimates: &[DriftEstimate]) -> bool {
        let steps = series(estimates, Against::Previous);
        let mut ours = steps.iter().filter(|((_, _, measure), _)| *measure == self.measure.name()).peekable();
        ours.peek().is_some() && ours.all(|(_, steps)| quiet_steps(steps, self.floor) >= self.patience.max(1))
    }

    /// By how much the drift of each epoch, since the one before, exceeds its floor: of the explainer and target where
    /// it is most. Epochs where any of them is undefined are left out.
    pub fn by_epoch(&self, estimates: &[DriftEstimate]) -> BTreeMap<usize, f64> {
        let ours = |estimate: &&DriftEstimate| {
            let role = estimate.against == Against::Previous && estimate.group == ALL_IMAGES;
            role && estimate.measure == self.measure.name()
        };
        let mut worst: BTreeMap<usize, f64> = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        for estimate in estimates.iter().filter(ours) {
            match above_floor(estimate, self.floor) {
                Some(above) => {
                    let known = worst.entry(estimate.epoch).or_insert(above);
                    *known = known.max(above);
                }
                None => drop(unknown.insert(estimate.epoch)),
            }
        }
        worst.retain(|epoch, _| !unknown.contains(epoch));
        worst
    }
}

/// The epoch to keep, by accuracy and drift together: of those whose accuracy is within `tolerance` of the best (a
/// fraction; 0.01 is one percentage point), the one whose drift exceeds its floor least; drift within the floor counts as
/// none. The earliest of several, and one of unknown drift only where all are. `None` without an accuracy.
///
/// `accuracy` and `excess` ([`Settling::by_epoch`]) are by epoch.
pub fn accurate_and_settled(
    accuracy: &BTreeMap<usize, f64>,
    excess: &BTreeMap<usize, f64>,
    tolerance: f64,
) -> Option<usize> {
    let best = accuracy.values().copied().fold(f64::NEG_INFINITY, f64::max);
    let drift = |epoch: usize| excess.get(&epoch).map_or(f64::INFINITY, |above| above.max(0.0));
    let good = accuracy.iter().filter(|&(_, &accuracy)| accuracy >= best - tolerance);
    // `min_by` keeps the first of equals.
    good.map(|(&epoch, _)| epoch).min_by(|&one, &other| drift(one).total_cmp(&drift(other)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::estimate;
    use super::*;

    fn steps(values: &[Option<f64>]) -> Vec<DriftEstimate> {
        let step = |(index, &value)| estimate("js-divergence", Against::Previous, index + 1, value);
        values.iter().enumerate().map(step).collect()
    }

    const RULE: Settling = Settling { measure: Measure::JensenShannon, floor: Floor::Noise, patience: 2 };

    /// A correlation of 0.95 is nearer than its floor of 0.9, one of 0.85 is not.
    #[test]
    fn of_a_similarity_more_is_within_the_floor() {
        let of = |value| above_floor(&estimate("spearman", Against::Previous, 1, Some(value)), Floor::Noise).unwrap();
        assert!((of(0.95) + 0.05).abs() < 1e-12 && (of(0.85) - 0.05).abs() < 1e-12);
        assert_eq!(above_floor(&estimate("spearman", Against::Previous, 1, None), Floor::Noise), None);
        assert_eq!(above_floor(&estimate("spearman", Against::Previous, 1, Some(0.5)), Floor::Seed), None);
    }

    #[test]
    fn settling_takes_patience_and_every_explainer() {
        let mut estimates = steps(&[Some(0.5), Some(0.0)]);
        assert!(!RULE.has_settled(&estimates));
        assert!(Settling { patience: 1, ..RULE }.has_settled(&estimates));
        estimates.extend(steps(&[Some(0.5), Some(0.0), Some(0.0)]).pop());
        assert!(RULE.has_settled(&estimates));
        let restless =
            DriftEstimate { explainer: "rollout".into(), ..estimate("js-divergence", Against::Previous, 3, Some(0.9)) };
        estimates.push(restless);
        assert!(!RULE.has_settled(&estimates));
        assert!(!RULE.has_settled(&[]));
        let by_epoch = RULE.by_epoch(&estimates);
        assert!((by_epoch[&3] - 0.8).abs() < 1e-12 && (by_epoch[&2] + 0.1).abs() < 1e-12, "{by_epoch:?}");
    }

    #[test]
    fn the_epoch_to_keep_is_accurate_and_quiet() {
        let accuracy = BTreeMap::from([(1, 0.5), (2, 0.70), (3, 0.71), (4, 0.705)]);
        let excess = BTreeMap::from([(1, 0.0), (2, 0.3), (3, 0.2), (4, 0.1)]);
        assert_eq!(accurate_and_settled(&accuracy, &excess, 0.01), Some(4));
        assert_eq!(accurate_and_settled(&accuracy, &excess, 0.0), Some(3));
        assert_eq!(accurate_and_settled(&accuracy, &excess, 1.0), Some(1));
        assert_eq!(accurate_and_settled(&accuracy, &BTreeMap::from([(3, -0.1), (4, -0.2)]), 0.01), Some(3));
        assert_eq!(accurate_and_settled(&accuracy, &BTreeMap::new(), 0.01), Some(2));
        assert_eq!(accurate_and_settled(&BTreeMap::new(), &excess, 0.01), None);
    }
}
