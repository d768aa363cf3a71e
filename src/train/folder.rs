//! Where a run may begin, and what a killed process left there.
//!
//! *Nothing of anybody else's is touched*: a run begins in a new or an empty directory, and what is cleaned up later is known
//! by the exact names of [`layout`], in the places where they are made. No link is followed.

use super::checkpoint::{CheckpointError, RunRecord};
use crate::fsx::{self, FsError, Kind};
use crate::store::layout::{
    BRANCHING_FILE, INTERRUPTED, INTERRUPTED_OLD, LOCK_FILE, MANIFEST_FILE, PANEL_DIR, RUN_FILE, SUPERSEDED,
};
use crate::store::{self, layout, sealed_epoch};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// `branching.json`: a branch is being copied together here.
#[derive(Serialize, Deserialize)]
struct Branching {
    schema: u32,
    from: PathBuf,
}

/// Whether a new run may begin in `path`; reads only.
pub(super) fn check_free(path: &Path) -> Result<(), CheckpointError> {
    match vacancy(path)? {
        Vacancy::Free | Vacancy::NothingDone => Ok(()),
        Vacancy::Branch(from) => {
            Err(CheckpointError::Unfinished { path: path.to_path_buf(), from: from.display().to_string() })
        }
    }
}

/// Makes `path` ready for a new run, and locks it.
pub(super) fn begin(path: &Path) -> Result<File, CheckpointError> {
    check_free(path)?;
    fsx::create_dir_all(path)?;
    let lock = lock(path)?;
    // Another process may have been here before the lock was ours.
    if matches!(vacancy(path)?, Vacancy::NothingDone) {
        clear_leftovers(path)?;
        layout::remove_panel(&path.join(PANEL_DIR))?;
    }
    Ok(lock)
}

/// Whether a run that branches off `from` may begin in `path`; reads only.
pub(super) fn check_branch(path: &Path, from: &Path) -> Result<(), CheckpointError> {
    match vacancy(path)? {
        Vacancy::Free => Ok(()),
        Vacancy::Branch(other) if other == from => Ok(()),
        Vacancy::Branch(other) => {
            Err(CheckpointError::Unfinished { path: path.to_path_buf(), from: other.display().to_string() })
        }
        Vacancy::NothingDone => Err(CheckpointError::Exists { path: path.to_path_buf() }),
    }
}

/// Makes `path` ready for a run that branches off `from`, and locks it. A copy of the same run that was not finished is begun
/// again.
pub(super) fn begin_branch(path: &Path, from: &Path) -> Result<File, CheckpointError> {
    check_branch(path, from)?;
    fsx::create_dir_all(path)?;
    let lock = lock(path)?;
    check_branch(path, from)?;
    if let Vacancy::Branch(_) = vacancy(path)? {
        for entry in fsx::list_dir(path)? {
            let name = name_of(&entry);
            if name == PANEL_DIR || name == layout::partial_dir_name(PANEL_DIR) {
                layout::remove_panel(&entry)?;
            } else if layout::epoch_of_name(name).is_some() || layout::is_partial_dir(name) || is_interrupted(&entry) {
                layout::remove_checkpoint(&entry)?;
            }
        }
    }
    let note = path.join(BRANCHING_FILE);
    fsx::write_atomic(&note, &store::json(&Branching { schema: store::SCHEMA, from: from.to_path_buf() }, &note)?)?;
    Ok(lock)
}

/// What a directory is to a run that wants to begin there.
enum Vacancy {
    /// Not there, or empty.
    Free,
    /// A run that was stopped before anything of it was whole.
    NothingDone,
    /// A branch of this run that was not finished.
    Branch(PathBuf),
}

/// Reads only.
fn vacancy(path: &Path) -> Result<Vacancy, CheckpointError> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    store::not_of_a_run(&absolute.canonicalize().unwrap_or(absolute))?;
    if !path.is_dir() {
        if fsx::kind(path)?.is_some() {
            return Err(in_the_way(path, "no directory", "a run"));
        }
        return Ok(Vacancy::Free);
    }
    let entries = fsx::list_dir(path)?;
    if fsx::kind(&path.join(RUN_FILE))?.is_some() {
        // A file of that name that is no run's is an error of its own.
        RunRecord::read(path)?;
        let begun = |entry: &PathBuf| {
            let interrupted = is_interrupted(entry) && entry.join(MANIFEST_FILE).exists();
            sealed_epoch(entry).is_some() || interrupted || name_of(entry).starts_with(SUPERSEDED)
        };
        return match entries.iter().any(begun) {
            true => Err(CheckpointError::Exists { path: path.to_path_buf() }),
            false => Ok(Vacancy::NothingDone),
        };
    }
    let note = path.join(BRANCHING_FILE);
    if fsx::kind(&note)? == Some(Kind::File) {
        let Branching { from, .. } = store::read_versioned(&note, "a note about a branch")?;
        return Ok(Vacancy::Branch(from));
    }
    // A process that was killed between its lock and its run.json.
    let ours = |name: &str| name == LOCK_FILE || layout::is_temporary_run_file(name);
    match entries.iter().find(|entry| !ours(name_of(entry))) {
        Some(entry) => {
            let found = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Err(CheckpointError::NotEmpty { path: path.to_path_buf(), found })
        }
        None => Ok(Vacancy::Free),
    }
}

/// Forgets what a killed process left half-written: an epoch without its manifest, and files on their way to their name.
/// Where something else lies under a name that the run needs, that is an error now and not after an epoch's work.
pub(super) fn clear_leftovers(run: &Path) -> Result<(), CheckpointError> {
    for entry in fsx::list_dir(run)? {
        let (name, kind) = (name_of(&entry), fsx::kind(&entry)?);
        if layout::is_partial_dir(name) {
            must_be_a_directory(&entry, kind, "an unfinished epoch")?;
            match name == layout::partial_dir_name(PANEL_DIR) {
                true => layout::remove_panel(&entry)?,
                false => layout::remove_checkpoint(&entry)?,
            }
        } else if layout::is_temporary_run_file(name) {
            remove_file(&entry, kind)?;
        } else if layout::is_run_file(name) && kind != Some(Kind::File) {
            return Err(in_the_way(&entry, words(kind), "a file of the run"));
        } else if name == BRANCHING_FILE {
            remove_file(&entry, kind)?; // killed after run.json was written, which makes the branch whole
        } else if layout::epoch_of_name(name).is_some() {
            if sealed_epoch(&entry).is_none() {
                return Err(in_the_way(&entry, "no sealed epoch: it has no manifest.json", "an epoch"));
            }
            clear_temporary(&entry, &layout::is_of_checkpoint)?;
        } else if name == PANEL_DIR {
            must_be_a_directory(&entry, kind, "the panel's pictures")?;
            clear_temporary(&entry, &layout::is_of_panel)?;
        } else if is_interrupted(&entry) {
            must_be_a_directory(&entry, kind, "a save in mid-epoch")?;
            // What is foreign there is named now, not when the save is superseded. One without a manifest was being removed.
            fsx::check_own_dir(&entry, &layout::is_of_checkpoint)?;
            if fsx::kind(&entry.join(MANIFEST_FILE))?.is_none() {
                layout::remove_checkpoint(&entry)?;
            }
        }
    }
    Ok(())
}

/// Removes files on their way to a name of ours in one directory, which is no link.
fn clear_temporary(dir: &Path, is_own: &dyn Fn(&Path) -> bool) -> Result<(), CheckpointError> {
    if fsx::kind(dir)? != Some(Kind::Dir) {
        return Ok(());
    }
    for entry in fsx::list_dir(dir)? {
        let name = name_of(&entry);
        if fsx::temporary_of(name).is_some() && is_own(Path::new(name)) {
            remove_file(&entry, fsx::kind(&entry)?)?;
        }
    }
    Ok(())
}

fn remove_file(path: &Path, kind: Option<Kind>) -> Result<(), CheckpointError> {
    match kind {
        Some(Kind::File) => Ok(fsx::remove_file(path)?),
        _ => Err(in_the_way(path, words(kind), "a file on its way to its name")),
    }
}

fn must_be_a_directory(path: &Path, kind: Option<Kind>, expected: &'static str) -> Result<(), CheckpointError> {
    if kind == Some(Kind::Dir) { Ok(()) } else { Err(in_the_way(path, words(kind), expected)) }
}

fn in_the_way(path: &Path, found: &'static str, expected: &'static str) -> CheckpointError {
    CheckpointError::InTheWay { path: path.to_path_buf(), found, expected }
}

fn words(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::File) => "a file",
        Some(Kind::Dir) => "a directory",
        Some(Kind::Link) => "a link",
        Some(Kind::Other) => "a device, pipe or socket",
        None => "gone",
    }
}

/// The last part of a path; empty where it is not UTF-8, which no name of ours is.
fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Whether this is the place of a save in mid-epoch.
pub(super) fn is_interrupted(dir: &Path) -> bool {
    [INTERRUPTED, INTERRUPTED_OLD].contains(&name_of(dir))
}

/// Takes the run for this process.
pub(super) fn lock(dir: &Path) -> Result<File, CheckpointError> {
    let path = dir.join(LOCK_FILE);
    let io = |source| FsError::Io { action: "lock", path: path.clone(), source };
    if !matches!(fsx::kind(&path)?, None | Some(Kind::File)) {
        return Err(in_the_way(&path, words(fsx::kind(&path)?), "a file of the run"));
    }
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CheckpointError::Locked { path: dir.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(io(source).into()),
    }
}
