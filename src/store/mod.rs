//! What a run keeps on disk, as plain data: the names in its folder, sealed directories, explanation files, JSON records, and
//! a reader of all of it.
//!
//! Only sealed epochs are seen, that is directories `epoch-NNNN` holding a `manifest.json`, and nothing is read from them
//! whose digest is not the manifest's. Nothing here knows what settings, weights or measures are.

mod error;
pub mod format;
mod json;
pub mod layout;
mod reader;
pub mod records;
mod sealed;
#[cfg(test)]
pub(crate) mod tests;

pub use error::StoreError;
pub use format::{AttentionDistance, Explanations, LayerMaps, UNKNOWN_CLASS};
pub use json::{SCHEMA, json, read_versioned};
pub use layout::{epoch_dir_name, panel_image_name, sealed_epoch};
pub use reader::RunReader;
pub use records::{ALL_IMAGES, Against, DriftFigure, EpochMetrics, PanelInfo, RunInfo, TrainingMetrics};
pub use sealed::{Manifest, SealedDir};
