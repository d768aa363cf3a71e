//! What a run was made with, for the card under its name.

use crate::store::{RunReader, StoreError};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A run's record, as its card shows it.
#[derive(Serialize)]
pub(super) struct Card {
    /// Seconds from 1970 to when it began; none in runs from before that was recorded.
    begun: Option<u64>,
    /// Seconds from 1970 to when its record was written, as the disk says it: a copy of a run may be younger than the run.
    written: Option<u64>,
    /// Every setting with a value, by its path: `schedule.learning_rate`. Beside the settings, what the run was made on:
    /// `data`, `device`, `driftscope`, `forked_from`.
    settings: BTreeMap<String, String>,
}

impl Card {
    /// # Errors
    ///
    /// When the record cannot be read.
    pub(super) fn of(reader: &RunReader) -> Result<Self, StoreError> {
        let record = reader.record()?;
        let mut settings = BTreeMap::new();
        leaves(&record["config"], "", &mut settings);
        for key in ["data", "device", "driftscope", "forked_from"] {
            leaves(&record[key], key, &mut settings);
        }
        Ok(Card { begun: record["begun"].as_u64(), written: reader.written(), settings })
    }
}

/// The values of an object and of those inside it, by their paths. What has no value is left out; lists are one value.
fn leaves(value: &Value, path: &str, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(parts) => {
            for (key, part) in parts {
                leaves(part, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, into);
            }
        }
        Value::String(text) => drop(into.insert(path.to_string(), file_name(path, text))),
        Value::Array(items) => drop(into.insert(path.to_string(), list(items))),
        other => drop(into.insert(path.to_string(), other.to_string())),
    }
}

/// A file or folder by its last part: a page that is passed on says nothing of the machine that it was made on.
fn file_name(path: &str, text: &str) -> String {
    let is_path = ["file", "root", "dir", "path", "folder"].iter().any(|end| path.ends_with(end));
    let name = text.trim_end_matches('/').rsplit('/').next().unwrap_or(text);
    if is_path { name.to_string() } else { text.to_string() }
}

fn list(items: &[Value]) -> String {
    let one = |item: &Value| match item {
        Value::Object(parts) => {
            parts.get("kind").and_then(Value::as_str).map_or_else(|| item.to_string(), str::to_string)
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    items.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_are_named_by_path_and_hide_folders() {
        let config = json!({"seed": 3, "ema": null, "weights": {"file": "/home/who/cnn.safetensors"},
            "explainers": [{"kind": "grad-cam", "layer": null}, {"kind": "rollout"}], "schedule": {"learning_rate": 0.002}});
        let mut found = BTreeMap::new();
        leaves(&config, "", &mut found);
        let expected = [
            ("explainers", "grad-cam, rollout"),
            ("schedule.learning_rate", "0.002"),
            ("seed", "3"),
            ("weights.file", "cnn.safetensors"),
        ];
        assert!(found.iter().map(|(key, value)| (key.as_str(), value.as_str())).eq(expected), "{found:?}");
    }
}
