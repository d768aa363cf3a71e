//! What can be wrong with settings.

use crate::data::DataError;
use crate::fsx::{FsError, one_line, shown};
use crate::models::{ModelName, UnknownModel};
use crate::weights::WeightsError;
use std::path::PathBuf;

/// Settings that are not valid; every problem is listed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid settings: {}", problems.join("; "))]
pub struct InvalidConfig {
    /// One problem per entry: the setting's name, what was found, what is expected.
    pub problems: Vec<String>,
}

/// Settings, or a config file, that cannot be read or are not valid.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file with the panel's images cannot be read.
    #[error("panel.list: {0}")]
    PanelList(#[source] FsError),
    /// The config file cannot be read.
    #[error(transparent)]
    File(#[from] FsError),
    /// The file is not TOML, or has an unknown key.
    #[error("{} is not a config file: {problem}", shown(path))]
    Parse {
        /// The config file.
        path: PathBuf,
        /// Line and column, and what is wrong there.
        problem: String,
    },
    /// The file is not UTF-8 text.
    #[error("{} is not a config file: expected UTF-8 text, found {found}", shown(path))]
    Encoding {
        /// The config file.
        path: PathBuf,
        /// What it looks like, in words.
        found: String,
    },
    /// A flag names a key that does not exist.
    #[error("invalid setting: {0}")]
    Setting(String),
    /// An argument of `--set` is not `key=value`.
    #[error("'{found}' is no setting; expected key=value, such as optimizer.weight_decay=0.05")]
    NoSetting {
        /// The argument.
        found: String,
    },
    /// A dotted key such as `epochs.x` goes through a setting that is not a table.
    #[error("'{key}' goes through a setting that is not a table")]
    NoTable {
        /// The dotted key.
        key: String,
    },
    /// A single value is set for a key that is a table.
    #[error("'{key}' was set as a table, so it cannot have one value as well")]
    IsTable {
        /// The key of the table.
        key: String,
    },
    /// Neither the config file nor a flag names a model.
    #[error("no model is named: give --model or a config file with a line `model = \"…\"`; there are {}",
            ModelName::ALL.map(ModelName::as_str).join(", "))]
    NoModel,
    /// There is no model of this name.
    #[error(transparent)]
    Model(#[from] UnknownModel),
    /// The weights were not found.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The data was not found, or cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Neither data nor weights were found.
    #[error("two things are missing. Data: {data}. Weights: {weights}")]
    DataAndWeights {
        /// What is wrong with the data.
        data: Box<DataError>,
        /// What is wrong with the weights.
        weights: Box<WeightsError>,
    },
    /// The value is not one of the words that this setting takes.
    #[error("{key} is '{found}', expected {expected}")]
    Word {
        /// The setting's dotted name.
        key: &'static str,
        /// The value that was given.
        found: String,
        /// The words that it takes.
        expected: &'static str,
    },
    /// Settings for another source of data than the one chosen.
    #[error("{keys}: only valid for {meant_for}")]
    Misplaced {
        /// The settings' dotted names.
        keys: &'static str,
        /// What they are valid for.
        meant_for: &'static str,
    },
    /// Values that are not valid.
    #[error(transparent)]
    Invalid(#[from] InvalidConfig),
}

impl ConfigError {
    /// Whether the error is in what was typed, and not in what is missing on disk or cannot be read.
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

/// What is wrong with settings that do not come from a file, on one line: `unknown field … in data`.
pub(super) fn table_problem(error: &toml::de::Error) -> String {
    one_line(&error.to_string().trim_end().replace('\n', " ")).into_owned()
}
