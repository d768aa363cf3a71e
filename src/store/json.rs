//! JSON files of a run, and the version that each says it is of.

use super::StoreError;
use crate::fsx;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Schema version of `run.json`, `manifest.json`, `branching.json` and the files that a manifest lists. Readers refuse a
/// newer one.
pub const SCHEMA: u32 = 1;

/// Reads a JSON file that has a `schema`. The schema is checked first, because a newer file may have other fields. A file
/// without one is of version 0.
///
/// # Errors
///
/// [`StoreError::NewerSchema`]; or the file cannot be read, or is something else than `expected` says.
pub fn read_versioned<T: DeserializeOwned>(path: &Path, expected: &'static str) -> Result<T, StoreError> {
    #[derive(Deserialize)]
    struct Version {
        #[serde(default)]
        schema: u64,
    }
    let json = |source| StoreError::Json { path: path.to_path_buf(), expected, source };
    let text = fsx::read_to_string(path)?;
    let Version { schema } = serde_json::from_str(&text).map_err(json)?;
    if schema > u64::from(SCHEMA) {
        let (path, expected) = (path.to_path_buf(), u64::from(SCHEMA));
        return Err(StoreError::NewerSchema { path, expected, found: schema });
    }
    serde_json::from_str(&text).map_err(json)
}

/// A value as JSON with a final line break; `path` is only used in errors.
///
/// # Errors
///
/// When the value has no JSON.
pub fn json<T: Serialize>(value: &T, path: &Path) -> Result<Vec<u8>, StoreError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|source| StoreError::EncodeJson { path: path.to_path_buf(), source })?;
    bytes.push(b'\n');
    Ok(bytes)
}
