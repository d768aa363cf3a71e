//! Everything that can be said about the drift of one run, from its files.
//!
//! Explainers are worked through one after the other and their epochs in order, so that only the maps of an epoch and
//! of those it is compared with are in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::agreement::agreements;
use super::compare::{Compared, Other, Wanted, compare, in_order};
use super::distances::{MOST_KEPT, Measuring};
use super::epoch_maps::{EpochMaps, at_same_epoch, evidence, sealed};
use super::error::DriftError;
use super::growing::Growing;
use super::layers::layer_estimates;
use super::matrix::Matrix;
use super::options::{Options, Reference, Settling};
use super::other_measures::settled_by;
use super::pairs::Ruler;
use super::paths::paths;
use super::records::{Analysis, ImageDrift};
use super::spread::{attention_reach, spread_estimates};
use super::warnings::jumps;
use crate::measure::Measure;
use crate::stats::Resamples;
use crate::store::{Against, Explanations, RunReader, Scored, StoreError};

/// All that is asked of a run.
///
/// Epochs that are no evidence yet ([`Explanations::is_evidence`]) have no estimates and are no reference. An epoch is
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
        titles: BTreeMap::new(),
        drift: Vec::new(),
        image_drift: Vec::new(),
        paths: Vec::new(),
        matrices: Vec::new(),
        settled: Vec::new(),
        settled_by: Vec::new(),
        spread: Vec::new(),
        image_spread: Vec::new(),
        agreement: Vec::new(),
        layers: Vec::new(),
        warnings: Vec::new(),
        accuracy,
    };
    let resamples = Resamples::new(options.resamples, analysis.images.len());
    let settling = options.settling(reader)?;
    for explainer in &explainers {
        let analyst = Analyst { reader, options, settling, resamples: &resamples, explainer };
        analyst.analyse(&mut analysis)?;
        analysis.matrices.extend(analyst.matrices()?);
        analysis.settled_by.extend(settled_by(reader, explainer, options, settling)?);
    }
    // Explainer by explainer until here; a reader wants epoch by epoch. Sorting keeps the order within.
    analysis.drift.sort_by(|one, other| (one.epoch, &one.explainer).cmp(&(other.epoch, &other.explainer)));
    analysis.image_drift.sort_by(|one, other| (one.epoch, &one.explainer).cmp(&(other.epoch, &other.explainer)));
    analysis.paths = paths(&analysis.drift);
    analysis.settled = analysis.matrices.iter().flat_map(|matrix| matrix.settled.clone()).collect();
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
fn accuracies(reader: &RunReader) -> Result<BTreeMap<usize, f64>, StoreError> {
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

/// The epoch of the best accuracy.
fn best(accuracy: &BTreeMap<usize, f64>) -> Option<usize> {
    let all = accuracy.iter().map(|(&epoch, &val_accuracy)| Scored { epoch, val_accuracy });
    all.min_by(Scored::best_first).map(|best| best.epoch)
}

/// An epoch's maps, kept as long as others are compared with it.
type Kept = Arc<EpochMaps<'static>>;

fn kept(epoch: usize, explanations: Explanations) -> Kept {
    Arc::new(EpochMaps::new(epoch, Cow::Owned(explanations)))
}

/// One explainer of a run.
struct Analyst<'a> {
    reader: &'a RunReader,
    options: &'a Options,
    settling: Settling,
    resamples: &'a Resamples,
    explainer: &'a str,
}

impl Analyst<'_> {
    /// Adds everything about this explainer.
    fn analyse(&self, analysis: &mut Analysis) -> Result<(), DriftError> {
        let pinned = self.pinned(&analysis.accuracy)?;
        let (mut first, mut previous) = (None, None);
        for &epoch in self.reader.epochs() {
            let Some(explanations) = evidence(self.reader, epoch, self.explainer)? else { continue };
            analysis.titles.insert(self.explainer.to_string(), explanations.title.clone());
            let now = kept(epoch, explanations);
            let mut others = Vec::new();
            for (reference, pinned) in &pinned {
                let other = match reference {
                    Reference::Previous => previous.as_ref(),
                    Reference::First => first.as_ref(),
                    Reference::Best | Reference::Epoch(_) => pinned.as_ref(),
                };
                // An epoch does not differ from itself.
                let other = other.filter(|other: &&Kept| other.epoch != epoch);
                others.extend(other.map(|other| (reference.against(), Arc::clone(other))));
            }
            self.epoch(&now, &others, analysis)?;
            first = first.or_else(|| Some(Arc::clone(&now)));
            previous = Some(now);
        }
        Ok(())
    }

    /// All references that were asked for, each with its epoch where that is the same one all along and is evidence.
    fn pinned(&self, accuracy: &BTreeMap<usize, f64>) -> Result<Vec<(Reference, Option<Kept>)>, DriftError> {
        let mut pinned = Vec::new();
        for &reference in &self.options.against {
            let epoch = match reference {
                Reference::Previous | Reference::First => None,
                Reference::Best => Some(best(accuracy).ok_or(DriftError::NoAccuracy)?),
                Reference::Epoch(epoch) => Some(sealed(self.reader, epoch)?),
            };
            let explanations = epoch.map(|epoch| evidence(self.reader, epoch, self.explainer)).transpose()?.flatten();
            pinned.push((reference, epoch.zip(explanations).map(|(epoch, shown)| kept(epoch, shown))));
        }
        Ok(pinned)
    }

    /// The maps of a second seed's run at an epoch.
    fn seed(&self, now: &EpochMaps<'_>) -> Result<Option<Kept>, DriftError> {
        let Some(run) = &self.options.seed_run else { return Ok(None) };
        let seed = at_same_epoch(run, now.epoch, &now.explanations)?;
        Ok(seed.map(|seed| kept(now.epoch, seed)))
    }

    /// Adds everything about one epoch.
    fn epoch(
        &self,
        now: &EpochMaps<'_>,
        others: &[(Against, Kept)],
        analysis: &mut Analysis,
    ) -> Result<(), DriftError> {
        let (floor, seed) = (now.perturbed(), self.seed(now)?);
        let others: Vec<Other<'_>> = others.iter().map(|(against, maps)| Other { against: *against, maps }).collect();
        let classes = self.options.groups.then_some(self.reader.info().classes.as_slice());
        let (measures, shuffles, resamples) = (&self.options.measures, self.options.shuffles, self.resamples);
        let wanted = Wanted { measures, shuffles, resamples, classes };
        let compared = compare(now, &floor, &others, seed.as_deref(), &wanted)?;
        analysis.image_drift.extend(compared.iter().flat_map(|compared| self.image_drift(now, compared)));
        analysis.drift.extend(in_order(compared, measures));

        let (estimates, values) = spread_estimates(now, &floor, resamples);
        analysis.spread.extend(estimates);
        analysis.image_spread.extend(values);
        analysis.spread.extend(attention_reach(now, resamples));
        for other in &others {
            analysis.layers.extend(layer_estimates(now, other, &self.options.leading_measures(), resamples));
        }
        Ok(())
    }

    /// Every epoch against every other, by target. The files are read once more: a pair takes the maps of both epochs, and all
    /// of a run's maps in all their forms would not fit into memory.
    fn matrices(&self) -> Result<Vec<Matrix>, DriftError> {
        let Some(measure) = self.options.answering_measure() else { return Ok(Vec::new()) };
        let measuring = Measuring {
            measure,
            shuffles: self.options.shuffles,
            seed_run: self.options.seed_run.as_ref(),
            most_kept: MOST_KEPT,
        };
        let ruler = Ruler { measure, margin: self.settling.margin, resamples: self.resamples };
        let of_target = |(target, epochs): (String, Vec<_>)| {
            let mut growing = Growing::new(self.explainer, &target);
            epochs.into_iter().for_each(|epoch| growing.add(epoch, &ruler));
            growing.matrix(&ruler, self.settling.patience)
        };
        Ok(measuring.of_run(self.reader, self.explainer)?.into_iter().map(of_target).collect())
    }

    /// The values by image of one target against one other epoch.
    fn image_drift(&self, now: &EpochMaps<'_>, compared: &Compared) -> Vec<ImageDrift> {
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

#[cfg(test)]
mod tests;
