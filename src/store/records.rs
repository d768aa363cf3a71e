//! The plain records that a run's JSON files hold: what explanations need of `run.json`, and an epoch's `metrics.json`.
//!
//! Fields no record here names are ignored when reading, so that a newer run stays readable.

use serde::{Deserialize, Deserializer, Serialize};
use std::cmp::Ordering;

/// The fields of `run.json` that reading explanations needs. Its other fields are ignored here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Version of the file; 0 where it does not say.
    #[serde(default)]
    pub schema: u32,
    /// The run's name, that of its folder.
    pub name: String,
    /// The model's name, such as `deit_tiny`.
    pub model: String,
    /// Class names by class index.
    pub classes: Vec<String>,
    /// The images every epoch explains.
    pub panel: PanelInfo,
}

/// The panel: the fixed images every epoch explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PanelInfo {
    /// Digest of the panel; only explanations of one digest compare.
    pub digest: String,
    /// Image ids in panel order.
    pub ids: Vec<String>,
    /// True class index of each image.
    pub labels: Vec<usize>,
    /// SHA-256 of each image's file in the run, in panel order; empty in runs of before this was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<String>,
}

/// `metrics.json` of one epoch: metrics of training and of drift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Counted from 0, the state before training.
    pub epoch: usize,
    /// Losses and accuracies; the same whether or not anything was explained.
    pub training: Option<TrainingMetrics>,
    /// Drift of the maps from the previous and the first epoch.
    #[serde(default)]
    pub drift: Vec<DriftEstimate>,
    /// How far each method's maps are from those of a model that has learnt nothing. Empty in runs of before this was
    /// measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub randomised: Vec<Randomised>,
}

/// How far the maps of one explainer are from those of the same images by the same model with random parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Randomised {
    /// The method: `"grad-cam"`.
    pub explainer: String,
    /// The kind of target explained: `"label"`.
    pub target: String,
    /// The measure's name: `"spearman"`.
    pub measure: String,
    /// How far, from 0, no farther than noise, to 100, as far as another image's map. None where that is not measurable.
    pub moved: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// Images that count.
    pub defined: usize,
}

impl Randomised {
    /// Whether the maps depend on what was learnt. They do not where they are, with all of the interval, less than half as
    /// far from those of a model without knowledge as from another image's: such a map is made by the image and the
    /// architecture for the greater part. None where it is not measurable.
    pub fn passes(&self) -> Option<bool> {
        let [_, high] = self.interval?;
        Some(high >= HALF_WAY)
    }
}

/// On the scale of *moved*.
const HALF_WAY: f64 = 50.0;

/// Losses and accuracies of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingMetrics {
    /// Mean training loss in nats; none for epoch 0, which trains nothing.
    pub train_loss: Option<f64>,
    /// Training accuracy as a fraction in [0, 1].
    pub train_accuracy: Option<f64>,
    /// Mean validation loss in nats. JSON has no NaN and says null for it, which reads as NaN again.
    #[serde(deserialize_with = "null_as_nan")]
    pub val_loss: f64,
    /// Validation accuracy as a fraction in [0, 1].
    pub val_accuracy: f64,
    /// Share of validation samples whose label is among the five greatest logits, in [0, 1].
    #[serde(default)]
    pub val_top5: Option<f64>,
    /// Validation accuracy of each class in [0, 1], by class index; none for a class without samples.
    #[serde(default)]
    pub val_class_accuracy: Vec<Option<f64>>,
    /// Learning rate of the epoch's last step.
    pub learning_rate: Option<f64>,
    /// What products were computed in: `f32`, `tf32`, `bf16`; none in runs of before it was kept, which were float32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// Wall-clock seconds of the epoch.
    pub seconds: f64,
}

/// An epoch and how well it did in validation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The epoch, counted from 0, the state before training.
    pub epoch: usize,
    /// Its validation accuracy, in [0, 1].
    pub val_accuracy: f64,
}

impl Scored {
    /// Before the other where it is the better one: of the higher accuracy; of equals a trained epoch before epoch 0, the
    /// untrained model, and then the earlier.
    pub fn best_first(&self, other: &Self) -> Ordering {
        let untrained = |one: &Self| one.epoch == 0;
        other
            .val_accuracy
            .total_cmp(&self.val_accuracy)
            .then(untrained(self).cmp(&untrained(other)))
            .then(self.epoch.cmp(&other.epoch))
    }
}

/// A run that diverged must stay readable.
fn null_as_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// Which earlier epoch a figure compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The last one before it: how fast the evidence moves.
    Previous,
    /// The first one: how far it has come.
    First,
    /// The one of the best validation accuracy, which may also be a later one.
    Best,
    /// One that was asked for by number, which may also be a later one.
    Named,
}

impl Against {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Against::Previous => "previous",
            Against::First => "first",
            Against::Best => "best",
            Against::Named => "named",
        }
    }
}

/// The group every image of the panel is in.
pub const ALL_IMAGES: &str = "all";

/// One number about how the maps of one explainer moved between two epochs, and what it is to be read against.
///
/// Estimates of earlier versions have no group, interval or floor of a second seed: they are of all images, and the rest
/// is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftEstimate {
    /// The method: `"grad-cam"`.
    pub explainer: String,
    /// The kind of target explained: `"label"`.
    pub target: String,
    /// The measure's name: `"top20-iou"`.
    pub measure: String,
    /// Which other epoch it compares with.
    pub against: Against,
    /// The epoch that is measured.
    pub epoch: usize,
    /// The other epoch.
    pub reference_epoch: usize,
    /// Which images it is of: [`ALL_IMAGES`]; by what happened to the prediction between the two epochs,
    /// `"stays-right"`, `"becomes-right"`, `"becomes-wrong"` or `"stays-wrong"`; or by the true class,
    /// `"class:<name>"`.
    #[serde(default = "all_images")]
    pub group: String,
    /// The measure between the two epochs' maps of one image, mean over the images where it is defined. None where it
    /// is defined for no image.
    pub value: Option<f64>,
    /// Low and high: where the value of 95 % of panels drawn like this one lies, by a percentile bootstrap over its
    /// images. None where it is defined for fewer than two.
    #[serde(default)]
    pub interval: Option<[f64; 2]>,
    /// The same measure between the maps of `epoch` and those of its perturbed images, mean over the images where it is
    /// defined: what the value would be if nothing but imperceptible noise had happened.
    pub floor: Option<f64>,
    /// The same measure between the maps of `epoch` and those of a run with another seed at the same epoch, mean over
    /// the images where it is defined. None unless such a run was given.
    #[serde(default)]
    pub seed_floor: Option<f64>,
    /// The same measure between maps of different images at `epoch`, mean over the pairs where it is defined: what the
    /// value would be if the maps had nothing to do with their images.
    pub chance: Option<f64>,
    /// Images where the measure is defined between the two epochs.
    pub defined: usize,
    /// Images where it is not.
    pub undefined: usize,
    /// Maps of `epoch` that are all zero, constant or not finite.
    pub dead: usize,
}

/// What the group was before there were groups.
fn all_images() -> String {
    ALL_IMAGES.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 0.1.0 wrote it.
    #[test]
    fn an_estimate_of_an_earlier_version_is_of_all_images() {
        let written = r#"{"explainer": "grad-cam", "target": "label", "measure": "spearman", "against": "first", "epoch": 2,
            "reference_epoch": 1, "value": 0.5, "floor": 0.9, "chance": null, "defined": 3, "undefined": 1, "dead": 1}"#;
        let estimate: DriftEstimate = serde_json::from_str(written).unwrap();
        assert_eq!((estimate.group.as_str(), estimate.interval, estimate.seed_floor), (ALL_IMAGES, None, None));
        assert_eq!(estimate.value, Some(0.5));
    }

    #[test]
    fn the_untrained_epoch_is_the_best_only_where_it_is_better() {
        let best = |accuracies: &[f64]| {
            let all = accuracies.iter().enumerate().map(|(epoch, &val_accuracy)| Scored { epoch, val_accuracy });
            all.min_by(Scored::best_first).map(|best| best.epoch)
        };
        assert_eq!(
            [best(&[0.5, 0.5, 0.5]), best(&[0.5, 0.4]), best(&[0.5]), best(&[])],
            [Some(1), Some(0), Some(0), None]
        );
    }

    #[test]
    fn references_go_by_their_names() {
        for against in [Against::Previous, Against::First, Against::Best, Against::Named] {
            assert_eq!(serde_json::to_value(against).unwrap(), against.name());
        }
    }
}
