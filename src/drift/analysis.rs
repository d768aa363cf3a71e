//! Everything that can be said about the drift of one run, from its files.
//!
//! Explainers are worked through one after the other and their epochs in order, so that only the maps of an epoch and
//! of those it is compared with are in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::DriftError;
use super::agreement::{AgreementEstimate, agreements};
use super::figures::Reference as Compare;
use super::figures::{Compared, Question, View, compare, first_difference, prepare, prepare_floor};
use super::layers::{LayerEstimate, layer_figures};
use super::options::{Options, Reference};
use super::spread::{ImageSpread, SpreadEstimate, attention_reach, spread_figures};
use super::stability::{Settled, settled};
use super::timeline::in_order;
use super::trajectory::{DriftPath, paths};
use super::warnings::jumps;
use crate::measure::{Measure, Prepared};
use crate::stats::Resamples;
use crate::store::{Against, DriftEstimate, Explanations, RunReader, StoreError};

/// What is known of the drift of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// The run's name.
    pub run: String,
    /// The model's name.
    pub model: String,
    /// The panel's image ids; values by image are in this order.
    pub images: Vec<String>,
    /// Validation accuracy by epoch, in [0, 1], where it is known.
    pub accuracy: BTreeMap<usize, f64>,
    /// By epoch, explainer, target, measure, reference and group.
    pub drift: Vec<DriftEstimate>,
    /// The values behind the figures of all images.
    pub image_drift: Vec<ImageDrift>,
    /// How far the evidence walked and how far it got.
    pub paths: Vec<DriftPath>,
    /// When it settled.
    pub stabilisation: Vec<Settled>,
    /// What the maps of an epoch are like.
    pub spread: Vec<SpreadEstimate>,
    /// The values behind them.
    pub image_spread: Vec<ImageSpread>,
    /// Whether two explainers see the same images move.
    pub agreement: Vec<AgreementEstimate>,
    /// Drift of single blocks and heads.
    pub layers: Vec<LayerEstimate>,
    /// What a person should look at.
    pub warnings: Vec<String>,
}

/// A measure between two epochs' maps, image by image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageDrift {
    /// The method.
    pub explainer: String,
    /// The kind of target explained.
    pub target: String,
    /// The measure's name.
    pub measure: String,
    /// Which other epoch it compares with.
    pub against: Against,
    /// The epoch that is measured.
    pub epoch: usize,
    /// The other epoch.
    pub reference_epoch: usize,
    /// `[N]`, in panel order; null where it is not defined.
    pub values: Vec<Option<f64>>,
}

/// An epoch of one explainer, kept as long as others are compared with it.
struct Looked {
    epoch: usize,
    explanations: Explanations,
    maps: Vec<Prepared>,
}

impl Looked {
    fn new(epoch: usize, explanations: Explanations) -> Arc<Self> {
        let maps = prepare(&explanations);
        Arc::new(Looked { epoch, explanations, maps })
    }

    fn view(&self) -> View<'_> {
        View { epoch: self.epoch, explanations: &self.explanations, maps: &self.maps }
    }
}

/// All that is asked of a run.
///
/// Epochs that are no evidence yet ([`Explanations::is_evidence`]) have no figures and are no reference. An epoch is
/// never compared with itself.
///
/// # Errors
///
/// When a file cannot be read; when an explainer's epochs, or those of the second seed, do not compare; when an epoch
/// or an explainer was asked for that the run does not have; and for the best epoch when no accuracy is known.
pub fn analyse(reader: &RunReader, options: &Options) -> Result<Analysis, DriftError> {
    let explainers = explainers(reader, options)?;
    let accuracy = accuracies(reader)?;
    let mut analysis = Analysis {
        run: reader.info().name.clone(),
        model: reader.info().model.clone(),
        images: reader.info().panel.ids.clone(),
        drift: Vec::new(),
        image_drift: Vec::new(),
        paths: Vec::new(),
        stabilisation: Vec::new(),
        spread: Vec::new(),
        image_spread: Vec::new(),
        agreement: Vec::new(),
        layers: Vec::new(),
        warnings: Vec::new(),
        accuracy,
    };
    let resamples = Resamples::new(options.resamples, analysis.images.len());
    for explainer in &explainers {
        Analyst { reader, options, resamples: &resamples, explainer }.analyse(&mut analysis)?;
    }
    // Explainer by explainer until here; a reader wants epoch by epoch. Sorting keeps the order within.
    analysis.drift.sort_by(|one, other| (one.epoch, &one.explainer).cmp(&(other.epoch, &other.explainer)));
    analysis.image_drift.sort_by(|one, other| (one.epoch, &one.explainer).cmp(&(other.epoch, &other.explainer)));
    analysis.paths = paths(&analysis.drift);
    analysis.stabilisation = settled(&analysis.drift);
    analysis.agreement = agreements(&analysis.image_drift, &options.leading_measures(), &resamples);
    analysis.warnings.extend(jumps(&analysis.drift, &analysis.accuracy, &options.leading_measures()));
    Ok(analysis)
}

/// The explainers asked for, sorted; those of any epoch where none was named.
fn explainers(reader: &RunReader, options: &Options) -> Result<Vec<String>, DriftError> {
    let mut known = Vec::new();
    for &epoch in reader.epochs() {
        known.extend(reader.explainers(epoch)?);
    }
    known.sort();
    known.dedup();
    if options.explainers.is_empty() {
        return Ok(known);
    }
    for name in &options.explainers {
        if !known.contains(name) {
            return Err(DriftError::NoExplainer { name: name.clone(), known: known.join(", ") });
        }
    }
    known.retain(|name| options.explainers.contains(name));
    Ok(known)
}

/// Validation accuracy by epoch; epochs without metrics, or whose metrics have no training half, are left out.
pub(super) fn accuracies(reader: &RunReader) -> Result<BTreeMap<usize, f64>, StoreError> {
    let mut accuracies = BTreeMap::new();
    for &epoch in reader.epochs() {
        let metrics = match reader.metrics(epoch) {
            Err(StoreError::NotSealed { .. }) => continue,
            read => read?,
        };
        accuracies.extend(metrics.training.map(|training| (epoch, training.val_accuracy)));
    }
    Ok(accuracies)
}

/// The epoch of the best accuracy, the earliest of several; the untrained epoch 0 only where it is better than all.
fn best(accuracy: &BTreeMap<usize, f64>) -> Option<usize> {
    let better = |best: Option<(usize, f64)>, (&epoch, &accuracy): (&usize, &f64)| match best {
        Some((0, highest)) if accuracy == highest => Some((epoch, accuracy)),
        Some((_, highest)) if accuracy <= highest => best,
        _ => Some((epoch, accuracy)),
    };
    accuracy.iter().fold(None, better).map(|(epoch, _)| epoch)
}

/// A reference that was asked for, with the epoch where it is the same one all along and is evidence.
type Pinned = (Reference, Option<Arc<Looked>>);

/// One explainer of a run.
struct Analyst<'a> {
    reader: &'a RunReader,
    options: &'a Options,
    resamples: &'a Resamples,
    explainer: &'a str,
}

impl Analyst<'_> {
    /// Adds everything about this explainer.
    fn analyse(&self, analysis: &mut Analysis) -> Result<(), DriftError> {
        let pinned = self.pinned(&analysis.accuracy)?;
        let (mut first, mut previous) = (None, None);
        for &epoch in self.reader.epochs() {
            let Some(explanations) = self.evidence(self.reader, epoch)? else { continue };
            let now = Looked::new(epoch, explanations);
            let mut references = Vec::new();
            for (reference, pinned) in &pinned {
                let looked = match reference {
                    Reference::Previous => previous.as_ref(),
                    Reference::First => first.as_ref(),
                    Reference::Best | Reference::Epoch(_) => pinned.as_ref(),
                };
                // Nothing moved between an epoch and itself.
                let other = looked.filter(|looked: &&Arc<Looked>| looked.epoch != epoch);
                references.extend(other.map(|looked| (reference.against(), Arc::clone(looked))));
            }
            self.epoch(&now, &references, analysis)?;
            first = first.or_else(|| Some(Arc::clone(&now)));
            previous = Some(now);
        }
        Ok(())
    }

    /// All references that were asked for.
    fn pinned(&self, accuracy: &BTreeMap<usize, f64>) -> Result<Vec<Pinned>, DriftError> {
        let mut pinned = Vec::new();
        for &reference in &self.options.against {
            let epoch = match reference {
                Reference::Previous | Reference::First => None,
                Reference::Best => Some(best(accuracy).ok_or(DriftError::NoAccuracy)?),
                Reference::Epoch(epoch) => Some(sealed(self.reader, epoch)?),
            };
            let explanations = epoch.map(|epoch| self.evidence(self.reader, epoch)).transpose()?.flatten();
            pinned.push((reference, epoch.zip(explanations).map(|(epoch, seen)| Looked::new(epoch, seen))));
        }
        Ok(pinned)
    }

    /// What the explainer saw at an epoch, where it saw anything that is evidence.
    fn evidence(&self, reader: &RunReader, epoch: usize) -> Result<Option<Explanations>, DriftError> {
        evidence(reader, epoch, self.explainer)
    }

    /// What a second seed's run saw at an epoch.
    fn seed(&self, epoch: usize, current: &Explanations) -> Result<Option<Arc<Looked>>, DriftError> {
        let Some(run) = &self.options.seed_run else { return Ok(None) };
        if !run.epochs().contains(&epoch) {
            return Ok(None);
        }
        let Some(seed) = self.evidence(run, epoch)? else { return Ok(None) };
        if let Some((field, found, expected)) = first_difference(&seed, current) {
            return Err(DriftError::OtherRun { run: run.info().name.clone(), field, expected, found, epoch });
        }
        Ok(Some(Looked::new(epoch, seed)))
    }

    /// Adds everything about one epoch.
    fn epoch(
        &self,
        now: &Looked,
        references: &[(Against, Arc<Looked>)],
        analysis: &mut Analysis,
    ) -> Result<(), DriftError> {
        let floor = prepare_floor(&now.explanations);
        let seed = self.seed(now.epoch, &now.explanations)?;
        let views: Vec<Compare<'_>> =
            references.iter().map(|(against, looked)| Compare { against: *against, view: looked.view() }).collect();
        let classes = self.options.groups.then_some(self.reader.info().classes.as_slice());
        let (measures, shuffles, resamples) = (&self.options.measures, self.options.shuffles, self.resamples);
        let question = Question { measures, shuffles, resamples, classes };
        let compared = compare(now.view(), &floor, &views, seed.as_ref().map(|seed| seed.view()), &question)?;
        analysis.image_drift.extend(compared.iter().flat_map(|compared| self.image_drift(now, compared)));
        analysis.drift.extend(in_order(compared, measures));

        let (figures, values) = spread_figures(now.view(), &floor, resamples);
        analysis.spread.extend(figures);
        analysis.image_spread.extend(values);
        analysis.spread.extend(attention_reach(now.view(), resamples));
        for reference in &views {
            analysis.layers.extend(layer_figures(now.view(), reference, &self.options.leading_measures(), resamples));
        }
        Ok(())
    }

    /// The values by image of one target against one reference.
    fn image_drift(&self, now: &Looked, compared: &Compared) -> Vec<ImageDrift> {
        let of_measure = |(index, measure): (usize, &Measure)| ImageDrift {
            explainer: self.explainer.to_string(),
            target: now.explanations.target_kinds[compared.target].clone(),
            measure: measure.name().to_string(),
            against: compared.against,
            epoch: now.epoch,
            reference_epoch: compared.reference_epoch,
            values: compared.values.column(index),
        };
        self.options.measures.iter().enumerate().map(of_measure).collect()
    }
}

/// What an explainer saw at an epoch; none where it was not asked, or had nothing to say yet.
pub(super) fn evidence(reader: &RunReader, epoch: usize, explainer: &str) -> Result<Option<Explanations>, DriftError> {
    if !reader.explainers(epoch)?.iter().any(|name| name == explainer) {
        return Ok(None);
    }
    let explanations = reader.explanations(epoch, explainer)?;
    Ok(Some(explanations).filter(Explanations::is_evidence))
}

/// The epoch, if it is sealed.
pub(super) fn sealed(reader: &RunReader, epoch: usize) -> Result<usize, DriftError> {
    if reader.epochs().contains(&epoch) {
        return Ok(epoch);
    }
    let known = reader.epochs().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    Err(DriftError::NoEpoch { epoch, known })
}

#[cfg(test)]
mod tests;
