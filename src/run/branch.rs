//! A run that branches off another: a copy of everything sealed up to one of its checkpoints.

use super::error::RunError;
use super::folder::{Branching, RunDir, Vacancy, lock, name_of, unfinished, vacancy};
use super::position::Position;
use super::record::RunRecord;
use crate::fsx;
use crate::store::layout::{BRANCHING_FILE, MANIFEST_FILE, PANEL_DIR, PICTURES_FILE, is_interrupted};
use crate::store::{Manifest, RunReader, layout, panel_image_name, sealed_epoch};
use std::fs::File;
use std::path::{Path, PathBuf};

impl RunDir {
    /// Whether a branch of `from` may begin in `path`; nothing is written.
    ///
    /// # Errors
    ///
    /// As [`RunDir::branch`].
    pub fn check_branch(path: &Path, from: &Path) -> Result<(), RunError> {
        check(path, &absolute(from))
    }

    /// A new run in `path` that begins as a copy of this one, maps included, up to the checkpoint in the directory
    /// `checkpoint`, which stands at `position`. Its `run.json` is written last: if the process is killed in between,
    /// `branching.json` says so, and the same command continues.
    ///
    /// # Errors
    ///
    /// Where `path` holds a run already or anything else, a file is not what was sealed, or the disk refuses.
    pub fn branch(
        &self,
        path: &Path,
        record: &RunRecord,
        checkpoint: &Path,
        position: &Position,
    ) -> Result<RunDir, RunError> {
        let lock = begin(path, &absolute(self.path()))?;
        let next = position.next().epoch;
        for dir in fsx::list_dir(self.path())? {
            let earlier = sealed_epoch(&dir).is_some_and(|epoch| epoch < next);
            if earlier || dir == checkpoint {
                let name = name_of(&dir);
                let (partial, whole) = (path.join(layout::partial_dir_name(name)), path.join(name));
                copy_sealed(&dir, &partial)?;
                fsx::rename_dir(&partial, &whole)?;
            }
        }
        let run = RunReader::open(self.path())?;
        for index in 0..record.panel.ids.len() {
            if fsx::kind(&run.panel_image_path(index))?.is_some() {
                let copy = path.join(panel_image_name(index));
                fsx::create_dir_all(&path.join(PANEL_DIR))?;
                fsx::write_atomic(&copy, &run.panel_image(index)?)?;
            }
        }
        let pictures = self.path().join(PICTURES_FILE);
        if fsx::kind(&pictures)? == Some(fsx::Kind::File) {
            fsx::write_atomic(&path.join(PICTURES_FILE), &fsx::read(&pictures)?)?;
        }
        record.write(path)?;
        fsx::remove_file(&path.join(BRANCHING_FILE))?;
        Ok(RunDir { path: path.to_path_buf(), _lock: lock })
    }
}

/// Whether a run that branches off `from`, an absolute path, may begin in `path`; reads only.
fn check(path: &Path, from: &Path) -> Result<(), RunError> {
    match vacancy(path)? {
        Vacancy::Free => Ok(()),
        Vacancy::Branch(other) if other == from => Ok(()),
        Vacancy::Branch(other) => Err(unfinished(path, &other)),
        Vacancy::NothingDone => Err(RunError::Exists { path: path.to_path_buf() }),
    }
}

/// Makes `path` ready for a run that branches off `from`, and locks it. A copy of the same run that was not finished is begun
/// again.
fn begin(path: &Path, from: &Path) -> Result<File, RunError> {
    check(path, from)?;
    fsx::create_dir_all(path)?;
    let lock = lock(path)?;
    // Another process may have been here before the lock was ours.
    check(path, from)?;
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
    Branching::write(path, from)?;
    Ok(lock)
}

/// Copies the sealed files of a directory, and nothing else that may lie there; the digest of each is checked.
fn copy_sealed(from: &Path, to: &Path) -> Result<(), RunError> {
    let manifest = Manifest::read(from)?;
    for name in manifest.names() {
        let copy = to.join(name);
        fsx::create_dir_all(copy.parent().unwrap_or(to))?;
        fsx::write_atomic(&copy, &manifest.file(from, name)?)?;
    }
    fsx::create_dir_all(to)?;
    Ok(fsx::write_atomic(&to.join(MANIFEST_FILE), &fsx::read(&from.join(MANIFEST_FILE))?)?)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
