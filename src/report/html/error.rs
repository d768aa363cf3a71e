//! The error of the page.

use crate::drift::DriftError;
use crate::store::StoreError;
use image::ImageError;
use std::path::PathBuf;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A run could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its epochs do not compare.
    #[error(transparent)]
    Drift(#[from] DriftError),
    /// A file of the panel is no picture, or cannot be made smaller.
    #[error("{path}: expected a picture that can be decoded and made smaller")]
    Decode {
        /// The path of the file.
        path: PathBuf,
        /// What the decoder or encoder said.
        #[source]
        source: ImageError,
    },
    /// Numbers that JSON cannot hold.
    #[error("the page's data cannot be encoded")]
    Encode(#[from] serde_json::Error),
}
