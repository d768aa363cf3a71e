//! Who may use a run's folder: where a run may begin, one process at a time, and what a killed process left there.
//!
//! *Files of other programs are never touched*: a run begins in a new or an empty directory, and what is cleaned up later
//! is known by the exact names of [`layout`], in the places where they are made. No link is followed.

use super::error::RunError;
use super::record::RunRecord;
use super::same_data::write_digests;
use crate::data::DataSet;
use crate::fsx::{self, FsError, Kind};
use crate::store::layout::{BRANCHING_FILE, LOCK_FILE, MANIFEST_FILE, PANEL_DIR, RUN_FILE, SUPERSEDED, is_interrupted};
use crate::store::{self, layout, sealed_epoch};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// A run's folder that this process alone may write to.
#[derive(Debug)]
pub struct RunDir {
    pub(super) path: PathBuf,
    /// Released when the run is let go.
    pub(super) _lock: File,
}

impl RunDir {
    /// Whether a run may begin in `path`; nothing is written.
    ///
    /// # Errors
    ///
    /// As [`RunDir::create`].
    pub fn check_free(path: &Path) -> Result<(), RunError> {
        match vacancy(path)? {
            Vacancy::Free | Vacancy::NothingDone => Ok(()),
            Vacancy::Branch(from) => Err(unfinished(path, &from)),
        }
    }

    /// Makes the directory and writes `run.json`. A run that was stopped before its first epoch was finished begins anew.
    ///
    /// # Errors
    ///
    /// Where it holds a run with an epoch or anything else, before anything is written; or another process has it.
    pub fn create(path: &Path, record: &RunRecord, data: &DataSet) -> Result<Self, RunError> {
        Self::check_free(path)?;
        fsx::create_dir_all(path)?;
        let run = Self { path: path.to_path_buf(), _lock: lock(path)? };
        // Another process may have been here before the lock was ours.
        if matches!(vacancy(path)?, Vacancy::NothingDone) {
            clear_leftovers(path)?;
            layout::remove_panel(&path.join(PANEL_DIR))?;
        }
        write_digests(path, data)?;
        record.write(path)?;
        Ok(run)
    }

    /// Opens an existing run to continue it, and removes what a killed process left unfinished in it.
    ///
    /// # Errors
    ///
    /// Where there is none, it is of a newer schema, another process has it, or something lies where the run would put a
    /// file of its own.
    pub fn open(path: &Path) -> Result<(Self, RunRecord), RunError> {
        let record = RunRecord::read(path)?;
        let run = Self { path: path.to_path_buf(), _lock: lock(path)? };
        clear_leftovers(path)?;
        Ok((run, record))
    }

    /// The folder of the run.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file of the run itself, whole or not at all; `name` may hold folders.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fsx::create_dir_all(parent)?;
        }
        Ok(fsx::write_atomic(&path, bytes)?)
    }
}

/// `branching.json`: a branch is being copied into this folder.
#[derive(Serialize, Deserialize)]
pub(super) struct Branching {
    schema: u32,
    from: PathBuf,
}

impl Branching {
    /// Notes that `path` becomes a branch of `from`.
    pub(super) fn write(path: &Path, from: &Path) -> Result<(), RunError> {
        let note = path.join(BRANCHING_FILE);
        let branching = Branching { schema: store::SCHEMA, from: from.to_path_buf() };
        Ok(fsx::write_atomic(&note, &store::json(&branching, &note)?)?)
    }
}

/// What a directory holds, for a run that is to begin there.
pub(super) enum Vacancy {
    /// It does not exist, or is empty.
    Free,
    /// A run that was stopped before anything of it was finished.
    NothingDone,
    /// A branch of this run that was not finished.
    Branch(PathBuf),
}

/// What `path` holds, for a new run; reads only.
pub(super) fn vacancy(path: &Path) -> Result<Vacancy, RunError> {
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
            true => Err(RunError::Exists { path: path.to_path_buf() }),
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
            Err(RunError::NotEmpty { path: path.to_path_buf(), found })
        }
        None => Ok(Vacancy::Free),
    }
}

/// Removes what a killed process left unfinished: an epoch without its manifest, and temporary files. If something else
/// lies under a name that the run needs, that is an error now, and not after an epoch of training.
fn clear_leftovers(run: &Path) -> Result<(), RunError> {
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
            must_be_a_directory(&entry, kind, "the panel's images")?;
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

/// Removes driftscope's temporary files in one directory, which must not be a link.
fn clear_temporary(dir: &Path, is_own: &dyn Fn(&Path) -> bool) -> Result<(), RunError> {
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

fn remove_file(path: &Path, kind: Option<Kind>) -> Result<(), RunError> {
    match kind {
        Some(Kind::File) => Ok(fsx::remove_file(path)?),
        _ => Err(in_the_way(path, words(kind), "a file on its way to its name")),
    }
}

fn must_be_a_directory(path: &Path, kind: Option<Kind>, expected: &'static str) -> Result<(), RunError> {
    if kind == Some(Kind::Dir) { Ok(()) } else { Err(in_the_way(path, words(kind), expected)) }
}

fn in_the_way(path: &Path, found: &'static str, expected: &'static str) -> RunError {
    RunError::InTheWay { path: path.to_path_buf(), found, expected }
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
pub(super) fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// A branch of another run than the one that is to begin here.
pub(super) fn unfinished(path: &Path, from: &Path) -> RunError {
    RunError::Unfinished { path: path.to_path_buf(), from: from.display().to_string() }
}

/// Locks the run for this process.
pub(super) fn lock(dir: &Path) -> Result<File, RunError> {
    let path = dir.join(LOCK_FILE);
    let io = |source| FsError::Io { action: "lock", path: path.clone(), source };
    if !matches!(fsx::kind(&path)?, None | Some(Kind::File)) {
        return Err(in_the_way(&path, words(fsx::kind(&path)?), "a file of the run"));
    }
    #[expect(clippy::disallowed_methods, reason = "the lock is on the open file, in which nothing is written")]
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RunError::Locked { path: dir.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(io(source).into()),
    }
}
