//! Directories: made, listed, renamed, and removed where all in them is driftscope's own.

use super::{FsError, Kind, folder_of, kind};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Makes a directory and its parents; a directory that exists already is left as it is.
///
/// # Errors
///
/// When a directory on the way cannot be made, or something on the way is a file.
pub fn create_dir_all(path: &Path) -> Result<(), FsError> {
    fs::create_dir_all(path).map_err(FsError::of("create directory", path))
}

/// Removes a file.
///
/// # Errors
///
/// When it is not there or may not be removed.
pub fn remove_file(path: &Path) -> Result<(), FsError> {
    fs::remove_file(path).map_err(FsError::of("remove", path))
}

/// Removes a directory that driftscope made. `is_own` must accept every file and folder in it, by its path below `path`.
///
/// Everything is checked first: if there is a link, a device or anything that `is_own` does not accept, nothing is
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
        .map_err(FsError::of("remove", &entry))?;
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
    File::open(path).and_then(|directory| directory.sync_all()).map_err(FsError::of("sync", path))
}

/// Renames a directory and waits until the disk has the new name. `to` must not exist, or be an empty directory.
///
/// # Errors
///
/// When the rename is refused or the parent of `to` cannot be flushed.
pub fn rename_dir(from: &Path, to: &Path) -> Result<(), FsError> {
    fs::rename(from, to).map_err(FsError::of("rename", from))?;
    sync_dir(folder_of(to))
}

/// The entries of a directory as full paths, sorted by name, so that nothing depends on the order of the file system.
///
/// # Errors
///
/// When the directory cannot be read.
pub fn list_dir(path: &Path) -> Result<Vec<PathBuf>, FsError> {
    let entries = fs::read_dir(path).map_err(FsError::of("list", path))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(FsError::of("list", path))?.path());
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fsx::{read, write_atomic};
    use std::io;

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
}
