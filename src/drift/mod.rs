//! How the evidence moved between two epochs, and whether that is more than noise: pairing, floor and chance.
//!
//! Every figure compares each panel image's map with the same image's map at an earlier epoch and stands beside two
//! yardsticks from its own epoch: the floor (perturbed images, same weights) and chance (maps of different images). The
//! same explanations give the same figures, byte for byte, during training and when recomputed from a run's files.
//!
//! Explanations of a head that was never trained are noise when the method is class-specific, so an epoch flagged
//! `untrained_head` has no figures for such an explainer and is no reference: its first epoch is the first with a
//! trained head. Class-agnostic explainers compare from the first epoch on.

pub mod metrics;

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

pub use crate::store::{Against, DriftFigure};
pub use metrics::Measure;

use crate::fsx::sha256_hex;
use crate::heatmap::MapStatus;
use crate::store::{Explanations, RunReader, StoreError};

/// Seeds the derangements chance is measured on: the same for every run and epoch, so that chances compare.
pub const CHANCE_SEED: u64 = 20;
/// How many derangements of the panel chance is averaged over.
pub const CHANCE_DERANGEMENTS: usize = 8;

/// Why no drift could be computed.
#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    /// Two epochs' explanations are of different things, so their distance means nothing.
    #[error(
        "epoch {epoch} and epoch {reference_epoch} do not compare: \
         {field} is {found} at epoch {epoch}, expected {expected} as at epoch {reference_epoch}"
    )]
    Incomparable {
        /// What differs: `"explainer"`, `"panel"`, `"grid"`, …
        field: &'static str,
        /// Its value at the reference.
        expected: String,
        /// Its value at the epoch measured.
        found: String,
        /// The epoch measured.
        epoch: usize,
        /// The earlier epoch.
        reference_epoch: usize,
    },
    /// A run's files could not be read.
    #[error("cannot read the run's explanations")]
    Store(#[from] StoreError),
}

/// An earlier epoch to compare with, and in which role.
struct Reference<'a> {
    against: Against,
    epoch: usize,
    explanations: &'a Explanations,
}

/// What an epoch's figures are read against, and its unusable maps; these do not depend on the reference.
struct Yardsticks {
    floor: Option<f64>,
    chance: Option<f64>,
    dead: usize,
}

/// All figures between two epochs of one explainer: every target kind by every measure.
///
/// # Errors
///
/// When explainer, settings, tap, panel, target kinds or grid differ.
pub fn between_epochs(
    current: &Explanations,
    reference: &Explanations,
    epoch: usize,
    reference_epoch: usize,
    against: Against,
) -> Result<Vec<DriftFigure>, DriftError> {
    figures(current, epoch, &[Reference { against, epoch: reference_epoch, explanations: reference }])
}

/// The measure between two epochs' maps, image by image in panel order; `None` where it is not defined. `[N]`.
///
/// Both must be of one panel: images are paired by position, and one that `reference` lacks is `None`.
pub fn per_image(
    current: &Explanations,
    reference: &Explanations,
    target_index: usize,
    measure: Measure,
) -> Vec<Option<f64>> {
    let images = (0..current.images()).into_par_iter();
    let between = |image| measure.between(&current.map(image, target_index)?, &reference.map(image, target_index)?);
    images.map(between).collect()
}

/// All figures of a run: per epoch, by explainer, target kind, measure and reference, previous before first.
///
/// # Errors
///
/// When a file cannot be read, or an explainer's epochs do not compare.
pub fn of_run(reader: &RunReader) -> Result<Vec<DriftFigure>, DriftError> {
    let mut timeline = Timeline::default();
    let mut figures = Vec::new();
    for &epoch in reader.epochs() {
        let current = explanations_of(reader, epoch)?;
        figures.extend(timeline.for_epoch(epoch, &current)?);
        timeline.advance(epoch, current);
    }
    Ok(figures)
}

/// The epochs later ones compare with, explainer by explainer: the latest and the first that are evidence.
///
/// The training loop keeps one and, after explaining an epoch, asks [`Timeline::for_epoch`] and then calls
/// [`Timeline::advance`]; [`of_run`] does the same from a run's files. A resumed run starts from
/// [`Timeline::of_sealed`].
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    explainers: BTreeMap<String, Seen>,
}

/// What a timeline remembers of one explainer.
#[derive(Clone, Debug)]
struct Seen {
    first: (usize, Arc<Explanations>),
    previous: (usize, Arc<Explanations>),
}

impl Timeline {
    /// The timeline of a run as it was before `epoch`, from its sealed epochs.
    ///
    /// # Errors
    ///
    /// When a file of an earlier epoch cannot be read.
    pub fn of_sealed(reader: &RunReader, epoch: usize) -> Result<Timeline, DriftError> {
        let mut timeline = Timeline::default();
        for &earlier in reader.epochs().iter().filter(|&&sealed| sealed < epoch) {
            timeline.advance(earlier, explanations_of(reader, earlier)?);
        }
        Ok(timeline)
    }

    /// The figures of an epoch against the previous and the first one, by explainer, target kind, measure and reference.
    /// Where these are one and the same epoch both are given. Explainers that have not been seen before, or that are no
    /// evidence yet ([`Explanations::is_evidence`]), give none.
    ///
    /// # Errors
    ///
    /// When an explainer's epochs do not compare.
    pub fn for_epoch(&self, epoch: usize, current: &[Explanations]) -> Result<Vec<DriftFigure>, DriftError> {
        let mut current: Vec<&Explanations> = current.iter().filter(|one| one.is_evidence()).collect();
        current.sort_by(|one, other| one.explainer.cmp(&other.explainer));
        let mut all = Vec::new();
        for explanations in current {
            let Some(seen) = self.explainers.get(&explanations.explainer) else { continue };
            let (previous, first) = (&seen.previous, &seen.first);
            let references = [
                Reference { against: Against::Previous, epoch: previous.0, explanations: &previous.1 },
                Reference { against: Against::First, epoch: first.0, explanations: &first.1 },
            ];
            all.extend(figures(explanations, epoch, &references)?);
        }
        Ok(all)
    }

    /// Remembers an epoch, so that later ones compare with it. Epochs must come in ascending order.
    pub fn advance(&mut self, epoch: usize, current: Vec<Explanations>) {
        for explanations in current.into_iter().filter(Explanations::is_evidence) {
            let name = explanations.explainer.clone();
            let now = (epoch, Arc::new(explanations));
            let first = self.explainers.get(&name).map_or_else(|| now.clone(), |seen| seen.first.clone());
            self.explainers.insert(name, Seen { first, previous: now });
        }
    }
}

/// All explanations of a sealed epoch, sorted by explainer.
fn explanations_of(reader: &RunReader, epoch: usize) -> Result<Vec<Explanations>, StoreError> {
    let names = reader.explainers(epoch)?;
    names.iter().map(|name| reader.explanations(epoch, name)).collect()
}

/// The figures of one explainer at one epoch against several earlier ones, by target kind, measure and reference.
fn figures(current: &Explanations, epoch: usize, references: &[Reference<'_>]) -> Result<Vec<DriftFigure>, DriftError> {
    for reference in references {
        compare_facts(current, epoch, reference)?;
    }
    let mut figures = Vec::new();
    for (target, kind) in current.target_kinds.iter().enumerate() {
        for measure in Measure::ALL {
            let yardsticks = yardsticks(current, target, measure);
            for reference in references {
                let values = per_image(current, reference.explanations, target, measure);
                let defined = values.iter().flatten().count();
                figures.push(DriftFigure {
                    explainer: current.explainer.clone(),
                    target: kind.clone(),
                    measure: measure.name().to_string(),
                    against: reference.against,
                    epoch,
                    reference_epoch: reference.epoch,
                    value: mean(&values),
                    floor: yardsticks.floor,
                    chance: yardsticks.chance,
                    defined,
                    undefined: values.len() - defined,
                    dead: yardsticks.dead,
                });
            }
        }
    }
    Ok(figures)
}

/// Refuses a reference that shows something else, by the first fact that differs.
fn compare_facts(current: &Explanations, epoch: usize, reference: &Reference<'_>) -> Result<(), DriftError> {
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
    for ((field, found), (_, expected)) in facts(current).into_iter().zip(facts(reference.explanations)) {
        if found != expected {
            let reference_epoch = reference.epoch;
            return Err(DriftError::Incomparable { field, expected, found, epoch, reference_epoch });
        }
    }
    Ok(())
}

/// The yardsticks of one target and measure at one epoch.
fn yardsticks(current: &Explanations, target: usize, measure: Measure) -> Yardsticks {
    let images = 0..current.images();
    let between_floor = |image| measure.between(&current.map(image, target)?, &current.floor_map(image, target)?);
    let floor: Vec<Option<f64>> = images.clone().into_par_iter().map(between_floor).collect();
    let status = |image| current.map(image, target).map(|map| map.status());
    let dead = images.filter(|&image| status(image) != Some(MapStatus::Alive)).count();
    Yardsticks { floor: mean(&floor), chance: chance(current, target, measure), dead }
}

/// The measure between maps of different images of one epoch: the mean over [`CHANCE_DERANGEMENTS`] pairings of the panel
/// with itself in which no image meets itself. `None` for a panel of one image.
fn chance(current: &Explanations, target: usize, measure: Measure) -> Option<f64> {
    let mut generator = ChaCha8Rng::seed_from_u64(CHANCE_SEED);
    let mut pairs = Vec::new();
    for _ in 0..CHANCE_DERANGEMENTS {
        pairs.extend(derangement(current.images(), &mut generator).into_iter().enumerate());
    }
    let between = |(one, other)| measure.between(&current.map(one, target)?, &current.map(other, target)?);
    // One image alone is only ever paired with itself, which is no chance at all.
    let different = pairs.into_par_iter().filter(|(one, other)| one != other);
    mean(&different.map(between).collect::<Vec<_>>())
}

/// A random cyclic order of `length` items: where each item goes, and none of two or more stays.
///
/// # Source
///
/// Sattolo 1986, "An algorithm to generate a random cyclic permutation".
fn derangement(length: usize, generator: &mut ChaCha8Rng) -> Vec<usize> {
    let mut items: Vec<usize> = (0..length).collect();
    for last in (1..length).rev() {
        // In u64: the draws, and so the figures, are then the same on 32-bit machines.
        items.swap(last, generator.random_range(0..last as u64) as usize);
    }
    items
}

/// Mean of the defined values, summed in order; `None` when there are none.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let defined = values.iter().flatten().count();
    (defined > 0).then(|| values.iter().flatten().sum::<f64>() / defined as f64)
}

#[cfg(test)]
mod tests;
