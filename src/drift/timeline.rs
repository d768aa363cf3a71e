//! Drift while a run trains, and the same again from its files: three measures against the previous and the first
//! epoch.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::figures::{Compared, Question, Reference, View, compare, prepare, prepare_floor};
use super::{CHANCE_DERANGEMENTS, DriftError};
use crate::measure::{Measure, Prepared};
use crate::stats::{RESAMPLES, Resamples};
use crate::store::{Against, DriftEstimate, Explanations, RunReader, StoreError};

/// What one explainer saw at one epoch.
#[derive(Clone, Debug)]
struct Looked {
    epoch: usize,
    explanations: Explanations,
    maps: Vec<Prepared>,
}

impl Looked {
    fn view(&self) -> View<'_> {
        View { epoch: self.epoch, explanations: &self.explanations, maps: &self.maps }
    }
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
    first: Arc<Looked>,
    previous: Arc<Looked>,
}

impl Timeline {
    /// The timeline of a run as it was before `epoch`, from its sealed epochs. An explainer's maps that are not what was sealed
    /// are left out, and `damaged` hears of them: later epochs then compare with the one before.
    ///
    /// # Errors
    ///
    /// When a file of an earlier epoch cannot be read.
    pub fn of_sealed(
        reader: &RunReader,
        epoch: usize,
        mut damaged: impl FnMut(StoreError),
    ) -> Result<Timeline, DriftError> {
        let mut timeline = Timeline::default();
        for &earlier in reader.epochs().iter().filter(|&&sealed| sealed < epoch) {
            let mut whole = Vec::new();
            for name in reader.explainers(earlier)? {
                match reader.explanations(earlier, &name) {
                    Err(error @ StoreError::Damaged { .. }) => damaged(error),
                    read => whole.push(read?),
                }
            }
            timeline.advance(earlier, whole);
        }
        Ok(timeline)
    }

    /// The figures of an epoch against the previous and the first one, by explainer, target kind, measure and
    /// reference, in the measures of [`Measure::LIVE`]. Where these are one and the same epoch both are given.
    /// Explainers that have not been seen before, or that are no evidence yet ([`Explanations::is_evidence`]), give
    /// none.
    ///
    /// # Errors
    ///
    /// When an explainer's epochs do not compare.
    pub fn for_epoch(&self, epoch: usize, current: &[Explanations]) -> Result<Vec<DriftEstimate>, DriftError> {
        let mut current: Vec<&Explanations> = current.iter().filter(|one| one.is_evidence()).collect();
        current.sort_by(|one, other| one.explainer.cmp(&other.explainer));
        let mut all = Vec::new();
        for explanations in current {
            let Some(seen) = self.explainers.get(&explanations.explainer) else { continue };
            let references = [
                Reference { against: Against::Previous, view: seen.previous.view() },
                Reference { against: Against::First, view: seen.first.view() },
            ];
            let maps = prepare(explanations);
            all.extend(live(View { epoch, explanations, maps: &maps }, &references)?);
        }
        Ok(all)
    }

    /// Remembers an epoch, so that later ones compare with it. Epochs must come in ascending order.
    pub fn advance(&mut self, epoch: usize, current: Vec<Explanations>) {
        for explanations in current.into_iter().filter(Explanations::is_evidence) {
            let name = explanations.explainer.clone();
            let maps = prepare(&explanations);
            let now = Arc::new(Looked { epoch, explanations, maps });
            let first = self.explainers.get(&name).map_or_else(|| now.clone(), |seen| seen.first.clone());
            self.explainers.insert(name, Seen { first, previous: now });
        }
    }
}

/// All figures between two epochs of one explainer: every target kind by every measure of [`Measure::LIVE`].
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
) -> Result<Vec<DriftEstimate>, DriftError> {
    let (maps, reference_maps) = (prepare(current), prepare(reference));
    let view = View { epoch: reference_epoch, explanations: reference, maps: &reference_maps };
    live(View { epoch, explanations: current, maps: &maps }, &[Reference { against, view }])
}

/// The figures of training of a run: per epoch, by explainer, target kind, measure and reference, previous before
/// first.
///
/// # Errors
///
/// When a file cannot be read, or an explainer's epochs do not compare.
pub fn of_run(reader: &RunReader) -> Result<Vec<DriftEstimate>, DriftError> {
    let mut timeline = Timeline::default();
    let mut figures = Vec::new();
    for &epoch in reader.epochs() {
        let current = explanations_of(reader, epoch)?;
        figures.extend(timeline.for_epoch(epoch, &current)?);
        timeline.advance(epoch, current);
    }
    Ok(figures)
}

/// All explanations of a sealed epoch, sorted by explainer.
fn explanations_of(reader: &RunReader, epoch: usize) -> Result<Vec<Explanations>, StoreError> {
    let names = reader.explainers(epoch)?;
    names.iter().map(|name| reader.explanations(epoch, name)).collect()
}

/// The figures of training, by target kind, measure and reference.
fn live(current: View<'_>, references: &[Reference<'_>]) -> Result<Vec<DriftEstimate>, DriftError> {
    let resamples = Resamples::new(RESAMPLES, current.explanations.images());
    let (measures, shuffles) = (&Measure::LIVE, CHANCE_DERANGEMENTS);
    let question = Question { measures, shuffles, resamples: &resamples, classes: None };
    let floor = prepare_floor(current.explanations);
    Ok(in_order(compare(current, &floor, references, None, &question)?, measures))
}

/// Figures by target kind, measure, reference and group.
pub(super) fn in_order(compared: Vec<Compared>, measures: &[Measure]) -> Vec<DriftEstimate> {
    let place = |name: &str| measures.iter().position(|measure| measure.name() == name);
    let mut figures: Vec<_> = compared
        .into_iter()
        .enumerate()
        .flat_map(|(index, compared)| {
            compared.figures.into_iter().map(move |figure| ((compared.target, index), figure))
        })
        .collect();
    figures.sort_by_key(|((target, reference), figure)| (*target, place(&figure.measure), *reference));
    figures.into_iter().map(|(_, figure)| figure).collect()
}
