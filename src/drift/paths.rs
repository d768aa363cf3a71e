//! The drift up to an epoch, summed over its steps, and from the first epoch at once.

use std::collections::BTreeMap;

use super::records::DriftPath;
use crate::measure::Measure;
use crate::store::{ALL_IMAGES, Against, DriftEstimate};

/// One explainer, target and measure.
pub(super) type Series<'a> = (&'a str, &'a str, &'a str);

/// The estimates of all images against one kind of reference, in epoch order, by explainer, target and measure.
pub(super) fn series(estimates: &[DriftEstimate], against: Against) -> BTreeMap<Series<'_>, Vec<&DriftEstimate>> {
    let mut all: BTreeMap<_, Vec<&DriftEstimate>> = BTreeMap::new();
    for estimate in estimates.iter().filter(|estimate| estimate.against == against && estimate.group == ALL_IMAGES) {
        all.entry((&*estimate.explainer, &*estimate.target, &*estimate.measure)).or_default().push(estimate);
    }
    all.values_mut().for_each(|estimates| estimates.sort_by_key(|estimate| estimate.epoch));
    all
}

/// The drift that a value of an estimate's measure means ([`Measure::distance`]); `None` where it is undefined or of no
/// measure known here.
pub(super) fn distance(estimate: &DriftEstimate, value: Option<f64>) -> Option<f64> {
    let measure: Measure = estimate.measure.parse().ok()?;
    Some(measure.distance(value?))
}

/// The path up to every epoch that was compared with the previous one, by explainer, target and measure. Epochs that
/// were not compared with the first have no net drift.
pub fn paths(estimates: &[DriftEstimate]) -> Vec<DriftPath> {
    let from_first = series(estimates, Against::First);
    let mut all = Vec::new();
    for (key, steps) in series(estimates, Against::Previous) {
        let mut path = Some(0.0);
        for step in steps {
            path = path.zip(distance(step, step.value)).map(|(path, step)| path + step);
            let first = from_first.get(&key).and_then(|estimates| estimates.iter().find(|one| one.epoch == step.epoch));
            all.push(DriftPath {
                explainer: step.explainer.clone(),
                target: step.target.clone(),
                measure: step.measure.clone(),
                epoch: step.epoch,
                path,
                net: first.and_then(|estimate| distance(estimate, estimate.value)),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::testing::estimate;
    use super::*;

    /// Spearman 0.75 from step to step, there and back again: a distance of 0.25 a step, and none in the end. The third
    /// step is undefined, so the way is not known from there on.
    #[test]
    fn a_walk_there_and_back_is_long_and_ends_where_it_began() {
        let mut estimates = Vec::new();
        for (epoch, previous, first) in [(1, Some(0.75), 0.75), (2, Some(0.75), 1.0), (3, None, 0.5)] {
            estimates.push(estimate("spearman", Against::Previous, epoch, previous));
            estimates.push(estimate("spearman", Against::First, epoch, Some(first)));
        }
        let found: Vec<_> =
            paths(&estimates).iter().map(|estimate| (estimate.epoch, estimate.path, estimate.net)).collect();
        assert_eq!(found, [(1, Some(0.25), Some(0.25)), (2, Some(0.5), Some(0.0)), (3, None, Some(0.5))]);
    }

    #[test]
    fn a_divergence_is_its_own_distance_and_groups_are_no_steps() {
        let mut grouped = estimate("js-divergence", Against::Previous, 1, Some(0.9));
        grouped.group = "stays-right".into();
        let estimates = [estimate("js-divergence", Against::Previous, 1, Some(0.125)), grouped];
        let found = paths(&estimates);
        assert_eq!((found.len(), found[0].path, found[0].net), (1, Some(0.125), None));
    }
}
