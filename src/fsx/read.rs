//! Reading files, asking what they are, and their digests.

use super::FsError;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// All bytes of a file.
///
/// # Errors
///
/// When it cannot be read; [`FsError::is_not_found`] tells a missing file from the rest.
pub fn read(path: &Path) -> Result<Vec<u8>, FsError> {
    check_file(path)?;
    fs::read(path).map_err(FsError::of("read", path))
}

/// Checks that `path` is a regular file, links followed: a pipe or a device may keep its reader waiting for ever.
///
/// # Errors
///
/// [`FsError::NotAFile`] says what it is instead; or it is not there.
pub fn check_file(path: &Path) -> Result<(), FsError> {
    let found = fs::metadata(path).map_err(FsError::of("read", path))?;
    match (found.is_file(), found.is_dir()) {
        (true, _) => Ok(()),
        (_, true) => Err(FsError::NotAFile { path: path.to_path_buf(), found: "a folder" }),
        _ => Err(FsError::NotAFile { path: path.to_path_buf(), found: "a pipe, a device or a socket" }),
    }
}

/// All of a UTF-8 file.
///
/// # Errors
///
/// When it cannot be read or is not UTF-8.
pub fn read_to_string(path: &Path) -> Result<String, FsError> {
    check_file(path)?;
    fs::read_to_string(path).map_err(FsError::of("read", path))
}

/// All of a file that a person named, which may be a pipe: `--config <(…)`.
///
/// # Errors
///
/// When it cannot be read.
pub fn read_named(path: &Path) -> Result<Vec<u8>, FsError> {
    fs::read(path).map_err(FsError::of("read", path))
}

/// What a file is, links followed.
///
/// # Errors
///
/// When it does not exist or its folder may not be searched.
pub fn metadata(path: &Path) -> Result<fs::Metadata, FsError> {
    fs::metadata(path).map_err(FsError::of("read", path))
}

/// The first bytes of a file, `most` of them or all it has.
///
/// # Errors
///
/// When it cannot be read.
pub fn read_start(path: &Path, most: usize) -> Result<Vec<u8>, FsError> {
    let mut bytes = Vec::new();
    let start = File::open(path).and_then(|file| file.take(most as u64).read_to_end(&mut bytes));
    start.map_err(FsError::of("read", path))?;
    Ok(bytes)
}

/// SHA-256 of some bytes as 64 lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fsx::write_atomic;

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for (path, found) in
            [(pipe.as_path(), "a pipe"), (directory.path(), "a folder"), (Path::new("/dev/zero"), "a device")]
        {
            for error in [read(path).unwrap_err(), read_to_string(path).unwrap_err()] {
                assert!(error.to_string().contains(found), "{error}");
            }
        }
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        assert!(matches!(read(&link), Err(FsError::NotAFile { .. })));
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

    /// The digest of the empty message is the first test vector of FIPS 180-4.
    #[test]
    fn the_digest_is_the_published_one() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_hex(b""), empty);
    }
}
