//! Files that are whole or absent, and IO errors that name their path.
//!
//! Whatever driftscope leaves on disk is written through here, but TensorBoard's event files, which grow: a reader, another process or the next run after a power
//! cut sees the old bytes or the new ones and never a part of either.

mod output;
mod shown;

#[cfg(test)]
pub(crate) use output::is_a_runs_own;
pub use output::{Output, OutputError, check_output_folder, not_of_a_run, output_folder};
pub(crate) use shown::shown;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
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
    /// Something in a directory that is to be removed is not what driftscope puts there.
    #[error("{path} was not made by driftscope, so {inside} is not removed: move it away, then try again")]
    Foreign {
        /// What was found.
        path: PathBuf,
        /// The directory that was to be removed.
        inside: PathBuf,
    },
    /// Something that is no regular file was to be read.
    #[error("cannot read {path}: it is {found}, expected a file")]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// Something else lies where a folder should be; a link is something else.
    #[error("{path} is not a folder of its own: move it away, then go on")]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// The path ends in `..` or is a root, so it names no file.
    #[error("cannot write {path}: it does not name a file")]
    NoFileName {
        /// The path as it was given.
        path: PathBuf,
    },
}

impl FsError {
    /// The same error about another path: the one that a person named.
    #[must_use]
    pub fn about(self, path: &Path) -> Self {
        match self {
            FsError::Io { action, source, .. } => FsError::Io { action, path: path.to_path_buf(), source },
            other => other,
        }
    }

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
/// is fsynced. After success the file survives a power cut. The sibling is always a new file: a link that lies under its
/// name is never written through.
///
/// # Errors
///
/// When the sibling cannot be written or renamed; it is then removed again.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let temporary = temporary_sibling(path)?;
    // An error names the file that was wanted, not its sibling.
    let file = create_new(&temporary).map_err(named("write", path))?;
    let written = fill(file, bytes)
        .map_err(named("write", path))
        .and_then(|()| fs::rename(&temporary, path).map_err(named("write", path)));
    if written.is_err() {
        // The first error is the one worth reporting.
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

/// The name of the file that a temporary sibling, [`write_atomic`]'s, was to become; `None` for any other name.
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
fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
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
    check_file(path)?;
    fs::read(path).map_err(named("read", path))
}

/// Whether `path` is a regular file, links followed: a pipe or a device may keep its reader waiting for ever.
///
/// # Errors
///
/// [`FsError::NotAFile`] says what it is instead; or it is not there.
pub fn check_file(path: &Path) -> Result<(), FsError> {
    let found = fs::metadata(path).map_err(named("read", path))?;
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
    fs::read_to_string(path).map_err(named("read", path))
}

/// All of a file that a person named, which may be a pipe: `--config <(…)`.
///
/// # Errors
///
/// When it cannot be read.
pub fn read_named(path: &Path) -> Result<Vec<u8>, FsError> {
    fs::read(path).map_err(named("read", path))
}

/// A path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "-_./@+:,%".contains(letter);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
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

/// What lies under a path, links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link, to whatever or nothing.
    Link,
    /// A device, pipe or socket.
    Other,
}

/// What lies under `path` itself; `None` where nothing does.
///
/// # Errors
///
/// When the operating system does not say.
pub fn kind(path: &Path) -> Result<Option<Kind>, FsError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Ok(Some(Kind::Link)),
        Ok(found) if found.is_dir() => Ok(Some(Kind::Dir)),
        Ok(found) if found.is_file() => Ok(Some(Kind::File)),
        Ok(_) => Ok(Some(Kind::Other)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(named("look at", path)(source)),
    }
}

/// Removes a directory of driftscope's own, whose every file and folder `is_own` must know by its path below `path`.
///
/// All of it is looked at first: where there is a link, a device or anything that `is_own` does not know, nothing is
/// removed. A directory that does not exist counts as removed, so that cleaning up can be repeated.
///
/// # Errors
///
/// [`FsError::Foreign`] names what somebody else put there; or the operating system refuses.
pub fn remove_own_dir(path: &Path, is_own: &dyn Fn(&Path) -> bool) -> Result<(), FsError> {
    for (entry, kind) in check_own_dir(path, is_own)? {
        match kind {
            Kind::Dir => fs::remove_dir(&entry),
            _ => fs::remove_file(&entry),
        }
        .map_err(named("remove", &entry))?;
    }
    Ok(())
}

/// What [`remove_own_dir`] would remove, in that order: files and folders of `path`, itself the last.
///
/// # Errors
///
/// [`FsError::Foreign`] names what somebody else put there.
pub fn check_own_dir(path: &Path, is_own: &dyn Fn(&Path) -> bool) -> Result<Vec<(PathBuf, Kind)>, FsError> {
    let mut found = Vec::new();
    own_content(path, path, is_own, &mut found)?;
    Ok(found)
}

fn own_content(
    root: &Path,
    path: &Path,
    is_own: &dyn Fn(&Path) -> bool,
    found: &mut Vec<(PathBuf, Kind)>,
) -> Result<(), FsError> {
    let foreign = |path: &Path| FsError::Foreign { path: path.to_path_buf(), inside: root.to_path_buf() };
    let below = path.strip_prefix(root).unwrap_or(path);
    let known = path == root || is_own(below);
    match kind(path)? {
        Some(Kind::Dir) if known => {
            for entry in list_dir(path)? {
                own_content(root, &entry, is_own, found)?;
            }
            found.push((path.to_path_buf(), Kind::Dir));
        }
        Some(Kind::File) if known && path != root => found.push((path.to_path_buf(), Kind::File)),
        None => {}
        Some(_) => return Err(foreign(path)),
    }
    Ok(())
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

/// What a file is, links followed.
///
/// # Errors
///
/// When it is not there or may not be asked about.
pub fn metadata(path: &Path) -> Result<fs::Metadata, FsError> {
    fs::metadata(path).map_err(named("read", path))
}

/// Whether there is anything of this name; a link counts, wherever it leads.
pub fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// The first bytes of a file, `most` of them or all it has.
///
/// # Errors
///
/// When it cannot be read.
pub fn read_start(path: &Path, most: usize) -> Result<Vec<u8>, FsError> {
    let mut bytes = Vec::new();
    let start = File::open(path).and_then(|file| file.take(most as u64).read_to_end(&mut bytes));
    start.map_err(named("read", path))?;
    Ok(bytes)
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

    #[test]
    fn a_directory_is_renamed_with_its_content_and_removed_twice() {
        let directory = tempfile::tempdir().unwrap();
        let (partial, sealed) = (directory.path().join("epoch.partial"), directory.path().join("epoch"));
        create_dir_all(&partial).unwrap();
        write_atomic(&partial.join("b"), b"").unwrap();
        write_atomic(&partial.join("a"), b"").unwrap();
        rename_dir(&partial, &sealed).unwrap();
        assert_eq!(list_dir(&sealed).unwrap(), [sealed.join("a"), sealed.join("b")]);
        let own = |path: &Path| ["a", "b"].iter().any(|name| path == Path::new(name));
        remove_own_dir(&sealed, &own).unwrap();
        remove_own_dir(&sealed, &own).unwrap();
        assert!(list_dir(directory.path()).unwrap().is_empty());
    }

    /// Whatever lies there that is not ours, and however deep, the whole directory stays.
    #[test]
    fn a_directory_with_something_foreign_in_it_is_left_whole() {
        let directory = tempfile::tempdir().unwrap();
        let elsewhere = directory.path().join("elsewhere");
        create_dir_all(&elsewhere.join("deep")).unwrap();
        write_atomic(&elsewhere.join("deep/a"), b"mine").unwrap();
        let own = |path: &Path| ["a", "sub", "sub/a"].iter().any(|name| path == Path::new(name));
        type Plant = fn(&Path, &Path) -> io::Result<()>;
        let plants: [(&str, Plant); 5] = [
            ("notes.txt", |dir, _| fs::write(dir.join("notes.txt"), "")),
            ("notes.txt", |dir, _| fs::write(dir.join("sub/notes.txt"), "")),
            ("b", |dir, _| fs::create_dir(dir.join("b"))),
            ("a", |dir, there| std::os::unix::fs::symlink(there.join("deep/a"), dir.join("a"))),
            ("sub", |dir, there| {
                fs::remove_dir_all(dir.join("sub"))?;
                std::os::unix::fs::symlink(there.join("deep"), dir.join("sub"))
            }),
        ];
        for (number, (name, plant)) in plants.into_iter().enumerate() {
            let dir = directory.path().join(format!("run-{number}"));
            create_dir_all(&dir.join("sub")).unwrap();
            write_atomic(&dir.join("sub/a"), b"ours").unwrap();
            plant(&dir, &elsewhere).unwrap();
            let error = remove_own_dir(&dir, &own).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("was not made by driftscope"), "{error}");
            assert!(dir.join("sub/a").exists() && elsewhere.join("deep/a").exists());
        }
        // A link in the directory's own place is not followed either.
        std::os::unix::fs::symlink(&elsewhere, directory.path().join("link")).unwrap();
        assert!(remove_own_dir(&directory.path().join("link"), &|_| true).is_err());
        assert_eq!(read(&elsewhere.join("deep/a")).unwrap(), b"mine");
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

    /// The digest of the empty message is the first test vector of FIPS 180-4.
    #[test]
    fn the_digest_is_the_published_one() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_hex(b""), empty);
    }
}
