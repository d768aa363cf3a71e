//! Resuming a run: which checkpoint to continue from, and what is set aside for that.

use super::checkpoint::{self, Checkpoint};
use super::error::RunError;
use super::folder::RunDir;
use super::position::Position;
use crate::config::RunConfig;
use crate::fsx;
use crate::store::layout::{MANIFEST_FILE, SUPERSEDED, is_interrupted};
use crate::store::{layout, sealed_epoch};
use std::path::{Path, PathBuf};

/// Settings that a branch must share with the run it branches off: otherwise its weights would not fit, or its maps could
/// not be compared.
const SHARED: [&str; 8] =
    ["model", "weights.", "data.", "preprocessing.", "panel.", "explainers", "optimizer.method.kind", "ema.decay"];

/// Settings of where images lie and how strictly they are read. They may differ, because the digests say whether the images
/// are the same.
const PLACES: [&str; 3] = ["data.root", "data.limits", "data.skip_bad_images"];

/// Settings that keep `config` from going on where `saved` stopped: any difference in place, and those that a checkpoint or
/// its evidence depends on in a new run.
pub fn misfits(config: &RunConfig, saved: &RunConfig, into_new_run: bool) -> Vec<String> {
    let starts = |line: &String, names: &[&str]| names.iter().any(|name| line.starts_with(name));
    let matters = |line: &String| !starts(line, &PLACES) && (!into_new_run || starts(line, &SHARED));
    config.differences(saved).into_iter().filter(matters).collect()
}

/// One of a run's finished epochs, as a person names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The last epoch: `RUN` or `RUN@last`.
    Newest,
    /// An epoch by its number: `RUN@3`.
    Epoch(usize),
    /// The one with the best validation accuracy, or what the run's settings call the best.
    Best,
}

/// The sealed epochs of a run that still have their weights, ascending.
///
/// # Errors
///
/// Where the directory cannot be listed.
pub fn with_weights(run: &Path) -> Result<Vec<usize>, RunError> {
    Ok(finished(run)?.iter().map(|candidate| candidate.standing.epoch).collect())
}

/// A sealed epoch of a run that somebody may be training meanwhile, every file of it checked.
///
/// # Errors
///
/// Where there is no such epoch, it has no weights any more, or a file of it is damaged.
pub fn sealed(run: &Path, which: Which) -> Result<Checkpoint, RunError> {
    let finished = finished(run)?;
    let newest = || finished.last().ok_or_else(|| RunError::NoCheckpoint { run: run.to_path_buf() });
    let epoch = match which {
        Which::Epoch(epoch) => epoch,
        Which::Newest => newest()?.standing.epoch,
        Which::Best => Position::read(&newest()?.dir)?.best().map_or(0, |best| best.epoch),
    };
    match finished.iter().find(|candidate| candidate.standing.epoch == epoch) {
        Some(candidate) => Checkpoint::read(candidate.dir.clone()),
        None => {
            let available = finished.iter().map(|candidate| candidate.standing.epoch).collect();
            Err(RunError::NoEpoch { run: run.to_path_buf(), epoch, available })
        }
    }
}

/// Where a checkpoint stands in its run; the greater, the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    epoch: usize,
    /// A finished epoch stands after every step of itself.
    finished: bool,
    /// Steps done of an epoch that is not finished.
    step: usize,
}

/// A checkpoint that a run might go on from, not yet read.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    standing: Standing,
    dir: PathBuf,
}

/// Checkpoints with weights, the newest last.
fn candidates(run: &Path) -> Result<Vec<Candidate>, RunError> {
    let mut candidates = Vec::new();
    for dir in fsx::list_dir(run)? {
        let standing = match (sealed_epoch(&dir), is_interrupted(&dir)) {
            (Some(epoch), _) if checkpoint::has_weights(&dir).unwrap_or(true) => {
                Standing { epoch, finished: true, step: 0 }
            }
            // Where its position cannot be read, it counts as the newest: loading it then says what is wrong.
            (None, true) if dir.join(MANIFEST_FILE).exists() => match Position::read(&dir) {
                Ok(position) => Standing { epoch: position.epoch, finished: false, step: position.step_in_epoch },
                Err(_) => Standing { epoch: usize::MAX, finished: false, step: 0 },
            },
            _ => continue,
        };
        candidates.push(Candidate { standing, dir });
    }
    candidates.sort();
    Ok(candidates)
}

/// Those of them that end an epoch.
fn finished(run: &Path) -> Result<Vec<Candidate>, RunError> {
    Ok(candidates(run)?.into_iter().filter(|candidate| candidate.standing.finished).collect())
}

impl RunDir {
    /// The newest checkpoint, every file of it checked against its manifest; `None` where the run was stopped before its
    /// first.
    ///
    /// # Errors
    ///
    /// Where a file of it is missing, truncated or altered; the error names it and the newest epoch that is whole.
    pub fn newest(&self) -> Result<Option<Checkpoint>, RunError> {
        let mut candidates = candidates(self.path())?;
        let Some(newest) = candidates.pop() else { return Ok(None) };
        Checkpoint::read(newest.dir).map(Some).map_err(|damage| {
            let is_whole =
                |candidate: &&Candidate| candidate.standing.finished && Checkpoint::read(candidate.dir.clone()).is_ok();
            let whole = candidates.iter().rev().find(is_whole).map(|candidate| candidate.standing.epoch);
            RunError::Offer { damage: Box::new(damage), run: self.path().to_path_buf(), whole }
        })
    }

    /// Moves what came after `epoch` out of the way, so that the run can go on from there; nothing is lost.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn set_aside_after(&self, epoch: usize) -> Result<(), RunError> {
        let later = |dir: &PathBuf| sealed_epoch(dir).is_some_and(|found| found > epoch) || is_interrupted(dir);
        let later: Vec<PathBuf> = fsx::list_dir(self.path())?.into_iter().filter(later).collect();
        if later.is_empty() {
            return Ok(());
        }
        let mut number = 1;
        while fsx::kind(&self.path().join(format!("{}{number}", SUPERSEDED)))?.is_some() {
            number += 1;
        }
        let aside = self.path().join(format!("{}{number}", SUPERSEDED));
        fsx::create_dir_all(&aside)?;
        // The newest first: killed in between, the epochs that are left have no gap.
        for dir in later.iter().rev() {
            fsx::rename_dir(dir, &aside.join(dir.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    /// Removes mid-epoch saves of epochs that are sealed by now.
    ///
    /// # Errors
    ///
    /// Where one cannot be read, something foreign lies in it, or the disk refuses.
    pub fn clear_superseded(&self, last_sealed: Option<usize>) -> Result<(), RunError> {
        for dir in fsx::list_dir(self.path())?.into_iter().filter(|dir| is_interrupted(dir)) {
            if last_sealed >= Some(Position::read(&dir)?.epoch) {
                layout::remove_checkpoint(&dir)?;
            }
        }
        Ok(())
    }
}
