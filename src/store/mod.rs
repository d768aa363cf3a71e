//! What a run keeps on disk, as plain data: the names in its folder, sealed directories, explanation files, JSON records, a
//! reader for all of it, and the check that an output file does not belong to a run.
//!
//! Only sealed epochs count, that is directories `epoch-NNNN` with a `manifest.json`, and a file is read from them only if
//! its digest is the manifest's. Nothing here knows what settings, weights or measures are.

mod error;
mod explained;
pub mod format;
mod json;
pub mod layout;
mod output;
mod reader;
pub mod records;
mod sealed;
#[cfg(test)]
pub(crate) mod tests;

pub use error::StoreError;
pub use explained::{Explained, SUMMARY_FILE, remove_figures};
pub use format::{AttentionDistance, Explanations, LayerMaps, UNKNOWN_CLASS};
pub use json::{SCHEMA, json, read_versioned};
pub use layout::{epoch_dir_name, panel_image_name, sealed_epoch};
pub use output::{Output, OutputError, check_output_folder, not_of_a_run, output_folder};
pub use reader::RunReader;
pub use records::{
    ALL_IMAGES, Against, DriftEstimate, EpochMetrics, PanelInfo, Randomised, RunInfo, Scored, TrainingMetrics,
};
pub use sealed::{Manifest, SealedDir};
