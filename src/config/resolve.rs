//! From what was typed to the complete settings of a run.

use super::error::ConfigError;
use super::idle;
use super::sections::{DTD, TEXTURES, absolute};
use super::typed::FileConfig;
use super::{FreezeConfig, InvalidConfig, KeepConfig, OptimizerKind, RunConfig, WeightsConfig};
use crate::data::{DataConfig, Preprocessing, TexturesConfig};
use crate::explain::Explainer;
use crate::models::ModelName;
use crate::picture::Interpolation;
use crate::precision::Precision;
use crate::weights::{self, WeightsError};
use std::path::PathBuf;

/// What another run has resolved already, so that it is not looked up again.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Where the data is, and how it is read.
    pub(super) data: Option<DataConfig>,
    /// The file of weights; `Some(None)` if there is none.
    pub(super) weights: Option<Option<PathBuf>>,
    /// The ids in the panel's list; `Some(None)` if there is no list.
    pub(super) images: Option<Option<Vec<String>>>,
    /// What was typed for that run: settings that are the same there may do nothing here.
    pub(super) inherited: Option<toml::Table>,
}

impl FileConfig {
    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    ///
    /// Where no model is named, data or weights are not there, values do not work, or a setting would do nothing.
    pub fn resolve(self) -> Result<RunConfig, ConfigError> {
        self.resolve_with(&Known::default(), Vec::new())
    }

    /// The same, with what is `known` from another run, and with `problems` found so far.
    pub(super) fn resolve_with(self, known: &Known, mut problems: Vec<String>) -> Result<RunConfig, ConfigError> {
        let named = self.model.as_deref().ok_or(ConfigError::NoModel);
        let model = match named.and_then(|name| name.parse::<ModelName>().map_err(ConfigError::from)) {
            Ok(model) => model,
            Err(error) if problems.is_empty() => return Err(error),
            Err(error) => {
                problems.push(error.to_string());
                return Err(InvalidConfig { problems }.into());
            }
        };
        let has_weights = known.weights.as_ref().map(Option::is_some);
        problems.extend(idle::problems(&self, model, has_weights, known.inherited.as_ref()));
        // The rest is checked even if data or weights are missing: a placeholder stands in for them.
        let mut missing = None;
        let (data, weights) = self.places(model, known, &mut missing);
        let images = match &known.images {
            Some(images) => images.clone(),
            None => self.panel.images().unwrap_or_else(|error| {
                missing.get_or_insert(error);
                None
            }),
        };
        let config = self.with_defaults(model, data, weights, images)?;
        if let Err(invalid) = config.validate() {
            problems.extend(invalid.problems);
        }
        match missing {
            None if problems.is_empty() => Ok(config),
            Some(error) if problems.is_empty() && !matches!(error, ConfigError::Misplaced { .. }) => Err(error),
            missing => {
                problems.extend(missing.map(|error| error.to_string()));
                Err(InvalidConfig { problems }.into())
            }
        }
    }

    /// Every setting, typed or default, not checked yet. `images` are the ids in the panel's list.
    fn with_defaults(
        self,
        model: ModelName,
        data: DataConfig,
        weights: Option<PathBuf>,
        images: Option<Vec<String>>,
    ) -> Result<RunConfig, ConfigError> {
        let (augmentation, mixing) = self.augmentation.resolve();
        let optimizer = self.optimizer.resolve()?;
        let schedule = self.schedule.resolve(default_rate(model, optimizer.method))?;
        Ok(RunConfig {
            model,
            weights: WeightsConfig {
                file: weights,
                key: self.weights_key,
                allow_missing: self.allow_missing.unwrap_or_default(),
            },
            drop_path: self.drop_path.unwrap_or(0.0),
            epochs: self.epochs.unwrap_or(8),
            batch_size: self.batch_size.unwrap_or(32),
            accumulate: self.accumulate.unwrap_or(1),
            seed: self.seed.unwrap_or(0),
            label_smoothing: self.label_smoothing.unwrap_or(0.0),
            precision: precision(self.precision.as_deref())?,
            data,
            preprocessing: Preprocessing {
                size: model.spec().image_size(),
                resize: self.preprocessing.resize.unwrap_or(model.spec().resize),
                interpolation: self.preprocessing.interpolation.unwrap_or(Interpolation::Bicubic),
                normalisation: model.spec().normalisation,
            },
            augmentation,
            mixing,
            optimizer,
            schedule,
            freeze: FreezeConfig {
                head_only_epochs: self.freeze.head_only_epochs.unwrap_or(0),
                batch_norm: self.freeze.batch_norm.unwrap_or(false),
            },
            ema: self.ema.resolve(),
            early_stopping: self.early_stopping.patience,
            stop_when_stable: self.early_stopping.stable_epochs,
            keep: KeepConfig {
                best: self.checkpoints.keep_best.unwrap_or(3),
                last: self.checkpoints.keep_last.unwrap_or(3),
                stable_within: self.checkpoints.stable_within,
            },
            evidence: self.evidence.resolve(),
            panel: self.panel.resolve(images),
            explainers: self.explainers.unwrap_or_else(|| Explainer::defaults(&model.taps())),
        })
    }

    /// Where data and weights are. If one of them is not found, `missing` is set to the error.
    fn places(
        &self,
        model: ModelName,
        known: &Known,
        missing: &mut Option<ConfigError>,
    ) -> (DataConfig, Option<PathBuf>) {
        let mut section = self.data.clone();
        section.source = match &known.data {
            Some(DataConfig::Folder(saved)) => Some(saved.root.to_string_lossy().into_owned()),
            Some(DataConfig::Textures(_)) => Some(TEXTURES.to_string()),
            None => section.source,
        };
        let default = if model.spec().repository.is_some() { DTD } else { TEXTURES };
        let mut data = section.resolve(default);
        if let (Ok(DataConfig::Folder(folder)), Some(DataConfig::Folder(saved))) = (&mut data, &known.data) {
            folder.root.clone_from(&saved.root); // whatever its text could not hold
        }
        let weights = match &known.weights {
            Some(file) => Ok(file.clone()),
            None => weights_file(model, self.weights.as_deref()),
        };
        match (data, weights) {
            (Ok(data), Ok(weights)) => (data, weights),
            (data, weights) => {
                let textures = TexturesConfig { train_per_class: 1, val_per_class: 1, seed: 0 };
                let stand_in = data.as_ref().map_or(DataConfig::Textures(textures), Clone::clone);
                *missing = match (data, weights) {
                    (Err(ConfigError::Data(data)), Err(weights)) => {
                        Some(ConfigError::DataAndWeights { data: Box::new(data), weights: Box::new(weights) })
                    }
                    (Err(error), _) => Some(error),
                    (_, weights) => weights.err().map(ConfigError::Weights),
                };
                (stand_in, None)
            }
        }
    }
}

/// The learning rate if none is given: the model's own; for SGD another one, because its steps scale with the gradient.
fn default_rate(model: ModelName, method: OptimizerKind) -> f64 {
    if let OptimizerKind::Sgd { .. } = method { 1e-2 } else { model.spec().learning_rate }
}

/// The precision of a word.
fn precision(typed: Option<&str>) -> Result<Precision, ConfigError> {
    match typed {
        None | Some("auto") => Ok(Precision::AUTO),
        Some(name) => name.parse().map_err(|_| ConfigError::Word {
            key: "precision",
            found: name.to_string(),
            expected: "auto, f32, tf32 or bf16",
        }),
    }
}

/// Which file `none`, `pretrained` or a path means.
fn weights_file(model: ModelName, source: Option<&str>) -> Result<Option<PathBuf>, WeightsError> {
    match source {
        Some("none") => Ok(None),
        None if model.spec().repository.is_none() => Ok(None),
        None | Some("pretrained") => weights::pretrained(model).map(|path| Some(absolute(path))),
        Some("") => Err(WeightsError::NoName),
        Some(path) => Ok(Some(absolute(PathBuf::from(path)))),
    }
}
