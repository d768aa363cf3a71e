//! Files that are whole or absent, and IO errors that name their path.
//!
//! Whatever driftscope leaves on disk is written through here: a reader, another process or the next run after a power
//! cut sees the old bytes or the new ones and never a part of either.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What went wrong with a file, and with which.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// The operating system refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was attempted, as a verb: `"read"`, `"write"`, …
        action: &'static str,
        /// The file or directory it was attempted on.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The path ends in `..` or is a root, so it names no file.
    #[error("cannot write {path}: it does not name a file")]
    NoFileName {
        /// The path as it was given.
        path: PathBuf,
    },
}

impl FsError {
    /// Whether the path does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, FsError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// For `map_err`: says what was done to `path` when it failed.
fn named(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FsError {
    let path = path.to_path_buf();
    move |source| FsError::Io { action, path, source }
}

/// Replaces `path` by `bytes`, or leaves it as it was.
///
/// The bytes go to a sibling whose name holds this process's id, are fsynced and renamed into place, and the directory
/// is fsynced. After success the file survives a power cut.
///
/// # Errors
///
/// When the sibling cannot be written or renamed; it is then removed again.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let temporary = temporary_sibling(path)?;
    let written = write_synced(&temporary, bytes)
        .map_err(named("write", &temporary))
        .and_then(|()| fs::rename(&temporary, path).map_err(named("write", path)));
    if written.is_err() {
        // The first error is the one worth reporting; the sibling may not even exist.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_dir(parent(path))
}

/// `.<name>.<process id>.tmp` beside `path`: the same file system, so the rename is atomic, and hidden from globs.
fn temporary_sibling(path: &Path) -> Result<PathBuf, FsError> {
    let name = path.file_name().ok_or_else(|| FsError::NoFileName { path: path.to_path_buf() })?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    Ok(path.with_file_name(temporary))
}

/// Writes a new file and waits until the disk has it.
fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The directory a path lies in; the current one for a bare name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// All bytes of a file.
///
/// # Errors
///
/// When it cannot be read; [`FsError::is_not_found`] tells a missing file from the rest.
pub fn read(path: &Path) -> Result<Vec<u8>, FsError> {
    fs::read(path).map_err(named("read", path))
}

/// All of a UTF-8 file.
///
/// # Errors
///
/// When it cannot be read or is not UTF-8.
pub fn read_to_string(path: &Path) -> Result<String, FsError> {
    fs::read_to_string(path).map_err(named("read", path))
}

/// Makes a directory and its parents; one that exists already is left alone.
///
/// # Errors
///
/// When a directory on the way cannot be made, or something on the way is a file.
pub fn create_dir_all(path: &Path) -> Result<(), FsError> {
    fs::create_dir_all(path).map_err(named("create directory", path))
}

/// Removes a file.
///
/// # Errors
///
/// When it is not there or may not be removed.
pub fn remove_file(path: &Path) -> Result<(), FsError> {
    fs::remove_file(path).map_err(named("remove", path))
}

/// Removes a directory and all in it. One that does not exist counts as removed, so that cleaning up can be repeated.
///
/// # Errors
///
/// When something in it cannot be removed.
pub fn remove_dir_all(path: &Path) -> Result<(), FsError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(named("remove", path)(source)),
        _ => Ok(()),
    }
}

/// Waits until the disk has the names in a directory: a rename is durable only after this.
///
/// # Errors
///
/// When the directory cannot be opened or flushed.
pub fn sync_dir(path: &Path) -> Result<(), FsError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(named("sync", path))
}

/// Renames a directory and waits until the disk has the new name. `to` must not exist, or be an empty directory.
///
/// # Errors
///
/// When the rename is refused or the parent of `to` cannot be flushed.
pub fn rename_dir(from: &Path, to: &Path) -> Result<(), FsError> {
    fs::rename(from, to).map_err(named("rename", from))?;
    sync_dir(parent(to))
}

/// Copies a directory and all in it; every file is on the disk when it returns.
///
/// # Errors
///
/// When something cannot be read or written; what was copied so far stays.
pub fn copy_dir(from: &Path, to: &Path) -> Result<(), FsError> {
    create_dir_all(to)?;
    for path in list_dir(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_dir(&path, &target)?;
        } else {
            write_synced(&target, &read(&path)?).map_err(named("write", &target))?;
        }
    }
    sync_dir(to)
}

/// The entries of a directory as full paths, sorted by name: the order of the file system is nobody's business.
///
/// # Errors
///
/// When the directory cannot be read.
pub fn list_dir(path: &Path) -> Result<Vec<PathBuf>, FsError> {
    let entries = fs::read_dir(path).map_err(named("list", path))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(named("list", path))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// SHA-256 of some bytes as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_file_is_read_back_and_leaves_no_sibling() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("metrics.json");
        write_atomic(&path, b"first, and longer").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(read(&path).unwrap(), b"second");
        assert_eq!(read_to_string(&path).unwrap(), "second");
        assert_eq!(list_dir(directory.path()).unwrap(), [path]);
    }

    #[test]
    fn a_failed_write_leaves_the_old_state() {
        let directory = tempfile::tempdir().unwrap();
        let occupied = directory.path().join("occupied");
        create_dir_all(&occupied.join("child")).unwrap();
        assert!(write_atomic(&occupied, b"bytes").is_err());
        assert_eq!(list_dir(directory.path()).unwrap(), [occupied]);
    }

    #[test]
    fn an_error_names_what_was_done_and_to_which_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("absent.json");
        let error = read(&path).unwrap_err();
        assert!(error.is_not_found());
        assert!(error.to_string().starts_with(&format!("cannot read {}: ", path.display())), "{error}");
        assert!(matches!(write_atomic(Path::new("/"), b""), Err(FsError::NoFileName { .. })));
    }

    #[test]
    fn a_directory_is_renamed_with_its_content_and_removed_twice() {
        let directory = tempfile::tempdir().unwrap();
        let (partial, sealed) = (directory.path().join("epoch.partial"), directory.path().join("epoch"));
        create_dir_all(&partial).unwrap();
        write_atomic(&partial.join("b"), b"").unwrap();
        write_atomic(&partial.join("a"), b"").unwrap();
        rename_dir(&partial, &sealed).unwrap();
        assert_eq!(list_dir(&sealed).unwrap(), [sealed.join("a"), sealed.join("b")]);
        remove_dir_all(&sealed).unwrap();
        remove_dir_all(&sealed).unwrap();
        assert!(list_dir(directory.path()).unwrap().is_empty());
    }

    /// The digest of the empty message is the first test vector of FIPS 180-4.
    #[test]
    fn the_digest_is_the_published_one() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_hex(b""), empty);
    }
}
