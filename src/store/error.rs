//! Why a run, or a file of it, could not be read or written.

use crate::fsx::FsError;
use std::path::PathBuf;

/// Why a run, or a file of it, could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The directory is no run.
    #[error("{path} does not exist; expected a run's directory, which holds run.json")]
    NotARun {
        /// The `run.json` that is missing.
        path: PathBuf,
    },
    /// A JSON file, or the JSON inside an explanation file, is not what it should be.
    #[error("{path} cannot be read as {expected}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What the parser said, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// Not a safetensors file, a truncated one, or one without a tensor the schema asks for.
    #[error("{path}: not a whole explanation file")]
    Container {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// A safetensors file, but not of explanations.
    #[error("{path}: not an explanation file, its metadata has no key '{key}'")]
    NoMetadata {
        /// The file.
        path: PathBuf,
        /// The key that is missing.
        key: &'static str,
    },
    /// A file that is not what was sealed.
    #[error("{path} is not what was sealed: expected {expected}, found {found}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Size and digest in the manifest.
        expected: String,
        /// Size and digest on disk.
        found: String,
    },
    /// A file that its directory's manifest does not know.
    #[error("{path} is not among the files that were sealed there")]
    NotSealed {
        /// The file.
        path: PathBuf,
    },
    /// Explanations of other pictures than the run's panel.
    #[error("{path} explains other pictures than the panel of {run}")]
    ForeignPanel {
        /// The file.
        path: PathBuf,
        /// The run's name.
        run: String,
    },
    /// A value that cannot be written as JSON.
    #[error("{path} cannot be encoded")]
    EncodeJson {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Written by a newer driftscope.
    #[error("{path}: schema {found}, but this driftscope reads schema {expected} at most")]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The newest schema this version reads.
        expected: u64,
        /// The schema of the file.
        found: u64,
    },
    /// A tensor of another type than the schema asks for.
    #[error("{path}: tensor {tensor} is {found:?}, expected {expected:?}")]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: &'static str,
        /// The type of the schema.
        expected: safetensors::Dtype,
        /// The type in the file.
        found: safetensors::Dtype,
    },
    /// A tensor of another shape than the file's own metadata asks for.
    #[error("{path}: tensor {tensor} is {found:?}, expected {expected:?}")]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: &'static str,
        /// The shape that follows from the metadata.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// Explanations whose fields do not fit one another cannot be written.
    #[error("explanations cannot be written: tensor {tensor}")]
    Encode {
        /// The tensor whose length is wrong.
        tensor: &'static str,
        /// Expected shape and found bytes.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// The metadata of explanations cannot be written as JSON.
    #[error("the metadata of explanations cannot be written as JSON")]
    EncodeHeader(#[source] serde_json::Error),
}
