//! What an analysis is made of: plain records, as they are written to JSON.
//!
//! An interval is the middle 95 % of the value over panels that are resampled from the panel's images (a percentile
//! bootstrap); there is none where fewer than two images have a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::matrix::{Matrix, Settled};
use crate::measure::Descriptor;
use crate::store::{Against, DriftEstimate};

/// The name of the descriptor that attention has and a map has not: how far it reaches, in units of the image side.
pub const ATTENTION_DISTANCE: &str = "attention-distance";

/// The drift of a run, and what is derived from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// The run's name.
    pub run: String,
    /// The model's name.
    pub model: String,
    /// The panel's image ids; values by image are in this order.
    pub images: Vec<String>,
    /// What explainers are called by people, by their names. No part of the JSON.
    #[serde(skip)]
    pub titles: BTreeMap<String, String>,
    /// Validation accuracy by epoch, in [0, 1], where it is known.
    pub accuracy: BTreeMap<usize, f64>,
    /// The drift of the panel and its groups, in order of epoch, explainer, target, measure, reference and group.
    pub drift: Vec<DriftEstimate>,
    /// The measures by image that the estimates of all images are means of.
    pub image_drift: Vec<ImageDrift>,
    /// Up to each epoch: the drift of all steps summed, and the drift from the first epoch.
    pub paths: Vec<DriftPath>,
    /// Every epoch against every other, by explainer and target: in [`crate::measure::Measure::DEFAULT`], or in the first of the measures
    /// asked for where that is not among them.
    #[serde(default)]
    pub matrices: Vec<Matrix>,
    /// From which epoch on every two epochs are still: that of the matrices.
    #[serde(rename = "stabilisation")]
    pub settled: Vec<Settled>,
    /// The same by the further measures that were asked for.
    #[serde(default)]
    pub settled_by: Vec<Settled>,
    /// The descriptors of the maps of each epoch.
    pub spread: Vec<SpreadEstimate>,
    /// The descriptors by image that those estimates are means of.
    pub image_spread: Vec<ImageSpread>,
    /// Whether two explainers find the same images to have drifted most.
    pub agreement: Vec<AgreementEstimate>,
    /// The drift of single blocks and heads.
    pub layers: Vec<LayerEstimate>,
    /// A line for every step that a person should look at.
    pub warnings: Vec<String>,
}

/// A measure between two epochs' maps, image by image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageDrift {
    /// The explainer's name: `"grad-cam"`.
    pub explainer: String,
    /// The kind of target explained: `"label"`.
    pub target: String,
    /// The measure's name: `"top20-iou"`.
    pub measure: String,
    /// What the other epoch is to this one: the previous, the first, the best, or one that was named.
    pub against: Against,
    /// The epoch that is measured.
    pub epoch: usize,
    /// The epoch that it is compared with.
    pub reference_epoch: usize,
    /// The measure's value, `[N]`, in panel order; null where it is not defined.
    pub values: Vec<Option<f64>>,
}

/// How far the maps of an explainer drifted up to an epoch, step by step and in the end. A long path with a small net
/// drift went back to where it began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftPath {
    /// The explainer's name.
    pub explainer: String,
    /// The kind of target explained.
    pub target: String,
    /// The measure's name.
    pub measure: String,
    /// The last epoch of the path.
    pub epoch: usize,
    /// The sum over epochs, since the first, of the mean drift from the previous one, where the drift is `1 - value` for a
    /// similarity and the value itself for the rest. None from the first undefined step on.
    pub path: Option<f64>,
    /// Mean drift from the first epoch.
    pub net: Option<f64>,
}

/// A descriptor of the maps of one epoch, mean over the panel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpreadEstimate {
    /// The explainer's name.
    pub explainer: String,
    /// The kind of target explained.
    pub target: String,
    /// A [`Descriptor`]'s name, or [`ATTENTION_DISTANCE`].
    pub descriptor: String,
    /// The epoch.
    pub epoch: usize,
    /// The block, of the attention distance; none for the mean over all.
    pub layer: Option<usize>,
    /// The head, of the attention distance; none for the mean over all of a block.
    pub head: Option<usize>,
    /// Mean over the images where it is defined, in the descriptor's unit. None where it is defined for none.
    pub value: Option<f64>,
    /// 95 % interval of the value.
    pub interval: Option<[f64; 2]>,
    /// The same descriptor of the perturbed images' maps: a difference from the value is noise. None where that is not
    /// known.
    pub floor: Option<f64>,
    /// Images where it is defined.
    pub defined: usize,
    /// Images where it is not.
    pub undefined: usize,
}

/// A descriptor of the maps of one epoch, image by image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageSpread {
    /// The explainer's name.
    pub explainer: String,
    /// The kind of target explained.
    pub target: String,
    /// The descriptor.
    pub descriptor: Descriptor,
    /// The epoch.
    pub epoch: usize,
    /// Its value, `[N]`, in panel order; null where it is not defined.
    pub values: Vec<Option<f64>>,
}

/// How much two explainers agree on which images drifted most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgreementEstimate {
    /// The measure in which both drifts are given.
    pub measure: String,
    /// One explainer and target, `"grad-cam/label"`; between two runs with its run's name before it,
    /// `"resnet:grad-cam/label"`.
    pub one: String,
    /// The other explainer and target.
    pub other: String,
    /// The epoch that is measured.
    pub epoch: usize,
    /// What the other epoch is to this one: the previous, the first, the best, or one that was named.
    pub against: Against,
    /// The other epochs: that of `one` and that of `other`.
    pub reference_epochs: [usize; 2],
    /// Spearman's correlation over images of the two drifts, in [-1, 1]: 1 where both rank the images alike, 0 where
    /// the ranking of one says nothing about that of the other, which is also what chance gives. None where it is
    /// undefined.
    pub value: Option<f64>,
    /// 95 % interval of the value; images are ranked anew in every resampled panel.
    pub interval: Option<[f64; 2]>,
    /// Images that both drifts are defined for.
    pub defined: usize,
    /// Images where one is not.
    pub undefined: usize,
}

/// How much larger a descriptor of one run's maps is than that of another's, over the images that both panels hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpreadDifference {
    /// The descriptor.
    pub descriptor: Descriptor,
    /// One run, explainer and target: `"run:explainer/target"`.
    pub one: String,
    /// The other run, explainer and target.
    pub other: String,
    /// The epoch, the same in both runs.
    pub epoch: usize,
    /// Mean over the images of the value of `one` minus that of `other`. None where it is defined for no image.
    pub value: Option<f64>,
    /// 95 % interval of the value; images are resampled in pairs.
    pub interval: Option<[f64; 2]>,
    /// Images that both are defined for.
    pub defined: usize,
    /// Images where one is not.
    pub undefined: usize,
}

/// The drift of the maps of one block or head between two epochs.
///
/// A head's number means the same thing all through a run, so heads compare between its epochs and not between runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerEstimate {
    /// The explainer's name.
    pub explainer: String,
    /// The measure's name.
    pub measure: String,
    /// The block, counted from 0.
    pub layer: usize,
    /// The head, counted from 0; none for the mean over the block's heads.
    pub head: Option<usize>,
    /// The epoch that is measured.
    pub epoch: usize,
    /// What the other epoch is to this one: the previous, the first, the best, or one that was named.
    pub against: Against,
    /// The epoch that it is compared with.
    pub reference_epoch: usize,
    /// The measure's mean over the images where it is defined. None where it is defined for none.
    pub value: Option<f64>,
    /// 95 % interval of the value.
    pub interval: Option<[f64; 2]>,
    /// The same measure between maps of different images at `epoch`, from one pairing of the panel with itself.
    pub chance: Option<f64>,
    /// Images where it is defined.
    pub defined: usize,
    /// Images where it is not.
    pub undefined: usize,
}
