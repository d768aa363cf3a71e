//! What can be wrong with settings.

use crate::data::DataError;
use crate::fsx::{FsError, one_line, shown};
use crate::models::{ModelName, UnknownModel};
use crate::weights::WeightsError;
use std::path::PathBuf;

/// Settings that make no sense, all of them.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid settings: {}", problems.join("; "))]
pub struct InvalidConfig {
    /// One a setting: its name, what is expected, what was found.
    pub problems: Vec<String>,
}

/// A config file that cannot be read or does not make sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The list of the panel's images.
    #[error("panel.list: {0}")]
    PanelList(#[source] FsError),
    /// The file itself.
    #[error(transparent)]
    File(#[from] FsError),
    /// Not the TOML we expect.
    #[error("{} is not a config file: {problem}", shown(path))]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, column, and what is wrong there.
        problem: String,
    },
    /// Not text.
    #[error("{} is not a config file: expected UTF-8 text, found {found}", shown(path))]
    Encoding {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        found: String,
    },
    /// Flags that name no setting.
    #[error("invalid setting: {0}")]
    Setting(String),
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

impl ConfigError {
    /// Whether what was typed can never be right, as against what is missing on the disk or cannot be read.
    pub fn is_about_settings(&self) -> bool {
        use ConfigError::{Data, DataAndWeights, File, PanelList, Weights};
        match self {
            Weights(error) => error.is_about_settings(),
            other => !matches!(other, File(_) | PanelList(_) | Data(_) | DataAndWeights { .. }),
        }
    }
}

/// What is wrong with a TOML text, on one line: `line 3, column 1: unknown field …`.
pub(super) fn toml_problem(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let place = before.map(|before| {
        let (line, start) = (before.matches('\n').count() + 1, before.rfind('\n').map_or(0, |end| end + 1));
        format!("line {line}, column {}: ", before[start..].chars().count() + 1)
    });
    place.unwrap_or_default() + &one_line(error.message())
}

/// What is wrong with settings that stand in no text, on one line: `unknown field … in data`.
pub(super) fn table_problem(error: &toml::de::Error) -> String {
    one_line(&error.to_string().trim_end().replace('\n', " ")).into_owned()
}
