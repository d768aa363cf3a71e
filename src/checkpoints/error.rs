//! What can be wrong with a checkpoint that somebody else wrote.

use crate::fsx::{FsError, shown};
use std::io;
use std::path::{Path, PathBuf};

/// A checkpoint that cannot be read, or not without being told more.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] FsError),
    /// Neither safetensors nor anything that PyTorch writes.
    #[error("{}: expected weights as safetensors or as a PyTorch checkpoint, found {found}", shown(path))]
    NotWeights {
        /// The path of the file.
        path: PathBuf,
        /// What it looks like, in words.
        found: String,
    },
    /// A file that is cut off, or whose parts contradict one another.
    #[error("{}: not a whole {container}: {what}", shown(path))]
    Broken {
        /// The path of the file.
        path: PathBuf,
        /// What it is a broken one of.
        container: &'static str,
        /// What was expected, and what was found.
        what: String,
    },
    /// Something that is not supported, by name, and what to do instead.
    #[error("{}: {what}", shown(path))]
    Refused {
        /// The path of the file.
        path: PathBuf,
        /// What it is, and the way out.
        what: String,
    },
    /// A tensor whose shape needs more bytes than the file can hold.
    #[error("{}: {name} claims a shape of {shape:?}, more than a file of {bytes} bytes can hold", shown(path))]
    Claim {
        /// The path of the file.
        path: PathBuf,
        /// The name of the tensor.
        name: String,
        /// Its shape, as the file has it.
        shape: Vec<u64>,
        /// The file's size in bytes.
        bytes: u64,
    },
    /// More than one set of weights may be meant.
    #[error("{} holds more than one set of weights: choose with --key {}", shown(path), list(keys, " or --key "))]
    Ambiguous {
        /// The path of the file.
        path: PathBuf,
        /// What each of them is called.
        keys: Vec<String>,
    },
    /// No set of weights has the key that was asked for.
    #[error("{}: expected weights under the key '{key}', found {}", shown(path), list(keys, ", "))]
    NoKey {
        /// The path of the file.
        path: PathBuf,
        /// The key that was asked for.
        key: String,
        /// What there is.
        keys: Vec<String>,
    },
}

/// How many keys an error lists.
const LISTED: usize = 12;

fn list(keys: &[String], between: &str) -> String {
    let shown: Vec<String> = keys.iter().take(LISTED).map(|key| quoted(key)).collect();
    match keys.len() {
        0 => "no weights at all".to_string(),
        length if length > LISTED => format!("{}{between}…", shown.join(between)),
        _ => shown.join(between),
    }
}

/// A key as it can be typed; the file itself is an empty one.
fn quoted(key: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    if !key.is_empty() && key.chars().all(plain) { key.to_string() } else { format!("'{}'", key.escape_debug()) }
}

/// What is wrong inside a file, before its path is put in front.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// Cut off, or at odds with itself.
    #[error("{0}")]
    Broken(String),
    /// Not supported.
    #[error("{0}")]
    Refused(String),
    /// The operating system refused in the middle of the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A shape beyond what the file can hold.
    #[error("{name} claims a shape of {shape:?}")]
    Claim {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<u64>,
        /// The file's size.
        bytes: u64,
    },
}

impl Fault {
    pub(super) fn broken<T>(what: impl Into<String>) -> Result<T, Fault> {
        Err(Fault::Broken(what.into()))
    }

    pub(super) fn refused<T>(what: impl Into<String>) -> Result<T, Fault> {
        Err(Fault::Refused(what.into()))
    }

    /// The same, of the file at `path`.
    pub(super) fn of(self, path: &Path, container: &'static str) -> CheckpointError {
        let path = path.to_path_buf();
        match self {
            Fault::Broken(what) => CheckpointError::Broken { path, container, what },
            Fault::Refused(what) => CheckpointError::Refused { path, what },
            Fault::Io(source) => CheckpointError::Disk(FsError::of("read", &path)(source)),
            Fault::Claim { name, shape, bytes } => CheckpointError::Claim { path, name, shape, bytes },
        }
    }
}
