//! The error of reading a picture.

use crate::fsx::shown;
use std::path::PathBuf;

/// A picture that is missing or broken.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read as an image: {reason}", shown(path))]
pub struct PictureError {
    /// The path of the file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}
