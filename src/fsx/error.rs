//! What went wrong with a file, and with which.

use super::shown;
use std::io;
use std::path::{Path, PathBuf};

/// What went wrong with a file, and with which.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", shown(path))]
    Io {
        /// What was attempted, as a verb: `"read"`, `"write"`, …
        action: &'static str,
        /// The file or directory it was attempted on.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Something in a directory that is to be removed is not what driftscope puts there.
    #[error(
        "{} was not made by driftscope, so {} is not removed: move it away, then try again",
        shown(path),
        shown(inside)
    )]
    Foreign {
        /// The entry that driftscope did not make.
        path: PathBuf,
        /// The directory that was to be removed.
        inside: PathBuf,
    },
    /// Something that is no regular file was to be read.
    #[error("cannot read {}: it is {found}, expected a file", shown(path))]
    NotAFile {
        /// The path that was to be read.
        path: PathBuf,
        /// What lies there, in words: `"a folder"`.
        found: &'static str,
    },
    /// Something other than a folder, such as a link, lies where a folder should be.
    #[error("{} is not a folder, and driftscope needs one there: move it away, then go on", shown(path))]
    NotAFolder {
        /// The path where a folder should be.
        path: PathBuf,
    },
    /// stdout could not be written to.
    #[error("cannot write to stdout: {0}")]
    Stdout(#[source] io::Error),
    /// The path ends in `..` or is a root, so it names no file.
    #[error("cannot write {}: it does not name a file", shown(path))]
    NoFileName {
        /// The path as it was given.
        path: PathBuf,
    },
}

impl FsError {
    /// For `map_err`: says what was attempted on `path`, as a verb (`"read"`, `"write"`), when it failed.
    pub fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FsError {
        let path = path.to_path_buf();
        move |source| FsError::Io { action, path, source }
    }

    /// The same error about another path: the one that a person named.
    #[must_use]
    pub fn about(self, path: &Path) -> Self {
        match self {
            FsError::Io { action, source, .. } => FsError::Io { action, path: path.to_path_buf(), source },
            other => other,
        }
    }

    /// Whether the reader of stdout went away, as `head` does when it has seen enough.
    pub fn is_stdout_closed(&self) -> bool {
        matches!(self, FsError::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether the path does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, FsError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}
