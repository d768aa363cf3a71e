//! What a person may type: a TOML file and flags, everything optional, unknown keys refused.
//!
//! [`Settings`] is what was typed, file and flags merged; [`FileConfig`] is the same in types; and
//! [`FileConfig::resolve`] turns it into a [`RunConfig`] with the defaults filled in.

use super::sections::{
    AugmentationSection, CheckpointsSection, DTD, DataSection, EarlyStoppingSection, EmaSection, FreezeSection,
    OptimizerSection, PanelSection, PreprocessingSection, ScheduleSection, TEXTURES, absolute,
};
use super::{FreezeConfig, InvalidConfig, KeepConfig, Method, RunConfig, WeightsConfig};
use crate::data::{DataConfig, DataError, Interpolation, Preprocessing};
use crate::explain::Explainer;
use crate::fsx::{self, FsError};
use crate::models::{ModelName, UnknownModel};
use crate::weights::{self, WeightsError};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A config file that cannot be read or does not make sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The list of the panel's pictures.
    #[error("panel.list: {0}")]
    PanelList(#[source] FsError),
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
    /// Flags that name no setting.
    #[error("a setting does not work")]
    Setting(#[source] toml::de::Error),
    /// Not `key=value`.
    #[error("'{found}' is no setting; expected key=value, such as optimizer.weight_decay=0.05")]
    NoSetting {
        /// What was given.
        found: String,
    },
    /// A dotted key that goes through something that is no table.
    #[error("'{key}' goes through a setting that is not a table")]
    NoTable {
        /// The key.
        key: String,
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
    /// Data that is not there.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Neither.
    #[error("two things are missing. Data: {data}. Weights: {weights}")]
    DataAndWeights {
        /// About the data.
        data: Box<DataError>,
        /// About the weights.
        weights: Box<WeightsError>,
    },
    /// A word that is none of those expected.
    #[error("{key} is '{found}', expected {expected}")]
    Word {
        /// The setting.
        key: &'static str,
        /// What was given.
        found: String,
        /// What there is.
        expected: &'static str,
    },
    /// A setting for something else than what was chosen.
    #[error("{keys} mean something for {meant_for} alone")]
    Misplaced {
        /// The settings.
        keys: &'static str,
        /// Where they mean something.
        meant_for: &'static str,
    },
    /// Values that do not work.
    #[error(transparent)]
    Invalid(#[from] InvalidConfig),
}

/// What a person typed, as TOML: a file, and flags over it. Kept in run.json.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(toml::Table);

impl Settings {
    /// Reads a TOML file.
    ///
    /// # Errors
    ///
    /// Where it is missing, or has a key we do not know.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fsx::read_to_string(path)?;
        let parse = |source| ConfigError::Parse { path: path.to_path_buf(), source };
        toml::from_str::<FileConfig>(&text).map_err(parse)?; // from the text, which knows its lines
        Ok(Self(toml::from_str(&text).map_err(parse)?))
    }

    /// Sets one dotted key.
    ///
    /// # Errors
    ///
    /// Where the key goes through something that is no table.
    pub fn set(&mut self, key: &str, value: impl Into<toml::Value>) -> Result<(), ConfigError> {
        let no_table = || ConfigError::NoTable { key: key.to_string() };
        let (tables, last) = key.rsplit_once('.').map_or((None, key), |(tables, last)| (Some(tables), last));
        let mut table = &mut self.0;
        for name in tables.iter().flat_map(|tables| tables.split('.')) {
            let inner = table.entry(name).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            table = inner.as_table_mut().ok_or_else(no_table)?;
        }
        table.insert(last.to_string(), value.into());
        Ok(())
    }

    /// Sets `key=value`; the value is TOML, or else a plain word.
    ///
    /// # Errors
    ///
    /// Where there is no `=`.
    pub fn set_text(&mut self, text: &str) -> Result<(), ConfigError> {
        let no_setting = || ConfigError::NoSetting { found: text.to_string() };
        let (key, value) = text.split_once('=').ok_or_else(no_setting)?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return Err(no_setting());
        }
        let parsed = toml::from_str::<toml::Table>(&format!("value = {value}")).ok();
        let parsed = parsed.and_then(|mut table| table.remove("value"));
        self.set(key, parsed.unwrap_or_else(|| toml::Value::String(value.to_string())))
    }

    /// The settings as a run obeys them.
    ///
    /// # Errors
    ///
    /// As [`FileConfig::resolve`], and where a key is unknown.
    pub fn resolve(&self) -> Result<RunConfig, ConfigError> {
        FileConfig::deserialize(toml::Value::Table(self.0.clone())).map_err(ConfigError::Setting)?.resolve()
    }

    /// A `[data]` table alone, as a run obeys it.
    ///
    /// # Errors
    ///
    /// Where the data is not there, or a key is unknown.
    pub fn resolve_data(&self) -> Result<DataConfig, ConfigError> {
        let table = toml::Value::Table(self.0.clone());
        DataSection::deserialize(table).map_err(ConfigError::Setting)?.resolve(TEXTURES)
    }
}

/// The file. Durations name their unit; see `configs/` for commented examples.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
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
    /// Pictures in one pass through the model.
    pub batch_size: Option<usize>,
    /// Batches a step.
    pub accumulate: Option<usize>,
    /// The run's seed.
    pub seed: Option<u64>,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: Option<f64>,
    /// `[data]`
    pub data: DataSection,
    /// `[preprocessing]`
    pub preprocessing: PreprocessingSection,
    /// `[augmentation]`
    pub augmentation: AugmentationSection,
    /// `[optimizer]`
    pub optimizer: OptimizerSection,
    /// `[schedule]`
    pub schedule: ScheduleSection,
    /// `[freeze]`
    pub freeze: FreezeSection,
    /// `[ema]`
    pub ema: EmaSection,
    /// `[early_stopping]`
    pub early_stopping: EarlyStoppingSection,
    /// `[checkpoints]`
    pub checkpoints: CheckpointsSection,
    /// `[panel]`
    pub panel: PanelSection,
    /// `[[explainers]]`; without, the model's defaults; `explainers = []` switches explaining off.
    pub explainers: Option<Vec<Explainer>>,
}

impl FileConfig {
    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    ///
    /// Where no model is named, data or weights are not there, or values do not work.
    pub fn resolve(self) -> Result<RunConfig, ConfigError> {
        let model: ModelName = self.model.ok_or(ConfigError::NoModel)?.parse()?;
        let source = if weights::is_pretrained(model) { DTD } else { TEXTURES };
        let (data, weights) = match (self.data.resolve(source), weights_file(model, self.weights)) {
            (Err(ConfigError::Data(data)), Err(weights)) => {
                return Err(ConfigError::DataAndWeights { data: Box::new(data), weights: Box::new(weights) });
            }
            (data, weights) => (data?, weights?),
        };
        let optimizer = self.optimizer.resolve()?;
        let (augmentation, mixing) = self.augmentation.resolve();
        let config = RunConfig {
            model,
            weights: WeightsConfig { file: weights, allow_missing: self.allow_missing.unwrap_or_default() },
            drop_path: self.drop_path.unwrap_or(0.0),
            epochs: self.epochs.unwrap_or(8),
            batch_size: self.batch_size.unwrap_or(32),
            accumulate: self.accumulate.unwrap_or(1),
            seed: self.seed.unwrap_or(0),
            label_smoothing: self.label_smoothing.unwrap_or(0.0),
            data,
            preprocessing: Preprocessing {
                size: model.image_size(),
                resize: self.preprocessing.resize.unwrap_or(model.resize()),
                interpolation: self.preprocessing.interpolation.unwrap_or(Interpolation::Bicubic),
            },
            augmentation,
            mixing,
            optimizer,
            schedule: self.schedule.resolve(default_rate(model, optimizer.method))?,
            freeze: FreezeConfig {
                head_only_epochs: self.freeze.head_only_epochs.unwrap_or(0),
                batch_norm: self.freeze.batch_norm.unwrap_or(false),
            },
            ema: self.ema.resolve()?,
            early_stopping: self.early_stopping.patience,
            stop_when_stable: self.early_stopping.stable_epochs,
            keep: KeepConfig {
                best: self.checkpoints.keep_best.unwrap_or(3),
                last: self.checkpoints.keep_last.unwrap_or(3),
                stable_within: self.checkpoints.stable_within,
            },
            panel: self.panel.resolve()?,
            explainers: self.explainers.unwrap_or_else(|| Explainer::defaults(model)),
        };
        config.validate()?;
        Ok(config)
    }
}

/// What works for the size: fine-tuning wants less than training from scratch.
fn default_rate(model: ModelName, method: Method) -> f64 {
    match (method, model) {
        (Method::Sgd { .. }, _) => 1e-2,
        (_, ModelName::DeitTiny) => 1e-4,
        (_, ModelName::Resnet50) => 3e-4,
        (_, ModelName::ResnetMini | ModelName::DeitMini) => 1e-3,
    }
}

/// Which file `none`, `pretrained` or a path means.
fn weights_file(model: ModelName, source: Option<String>) -> Result<Option<PathBuf>, WeightsError> {
    match source.as_deref() {
        Some("none") => Ok(None),
        None if !weights::is_pretrained(model) => Ok(None),
        None | Some("pretrained") => weights::pretrained(model).map(|path| Some(absolute(path))),
        Some(path) => Ok(Some(absolute(PathBuf::from(path)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Decay;

    fn settings(text: &str) -> Settings {
        Settings(toml::from_str(text).unwrap())
    }

    fn refused(text: &str) -> String {
        let error = settings(text).resolve().unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        format!("{error} {source}")
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let text = refused("model = \"deit_mini\"\nlearning_rat = 1");
        assert!(text.contains("learning_rat"), "{text}");
    }

    #[test]
    fn a_file_without_a_model_is_told_which_there_are() {
        assert!(refused("").contains("deit_mini"));
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let error = refused(
            "model = \"deit_mini\"\nepochs = 0\naccumulate = 0\n[augmentation]\nflip = 2\ncrop_scale = [0.9, 0.1]\n\
             [optimizer]\nclip_norm = 0.0\n[schedule]\ndecay = \"step\"\nstep_epochs = 0",
        );
        for name in [
            "epochs",
            "accumulate",
            "augmentation.flip",
            "augmentation.crop_scale",
            "optimizer.clip_norm",
            "schedule.step_epochs",
        ] {
            assert!(error.contains(name), "{name} is missing from: {error}");
        }
    }

    #[test]
    fn explainers_are_chosen_by_kind() {
        let config = settings("model = \"deit_mini\"\n[[explainers]]\nkind = \"rollout\"").resolve().unwrap();
        assert_eq!(config.explainers.iter().map(Explainer::name).collect::<Vec<_>>(), ["rollout"]);
        assert!(refused("model = \"deit_mini\"\n[[explainers]]\nkind = \"tea-leaves\"").contains("tea-leaves"));
    }

    #[test]
    fn a_setting_for_another_choice_is_refused_instead_of_doing_nothing() {
        for text in [
            "[optimizer]\nmomentum = 0.9",
            "[optimizer]\nkind = \"sgd\"\nbetas = [0.9, 0.99]",
            "[schedule]\nstep_epochs = 3",
            "[schedule]\ndecay = \"constant\"\nminimum = 0.1",
            "[ema]\nwarmup = true",
            "[data]\nsplit = 2",
        ] {
            let message = refused(&format!("model = \"deit_mini\"\n{text}"));
            assert!(message.contains("mean something for"), "{text}: {message}");
        }
    }

    #[test]
    fn key_and_value_set_what_a_file_sets() {
        let mut typed = settings("model = \"deit_mini\"\n[schedule]\nlearning_rate = 1e-3");
        for text in ["schedule.decay=step", "schedule.step_epochs = 4", "optimizer.weight_decay=0.1", "explainers=[]"] {
            typed.set_text(text).unwrap();
        }
        let config = typed.resolve().unwrap();
        assert_eq!(config.schedule.decay, Decay::Step { every_epochs: 4, factor: 0.1 });
        assert_eq!((config.schedule.learning_rate, config.optimizer.weight_decay), (1e-3, 0.1));
        assert!(config.explainers.is_empty());
        assert!(typed.set_text("epochs").is_err() && typed.set_text("model.size=3").is_err());
    }

    #[test]
    fn differences_name_the_setting_and_both_values() {
        let one = settings("model = \"deit_mini\"").resolve().unwrap();
        let mut other = one.clone();
        other.optimizer.weight_decay = 0.3;
        other.early_stopping = Some(2);
        assert_eq!(
            other.differences(&one),
            ["early_stopping: nothing there, 2 here", "optimizer.weight_decay: 0.01 there, 0.3 here"]
        );
    }
}
