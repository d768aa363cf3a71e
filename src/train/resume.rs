//! From a run directory back to a run: which checkpoint to go on from, and a run that branches off another.

use super::checkpoint::{CheckpointError, INTERRUPTED, INTERRUPTED_OLD, RUN, RunDir, RunRecord, Saved, Snapshot, lock};
use super::seal::{self, EMA, MODEL, OPTIMIZER, STATE, json, read_json, verify};
use super::state::TrainState;
use crate::config::RunConfig;
use crate::fsx;
use crate::store::{PANEL_DIR, sealed_epoch};
use crate::weights::{self, StateDict};
use std::path::{Path, PathBuf};

/// Settings that a run must share with the one it branches off: its weights would not fit otherwise, or its evidence not
/// compare.
const SHARED: [&str; 7] =
    ["model", "data.", "preprocessing.", "panel.", "explainers", "optimizer.method.kind", "ema.decay"];

/// Settings that keep `config` from going on where `saved` stopped: any difference in place, and those that a checkpoint or
/// its evidence depends on in a new run.
pub fn misfits(config: &RunConfig, saved: &RunConfig, into_new_run: bool) -> Vec<String> {
    let matters = |line: &String| !into_new_run || SHARED.iter().any(|shared| line.starts_with(shared));
    config.differences(saved).into_iter().filter(matters).collect()
}

/// One of a run's checkpoints, in a person's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The last.
    Newest,
    /// The end of this epoch.
    Epoch(usize),
    /// The end of the epoch with the best validation accuracy.
    Best,
}

/// The sealed epochs of a run that still have their weights, ascending.
///
/// # Errors
///
/// Where the directory cannot be listed.
pub fn with_weights(run: &Path) -> Result<Vec<usize>, CheckpointError> {
    Ok(candidates(run)?.into_iter().filter(|((_, finished, _), _)| *finished).map(|((epoch, ..), _)| epoch).collect())
}

/// A sealed epoch of a run that somebody may be training meanwhile, every file of it checked.
///
/// # Errors
///
/// Where there is no such epoch, it has no weights any more, or a file of it is damaged.
pub fn sealed(run: &Path, which: Which) -> Result<Snapshot, CheckpointError> {
    let finished = candidates(run)?.into_iter().filter(|((_, finished, _), _)| *finished);
    let finished: Vec<(usize, PathBuf)> = finished.map(|((epoch, ..), dir)| (epoch, dir)).collect();
    let newest = || finished.last().ok_or_else(|| CheckpointError::NoCheckpoint { run: run.to_path_buf() });
    let epoch = match which {
        Which::Epoch(epoch) => epoch,
        Which::Newest => newest()?.0,
        Which::Best => state(&newest()?.1)?.best().map_or(0, |best| best.epoch),
    };
    match finished.iter().find(|(found, _)| *found == epoch) {
        Some((_, dir)) => load(dir.clone()),
        None => {
            let available = finished.into_iter().map(|(epoch, _)| epoch).collect();
            Err(CheckpointError::NoEpoch { run: run.to_path_buf(), epoch, available })
        }
    }
}

/// A checkpoint of a run, and where it stands: epoch, whether that is finished, steps of it.
type Candidate = ((usize, bool, usize), PathBuf);

impl RunDir {
    /// The newest checkpoint, every file of it checked against its manifest; `None` where the run was stopped before its
    /// first.
    ///
    /// # Errors
    ///
    /// Where a file of it is missing, truncated or altered; the error names it and the newest epoch that is whole.
    pub fn newest(&self) -> Result<Option<Snapshot>, CheckpointError> {
        let mut candidates = candidates(self.path())?;
        let Some((_, dir)) = candidates.pop() else { return Ok(None) };
        load(dir).map(Some).map_err(|damage| {
            let whole = candidates.into_iter().rev().filter(|((_, finished, _), _)| *finished);
            let whole = whole.map(|((epoch, ..), dir)| (epoch, dir)).find(|(_, dir)| load(dir.clone()).is_ok());
            let (run, damage) = (self.path().to_path_buf(), Box::new(damage));
            CheckpointError::Offer { damage, run, whole: whole.map(|(epoch, _)| epoch) }
        })
    }

    /// Moves what came after `epoch` out of the way, so that the run can go on from there; nothing is lost.
    pub fn set_aside_after(&self, epoch: usize) -> Result<(), CheckpointError> {
        let later = |dir: &PathBuf| sealed_epoch(dir).is_some_and(|found| found > epoch) || is_interrupted(dir);
        let later: Vec<PathBuf> = fsx::list_dir(self.path())?.into_iter().filter(later).collect();
        if later.is_empty() {
            return Ok(());
        }
        let aside = (1..).map(|number| self.path().join(format!("superseded-{number}"))).find(|path| !path.exists());
        let aside = aside.unwrap_or_else(|| unreachable!("numbers do not run out"));
        fsx::create_dir_all(&aside)?;
        // The newest first: killed in between, the epochs that are left have no gap.
        for dir in later.iter().rev() {
            fsx::rename_dir(dir, &aside.join(dir.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    /// Removes mid-epoch saves of epochs that are sealed by now.
    pub(super) fn clear_superseded(&self, last_sealed: Option<usize>) -> Result<(), CheckpointError> {
        for dir in fsx::list_dir(self.path())?.into_iter().filter(|dir| is_interrupted(dir)) {
            if last_sealed >= Some(state(&dir)?.epoch) {
                fsx::remove_dir_all(&dir)?;
            }
        }
        Ok(())
    }

    /// A new run that begins as a copy of this one up to a checkpoint, evidence and all. Its run.json comes last: killed in
    /// between, there is no run yet, and the same command makes it.
    ///
    /// # Errors
    ///
    /// Where `path` holds a run already, or the disk refuses.
    pub fn fork(&self, path: &Path, record: &RunRecord, snapshot: &Snapshot) -> Result<RunDir, CheckpointError> {
        if path.join(RUN).exists() {
            return Err(CheckpointError::Exists { path: path.to_path_buf() });
        }
        fsx::create_dir_all(path)?;
        let fork = RunDir { path: path.to_path_buf(), _lock: lock(path)? };
        let (next, _) = snapshot.saved.state.next();
        for dir in fsx::list_dir(self.path())? {
            let earlier = sealed_epoch(&dir).is_some_and(|epoch| epoch < next);
            let panel = dir.file_name().is_some_and(|name| name == PANEL_DIR);
            if earlier || panel || dir == snapshot.dir {
                let name = dir.file_name().unwrap_or_default();
                let partial = path.join(format!("{}.partial", name.to_string_lossy()));
                fsx::remove_dir_all(&partial)?;
                fsx::remove_dir_all(&path.join(name))?;
                fsx::copy_dir(&dir, &partial)?;
                fsx::rename_dir(&partial, &path.join(name))?;
            }
        }
        fsx::write_atomic(&path.join(RUN), &json(record, &path.join(RUN))?)?;
        Ok(fork)
    }
}

/// Checkpoints with weights, the newest last.
fn candidates(run: &Path) -> Result<Vec<Candidate>, CheckpointError> {
    let mut candidates = Vec::new();
    for dir in fsx::list_dir(run)? {
        let place = match (sealed_epoch(&dir), is_interrupted(&dir)) {
            // A finished epoch stands after every step of itself.
            (Some(epoch), _) if seal::has_weights(&dir).unwrap_or(true) => (epoch, true, 0),
            // Where its state cannot be read, it counts as the newest: loading it then says what is wrong.
            (None, true) if dir.join(seal::MANIFEST).exists() => match state(&dir) {
                Ok(state) => (state.epoch, false, state.step_in_epoch),
                Err(_) => (usize::MAX, false, 0),
            },
            _ => continue,
        };
        candidates.push((place, dir));
    }
    candidates.sort();
    Ok(candidates)
}

fn is_interrupted(dir: &Path) -> bool {
    dir.file_name().is_some_and(|name| name == INTERRUPTED || name == INTERRUPTED_OLD)
}

fn state(dir: &Path) -> Result<TrainState, CheckpointError> {
    read_json(&dir.join(STATE), "a checkpoint's state")
}

fn load(dir: PathBuf) -> Result<Snapshot, CheckpointError> {
    verify(&dir)?;
    let read = |name: &str| -> Result<StateDict, CheckpointError> {
        let path = dir.join(name);
        Ok(weights::decode(&fsx::read(&path)?, &path)?.0)
    };
    let ema = dir.join(EMA).exists().then(|| read(EMA)).transpose()?;
    let saved = Saved { state: state(&dir)?, model: read(MODEL)?, ema, optimizer: read(OPTIMIZER)? };
    Ok(Snapshot { dir, saved })
}
