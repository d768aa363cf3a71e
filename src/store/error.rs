//! Errors of reading and writing a run and its files.

use crate::fsx::FsError;
use std::path::PathBuf;

/// Why a run, or a file of it, could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder could not be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The folder is not a run: it has no `run.json`.
    #[error("{path} does not exist; expected a run's directory, which holds run.json")]
    NotARun {
        /// The `run.json` that is missing.
        path: PathBuf,
    },
    /// A JSON file, or the JSON inside an explanation file, does not have the expected fields.
    #[error("{path} cannot be read as {expected}")]
    Json {
        /// The file that was read.
        path: PathBuf,
        /// What it should hold, in words: `"a manifest"`.
        expected: &'static str,
        /// What the parser said, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// An explanation file is not safetensors, is truncated, or lacks a tensor of the schema.
    #[error("{path}: not a complete explanation file")]
    Container {
        /// The path of the file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// A safetensors file that holds no explanations.
    #[error("{path}: not an explanation file, its metadata has no key '{key}'")]
    NoMetadata {
        /// The path of the file.
        path: PathBuf,
        /// The key that is missing.
        key: &'static str,
    },
    /// A file whose size or digest differs from the manifest's.
    #[error("{path} is not what was sealed: expected {expected}, found {found}")]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// Size and digest in the manifest.
        expected: String,
        /// Size and digest on disk.
        found: String,
    },
    /// A file that is not listed in the manifest of its directory.
    #[error("{path} is not in the manifest.json beside it, so it is not read")]
    NotSealed {
        /// The path of the file.
        path: PathBuf,
    },
    /// Explanations of other images than the run's panel.
    #[error("{path} explains other images than the panel of {run}")]
    ForeignPanel {
        /// The explanation file.
        path: PathBuf,
        /// The name of the run whose panel was expected.
        run: String,
    },
    /// A value that cannot be written as JSON.
    #[error("{path} cannot be written: a value has no JSON")]
    EncodeJson {
        /// The file that was to be written.
        path: PathBuf,
        /// What the encoder said.
        #[source]
        source: serde_json::Error,
    },
    /// A file that a newer driftscope has written.
    #[error("{path}: schema {found}, but this driftscope reads schema {expected} at most")]
    NewerSchema {
        /// The path of the file.
        path: PathBuf,
        /// The newest schema this version reads.
        expected: u64,
        /// The schema of the file.
        found: u64,
    },
    /// A tensor whose type is not that of the schema.
    #[error("{path}: tensor {tensor} is {found:?}, expected {expected:?}")]
    WrongType {
        /// The path of the file.
        path: PathBuf,
        /// The tensor's name.
        tensor: &'static str,
        /// The type in the schema.
        expected: safetensors::Dtype,
        /// The type in the file.
        found: safetensors::Dtype,
    },
    /// A tensor whose shape is not that in the file's metadata.
    #[error("{path}: tensor {tensor} is {found:?}, expected {expected:?}")]
    WrongShape {
        /// The path of the file.
        path: PathBuf,
        /// The tensor's name.
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
