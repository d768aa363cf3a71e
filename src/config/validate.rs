//! Checks of the complete settings of a run; all problems are reported at once.

use super::error::InvalidConfig;
use super::keys::{self, Kind, problem, shown};
use super::run_config::RunConfig;
use super::training::{Decay, OptimizerKind};
use crate::data::{DataConfig, Policy};
use std::collections::BTreeSet;

impl RunConfig {
    /// Reports every problem at once. The limits of each number are those of its key in a config file.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`].
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        let mut problems = Problems::default();
        problems.whole("epochs", self.epochs as u64);
        problems.whole("batch_size", self.batch_size as u64);
        problems.whole("accumulate", self.accumulate as u64);
        problems.whole("seed", self.seed);
        problems.number("drop_path", self.drop_path);
        problems.number("label_smoothing", self.label_smoothing);
        problems.whole("checkpoints.keep_best", self.keep.best as u64);
        problems.whole("checkpoints.keep_last", self.keep.last as u64);
        match &self.data {
            DataConfig::Textures(textures) => {
                problems.whole("data.train_per_class", textures.train_per_class as u64);
                problems.whole("data.val_per_class", textures.val_per_class as u64);
                problems.whole("data.seed", textures.seed);
            }
            DataConfig::Folder(folder) => problems.whole("data.split", folder.split),
        }
        problems.whole("preprocessing.resize", self.preprocessing.resize as u64);
        if self.preprocessing.resize < self.preprocessing.size {
            let (found, least) = (self.preprocessing.resize, self.preprocessing.size);
            problems.say(format!("preprocessing.resize is {found}, expected at least the model's {least} pixels"));
        }
        problems.whole("freeze.head_only_epochs", self.freeze.head_only_epochs as u64);
        if self.freeze.head_only_epochs > self.epochs {
            let found = self.freeze.head_only_epochs;
            problems.say(format!("freeze.head_only_epochs is {found}, expected at most epochs, {}", self.epochs));
        }
        for (name, epochs) in
            [("early_stopping.patience", self.early_stopping), ("early_stopping.stable_epochs", self.stop_when_stable)]
        {
            epochs.iter().for_each(|&epochs| problems.whole(name, epochs as u64));
        }
        self.keep.stable_within.iter().for_each(|&tolerance| problems.number("checkpoints.stable_within", tolerance));
        self.ema.iter().for_each(|ema| problems.number("ema.decay", ema.decay));
        self.validate_evidence(&mut problems);
        self.validate_augmentation(&mut problems);
        self.validate_optimizer(&mut problems);
        self.validate_schedule(&mut problems);
        problems.into_result()
    }

    fn validate_evidence(&self, problems: &mut Problems) {
        let panel = &self.panel;
        problems.number("evidence.margin", self.evidence.margin);
        problems.whole("evidence.patience", self.evidence.patience as u64);
        problems.whole("panel.seed", panel.seed);
        problems.whole("panel.overlays", panel.overlays as u64);
        if panel.images.is_none() {
            problems.whole("panel.per_class", panel.per_class as u64);
        }
        let mut ids = BTreeSet::new();
        for twice in panel.images.iter().flatten().filter(|id| !ids.insert(*id)) {
            problems.say(format!("panel.list has {twice} twice, expected each image once"));
        }
        if self.explainers.is_empty() {
            let evidence = [
                ("early_stopping.stable_epochs", self.stop_when_stable.is_some()),
                ("checkpoints.stable_within", self.keep.stable_within.is_some()),
            ];
            for (name, _) in evidence.into_iter().filter(|(_, asked)| *asked) {
                problems.say(format!("{name} needs evidence, but explainers is empty"));
            }
            return;
        }
        if panel.targets.is_empty() {
            problems.say("panel.targets is empty, expected at least one, such as label".to_string());
        }
        if panel.images.as_ref().is_some_and(Vec::is_empty) {
            problems.say("panel.list is empty, expected at least one image's id".to_string());
        }
        let (taps, mut names) = (self.model.taps(), BTreeSet::new());
        for explainer in &self.explainers {
            if let Err(error) = explainer.site(&taps) {
                problems.say(format!("explainers, for {}: {error}", self.model));
            }
            if !names.insert(explainer.name()) {
                problems.say(format!("explainers has {} twice", explainer.name()));
            }
        }
    }

    fn validate_augmentation(&self, problems: &mut Problems) {
        let augmentation = &self.augmentation;
        problems.number("augmentation.flip", augmentation.flip);
        problems.range("augmentation.crop_scale", augmentation.crop_scale);
        problems.range("augmentation.crop_ratio", augmentation.crop_ratio);
        if let Some(jitter) = augmentation.colour_jitter {
            let strengths = [jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue];
            for (index, strength) in strengths.into_iter().enumerate() {
                problems.number(&format!("augmentation.colour_jitter[{index}]"), strength);
            }
        }
        if let Some(erasing) = augmentation.erasing {
            problems.number("augmentation.erasing", erasing.probability);
            problems.range("augmentation.erasing_area", erasing.area);
            problems.range("augmentation.erasing_ratio", erasing.ratio);
        }
        if let Some(Policy::RandAugment { operations, magnitude }) = augmentation.policy {
            problems.whole("augmentation.policy.operations", operations as u64);
            problems.whole("augmentation.policy.magnitude", magnitude as u64);
        }
        problems.number("augmentation.mixup", self.mixing.mixup);
        problems.number("augmentation.cutmix", self.mixing.cutmix);
    }

    fn validate_optimizer(&self, problems: &mut Problems) {
        let optimizer = &self.optimizer;
        problems.number("optimizer.weight_decay", optimizer.weight_decay);
        problems.number("optimizer.layer_decay", optimizer.layer_decay);
        optimizer.clip_norm.iter().for_each(|&norm| problems.number("optimizer.clip_norm", norm));
        match optimizer.method {
            OptimizerKind::Adamw(moments) | OptimizerKind::Adam(moments) => {
                problems.number("optimizer.epsilon", moments.epsilon);
                for (index, beta) in moments.betas.into_iter().enumerate() {
                    problems.number(&format!("optimizer.betas[{index}]"), beta);
                }
            }
            OptimizerKind::Sgd { momentum, nesterov } => {
                problems.number("optimizer.momentum", momentum);
                if nesterov && momentum == 0.0 {
                    problems.say("optimizer.nesterov is true, expected a momentum above 0 with it".to_string());
                }
            }
        }
    }

    fn validate_schedule(&self, problems: &mut Problems) {
        let schedule = &self.schedule;
        problems.number("schedule.learning_rate", schedule.learning_rate);
        problems.number("schedule.warmup_epochs", schedule.warmup_epochs);
        problems.at_most("schedule.warmup_epochs", schedule.warmup_epochs, "epochs", self.epochs as f64);
        problems.number("schedule.warmup_start", schedule.warmup_start);
        match schedule.decay {
            Decay::Cosine { minimum } => {
                problems.number("schedule.minimum", minimum);
                problems.at_most("schedule.minimum", minimum, "schedule.learning_rate", schedule.learning_rate);
            }
            Decay::Step { every_epochs, factor } => {
                problems.whole("schedule.step_epochs", every_epochs as u64);
                problems.number("schedule.step_factor", factor);
            }
            Decay::Constant => {}
        }
    }
}

/// Collected so that a person reads all of them at once. A key without limits of its own passes.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn say(&mut self, problem: String) {
        self.0.push(problem);
    }

    fn whole(&mut self, name: &str, found: u64) {
        keys::whole_problem(name, found).into_iter().for_each(|problem| self.say(problem));
    }

    fn number(&mut self, name: &str, found: f64) {
        let Some(kind) = keys::kind(name) else { return };
        let fits = match kind {
            Kind::Number(least, greatest) => (least..=greatest).contains(&found),
            Kind::ZeroOr(least, greatest) => found == 0.0 || (least..=greatest).contains(&found),
            _ => true,
        };
        if !fits {
            self.say(problem(name, &shown(found), kind));
        }
    }

    fn range(&mut self, name: &str, [low, high]: [f64; 2]) {
        if let Some(kind @ Kind::Range(least, greatest)) = keys::kind(name)
            && !(least <= low && low <= high && high <= greatest)
        {
            self.say(problem(name, &format!("[{}, {}]", shown(low), shown(high)), kind));
        }
    }

    /// A number that is in its own range, but not in that of another setting.
    fn at_most(&mut self, name: &str, found: f64, of: &str, greatest: f64) {
        if found.is_finite() && greatest.is_finite() && found > greatest {
            self.say(format!("{name} is {}, expected at most {of}, {}", shown(found), shown(greatest)));
        }
    }

    fn into_result(self) -> Result<(), InvalidConfig> {
        if self.0.is_empty() { Ok(()) } else { Err(InvalidConfig { problems: self.0 }) }
    }
}
