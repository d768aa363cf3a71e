//! What can be wrong with a file of weights, and with weights for a model.

use super::misfit::Misfit;
use crate::checkpoints::CheckpointError;
use crate::fsx::{FsError, shown};
use safetensors::SafeTensorError;
use std::path::{Path, PathBuf};

/// A file of tensors that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] FsError),
    /// Not a safetensors file, or a truncated one.
    #[error("{path}: not a whole safetensors file")]
    Safetensors {
        /// The path of the file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: SafeTensorError,
    },
    /// A checkpoint of others that cannot be read, or not without being told more.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Weights that do not fit the model.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Names or shapes that are not the model's.
    #[error("{path} does not fit the model: {misfit}")]
    Mismatch {
        /// The path of the file.
        path: PathBuf,
        /// Every missing or unexpected name and every wrong shape.
        misfit: Box<Misfit>,
    },
    /// Numbers that are NaN or infinite.
    #[error("{path}: {name} holds {count} of {total} numbers that are NaN or infinite{}", others(*tensors))]
    NotFinite {
        /// The path of the file.
        path: PathBuf,
        /// The first such tensor.
        name: String,
        /// How many of its numbers are not finite.
        count: usize,
        /// How many numbers it has.
        total: usize,
        /// How many tensors hold such numbers.
        tensors: usize,
    },
    /// Pretrained weights that nobody has downloaded yet.
    #[error(
        "no pretrained weights for {model} in {cache}: download {url} and pass it with --weights FILE, \
         or train from scratch with --weights none"
    )]
    NotInCache {
        /// The name of the model.
        model: String,
        /// Where they can be downloaded.
        url: String,
        /// Where they were looked for.
        cache: PathBuf,
    },
    /// A model that nobody has pretrained.
    #[error("there are no pretrained weights for {model}: give --weights none or a file")]
    NeverPretrained {
        /// The name of the model.
        model: String,
    },
    /// An empty text where a word or a file is expected.
    #[error("weights is empty, expected none, pretrained or a file")]
    NoName,
    /// A pattern that does not parse.
    #[error("allow_missing: '{pattern}' is no pattern of names, such as 'layer4.*'")]
    Pattern {
        /// The pattern, as it was typed.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: glob::PatternError,
    },
    /// A pattern that excuses nothing.
    #[error(
        "allow_missing: '{pattern}' is no name that {} lacks or has beyond the model's, so it would do nothing: leave it out",
        shown(path)
    )]
    IdlePattern {
        /// The pattern, as it was typed.
        pattern: String,
        /// The file of weights.
        path: PathBuf,
    },
}

fn others(tensors: usize) -> String {
    if tensors > 1 { format!("; {} other tensors hold some too", tensors - 1) } else { String::new() }
}

/// The error of a file whose names or shapes are not the model's.
pub(super) fn mismatch(path: &Path, misfit: Box<Misfit>) -> WeightsError {
    WeightsError::Mismatch { path: path.to_path_buf(), misfit }
}

impl WeightsError {
    /// Whether what was typed can never be right, whatever files there are.
    pub fn is_about_settings(&self) -> bool {
        matches!(self, WeightsError::NeverPretrained { .. } | WeightsError::NoName | WeightsError::Pattern { .. })
    }
}
