//! One epoch compared with others: measures by image, their mean with its interval, and what to read it against.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::epoch_maps::EpochMaps;
use super::error::DriftError;
use super::groups::{self, Group};
use super::same::{first_difference, incomparable};
use crate::measure::{MapStatus, Measure};
use crate::seed;
use crate::stats::{Resamples, Table, derangement};
use crate::store::{Against, DriftEstimate};

/// Another epoch to compare with, and in which role.
pub(super) struct Other<'a> {
    pub(super) against: Against,
    pub(super) maps: &'a EpochMaps<'a>,
}

/// What is wanted of two epochs.
pub(super) struct Wanted<'a> {
    pub(super) measures: &'a [Measure],
    /// Pairings of the panel with itself that chance is averaged over.
    pub(super) shuffles: usize,
    pub(super) resamples: &'a Resamples,
    /// The names of the classes, where estimates of groups are wanted too.
    pub(super) classes: Option<&'a [String]>,
}

/// What came of one target and one other epoch.
pub(super) struct Compared {
    pub(super) target: usize,
    pub(super) against: Against,
    pub(super) reference_epoch: usize,
    /// `[N, measures]`
    pub(super) values: Table,
    /// By measure, then by group.
    estimates: Vec<DriftEstimate>,
}

/// What the estimates of one target are read against; none of it depends on the other epoch.
struct Yardsticks {
    /// `[N, measures]`
    floor: Table,
    /// `[N, measures]`
    seed_floor: Option<Table>,
    /// `[shuffles * N, measures]`: row `s * N + i` is of image `i` and the one it meets in shuffle `s`.
    chance: Table,
    /// `[N]`: whether the map is all zero, constant or not finite.
    dead: Vec<bool>,
}

/// Compares one epoch with others: by target, then by other epoch. `floor` are its maps of the perturbed panel, `seed` is
/// another seed's run at the same epoch.
///
/// # Errors
///
/// When explainer, settings, tap, panel, target kinds or grid of another epoch differ.
pub(super) fn compare(
    current: &EpochMaps<'_>,
    floor: &EpochMaps<'_>,
    others: &[Other<'_>],
    seed: Option<&EpochMaps<'_>>,
    wanted: &Wanted<'_>,
) -> Result<Vec<Compared>, DriftError> {
    for other in others {
        if let Some(difference) = first_difference(&current.explanations, &other.maps.explanations) {
            return Err(incomparable(difference, current.epoch, other.maps.epoch));
        }
    }
    let mut all = Vec::new();
    for target in 0..current.explanations.target_kinds.len() {
        let dead = |image| current.map(image, target).status() != MapStatus::Alive;
        let yardsticks = Yardsticks {
            floor: between(current, floor, target, wanted.measures),
            seed_floor: seed.map(|seed| between(current, seed, target, wanted.measures)),
            chance: chance(current, target, wanted),
            dead: (0..current.images()).map(dead).collect(),
        };
        for other in others {
            let values = between(current, other.maps, target, wanted.measures);
            let estimates = estimates(current, target, other, &values, &yardsticks, wanted);
            let (against, reference_epoch) = (other.against, other.maps.epoch);
            all.push(Compared { target, against, reference_epoch, values, estimates });
        }
    }
    Ok(all)
}

/// Every measure of every image between two epochs. `[N, measures]`.
fn between(one: &EpochMaps<'_>, other: &EpochMaps<'_>, target: usize, measures: &[Measure]) -> Table {
    let value =
        |image, measure: usize| measures[measure].between_prepared(one.map(image, target), other.map(image, target));
    Table::of(one.images(), measures.len(), value)
}

/// Every measure between maps of different images of one epoch, over pairings of the panel with itself in which no
/// image meets itself.
fn chance(current: &EpochMaps<'_>, target: usize, wanted: &Wanted<'_>) -> Table {
    let images = current.images();
    let partners = pairings(images, wanted.shuffles);
    let value = |row: usize, measure: usize| {
        let (one, other) = (row % images, partners[row]);
        // One image alone is only ever paired with itself, which is no chance at all.
        (one != other).then_some(())?;
        wanted.measures[measure].between_prepared(current.map(one, target), current.map(other, target))
    };
    Table::of(partners.len(), wanted.measures.len(), value)
}

/// Random pairings of `images` images with one another, `[shuffles * images]`: in each the partner of every image.
pub(super) fn pairings(images: usize, shuffles: usize) -> Vec<usize> {
    let mut generator = seed::chance();
    (0..shuffles).flat_map(|_| partners(images, &mut generator)).collect()
}

/// A random pairing of `images` images with one another: the partner of each, and none of two or more is its own.
pub(super) fn partners(images: usize, generator: &mut ChaCha8Rng) -> Vec<usize> {
    // In u64: the draws, and so the estimates, are then the same on 32-bit machines.
    derangement(images, |end| generator.random_range(0..end as u64) as usize)
}

/// The estimates of one target against one other epoch, by measure and group.
fn estimates(
    current: &EpochMaps<'_>,
    target: usize,
    other: &Other<'_>,
    values: &Table,
    yardsticks: &Yardsticks,
    wanted: &Wanted<'_>,
) -> Vec<DriftEstimate> {
    let explanations = &*current.explanations;
    let split = wanted.classes.map(|classes| groups::split(explanations, &other.maps.explanations, classes));
    let groups: Vec<Group> =
        std::iter::once(groups::all(explanations.images())).chain(split.into_iter().flatten()).collect();
    let intervals: Vec<Vec<_>> =
        groups.par_iter().map(|group| wanted.resamples.intervals(values, &group.members)).collect();
    let estimate = |(index, measure): (usize, &Measure), group: &Group, interval| {
        let members = || group.members.iter().copied();
        let images = explanations.images();
        let pairs = (0..wanted.shuffles).flat_map(|shuffle| members().map(move |image| shuffle * images + image));
        let (value, defined) = values.mean(index, members());
        DriftEstimate {
            explainer: explanations.explainer.clone(),
            target: explanations.target_kinds[target].clone(),
            measure: measure.name().to_string(),
            against: other.against,
            epoch: current.epoch,
            reference_epoch: other.maps.epoch,
            group: group.name.clone(),
            value,
            interval,
            floor: yardsticks.floor.mean(index, members()).0,
            seed_floor: yardsticks.seed_floor.as_ref().and_then(|floor| floor.mean(index, members()).0),
            chance: yardsticks.chance.mean(index, pairs).0,
            defined,
            undefined: group.members.len() - defined,
            dead: members().filter(|&image| yardsticks.dead[image]).count(),
        }
    };
    let of_measure = |measure: (usize, &Measure)| {
        groups
            .iter()
            .zip(&intervals)
            .map(|(group, intervals)| estimate(measure, group, intervals[measure.0]))
            .collect::<Vec<_>>()
    };
    wanted.measures.iter().enumerate().flat_map(of_measure).collect()
}

/// All estimates, by target kind, measure, other epoch and group.
pub(super) fn in_order(compared: Vec<Compared>, measures: &[Measure]) -> Vec<DriftEstimate> {
    let place = |name: &str| measures.iter().position(|measure| measure.name() == name);
    let mut estimates: Vec<_> = compared
        .into_iter()
        .enumerate()
        .flat_map(|(index, compared)| {
            compared.estimates.into_iter().map(move |estimate| ((compared.target, index), estimate))
        })
        .collect();
    estimates.sort_by_key(|((target, reference), estimate)| (*target, place(&estimate.measure), *reference));
    estimates.into_iter().map(|(_, estimate)| estimate).collect()
}
