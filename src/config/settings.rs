//! What was typed, as it was typed: [`Settings`], a config file and the flags over it.

use super::error::{ConfigError, table_problem, toml_problem};
use super::idle;
use super::keys::{self, Kind};
use super::resolve::Known;
use super::sections::{DTD, DataSection, TEXTURES, absolute};
use super::typed::FileConfig;
use super::{InvalidConfig, RunConfig};
use crate::data::DataConfig;
use crate::fsx;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a person typed, as TOML: a config file, with flags replacing its values. Kept in `run.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub(super) toml::Table);

/// Keys that hold a path, each with the words that are no path there.
pub(super) const PATHS: [(&str, &[&str]); 3] =
    [("data.source", &[TEXTURES, DTD]), ("weights", &["none", "pretrained"]), ("panel.list", &[])];

impl Settings {
    /// Reads a TOML file, with or without a byte-order mark.
    ///
    /// # Errors
    ///
    /// If it is missing, is not UTF-8 or not TOML, or has an unknown key.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = fsx::read_named(path)?;
        let encoding = |found: String| ConfigError::Encoding { path: path.to_path_buf(), found };
        let text = std::str::from_utf8(&bytes).map_err(|error| match bytes.as_slice() {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => encoding("UTF-16".to_string()),
            _ => encoding(format!("something else at byte {}", error.valid_up_to())),
        })?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let parse = |error| ConfigError::Parse { path: path.to_path_buf(), problem: toml_problem(text, &error) };
        let table: toml::Table = toml::from_str(text).map_err(parse)?;
        // Values of the wrong kind are reported later, all at once. What is left is a key that we do not know, and the text
        // knows its line.
        let mut fitting = table.clone();
        keys::misfits(&mut fitting);
        if FileConfig::deserialize(toml::Value::Table(fitting)).is_err() {
            toml::from_str::<FileConfig>(text).map_err(parse)?;
        }
        Ok(Self(table))
    }

    /// Sets one dotted key.
    ///
    /// # Errors
    ///
    /// If the key goes through a setting that is not a table.
    pub fn set(&mut self, key: &str, value: impl Into<toml::Value>) -> Result<(), ConfigError> {
        let no_table = || ConfigError::NoTable { key: key.to_string() };
        let (tables, last) = key.rsplit_once('.').map_or((None, key), |(tables, last)| (Some(tables), last));
        let mut table = &mut self.0;
        for name in tables.iter().flat_map(|tables| tables.split('.')) {
            let inner = table.entry(name).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            table = inner.as_table_mut().ok_or_else(no_table)?;
        }
        let value = value.into();
        if table.get(last).is_some_and(toml::Value::is_table) && !value.is_table() {
            return Err(ConfigError::IsTable { key: key.to_string() });
        }
        table.insert(last.to_string(), value);
        Ok(())
    }

    /// Sets `key=value`; the value is TOML, or else a plain word. Where the key takes a text, a bare value is that text,
    /// whatever else it might mean in TOML. Without a value the key is taken back, as if no file had named it.
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
        if value.is_empty() && keys::is_key(key) {
            keys::remove(&mut self.0, key);
            return Ok(());
        }
        let bare = || toml::Value::String(value.to_string());
        let parsed = toml::from_str::<toml::Table>(&format!("value = {value}")).ok().filter(|table| table.len() == 1);
        let parsed = parsed.and_then(|mut table| table.remove("value"));
        let value = match (keys::kind(key), parsed) {
            (Some(Kind::Text | Kind::Word(_)), Some(parsed)) if !parsed.is_str() => bare(),
            (Some(Kind::Texts), Some(parsed)) if !parsed.is_array() && !parsed.is_str() => vec![bare()].into(),
            (Some(Kind::Texts), Some(parsed)) if parsed.is_str() => vec![parsed].into(),
            (Some(Kind::Texts), None) if !value.starts_with('[') => vec![bare()].into(),
            (_, parsed) => parsed.unwrap_or_else(bare),
        };
        self.set(key, value)
    }

    /// The complete settings of a run.
    ///
    /// # Errors
    ///
    /// If a key is unknown, no model is named, or data or weights are not found; and [`ConfigError::Invalid`] with every
    /// value that is not valid and every setting that would have no effect.
    pub fn resolve(&self) -> Result<RunConfig, ConfigError> {
        self.resolve_knowing(&Known::default())
    }

    /// The complete settings of a run that branches off another one. Places (data, weights, the panel's list) that are typed
    /// the same as for the other run are taken from `saved`, its resolved settings, and are not looked up again from the
    /// current folder. Settings that come from the other run may have no effect here.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Settings::resolve).
    pub fn resolve_branch(&self, saved_settings: &Settings, saved: &RunConfig) -> Result<RunConfig, ConfigError> {
        let same = |key: &str| {
            let (now, then) = (keys::find(&self.0, key), keys::find(&saved_settings.0, key));
            let came_to = match (key, &saved.data) {
                ("data.source", DataConfig::Folder(folder)) => Some(folder.root.clone()),
                ("weights", _) => saved.weights.file.clone(),
                _ => None,
            };
            let path = now.and_then(toml::Value::as_str).filter(|text| !words_of(key).contains(text));
            now == then || (came_to.is_some() && path.map(|path| absolute(path.into())) == came_to)
        };
        self.resolve_knowing(&Known {
            data: same("data.source").then(|| saved.data.clone()),
            weights: same("weights").then(|| saved.weights.file.clone()),
            images: same("panel.list").then(|| saved.panel.images.clone()),
            inherited: Some(saved_settings.0.clone()),
        })
    }

    fn resolve_knowing(&self, known: &Known) -> Result<RunConfig, ConfigError> {
        let mut table = self.0.clone();
        let mut problems = keys::misfits(&mut table);
        problems.extend(idle::policy_problems(&table, known.inherited.as_ref()));
        match FileConfig::deserialize(toml::Value::Table(table)) {
            Ok(file) => file.resolve_with(known, problems),
            Err(error) if problems.is_empty() => Err(ConfigError::Setting(table_problem(&error))),
            Err(error) => {
                problems.push(table_problem(&error));
                Err(InvalidConfig { problems }.into())
            }
        }
    }

    /// The same with every typed path made absolute from `base`, the folder that it was typed in; so that the settings
    /// mean the same wherever they are read. Paths that are as in `inherited` are left alone: they were typed elsewhere.
    #[must_use]
    pub fn with_absolute_paths(&self, base: &Path, inherited: Option<&Settings>) -> Settings {
        let mut settings = self.clone();
        for (key, _) in PATHS {
            let Some(typed) = keys::find(&self.0, key) else { continue };
            let Some(path) = typed.as_str().filter(|text| !words_of(key).contains(text)) else { continue };
            if inherited.is_none_or(|inherited| keys::find(&inherited.0, key) != Some(typed)) {
                // A path whose text cannot be kept stays as it was typed.
                if let Some(absolute) = absolute(base.join(path)).to_str() {
                    let _ = settings.set(key, absolute);
                }
            }
        }
        settings
    }

    /// The complete settings of a `[data]` table alone.
    ///
    /// # Errors
    ///
    /// If the data is not found, or a key is unknown.
    pub fn resolve_data(&self) -> Result<DataConfig, ConfigError> {
        let table = toml::Value::Table(self.0.clone());
        let section = DataSection::deserialize(table).map_err(|error| ConfigError::Setting(table_problem(&error)))?;
        section.resolve(TEXTURES)
    }
}

/// The words that a key for a path takes besides paths, such as `none`.
fn words_of(key: &str) -> &'static [&'static str] {
    PATHS.iter().find(|(name, _)| *name == key).map_or(&[], |(_, words)| words)
}
