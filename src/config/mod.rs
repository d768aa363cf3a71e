//! What a run obeys: [`RunConfig`], complete and validated, written into the run before its first batch.
//!
//! What a person may type is another type, in [`mod@file`]: everything optional, unknown keys refused.

mod error;
#[cfg(test)]
mod extremes;
pub mod file;
mod idle;
mod keys;
mod resolve;
mod sections;
mod settings;
#[cfg(test)]
mod tests;
mod training;
mod typed;
mod validate;

pub use training::{
    Decay, EmaConfig, FreezeConfig, KeepConfig, Method, Moments, OptimizerConfig, ScheduleConfig, ema_note,
};
pub use validate::InvalidConfig;

use crate::data::{Augmentation, DataConfig, Mixing, Preprocessing};
use crate::explain::Explainer;
use crate::models::ModelName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Every setting that decides what a run computes. Two runs with equal configs on one machine end in the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// The model.
    pub model: ModelName,
    /// Where its first parameters come from.
    pub weights: WeightsConfig,
    /// Drop-path rate of a ViT's last block.
    pub drop_path: f64,
    /// Whole passes over the training split.
    pub epochs: usize,
    /// Pictures in one pass through the model.
    pub batch_size: usize,
    /// Batches a step: their gradients' mean over all pictures is what the optimizer sees.
    pub accumulate: usize,
    /// Seed of the initial parameters, the order and the augmentation.
    pub seed: u64,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: f64,
    /// The data.
    pub data: DataConfig,
    /// How a picture is brought to the model's size.
    pub preprocessing: Preprocessing,
    /// What training does to a picture.
    pub augmentation: Augmentation,
    /// What training does to a batch.
    pub mixing: Mixing,
    /// How gradients become updates.
    pub optimizer: OptimizerConfig,
    /// The learning rate over the epochs.
    pub schedule: ScheduleConfig,
    /// What stands still.
    pub freeze: FreezeConfig,
    /// The moving average of the weights, if there is one.
    pub ema: Option<EmaConfig>,
    /// Epochs without a better validation accuracy after which training ends.
    pub early_stopping: Option<usize>,
    /// Epochs without a better validation accuracy in which the evidence of every method stayed within its noise floor, after
    /// which training ends.
    #[serde(default)]
    pub stop_when_stable: Option<usize>,
    /// Which epochs keep their weights.
    pub keep: KeepConfig,
    /// The pictures that are explained.
    pub panel: PanelConfig,
    /// How they are explained; empty: not at all.
    pub explainers: Vec<Explainer>,
}

/// Where a model's first parameters come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightsConfig {
    /// A file; `None`: drawn from the run's seed.
    pub file: Option<PathBuf>,
    /// Patterns of names that may be missing from the file or unexpected in it.
    pub allow_missing: Vec<String>,
}

/// Which pictures are explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelConfig {
    /// Pictures a class.
    pub per_class: usize,
    /// The panel's own seed, shared by runs that are to be compared.
    pub seed: u64,
    /// Overlays written as PNG with every epoch.
    pub overlays: usize,
    /// Ids of the validation pictures to look at, instead of so many a class.
    #[serde(default)]
    pub images: Option<Vec<String>>,
    /// What is explained of each: `label`, `prediction`, or a class by its name.
    #[serde(default = "label_alone")]
    pub targets: Vec<String>,
}

/// The default of [`PanelConfig::targets`].
pub(crate) fn label_alone() -> Vec<String> {
    vec![crate::explain::Target::LABEL.to_string()]
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
