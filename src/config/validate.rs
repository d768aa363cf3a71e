//! Whether settings make sense, all problems at once.

use super::{Decay, Method, RunConfig};
use crate::data::{DataConfig, Policy};
use crate::explain;
use std::collections::BTreeSet;

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
        problems.at_least_one("accumulate", self.accumulate);
        problems.at_least_one("checkpoints.keep_last", self.keep.last);
        problems.within("drop_path", self.drop_path, 0.0, 0.99);
        problems.within("label_smoothing", self.label_smoothing, 0.0, 0.99);
        if let DataConfig::Textures(textures) = &self.data {
            problems.at_least_one("data.train_per_class", textures.train_per_class);
            problems.at_least_one("data.val_per_class", textures.val_per_class);
        }
        if self.freeze.head_only_epochs > self.epochs {
            let found = self.freeze.head_only_epochs;
            problems.say(format!("freeze.head_only_epochs is {found}, expected at most epochs, {}", self.epochs));
        }
        if self.early_stopping == Some(0) {
            problems.at_least_one("early_stopping.patience", 0);
        }
        if self.stop_when_stable == Some(0) {
            problems.at_least_one("early_stopping.stable_epochs", 0);
        }
        let evidence = [
            ("early_stopping.stable_epochs", self.stop_when_stable.is_some()),
            ("checkpoints.stable_within", self.keep.stable_within.is_some()),
        ];
        for (name, _) in evidence.into_iter().filter(|(_, asked)| *asked && self.explainers.is_empty()) {
            problems.say(format!("{name} needs evidence, but explainers is empty"));
        }
        if let Some(tolerance) = self.keep.stable_within {
            problems.within("checkpoints.stable_within", tolerance, 0.0, 1.0);
        }
        if let Some(ema) = self.ema {
            problems.within("ema.decay", ema.decay, 0.0, 1.0);
        }
        if self.preprocessing.resize < self.preprocessing.size {
            let (found, least) = (self.preprocessing.resize, self.preprocessing.size);
            problems.say(format!("preprocessing.resize is {found}, expected at least the model's {least} pixels"));
        }
        self.validate_evidence(&mut problems);
        self.validate_augmentation(&mut problems);
        self.validate_optimizer(&mut problems);
        self.validate_schedule(&mut problems);
        problems.into_result()
    }

    fn validate_evidence(&self, problems: &mut Problems) {
        if self.explainers.is_empty() {
            return;
        }
        problems.at_least_one("panel.targets, their number,", self.panel.targets.len());
        match &self.panel.images {
            Some(images) => problems.at_least_one("panel.list, its pictures,", images.len()),
            None => problems.at_least_one("panel.per_class", self.panel.per_class),
        }
        let (taps, mut names) = (self.model.taps(), BTreeSet::new());
        for explainer in &self.explainers {
            if let Err(error) = explain::view(explainer, &taps) {
                problems.say(format!("explainers, for {}: {error}", self.model));
            }
            if !names.insert(explainer.name()) {
                problems.say(format!("explainers has {} twice", explainer.name()));
            }
        }
    }

    fn validate_augmentation(&self, problems: &mut Problems) {
        let augmentation = &self.augmentation;
        problems.within("augmentation.flip", augmentation.flip, 0.0, 1.0);
        problems.range("augmentation.crop_scale", augmentation.crop_scale, 1.0);
        problems.range("augmentation.crop_ratio", augmentation.crop_ratio, f64::INFINITY);
        if let Some(jitter) = augmentation.colour_jitter {
            for (name, found, greatest) in [
                ("augmentation.colour_jitter[0] (brightness)", jitter.brightness, f64::MAX),
                ("augmentation.colour_jitter[1] (contrast)", jitter.contrast, f64::MAX),
                ("augmentation.colour_jitter[2] (saturation)", jitter.saturation, f64::MAX),
                ("augmentation.colour_jitter[3] (hue)", jitter.hue, 0.5),
            ] {
                problems.within(name, found, 0.0, greatest);
            }
        }
        if let Some(erasing) = augmentation.erasing {
            problems.within("augmentation.erasing.probability", erasing.probability, 0.0, 1.0);
            problems.range("augmentation.erasing.area", erasing.area, 1.0);
            problems.range("augmentation.erasing.ratio", erasing.ratio, f64::INFINITY);
        }
        if let Some(Policy::RandAugment { operations, magnitude }) = augmentation.policy {
            problems.at_least_one("augmentation.policy.operations", operations);
            problems.within("augmentation.policy.magnitude", magnitude as f64, 0.0, (Policy::MAGNITUDES - 1) as f64);
        }
        problems.within("augmentation.mixup", self.mixing.mixup, 0.0, f64::MAX);
        problems.within("augmentation.cutmix", self.mixing.cutmix, 0.0, f64::MAX);
    }

    fn validate_optimizer(&self, problems: &mut Problems) {
        let optimizer = &self.optimizer;
        problems.within("optimizer.weight_decay", optimizer.weight_decay, 0.0, f64::MAX);
        problems.within("optimizer.layer_decay", optimizer.layer_decay, f64::MIN_POSITIVE, 1.0);
        if let Some(norm) = optimizer.clip_norm {
            problems.within("optimizer.clip_norm", norm, f64::MIN_POSITIVE, f64::MAX);
        }
        match optimizer.method {
            Method::Adamw(moments) | Method::Adam(moments) => {
                problems.within("optimizer.epsilon", moments.epsilon, f64::MIN_POSITIVE, f64::MAX);
                moments.betas.iter().for_each(|&beta| problems.within("optimizer.betas", beta, 0.0, 0.999_999));
            }
            Method::Sgd { momentum, nesterov } => {
                problems.within("optimizer.momentum", momentum, 0.0, 0.999_999);
                if nesterov && momentum == 0.0 {
                    problems.say("optimizer.nesterov is true, expected a momentum above 0 with it".to_string());
                }
            }
        }
    }

    fn validate_schedule(&self, problems: &mut Problems) {
        let schedule = &self.schedule;
        problems.within("schedule.learning_rate", schedule.learning_rate, f64::MIN_POSITIVE, f64::MAX);
        problems.within("schedule.warmup_epochs", schedule.warmup_epochs, 0.0, self.epochs as f64);
        problems.within("schedule.warmup_start", schedule.warmup_start, 0.0, 1.0);
        match schedule.decay {
            Decay::Cosine { minimum } => problems.within("schedule.minimum", minimum, 0.0, schedule.learning_rate),
            Decay::Step { every_epochs, factor } => {
                problems.at_least_one("schedule.step_epochs", every_epochs);
                problems.within("schedule.step_factor", factor, f64::MIN_POSITIVE, 1.0);
            }
            Decay::Constant => {}
        }
    }
}

#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn say(&mut self, problem: String) {
        self.0.push(problem);
    }

    fn at_least_one(&mut self, name: &str, found: usize) {
        if found == 0 {
            self.say(format!("{name} is 0, expected at least 1"));
        }
    }

    fn within(&mut self, name: &str, found: f64, least: f64, greatest: f64) {
        if !(least..=greatest).contains(&found) {
            let expected = match (least == f64::MIN_POSITIVE, greatest == f64::MAX) {
                (true, true) => "a positive number".to_string(),
                (true, false) => format!("a positive number up to {greatest}"),
                (false, true) => format!("at least {least}"),
                (false, false) => format!("between {least} and {greatest}"),
            };
            self.say(format!("{name} is {found}, expected {expected}"));
        }
    }

    fn range(&mut self, name: &str, [least, greatest]: [f64; 2], limit: f64) {
        if !(least > 0.0 && least <= greatest && greatest <= limit) {
            let limit = if limit.is_finite() { format!(" up to {limit}") } else { String::new() };
            self.say(format!("{name} is [{least}, {greatest}], expected two rising positive numbers{limit}"));
        }
    }

    fn into_result(self) -> Result<(), InvalidConfig> {
        if self.0.is_empty() { Ok(()) } else { Err(InvalidConfig { problems: self.0 }) }
    }
}
