//! The measurements of published studies, repeated on a run.

use std::borrow::Cow;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::compare::partners;
use super::epoch_maps::{EpochMaps, evidence, sealed};
use super::error::DriftError;
use super::groups::{Outcome, outcomes};
use super::same::{first_difference, incomparable};
use crate::measure::{Descriptor, Measure, Prepared, UnknownName};
use crate::seed;
use crate::stats::{Resamples, Table};
use crate::store::RunReader;

/// A study that can be repeated on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Elangovan & Ting 2026, "When Fine-Tuning Changes the Evidence", arXiv 2604.08513: between the end of the
    /// head-only phase and the fine-tuned model, on the images that both predict correctly.
    SemanticDrift,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Protocol; 1] = [Protocol::SemanticDrift];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::SemanticDrift => "semantic-drift",
        }
    }
}

impl FromStr for Protocol {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Protocol::ALL.into_iter().find(|protocol| protocol.name() == name);
        let known = || Protocol::ALL.map(Protocol::name).join(", ");
        found.ok_or_else(|| UnknownName { kind: "protocol", name: name.to_string(), known: known() })
    }
}

/// A metric of the semantic-drift study.
///
/// The paper names its four metrics; their formulas here are our reading of it, on raw maps at the maps' own grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SemanticDrift {
    /// [`Measure::CentroidDisplacement`] as a share of the diagonal, in [0, 1).
    SpatialDisplacement,
    /// [`Measure::TopIou20`].
    OverlapIou,
    /// [`Measure::Pearson`].
    PatternCorrelation,
    /// [`Descriptor::Gini`] of the fine-tuned model minus that of the head-only one, in (-1, 1): positive where the
    /// evidence became more concentrated.
    ConcentrationChange,
}

impl SemanticDrift {
    /// The four metrics, in the order of the paper.
    pub const ALL: [SemanticDrift; 4] = [
        SemanticDrift::SpatialDisplacement,
        SemanticDrift::OverlapIou,
        SemanticDrift::PatternCorrelation,
        SemanticDrift::ConcentrationChange,
    ];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            SemanticDrift::SpatialDisplacement => "spatial-displacement",
            SemanticDrift::OverlapIou => "overlap-iou",
            SemanticDrift::PatternCorrelation => "pattern-correlation",
            SemanticDrift::ConcentrationChange => "concentration-change",
        }
    }

    /// The metric between two maps, the later one first.
    fn between(self, now: &Prepared, before: &Prepared) -> Option<f64> {
        match self {
            SemanticDrift::SpatialDisplacement => {
                Some(Measure::CentroidDisplacement.between_prepared(now, before)? / std::f64::consts::SQRT_2)
            }
            SemanticDrift::OverlapIou => Measure::TopIou20.between_prepared(now, before),
            SemanticDrift::PatternCorrelation => Measure::Pearson.between_prepared(now, before),
            SemanticDrift::ConcentrationChange => {
                Some(now.descriptor(Descriptor::Gini)? - before.descriptor(Descriptor::Gini)?)
            }
        }
    }
}

/// One number of a protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProtocolEstimate {
    /// The study that is repeated.
    pub protocol: Protocol,
    /// The explainer's name.
    pub explainer: String,
    /// The kind of target explained.
    pub target: String,
    /// The metric of the study.
    #[serde(rename = "figure")]
    pub metric: SemanticDrift,
    /// The last epoch of the head-only phase.
    pub reference_epoch: usize,
    /// The epoch of the fine-tuned model.
    pub epoch: usize,
    /// Mean over the images that both predict correctly and where it is defined. None where there are none.
    pub value: Option<f64>,
    /// 95 % interval of the value, by a bootstrap over these images.
    pub interval: Option<[f64; 2]>,
    /// The same between the maps of the fine-tuned model and those of its perturbed images.
    pub floor: Option<f64>,
    /// The same between its maps of different images. None for the concentration change, whose gains and losses between
    /// different images cancel by construction.
    pub chance: Option<f64>,
    /// Images that both predict correctly and where it is defined.
    pub defined: usize,
    /// Images that both predict correctly and where it is not.
    pub undefined: usize,
    /// Images that one of them does not predict correctly, or whose class is not known; they are left out.
    pub excluded: usize,
}

/// The four estimates of the study, by explainer and target: from epoch `head_only`, the last of the head-only phase, to
/// epoch `fine_tuned`, the last sealed one unless it is named. Explainers that are no evidence at either are left out.
///
/// # Errors
///
/// When an epoch is not sealed, both are the same, a file cannot be read, or no explainer is evidence at both.
pub fn semantic_drift(
    reader: &RunReader,
    head_only: usize,
    fine_tuned: Option<usize>,
    resamples: usize,
) -> Result<Vec<ProtocolEstimate>, DriftError> {
    let reference_epoch = sealed(reader, head_only)?;
    let last = reader.epochs().last().copied().unwrap_or(head_only);
    let epoch = sealed(reader, fine_tuned.unwrap_or(last))?;
    if epoch == reference_epoch {
        return Err(DriftError::SameEpoch { epoch });
    }
    let resamples = Resamples::new(resamples, reader.info().panel.ids.len());
    let mut all = Vec::new();
    for explainer in reader.explainers(epoch)? {
        let both = evidence(reader, epoch, &explainer)?.zip(evidence(reader, reference_epoch, &explainer)?);
        let Some((now, before)) = both else { continue };
        if let Some(difference) = first_difference(&now, &before) {
            return Err(incomparable(difference, epoch, reference_epoch));
        }
        let [now, before] = [(epoch, now), (reference_epoch, before)]
            .map(|(epoch, explanations)| EpochMaps::new(epoch, Cow::Owned(explanations)));
        all.extend(of_explainer(&now, &before, &resamples));
    }
    if all.is_empty() {
        return Err(DriftError::NoEvidence { epoch, reference_epoch });
    }
    Ok(all)
}

fn of_explainer(now: &EpochMaps<'_>, before: &EpochMaps<'_>, resamples: &Resamples) -> Vec<ProtocolEstimate> {
    let (floor, images) = (now.perturbed(), now.images());
    let outcomes = outcomes(&now.explanations, &before.explanations);
    let right: Vec<usize> = (0..images).filter(|&image| outcomes[image] == Some(Outcome::StaysRight)).collect();
    let partners = partners(images, &mut seed::chance());
    let mut all = Vec::new();
    for (target, kind) in now.explanations.target_kinds.iter().enumerate() {
        let table = |other: &EpochMaps<'_>, partner: &(dyn Fn(usize) -> usize + Sync)| {
            let value = |image: usize, column: usize| {
                SemanticDrift::ALL[column].between(now.map(image, target), other.map(partner(image), target))
            };
            Table::of(images, SemanticDrift::ALL.len(), value)
        };
        let drift = table(before, &|image| image);
        let noise = table(&floor, &|image| image);
        let chance = table(now, &|image| partners[image]);
        let intervals = resamples.intervals(&drift, &right);
        for (column, metric) in SemanticDrift::ALL.into_iter().enumerate() {
            let members = || right.iter().copied();
            let (value, defined) = drift.mean(column, members());
            let different = members().filter(|&image| partners[image] != image);
            let by_chance = (metric != SemanticDrift::ConcentrationChange).then(|| chance.mean(column, different).0);
            all.push(ProtocolEstimate {
                protocol: Protocol::SemanticDrift,
                explainer: now.explanations.explainer.clone(),
                target: kind.clone(),
                metric,
                reference_epoch: before.epoch,
                epoch: now.epoch,
                value,
                interval: intervals[column],
                floor: noise.mean(column, members()).0,
                chance: by_chance.flatten(),
                defined,
                undefined: right.len() - defined,
                excluded: images - right.len(),
            });
        }
    }
    all
}
