//! How far the evidence walked, and how far it got.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::measure::Measure;
use crate::store::{ALL_IMAGES, Against, DriftEstimate};

/// The way of the evidence up to an epoch. A long way with a short net displacement went in circles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftPath {
    /// The method.
    pub explainer: String,
    /// The kind of target explained.
    pub target: String,
    /// The measure's name.
    pub measure: String,
    /// The last epoch of the way.
    pub epoch: usize,
    /// Distance walked since the first epoch: the sum over epochs of the mean distance from the previous one, where the
    /// distance is `1 - value` for a similarity and the value itself for the rest. None from the first undefined step
    /// on.
    pub path: Option<f64>,
    /// Mean distance from the first epoch.
    pub net: Option<f64>,
}

/// One explainer, target and measure.
pub(super) type Series<'a> = (&'a str, &'a str, &'a str);

/// The figures of all images against one kind of reference, in epoch order, by explainer, target and measure.
pub(super) fn series(figures: &[DriftEstimate], against: Against) -> BTreeMap<Series<'_>, Vec<&DriftEstimate>> {
    let mut all: BTreeMap<_, Vec<&DriftEstimate>> = BTreeMap::new();
    for figure in figures.iter().filter(|figure| figure.against == against && figure.group == ALL_IMAGES) {
        all.entry((&*figure.explainer, &*figure.target, &*figure.measure)).or_default().push(figure);
    }
    all.values_mut().for_each(|figures| figures.sort_by_key(|figure| figure.epoch));
    all
}

/// How far apart a figure says two epochs are; `None` where it is undefined or of no measure known here.
pub(super) fn distance(figure: &DriftEstimate, value: Option<f64>) -> Option<f64> {
    let measure: Measure = figure.measure.parse().ok()?;
    Some(measure.distance(value?))
}

/// The way up to every epoch that was compared with the previous one, by explainer, target and measure. Epochs that
/// were not compared with the first have no net displacement.
pub fn paths(figures: &[DriftEstimate]) -> Vec<DriftPath> {
    let from_first = series(figures, Against::First);
    let mut all = Vec::new();
    for (key, steps) in series(figures, Against::Previous) {
        let mut walked = Some(0.0);
        for step in steps {
            walked = walked.zip(distance(step, step.value)).map(|(walked, step)| walked + step);
            let first = from_first.get(&key).and_then(|figures| figures.iter().find(|one| one.epoch == step.epoch));
            all.push(DriftPath {
                explainer: step.explainer.clone(),
                target: step.target.clone(),
                measure: step.measure.clone(),
                epoch: step.epoch,
                path: walked,
                net: first.and_then(|figure| distance(figure, figure.value)),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::testing::figure;
    use super::*;

    /// Spearman 0.75 from step to step, there and back again: a distance of 0.25 a step, and none in the end. The third
    /// step is undefined, so the way is not known from there on.
    #[test]
    fn a_walk_there_and_back_is_long_and_ends_where_it_began() {
        let mut figures = Vec::new();
        for (epoch, previous, first) in [(1, Some(0.75), 0.75), (2, Some(0.75), 1.0), (3, None, 0.5)] {
            figures.push(figure("spearman", Against::Previous, epoch, previous));
            figures.push(figure("spearman", Against::First, epoch, Some(first)));
        }
        let found: Vec<_> = paths(&figures).iter().map(|figure| (figure.epoch, figure.path, figure.net)).collect();
        assert_eq!(found, [(1, Some(0.25), Some(0.25)), (2, Some(0.5), Some(0.0)), (3, None, Some(0.5))]);
    }

    #[test]
    fn a_divergence_is_its_own_distance_and_groups_are_no_steps() {
        let mut grouped = figure("js-divergence", Against::Previous, 1, Some(0.9));
        grouped.group = "stays-right".into();
        let figures = [figure("js-divergence", Against::Previous, 1, Some(0.125)), grouped];
        let found = paths(&figures);
        assert_eq!((found.len(), found[0].path, found[0].net), (1, Some(0.125), None));
    }
}
