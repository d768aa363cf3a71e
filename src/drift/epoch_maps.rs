//! What one explainer shows of the panel at one epoch, prepared for measuring; and reading it from a run.

use std::borrow::Cow;

use rayon::prelude::*;

use super::error::DriftError;
use super::same::{Difference, first_difference};
use crate::measure::{Heatmap, Prepared};
use crate::store::{Explanations, RunReader};

/// The maps of one explainer at one epoch.
#[derive(Clone, Debug)]
pub(super) struct EpochMaps<'a> {
    pub(super) epoch: usize,
    pub(super) explanations: Cow<'a, Explanations>,
    /// `[N, T]`: by image, then by target.
    maps: Vec<Prepared>,
}

impl<'a> EpochMaps<'a> {
    /// The maps of the panel.
    pub(super) fn new(epoch: usize, explanations: Cow<'a, Explanations>) -> Self {
        EpochMaps { epoch, maps: prepared(&explanations, Explanations::map), explanations }
    }

    /// The maps of the perturbed panel at the same epoch.
    pub(super) fn perturbed(&self) -> EpochMaps<'_> {
        let explanations = Cow::Borrowed(&*self.explanations);
        EpochMaps { epoch: self.epoch, maps: prepared(&explanations, Explanations::floor_map), explanations }
    }

    pub(super) fn images(&self) -> usize {
        self.explanations.images()
    }

    pub(super) fn map(&self, image: usize, target: usize) -> &Prepared {
        &self.maps[image * self.explanations.target_kinds.len() + target]
    }
}

fn prepared(explanations: &Explanations, map: fn(&Explanations, usize, usize) -> Option<Heatmap>) -> Vec<Prepared> {
    let targets = explanations.target_kinds.len();
    let maps = (0..explanations.images() * targets).into_par_iter();
    // Lengths were checked when the file was read, so every map is there.
    maps.filter_map(|index| map(explanations, index / targets, index % targets).map(Prepared::new)).collect()
}

/// What an explainer shows at an epoch; none where it was not asked, or is no evidence yet
/// ([`Explanations::is_evidence`]).
pub(super) fn evidence(reader: &RunReader, epoch: usize, explainer: &str) -> Result<Option<Explanations>, DriftError> {
    if !reader.explainers(epoch)?.iter().any(|name| name == explainer) {
        return Ok(None);
    }
    let explanations = reader.explanations(epoch, explainer)?;
    Ok(Some(explanations).filter(Explanations::is_evidence))
}

/// What another run's explainer shows at an epoch, where it has that epoch and it is evidence; it must be of the same things
/// as `now`.
pub(super) fn at_same_epoch(
    run: &RunReader,
    epoch: usize,
    now: &Explanations,
) -> Result<Option<Explanations>, DriftError> {
    if !run.epochs().contains(&epoch) {
        return Ok(None);
    }
    let Some(other) = evidence(run, epoch, &now.explainer)? else { return Ok(None) };
    match first_difference(&other, now) {
        Some(Difference { fact, found, expected }) => {
            Err(DriftError::OtherRun { run: run.info().name.clone(), fact, expected, found, epoch })
        }
        None => Ok(Some(other)),
    }
}

/// The epoch, if it is sealed.
pub(super) fn sealed(reader: &RunReader, epoch: usize) -> Result<usize, DriftError> {
    if reader.epochs().contains(&epoch) {
        return Ok(epoch);
    }
    let known = reader.epochs().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    Err(DriftError::NoEpoch { epoch, known })
}
