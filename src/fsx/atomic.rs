//! Files that are replaced whole or stay as they were.

use super::{FsError, folder_of, sync_dir};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Replaces `path` by `bytes`, or leaves it as it was.
///
/// The bytes go to a sibling whose name holds this process's id, are fsynced and renamed into place, and the directory
/// is fsynced. After success the file survives a power cut. The sibling is always a new file: a link that lies under its
/// name is never written through.
///
/// # Errors
///
/// When the sibling cannot be written or renamed; it is then removed again.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    write_atomic_like(path, bytes, None)
}

/// The same; the new file gets the permissions and, where that is allowed, the owner of the file it replaces.
///
/// # Errors
///
/// As [`write_atomic`].
pub fn write_atomic_like(path: &Path, bytes: &[u8], like: Option<&Metadata>) -> Result<(), FsError> {
    let temporary = temporary_sibling(path)?;
    // An error names the file that was wanted, not its sibling.
    let file = create_new(&temporary).map_err(FsError::of("write", path))?;
    let written =
        fill(file, bytes, like).and_then(|()| fs::rename(&temporary, path)).map_err(FsError::of("write", path));
    if written.is_err() {
        // The first error is the one worth reporting.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_dir(folder_of(path))
}

/// Whether [`write_atomic`] could make its sibling of `path`, which is made and removed again.
///
/// # Errors
///
/// When it cannot.
pub fn check_writable(path: &Path) -> Result<(), FsError> {
    let temporary = temporary_sibling(path)?;
    create_new(&temporary).map_err(FsError::of("write", path))?;
    fs::remove_file(&temporary).map_err(FsError::of("write", path))
}

/// `.<name>.<process id>.tmp` beside `path`: the same file system, so the rename is atomic, and hidden from globs. A long
/// name is cut, so that the sibling's still fits.
fn temporary_sibling(path: &Path) -> Result<PathBuf, FsError> {
    const KEPT: usize = 200;
    let name = path.file_name().ok_or_else(|| FsError::NoFileName { path: path.to_path_buf() })?;
    let mut temporary = OsString::from(".");
    temporary.push(OsStr::from_bytes(&name.as_bytes()[..name.len().min(KEPT)]));
    temporary.push(format!(".{}.tmp", std::process::id()));
    Ok(path.with_file_name(temporary))
}

/// The name of the file that a temporary sibling, [`write_atomic`]'s, was to become; `None` for any other name. Of a name
/// longer than 200 bytes only its beginning is known.
pub fn temporary_of(name: &str) -> Option<&str> {
    let (name, process) = name.strip_prefix('.')?.strip_suffix(".tmp")?.rsplit_once('.')?;
    let number = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
    (number && !name.is_empty()).then_some(name)
}

/// Opens a new file for writing. A plain file of that name, left by a killed process, makes way.
fn create_new(path: &Path) -> io::Result<File> {
    let create = || File::options().write(true).create_new(true).open(path);
    match create() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && fs::symlink_metadata(path)?.is_file() => {
            fs::remove_file(path)?;
            create()
        }
        created => created,
    }
}

/// Writes all of it and waits until the disk has it.
fn fill(mut file: File, bytes: &[u8], like: Option<&Metadata>) -> io::Result<()> {
    if let Some(like) = like {
        // Another owner is kept where that is allowed, before the permissions, which a change of owner may clear.
        let _ = std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()));
        file.set_permissions(Permissions::clone(&like.permissions()))?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fsx::{Kind, create_dir_all, kind, list_dir, read, read_to_string};

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
    fn a_temporary_file_is_known_by_its_whole_name() {
        assert_eq!(temporary_of(".metrics.csv.123.tmp"), Some("metrics.csv"));
        for name in ["notes.tmp", ".notes.tmp", "metrics.csv.123.tmp", ".metrics.csv.12x.tmp", "..1.tmp", ".a..tmp"] {
            assert_eq!(temporary_of(name), None, "{name}");
        }
    }

    #[test]
    fn a_link_under_the_name_of_a_temporary_file_is_not_written_through() {
        let directory = tempfile::tempdir().unwrap();
        let (path, mine) = (directory.path().join("run.json"), directory.path().join("mine"));
        fs::write(&mine, "mine").unwrap();
        std::os::unix::fs::symlink(&mine, temporary_sibling(&path).unwrap()).unwrap();
        assert!(write_atomic(&path, b"bytes").is_err());
        assert_eq!(read(&mine).unwrap(), b"mine");
        assert_eq!(kind(&temporary_sibling(&path).unwrap()).unwrap(), Some(Kind::Link));
    }
}
