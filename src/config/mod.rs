//! What a run obeys: [`RunConfig`], complete and validated, written into the run before its first batch.
//!
//! What a person may type is another type, in [`mod@file`]: everything optional, unknown keys refused.

pub mod file;

use crate::data::{Augmentation, DataConfig, Preprocessing};
use crate::explain::Explainer;
use crate::models::ModelName;
use serde::{Deserialize, Serialize};
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
    /// Pictures a step.
    pub batch_size: usize,
    /// Seed of the initial parameters, the order and the augmentation.
    pub seed: u64,
    /// The data.
    pub data: DataConfig,
    /// How a picture is brought to the model's size.
    pub preprocessing: Preprocessing,
    /// What training does to a picture.
    pub augmentation: Augmentation,
    /// AdamW's settings.
    pub optimizer: AdamWConfig,
    /// The learning rate over the epochs.
    pub schedule: ScheduleConfig,
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

/// Linear warm-up, then cosine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleConfig {
    /// Full learning rate.
    pub learning_rate: f64,
    /// Where the cosine ends.
    pub minimum: f64,
    /// Epochs of warm-up.
    pub warmup_epochs: f64,
    /// Fraction of the full rate at the first step.
    pub warmup_start: f64,
}

/// AdamW's settings; the defaults are PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamWConfig {
    /// Decay of the two moments.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay; none on norms, biases, the class token and the position embedding.
    pub weight_decay: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { betas: [0.9, 0.999], epsilon: 1e-8, weight_decay: 0.01 }
    }
}

/// Which pictures are explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelConfig {
    /// Pictures a class.
    pub per_class: usize,
    /// The panel's own seed, shared by runs that are to be compared.
    pub seed: u64,
    /// Overlays written as PNG with every epoch.
    pub overlays: usize,
}

/// Settings that make no sense, all of them.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the settings do not work: {}", problems.join("; "))]
pub struct InvalidConfig {
    /// One a setting: its name, what is expected, what was found.
    pub problems: Vec<String>,
}

impl RunConfig {
    /// Reports every problem at once.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`].
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        let mut problems = Problems::default();
        problems.at_least_one("epochs", self.epochs);
        problems.at_least_one("batch_size", self.batch_size);
        if let DataConfig::Textures(textures) = &self.data {
            problems.at_least_one("data.train_per_class", textures.train_per_class);
            problems.at_least_one("data.val_per_class", textures.val_per_class);
        }
        problems.within("drop_path", self.drop_path, 0.0, 0.99);
        problems.within("augmentation.flip", self.augmentation.flip, 0.0, 1.0);
        problems.range("augmentation.crop_scale", self.augmentation.crop_scale, 1.0);
        problems.range("augmentation.crop_ratio", self.augmentation.crop_ratio, f64::INFINITY);
        problems.within("schedule.learning_rate", self.schedule.learning_rate, f64::MIN_POSITIVE, f64::MAX);
        problems.within("schedule.minimum", self.schedule.minimum, 0.0, self.schedule.learning_rate);
        problems.within("schedule.warmup_epochs", self.schedule.warmup_epochs, 0.0, self.epochs as f64);
        problems.within("schedule.warmup_start", self.schedule.warmup_start, 0.0, 1.0);
        problems.within("optimizer.weight_decay", self.optimizer.weight_decay, 0.0, f64::MAX);
        problems.within("optimizer.epsilon", self.optimizer.epsilon, f64::MIN_POSITIVE, f64::MAX);
        for beta in self.optimizer.betas {
            problems.within("optimizer.betas", beta, 0.0, 0.999_999);
        }
        if !self.explainers.is_empty() {
            problems.at_least_one("panel.per_class", self.panel.per_class);
        }
        problems.into_result()
    }
}

#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn at_least_one(&mut self, name: &str, found: usize) {
        if found == 0 {
            self.0.push(format!("{name} is 0, expected at least 1"));
        }
    }

    fn within(&mut self, name: &str, found: f64, least: f64, greatest: f64) {
        if !(least..=greatest).contains(&found) {
            let expected = match (least == f64::MIN_POSITIVE, greatest == f64::MAX) {
                (true, _) => "a positive number".to_string(),
                (false, true) => format!("at least {least}"),
                (false, false) => format!("between {least} and {greatest}"),
            };
            self.0.push(format!("{name} is {found}, expected {expected}"));
        }
    }

    fn range(&mut self, name: &str, [least, greatest]: [f64; 2], limit: f64) {
        if !(least > 0.0 && least <= greatest && greatest <= limit) {
            self.0.push(format!("{name} is [{least}, {greatest}], expected two rising positive numbers up to {limit}"));
        }
    }

    fn into_result(self) -> Result<(), InvalidConfig> {
        if self.0.is_empty() { Ok(()) } else { Err(InvalidConfig { problems: self.0 }) }
    }
}
