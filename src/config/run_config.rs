//! [`RunConfig`], the complete settings of a run, and the panel that it chooses.

use super::training::{EmaConfig, FreezeConfig, KeepConfig, OptimizerConfig, ScheduleConfig};
use crate::data::{Augmentation, DataConfig, DataError, DataSet, Mixing, Panel, Preprocessing};
use crate::explain::{Explainer, Target};
use crate::models::ModelName;
use crate::precision::Precision;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Every setting that decides what a run computes, complete and validated. Two runs with equal configs on one machine end in the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// The model that is trained.
    pub model: ModelName,
    /// Where its first parameters come from.
    pub weights: WeightsConfig,
    /// Drop-path rate of a ViT's last block, in [0, 1); the blocks before it have proportionally less.
    pub drop_path: f64,
    /// Whole passes over the training split.
    pub epochs: usize,
    /// Images in one pass through the model.
    pub batch_size: usize,
    /// Batches per step of the optimizer, which sees the mean gradient over all their images.
    pub accumulate: usize,
    /// Seed of the initial parameters, the order and the augmentation.
    pub seed: u64,
    /// Label smoothing: the share of the target that is spread evenly over all classes, in [0, 1).
    pub label_smoothing: f64,
    /// What products are computed in when training and validating; explanations are float32. Runs of before it was kept
    /// were float32.
    #[serde(default)]
    pub precision: Precision,
    /// Where the images come from.
    pub data: DataConfig,
    /// How an image is brought to the model's size.
    pub preprocessing: Preprocessing,
    /// How training varies a single image.
    pub augmentation: Augmentation,
    /// How training mixes the images of a batch: mixup and CutMix.
    pub mixing: Mixing,
    /// The optimizer and its settings.
    pub optimizer: OptimizerConfig,
    /// The learning rate over the epochs.
    pub schedule: ScheduleConfig,
    /// What is not trained, and for how long.
    pub freeze: FreezeConfig,
    /// The moving average of the weights, if there is one.
    pub ema: Option<EmaConfig>,
    /// Epochs without a better validation accuracy after which training ends.
    pub early_stopping: Option<usize>,
    /// Epochs without a better validation accuracy after which training ends where the evidence of every method has settled:
    /// the latest epoch and so many before it are all still with one another.
    #[serde(default)]
    pub stop_when_stable: Option<usize>,
    /// Which epochs keep their weights.
    pub keep: KeepConfig,
    /// What counts as settled evidence.
    #[serde(default)]
    pub evidence: EvidenceConfig,
    /// The images that every epoch explains.
    pub panel: PanelConfig,
    /// The methods that explain the panel at every epoch; empty: nothing is explained.
    pub explainers: Vec<Explainer>,
}

/// Where a model's first parameters come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightsConfig {
    /// A file; `None`: drawn from the run's seed.
    pub file: Option<PathBuf>,
    /// Which weights of the file, where it holds more than one set; `None`: those that are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Patterns of names that may be missing from the file or unexpected in it.
    pub allow_missing: Vec<String>,
}

/// What counts as settled evidence, in training and, unless another is asked for, in every later answer about the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceConfig {
    /// Two epochs are still where they moved at most this much, in [0, 100].
    pub margin: f64,
    /// How many epochs must follow the one at which the evidence settled, at least 1.
    pub patience: usize,
}

impl Default for EvidenceConfig {
    /// Those of runs from before there was a choice.
    fn default() -> Self {
        Self { margin: 5.0, patience: 2 }
    }
}

/// Which images every epoch explains, and what is asked about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelConfig {
    /// Images per class, or all of a class that has fewer.
    pub per_class: usize,
    /// The panel's own seed, shared by runs that are to be compared.
    pub seed: u64,
    /// How many of them every epoch also keeps as figures, PNG files with the maps over the image.
    pub overlays: usize,
    /// Ids of validation images to explain, instead of so many per class.
    #[serde(default)]
    pub images: Option<Vec<String>>,
    /// What is explained of each: `label`, `prediction`, or a class by its name.
    #[serde(default = "label_alone")]
    pub targets: Vec<String>,
}

impl PanelConfig {
    /// The panel that these settings choose from `data`.
    ///
    /// # Errors
    ///
    /// Where they list an image that is not in the validation split.
    pub fn choose(&self, data: &DataSet) -> Result<Panel, DataError> {
        match &self.images {
            Some(ids) => Panel::listed(data, ids),
            None => Ok(Panel::choose(data, self.per_class, self.seed)),
        }
    }
}

/// The default of [`PanelConfig::targets`].
pub(crate) fn label_alone() -> Vec<String> {
    vec![Target::LABEL.to_string()]
}

impl RunConfig {
    /// Settings that differ, one line each: `optimizer.weight_decay: 0.05 there, 0.1 here`.
    pub fn differences(&self, there: &RunConfig) -> Vec<String> {
        let (here, there) = (flat(self), flat(there));
        let missing = || "nothing".to_string();
        let line = |key: &String| {
            let (then, now) = (there.get(key), here.get(key));
            let text = |value: Option<&String>| value.cloned().unwrap_or_else(missing);
            (then != now).then(|| format!("{key}: {} there, {} here", text(then), text(now)))
        };
        let mut keys: Vec<&String> = here.keys().chain(there.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().filter_map(line).collect()
    }
}

/// Every setting by its dotted name.
fn flat(config: &RunConfig) -> BTreeMap<String, String> {
    fn walk(prefix: &str, value: &serde_json::Value, into: &mut BTreeMap<String, String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    let dot = if prefix.is_empty() { "" } else { "." };
                    walk(&format!("{prefix}{dot}{name}"), value, into);
                }
            }
            serde_json::Value::Null => {}
            other => drop(into.insert(prefix.to_string(), other.to_string())),
        }
    }
    let mut settings = BTreeMap::new();
    walk("", &serde_json::to_value(config).unwrap_or_default(), &mut settings);
    settings
}
