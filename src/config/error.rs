//! What can be wrong with settings.

use super::InvalidConfig;
use crate::data::DataError;
use crate::fsx::FsError;
use crate::models::{ModelName, UnknownModel};
use crate::weights::WeightsError;
use std::path::PathBuf;

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
    /// Not text.
    #[error("{path} is not a config file: expected UTF-8 text, found {found}")]
    Encoding {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        found: String,
    },
    /// Flags that name no setting.
    #[error("invalid setting")]
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
    /// One value for a key that holds several of its own.
    #[error("'{key}' was set as a table, so it cannot have one value as well")]
    IsTable {
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
    #[error("{keys}: only valid for {meant_for}")]
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
