//! What a person may type: a TOML file and flags, everything optional, unknown keys refused.
//!
//! [`FileConfig::resolve`] turns it into a [`RunConfig`]; flags are merged in by overwriting fields first.

use super::{AdamWConfig, InvalidConfig, PanelConfig, RunConfig, ScheduleConfig, WeightsConfig};
use crate::data::{Augmentation, DataConfig, FolderConfig, Interpolation, Preprocessing, TexturesConfig};
use crate::explain::Explainer;
use crate::fsx::{self, FsError};
use crate::models::{ModelName, UnknownModel};
use crate::weights::{self, WeightsError};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A config file that cannot be read or does not make sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] FsError),
    /// Not the TOML we expect; the source names line and key.
    #[error("{path} is not a config file")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, key and reason.
        #[source]
        source: toml::de::Error,
    },
    /// No model was named.
    #[error("no model is named: give --model or a config file with a line `model = \"…\"`; there are {}",
            ModelName::ALL.map(ModelName::as_str).join(", "))]
    NoModel,
    /// No such model.
    #[error(transparent)]
    Model(#[from] UnknownModel),
    /// Weights that are not there.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A setting for data of another kind.
    #[error("{keys} are settings of {source_kind}, and data.source is something else")]
    WrongSource {
        /// The settings.
        keys: &'static str,
        /// Where they mean something.
        source_kind: &'static str,
    },
    /// Values that do not work.
    #[error(transparent)]
    Invalid(#[from] InvalidConfig),
}

/// The file. Durations name their unit; see `configs/` for commented examples.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// `resnet50`, `deit_tiny`, `resnet_mini` or `deit_mini`.
    pub model: Option<String>,
    /// `none`, `pretrained` or a file; the default is `pretrained` for a size that anybody has pretrained.
    pub weights: Option<String>,
    /// Patterns such as `layer4.*` of names that the file may lack, or have beyond the model's.
    pub allow_missing: Option<Vec<String>>,
    /// Drop-path rate of a ViT's last block.
    pub drop_path: Option<f64>,
    /// Passes over the training split.
    pub epochs: Option<usize>,
    /// Pictures a step.
    pub batch_size: Option<usize>,
    /// The run's seed.
    pub seed: Option<u64>,
    /// `[data]`
    #[serde(default)]
    pub data: DataSection,
    /// `[preprocessing]`
    #[serde(default)]
    pub preprocessing: PreprocessingSection,
    /// `[augmentation]`
    #[serde(default)]
    pub augmentation: AugmentationSection,
    /// `[optimizer]`
    #[serde(default)]
    pub optimizer: OptimizerSection,
    /// `[schedule]`
    #[serde(default)]
    pub schedule: ScheduleSection,
    /// `[panel]`
    #[serde(default)]
    pub panel: PanelSection,
    /// `[[explainers]]`; without, the model's defaults; `explainers = []` switches explaining off.
    pub explainers: Option<Vec<Explainer>>,
}

macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* pub $field: Option<$type>,)* }
    };
}

section! {
    /// What is learned from. The numbers of textures are for those alone, `split` and `classes` for folders.
    DataSection {
        /// `textures`, or a folder: DTD's own, or train/ and val/ with a folder a class, or a folder a class.
        source: String,
        /// DTD's official split, 1 to 10; elsewhere the seed of the split that is made.
        split: u64,
        /// Only these classes.
        classes: Vec<String>,
        /// Training textures a class.
        train_per_class: usize,
        /// Validation textures a class.
        val_per_class: usize,
        /// Which textures: another seed is another data set.
        seed: u64,
    }
}

section! {
    /// How a picture is brought to the model's size.
    PreprocessingSection {
        /// In evaluation the short side is scaled to this before the centre is cut out.
        resize: usize,
        /// `bicubic` or `bilinear`.
        interpolation: Interpolation,
    }
}

section! {
    /// What training does to a picture.
    AugmentationSection {
        /// Share of the area that a random crop keeps.
        crop_scale: [f64; 2],
        /// Width-to-height ratio of the crop.
        crop_ratio: [f64; 2],
        /// Probability of a horizontal flip.
        flip: f64,
    }
}

section! {
    /// AdamW.
    OptimizerSection {
        /// Decay of the moments.
        betas: [f64; 2],
        /// Added to the denominator.
        epsilon: f64,
        /// Decoupled decay.
        weight_decay: f64,
    }
}

section! {
    /// The learning rate.
    ScheduleSection {
        /// Full learning rate.
        learning_rate: f64,
        /// Where the cosine ends.
        minimum: f64,
        /// Epochs of warm-up.
        warmup_epochs: f64,
        /// Fraction of the full rate at the first step.
        warmup_start: f64,
    }
}

section! {
    /// The panel.
    PanelSection {
        /// Pictures a class.
        per_class: usize,
        /// The panel's own seed.
        seed: u64,
        /// Overlays written with every epoch.
        overlays: usize,
    }
}

impl FileConfig {
    /// Reads a TOML file.
    ///
    /// # Errors
    ///
    /// Where it is missing, or has a key we do not know.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fsx::read_to_string(path)?;
        toml::from_str(&text).map_err(|source| ConfigError::Parse { path: path.to_path_buf(), source })
    }

    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    ///
    /// Where no model is named, or values do not work.
    pub fn resolve(self) -> Result<RunConfig, ConfigError> {
        let model: ModelName = self.model.ok_or(ConfigError::NoModel)?.parse()?;
        let optimizer = AdamWConfig::default();
        let config = RunConfig {
            model,
            weights: WeightsConfig {
                file: weights_file(model, self.weights)?,
                allow_missing: self.allow_missing.unwrap_or_default(),
            },
            drop_path: self.drop_path.unwrap_or(0.0),
            epochs: self.epochs.unwrap_or(8),
            batch_size: self.batch_size.unwrap_or(32),
            seed: self.seed.unwrap_or(0),
            data: self.data.resolve()?,
            preprocessing: Preprocessing {
                size: model.image_size(),
                resize: self.preprocessing.resize.unwrap_or(model.resize()),
                interpolation: self.preprocessing.interpolation.unwrap_or(Interpolation::Bicubic),
            },
            augmentation: Augmentation {
                crop_scale: self.augmentation.crop_scale.unwrap_or([0.35, 1.0]),
                crop_ratio: self.augmentation.crop_ratio.unwrap_or([3.0 / 4.0, 4.0 / 3.0]),
                flip: self.augmentation.flip.unwrap_or(0.5),
            },
            optimizer: AdamWConfig {
                betas: self.optimizer.betas.unwrap_or(optimizer.betas),
                epsilon: self.optimizer.epsilon.unwrap_or(optimizer.epsilon),
                weight_decay: self.optimizer.weight_decay.unwrap_or(0.05),
            },
            schedule: ScheduleConfig {
                learning_rate: self.schedule.learning_rate.unwrap_or(1e-3),
                minimum: self.schedule.minimum.unwrap_or(0.0),
                warmup_epochs: self.schedule.warmup_epochs.unwrap_or(1.0),
                warmup_start: self.schedule.warmup_start.unwrap_or(0.1),
            },
            panel: PanelConfig {
                per_class: self.panel.per_class.unwrap_or(4),
                seed: self.panel.seed.unwrap_or(0),
                overlays: self.panel.overlays.unwrap_or(6),
            },
            explainers: self.explainers.unwrap_or_else(|| Explainer::defaults(model)),
        };
        config.validate()?;
        Ok(config)
    }
}

/// Which file `none`, `pretrained` or a path means.
fn weights_file(model: ModelName, source: Option<String>) -> Result<Option<PathBuf>, ConfigError> {
    match source.as_deref() {
        Some("none") => Ok(None),
        None if !weights::is_pretrained(model) => Ok(None),
        None | Some("pretrained") => Ok(Some(weights::pretrained(model)?)),
        Some(path) => Ok(Some(PathBuf::from(path))),
    }
}

impl DataSection {
    fn resolve(self) -> Result<DataConfig, ConfigError> {
        let for_textures = self.train_per_class.is_some() || self.val_per_class.is_some() || self.seed.is_some();
        let for_folders = self.split.is_some() || self.classes.is_some();
        let source = self.source.unwrap_or_else(|| TEXTURES.to_string());
        if source == TEXTURES {
            if for_folders {
                return Err(ConfigError::WrongSource { keys: "data.split and data.classes", source_kind: "a folder" });
            }
            return Ok(DataConfig::Textures(TexturesConfig {
                train_per_class: self.train_per_class.unwrap_or(200),
                val_per_class: self.val_per_class.unwrap_or(40),
                seed: self.seed.unwrap_or(0),
            }));
        }
        if for_textures {
            let keys = "data.train_per_class, data.val_per_class and data.seed";
            return Err(ConfigError::WrongSource { keys, source_kind: "the textures" });
        }
        let (split, classes) = (self.split.unwrap_or(1), self.classes.unwrap_or_default());
        Ok(DataConfig::Folder(FolderConfig { root: PathBuf::from(source), split, classes }))
    }
}

/// The embedded data set's name.
const TEXTURES: &str = "textures";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = toml::from_str::<FileConfig>("model = \"deit_mini\"\nlearning_rat = 1").unwrap_err();
        assert!(error.to_string().contains("learning_rat"), "{error}");
    }

    #[test]
    fn a_file_without_a_model_is_told_which_there_are() {
        let error = FileConfig::default().resolve().unwrap_err();
        assert!(error.to_string().contains("deit_mini"), "{error}");
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let text = "model = \"deit_mini\"\nepochs = 0\n[augmentation]\nflip = 2\ncrop_scale = [0.9, 0.1]";
        let error = toml::from_str::<FileConfig>(text).unwrap().resolve().unwrap_err().to_string();
        for name in ["epochs", "augmentation.flip", "augmentation.crop_scale"] {
            assert!(error.contains(name), "{name} is missing from: {error}");
        }
    }

    #[test]
    fn explainers_are_chosen_by_kind() {
        let text = "model = \"deit_mini\"\n[[explainers]]\nkind = \"rollout\"";
        let config = toml::from_str::<FileConfig>(text).unwrap().resolve().unwrap();
        assert_eq!(config.explainers.iter().map(Explainer::name).collect::<Vec<_>>(), ["rollout"]);
        assert!(toml::from_str::<FileConfig>("[[explainers]]\nkind = \"tea-leaves\"").is_err());
    }
}
