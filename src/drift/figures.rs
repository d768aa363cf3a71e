//! The figures between one epoch and others: values by image, their mean with its interval, and what to read it
//! against.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::DriftError;
use super::groups::{self, Group};
use crate::fsx::sha256_hex;
use crate::measure::{Heatmap, MapStatus};
use crate::measure::{Measure, Prepared};
use crate::seed;
use crate::stats::{Resamples, Table, derangement};
use crate::store::{Against, DriftEstimate, Explanations};

/// What one explainer saw at one epoch, its maps prepared for measuring.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) epoch: usize,
    pub(super) explanations: &'a Explanations,
    /// `[N, T]`
    pub(super) maps: &'a [Prepared],
}

impl View<'_> {
    pub(super) fn map(&self, image: usize, target: usize) -> &Prepared {
        &self.maps[image * self.explanations.target_kinds.len() + target]
    }
}

/// The maps of all images and targets, `[N, T]`.
pub(super) fn prepare(explanations: &Explanations) -> Vec<Prepared> {
    prepare_by(explanations, Explanations::map)
}

/// The maps of all perturbed images and targets, `[N, T]`.
pub(super) fn prepare_floor(explanations: &Explanations) -> Vec<Prepared> {
    prepare_by(explanations, Explanations::floor_map)
}

type Map = fn(&Explanations, usize, usize) -> Option<Heatmap>;

fn prepare_by(explanations: &Explanations, map: Map) -> Vec<Prepared> {
    let targets = explanations.target_kinds.len();
    let maps = (0..explanations.images() * targets).into_par_iter();
    // Lengths were checked when the file was read, so every map is there.
    maps.filter_map(|index| map(explanations, index / targets, index % targets).map(Prepared::new)).collect()
}

/// Another epoch to compare with, and in which role.
pub(super) struct Reference<'a> {
    pub(super) against: Against,
    pub(super) view: View<'a>,
}

/// What is asked of two epochs.
pub(super) struct Question<'a> {
    pub(super) measures: &'a [Measure],
    /// Derangements of the panel that chance is averaged over.
    pub(super) shuffles: usize,
    pub(super) resamples: &'a Resamples,
    /// The names of the classes, where figures of groups are asked for too.
    pub(super) classes: Option<&'a [String]>,
}

/// What came of one target and reference.
pub(super) struct Compared {
    pub(super) target: usize,
    pub(super) against: Against,
    pub(super) reference_epoch: usize,
    /// `[N, measures]`
    pub(super) values: Table,
    /// By measure, then by group.
    pub(super) figures: Vec<DriftEstimate>,
}

/// What the figures of one target are read against; none of it depends on the reference.
struct Yardsticks {
    /// `[N, measures]`
    floor: Table,
    /// `[N, measures]`
    seed_floor: Option<Table>,
    /// `[shuffles * N, measures]`: row `s * N + i` is of image `i` and the one it meets in shuffle `s`.
    chance: Table,
    dead: Vec<bool>,
}

/// Compares one epoch with others: by target, then by reference. `floor` are its maps of the perturbed images, `seed`
/// is what another seed's run saw at the same epoch.
///
/// # Errors
///
/// When explainer, settings, tap, panel, target kinds or grid of a reference differ.
pub(super) fn compare(
    current: View<'_>,
    floor: &[Prepared],
    references: &[Reference<'_>],
    seed: Option<View<'_>>,
    question: &Question<'_>,
) -> Result<Vec<Compared>, DriftError> {
    for reference in references {
        if let Some((field, found, expected)) = first_difference(current.explanations, reference.view.explanations) {
            let (epoch, reference_epoch) = (current.epoch, reference.view.epoch);
            return Err(DriftError::Incomparable { field, expected, found, epoch, reference_epoch });
        }
    }
    let floor = View { maps: floor, ..current };
    let mut all = Vec::new();
    for target in 0..current.explanations.target_kinds.len() {
        let yardsticks = Yardsticks {
            floor: between(current, floor, target, question.measures),
            seed_floor: seed.map(|seed| between(current, seed, target, question.measures)),
            chance: chance(current, target, question),
            dead: status(current, target).iter().map(|&status| status != MapStatus::Alive).collect(),
        };
        for reference in references {
            let values = between(current, reference.view, target, question.measures);
            let figures = figures(current, target, reference, &values, &yardsticks, question);
            let (against, reference_epoch) = (reference.against, reference.view.epoch);
            all.push(Compared { target, against, reference_epoch, values, figures });
        }
    }
    Ok(all)
}

/// The first fact in which two epochs' explanations differ: its name, its value here and there.
pub(super) fn first_difference(
    current: &Explanations,
    reference: &Explanations,
) -> Option<(&'static str, String, String)> {
    let facts = |of: &Explanations| {
        [
            ("explainer", of.explainer.clone()),
            ("settings", of.settings.to_string()),
            ("tap", of.tap.clone()),
            ("panel", of.panel_digest.clone()),
            ("image ids", format!("{} with SHA-256 {}", of.images(), sha256_hex(of.image_ids.join("\n").as_bytes()))),
            ("target kinds", of.target_kinds.join(", ")),
            ("grid", format!("{} x {}", of.grid[0], of.grid[1])),
        ]
    };
    let pairs = facts(current).into_iter().zip(facts(reference));
    pairs.map(|((field, found), (_, expected))| (field, found, expected)).find(|(_, found, expected)| found != expected)
}

/// Every measure of every image between two epochs. `[N, measures]`.
fn between(one: View<'_>, other: View<'_>, target: usize, measures: &[Measure]) -> Table {
    let value =
        |image, measure: usize| measures[measure].between_prepared(one.map(image, target), other.map(image, target));
    Table::of(one.explanations.images(), measures.len(), value)
}

/// What every map of a target is worth. `[N]`.
pub(super) fn status(view: View<'_>, target: usize) -> Vec<MapStatus> {
    (0..view.explanations.images()).map(|image| view.map(image, target).status()).collect()
}

/// Every measure between maps of different images of one epoch, over pairings of the panel with itself in which no
/// image meets itself.
fn chance(current: View<'_>, target: usize, question: &Question<'_>) -> Table {
    let images = current.explanations.images();
    let mut generator = seed::chance();
    let partners: Vec<usize> = (0..question.shuffles).flat_map(|_| partners(images, &mut generator)).collect();
    let value = |row: usize, measure: usize| {
        let (one, other) = (row % images, partners[row]);
        // One image alone is only ever paired with itself, which is no chance at all.
        (one != other).then_some(())?;
        question.measures[measure].between_prepared(current.map(one, target), current.map(other, target))
    };
    Table::of(partners.len(), question.measures.len(), value)
}

/// A random pairing of `images` images with one another: the partner of each, and none of two or more is its own.
pub(super) fn partners(images: usize, generator: &mut ChaCha8Rng) -> Vec<usize> {
    // In u64: the draws, and so the figures, are then the same on 32-bit machines.
    derangement(images, |end| generator.random_range(0..end as u64) as usize)
}

/// The figures of one target against one reference, by measure and group.
fn figures(
    current: View<'_>,
    target: usize,
    reference: &Reference<'_>,
    values: &Table,
    yardsticks: &Yardsticks,
    question: &Question<'_>,
) -> Vec<DriftEstimate> {
    let explanations = current.explanations;
    let split = question.classes.map(|classes| groups::split(explanations, reference.view.explanations, classes));
    let groups: Vec<Group> =
        std::iter::once(groups::all(explanations.images())).chain(split.into_iter().flatten()).collect();
    let intervals: Vec<Vec<_>> =
        groups.par_iter().map(|group| question.resamples.intervals(values, &group.members)).collect();
    let figure = |(index, measure): (usize, &Measure), group: &Group, interval| {
        let members = || group.members.iter().copied();
        let images = explanations.images();
        let pairs = (0..question.shuffles).flat_map(|shuffle| members().map(move |image| shuffle * images + image));
        let (value, defined) = values.mean(index, members());
        DriftEstimate {
            explainer: explanations.explainer.clone(),
            target: explanations.target_kinds[target].clone(),
            measure: measure.name().to_string(),
            against: reference.against,
            epoch: current.epoch,
            reference_epoch: reference.view.epoch,
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
            .map(|(group, intervals)| figure(measure, group, intervals[measure.0]))
            .collect::<Vec<_>>()
    };
    question.measures.iter().enumerate().flat_map(of_measure).collect()
}
