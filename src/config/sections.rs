//! The tables of a config file, every key optional, unknown keys refused; and how each becomes settings of a run.

use super::error::ConfigError;
use super::keys;
use super::{
    Decay, EmaConfig, EvidenceConfig, InvalidConfig, Moments, OptimizerConfig, OptimizerKind, PanelConfig,
    ScheduleConfig, label_alone,
};
use crate::data::{
    Augmentation, ColourJitter, DataConfig, DataError, FolderConfig, Mixing, Policy, RandomErasing, TexturesConfig,
    find_dtd,
};
use crate::fsx;
use crate::picture::{Interpolation, Limits};
use serde::Deserialize;
use std::path::PathBuf;

macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* pub $field: Option<$type>,)* }
    };
}

section! {
    /// The data. `train_per_class`, `val_per_class` and `seed` are for the textures, the rest for folders.
    DataSection {
        /// `textures`, `dtd` (in its usual places), or a folder: DTD's own layout, `train/` and `val/` with one sub-folder per
        /// class, or one sub-folder per class.
        source: String,
        /// DTD's official split, 1 to 10; for a folder with one sub-folder per class, the seed of the split that is drawn.
        split: u64,
        /// Names of the classes to use; all where it is absent.
        classes: Vec<String>,
        /// Whether images that cannot be read are left out and listed, instead of being an error.
        skip_bad_images: bool,
        /// Most pixels of an image, in millions; the default is 100.
        max_megapixels: u64,
        /// Most memory that reading an image may take, in MiB; the default is 1024, or what `max_megapixels` needs.
        max_decoder_mib: u64,
        /// Training textures per class.
        train_per_class: usize,
        /// Validation textures per class.
        val_per_class: usize,
        /// Seed that the textures are drawn from: another seed is another data set.
        seed: u64,
    }
}

section! {
    /// How an image is brought to the model's size.
    PreprocessingSection {
        /// In evaluation the short side is scaled to this many pixels before the centre is cut out.
        resize: usize,
        /// `bicubic` or `bilinear`.
        interpolation: Interpolation,
    }
}

section! {
    /// What training does to an image, and to a batch.
    AugmentationSection {
        /// Least and greatest share of the area that a random crop keeps; `[1, 1]`: no crop.
        crop_scale: [f64; 2],
        /// Least and greatest width-to-height ratio of the crop.
        crop_ratio: [f64; 2],
        /// Probability of a horizontal flip.
        flip: f64,
        /// Strengths of brightness, contrast, saturation (0 and up) and hue (0 to 0.5).
        colour_jitter: [f64; 4],
        /// RandAugment or TrivialAugmentWide.
        policy: Policy,
        /// Probability of erasing a rectangle.
        erasing: f64,
        /// Least and greatest share of the area that it covers.
        erasing_area: [f64; 2],
        /// Its least and greatest height-to-width ratio.
        erasing_ratio: [f64; 2],
        /// Alpha of mixup's Beta distribution; 0: none.
        mixup: f64,
        /// Alpha of cutmix's Beta distribution; 0: none.
        cutmix: f64,
    }
}

section! {
    /// The optimizer and its settings.
    OptimizerSection {
        /// `adamw`, `adam` or `sgd`.
        kind: String,
        /// Decay of the moments of Adam and AdamW.
        betas: [f64; 2],
        /// Epsilon of Adam and AdamW, added to the root of the second moment.
        epsilon: f64,
        /// Momentum of SGD.
        momentum: f64,
        /// Whether SGD's momentum is Nesterov's.
        nesterov: bool,
        /// Weight decay; AdamW's is decoupled.
        weight_decay: f64,
        /// Whether norms, biases, class token and position embedding decay as well.
        decay_all: bool,
        /// Layer-wise learning-rate decay: the learning rate of a block over that of the next one.
        layer_decay: f64,
        /// Greatest global L2 norm of the gradients; absent: no clipping.
        clip_norm: f64,
    }
}

section! {
    /// The learning rate over the epochs.
    ScheduleSection {
        /// The learning rate at the end of the warm-up.
        learning_rate: f64,
        /// `cosine`, `step` or `constant`.
        decay: String,
        /// The learning rate at the end of the cosine.
        minimum: f64,
        /// Epochs between two steps down.
        step_epochs: usize,
        /// The learning rate after a step down over that before.
        step_factor: f64,
        /// Epochs of linear warm-up.
        warmup_epochs: f64,
        /// The learning rate of the first step as a share of the full one.
        warmup_start: f64,
    }
}

section! {
    /// What is not trained.
    FreezeSection {
        /// Epochs of the head alone before the whole model is trained.
        head_only_epochs: usize,
        /// Whether batch norm is frozen: running statistics, weights and biases.
        batch_norm: bool,
    }
}

section! {
    /// The moving average of the weights; without a decay there is none.
    EmaSection {
        /// Decay of the average: average ← decay · average + (1 − decay) · weights.
        decay: f64,
        /// Whether the decay rises from 0 in the first steps.
        warmup: bool,
    }
}

section! {
    /// Early stopping: when training ends before its last epoch.
    EarlyStoppingSection {
        /// Epochs without a better validation accuracy after which training ends.
        patience: usize,
        /// Epochs without a better validation accuracy and with settled evidence after which training ends.
        stable_epochs: usize,
    }
}

section! {
    /// Retention: which epochs keep their weights.
    CheckpointsSection {
        /// How many of the best, by validation accuracy.
        keep_best: usize,
        /// How many of the last.
        keep_last: usize,
        /// Validation accuracy, 0 to 1, that may be given up for evidence that moved less when the best epoch is chosen.
        stable_within: f64,
    }
}

section! {
    /// The images that every epoch explains.
    PanelSection {
        /// Images per class.
        per_class: usize,
        /// The panel's own seed.
        seed: u64,
        /// How many of them every epoch keeps as figures.
        overlays: usize,
        /// A file with the ids of validation images, one per line, instead of so many per class.
        list: PathBuf,
        /// What is explained of each: `label`, `prediction`, or a class by its name.
        targets: Vec<String>,
    }
}

section! {
    /// What counts as settled evidence, in training and in every later answer about the run.
    EvidenceSection {
        /// Two epochs are still where they moved at most this much, 0 to 100.
        margin: f64,
        /// How many epochs must follow the one at which the evidence settled.
        patience: usize,
    }
}

impl EvidenceSection {
    pub(super) fn resolve(&self) -> EvidenceConfig {
        let usual = EvidenceConfig::default();
        EvidenceConfig {
            margin: self.margin.unwrap_or(usual.margin),
            patience: self.patience.unwrap_or(usual.patience),
        }
    }
}

impl PanelSection {
    /// The ids in the list, if there is one.
    pub(super) fn images(&self) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(path) = &self.list else { return Ok(None) };
        let text = fsx::read_to_string(path).map_err(ConfigError::PanelList)?;
        let lines = text.strip_prefix('\u{FEFF}').unwrap_or(&text).lines().map(str::trim);
        Ok(Some(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_string).collect()))
    }

    pub(super) fn resolve(self, images: Option<Vec<String>>) -> PanelConfig {
        PanelConfig {
            per_class: self.per_class.unwrap_or(4),
            seed: self.seed.unwrap_or(0),
            overlays: self.overlays.unwrap_or(6),
            images,
            targets: self.targets.unwrap_or_else(label_alone),
        }
    }
}

/// An absolute path, so that it means the same when a run is resumed from another working directory.
pub(super) fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

impl DataSection {
    /// `default` is the source where none is named.
    pub(super) fn resolve(self, default: &str) -> Result<DataConfig, ConfigError> {
        let for_textures = self.train_per_class.is_some() || self.val_per_class.is_some() || self.seed.is_some();
        let limits = [("data.max_megapixels", self.max_megapixels), ("data.max_decoder_mib", self.max_decoder_mib)];
        let for_folders = self.split.is_some()
            || self.classes.is_some()
            || self.skip_bad_images.is_some()
            || limits.iter().any(|(_, limit)| limit.is_some());
        let source = self.source.unwrap_or_else(|| default.to_string());
        if source == TEXTURES {
            if for_folders {
                let keys = "data.split, data.classes, data.skip_bad_images and the limits of images";
                return Err(ConfigError::Misplaced { keys, meant_for: "a folder" });
            }
            return Ok(DataConfig::Textures(TexturesConfig {
                train_per_class: self.train_per_class.unwrap_or(200),
                val_per_class: self.val_per_class.unwrap_or(40),
                seed: self.seed.unwrap_or(0),
            }));
        }
        if for_textures {
            let keys = "data.train_per_class, data.val_per_class and data.seed";
            return Err(ConfigError::Misplaced { keys, meant_for: "the textures" });
        }
        let problems: Vec<String> =
            limits.iter().filter_map(|(key, limit)| keys::whole_problem(key, (*limit)?)).collect();
        if !problems.is_empty() {
            return Err(InvalidConfig { problems }.into());
        }
        let [max_megapixels, max_decoder_mib] =
            limits.map(|(_, limit)| limit.and_then(|limit| u32::try_from(limit).ok()));
        let root = if source == DTD { find_dtd()? } else { PathBuf::from(source) };
        let usual = max_megapixels.map_or_else(Limits::default, Limits::of_megapixels);
        let config = FolderConfig {
            split: self.split.unwrap_or(1),
            classes: self.classes.unwrap_or_default(),
            skip_bad_images: self.skip_bad_images.unwrap_or(false),
            limits: Limits { max_decoder_mib: max_decoder_mib.unwrap_or(usual.max_decoder_mib), ..usual },
            ..FolderConfig::of(absolute(root))
        };
        match self.split {
            Some(split) if config.has_split_folders() => {
                Err(DataError::SplitOfFolders { path: config.root, split }.into())
            }
            _ => Ok(DataConfig::Folder(config)),
        }
    }
}

/// The embedded data set's name.
pub(super) const TEXTURES: &str = "textures";
/// The word for DTD in its usual places.
pub(super) const DTD: &str = "dtd";

impl AugmentationSection {
    pub(super) fn resolve(self) -> (Augmentation, Mixing) {
        let strengths = self.colour_jitter.filter(|strengths| strengths.iter().any(|strength| *strength != 0.0));
        let jitter = strengths.map(|[brightness, contrast, saturation, hue]| ColourJitter {
            brightness,
            contrast,
            saturation,
            hue,
        });
        let erasing = self.erasing.filter(|probability| *probability != 0.0).map(|probability| RandomErasing {
            probability,
            area: self.erasing_area.unwrap_or([0.02, 1.0 / 3.0]),
            ratio: self.erasing_ratio.unwrap_or([0.3, 3.3]),
        });
        let augmentation = Augmentation {
            crop_scale: self.crop_scale.unwrap_or([0.35, 1.0]),
            crop_ratio: self.crop_ratio.unwrap_or([3.0 / 4.0, 4.0 / 3.0]),
            flip: self.flip.unwrap_or(0.5),
            colour_jitter: jitter,
            policy: self.policy,
            erasing,
        };
        (augmentation, Mixing { mixup: self.mixup.unwrap_or(0.0), cutmix: self.cutmix.unwrap_or(0.0) })
    }
}

impl OptimizerSection {
    pub(super) fn resolve(self) -> Result<OptimizerConfig, ConfigError> {
        let default = Moments::default();
        let moments =
            Moments { betas: self.betas.unwrap_or(default.betas), epsilon: self.epsilon.unwrap_or(default.epsilon) };
        let (method, weight_decay) = match self.kind.as_deref().unwrap_or("adamw") {
            "adamw" => (OptimizerKind::Adamw(moments), 0.01),
            "adam" => (OptimizerKind::Adam(moments), 0.0),
            "sgd" => {
                let (momentum, nesterov) = (self.momentum.unwrap_or(0.9), self.nesterov.unwrap_or(false));
                (OptimizerKind::Sgd { momentum, nesterov }, 0.0)
            }
            found => {
                let found = found.to_string();
                return Err(ConfigError::Word { key: "optimizer.kind", found, expected: "adamw, adam or sgd" });
            }
        };
        Ok(OptimizerConfig {
            method,
            weight_decay: self.weight_decay.unwrap_or(weight_decay),
            decay_all: self.decay_all.unwrap_or(false),
            layer_decay: self.layer_decay.unwrap_or(1.0),
            clip_norm: self.clip_norm,
        })
    }
}

impl ScheduleSection {
    pub(super) fn resolve(self, default_rate: f64) -> Result<ScheduleConfig, ConfigError> {
        let decay = match self.decay.as_deref().unwrap_or("cosine") {
            "cosine" => Decay::Cosine { minimum: self.minimum.unwrap_or(0.0) },
            "step" => {
                Decay::Step { every_epochs: self.step_epochs.unwrap_or(30), factor: self.step_factor.unwrap_or(0.1) }
            }
            "constant" => Decay::Constant,
            found => {
                let found = found.to_string();
                return Err(ConfigError::Word { key: "schedule.decay", found, expected: "cosine, step or constant" });
            }
        };
        Ok(ScheduleConfig {
            learning_rate: self.learning_rate.unwrap_or(default_rate),
            warmup_epochs: self.warmup_epochs.unwrap_or(1.0),
            warmup_start: self.warmup_start.unwrap_or(0.1),
            decay,
        })
    }
}

impl EmaSection {
    pub(super) fn resolve(self) -> Option<EmaConfig> {
        self.decay.map(|decay| EmaConfig { decay, warmup: self.warmup.unwrap_or(false) })
    }
}
