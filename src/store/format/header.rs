//! What an explanation file says beside its tensors.

use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The version of the schema written, and the newest one read.
pub const SCHEMA: u64 = 2;

/// The metadata key all but the tensors is under.
pub(super) const METADATA_KEY: &str = "driftscope";

/// The JSON under [`METADATA_KEY`], next to `schema`.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) schema: u64,
    pub(super) explainer: String,
    /// Missing in schema 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    pub(super) settings: serde_json::Value,
    pub(super) tap: String,
    pub(super) class_specific: bool,
    pub(super) untrained_head: bool,
    pub(super) panel_digest: String,
    pub(super) image_ids: Vec<String>,
    pub(super) target_kinds: Vec<String>,
    pub(super) grid: [usize; 2],
    pub(super) classes: usize,
}

/// The version alone, which is read first, so that a newer file is refused by its number and not for other fields.
#[derive(Deserialize)]
struct Version {
    schema: u64,
}

impl Header {
    /// Shape of `maps` and `floor_maps`.
    pub(super) fn maps(&self) -> Vec<usize> {
        vec![self.image_ids.len(), self.target_kinds.len(), self.grid[0], self.grid[1]]
    }

    /// Shape of `layer_maps`.
    pub(super) fn layer_maps(&self, layers: usize, heads: usize) -> Vec<usize> {
        vec![self.image_ids.len(), layers, heads, self.grid[0], self.grid[1]]
    }

    /// Shape of `targets`.
    pub(super) fn targets(&self) -> Vec<usize> {
        vec![self.image_ids.len(), self.target_kinds.len()]
    }

    /// Shape of `predicted` and `labels`.
    pub(super) fn images(&self) -> Vec<usize> {
        vec![self.image_ids.len()]
    }

    /// Shape of `logits`.
    pub(super) fn logits(&self) -> Vec<usize> {
        vec![self.image_ids.len(), self.classes]
    }

    /// As JSON with sorted keys at every depth, whichever map type serde_json was compiled with.
    pub(super) fn to_sorted_json(&self) -> Result<String, StoreError> {
        let mut json = serde_json::to_value(self).map_err(StoreError::EncodeHeader)?;
        json.sort_all_objects();
        Ok(json.to_string())
    }

    /// From the metadata's JSON; its version is looked at before anything else.
    pub(super) fn parse(json: &str, path: &Path) -> Result<Self, StoreError> {
        let wrong = |source| StoreError::Json { path: path.to_path_buf(), expected: "explanations", source };
        let Version { schema } = serde_json::from_str(json).map_err(wrong)?;
        if schema > SCHEMA {
            return Err(StoreError::NewerSchema { path: path.to_path_buf(), expected: SCHEMA, found: schema });
        }
        serde_json::from_str(json).map_err(wrong)
    }
}
