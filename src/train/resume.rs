//! From a run directory back to a run: which checkpoint to go on from, and a run that branches off another.

use super::checkpoint::{self, CheckpointError, Place, RunDir, RunRecord, Saved, Snapshot};
use super::folder::{self, is_interrupted};
use super::state::TrainState;
use crate::config::RunConfig;
use crate::fsx;
use crate::store::layout::{EMA_FILE, MODEL_FILE, OPTIMIZER_FILE, STATE_FILE};
use crate::store::{Manifest, RunReader, StoreError, layout, panel_image_name, sealed_epoch};
use crate::weights::{self, StateDict};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Settings that a run must share with the one it branches off: its weights would not fit otherwise, or its evidence not
/// compare.
const SHARED: [&str; 8] =
    ["model", "weights.", "data.", "preprocessing.", "panel.", "explainers", "optimizer.method.kind", "ema.decay"];

/// Where pictures lie and how strictly they are read: the digests say whether they are the same, and that is what matters.
const PLACES: [&str; 3] = ["data.root", "data.limits", "data.skip_bad_images"];

/// Settings that keep `config` from going on where `saved` stopped: any difference in place, and those that a checkpoint or
/// its evidence depends on in a new run.
pub fn misfits(config: &RunConfig, saved: &RunConfig, into_new_run: bool) -> Vec<String> {
    let starts = |line: &String, names: &[&str]| names.iter().any(|name| line.starts_with(name));
    let matters = |line: &String| !starts(line, &PLACES) && (!into_new_run || starts(line, &SHARED));
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
        let mut number = 1;
        while fsx::kind(&self.path().join(format!("{}{number}", layout::SUPERSEDED)))?.is_some() {
            number += 1;
        }
        let aside = self.path().join(format!("{}{number}", layout::SUPERSEDED));
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
                layout::remove_checkpoint(&dir)?;
            }
        }
        Ok(())
    }

    /// A new run that begins as a copy of this one up to a checkpoint, evidence and all. Its run.json comes last: killed in
    /// between, there is no run yet, a note says so, and the same command makes it.
    ///
    /// # Errors
    ///
    /// Where `path` holds a run already or anything else, or the disk refuses.
    pub fn fork(&self, path: &Path, record: &RunRecord, at: &Place) -> Result<RunDir, CheckpointError> {
        let from = std::path::absolute(self.path()).unwrap_or_else(|_| self.path().to_path_buf());
        let lock = folder::begin_branch(path, &from)?;
        let (next, _) = at.state.next();
        for dir in fsx::list_dir(self.path())? {
            let name = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let earlier = sealed_epoch(&dir).is_some_and(|epoch| epoch < next);
            if earlier || dir == at.dir {
                let (partial, whole) = (path.join(layout::partial_dir_name(name)), path.join(name));
                copy_sealed(&dir, &partial)?;
                fsx::rename_dir(&partial, &whole)?;
            }
        }
        let run = RunReader::open(self.path())?;
        for index in 0..record.panel.ids.len() {
            if fsx::kind(&run.panel_image_path(index))?.is_some() {
                let copy = path.join(panel_image_name(index));
                fsx::create_dir_all(&path.join(layout::PANEL_DIR))?;
                fsx::write_atomic(&copy, &run.panel_image(index)?)?;
            }
        }
        let pictures = self.path().join(layout::PICTURES_FILE);
        if fsx::kind(&pictures)? == Some(fsx::Kind::File) {
            fsx::write_atomic(&path.join(layout::PICTURES_FILE), &fsx::read(&pictures)?)?;
        }
        record.write(path)?;
        fsx::remove_file(&path.join(layout::BRANCHING_FILE))?;
        Ok(RunDir { path: path.to_path_buf(), _lock: lock })
    }
}

/// Copies what was sealed in a directory, and nothing else that may lie there; every byte is checked on its way.
fn copy_sealed(from: &Path, to: &Path) -> Result<(), CheckpointError> {
    let manifest = Manifest::read(from)?;
    for name in manifest.names() {
        let copy = to.join(name);
        fsx::create_dir_all(copy.parent().unwrap_or(to))?;
        fsx::write_atomic(&copy, &manifest.file(from, name)?)?;
    }
    fsx::create_dir_all(to)?;
    Ok(fsx::write_atomic(&to.join(layout::MANIFEST_FILE), &fsx::read(&from.join(layout::MANIFEST_FILE))?)?)
}

/// Checkpoints with weights, the newest last.
fn candidates(run: &Path) -> Result<Vec<Candidate>, CheckpointError> {
    let mut candidates = Vec::new();
    for dir in fsx::list_dir(run)? {
        let place = match (sealed_epoch(&dir), is_interrupted(&dir)) {
            // A finished epoch stands after every step of itself.
            (Some(epoch), _) if checkpoint::has_weights(&dir).unwrap_or(true) => (epoch, true, 0),
            // Where its state cannot be read, it counts as the newest: loading it then says what is wrong.
            (None, true) if dir.join(layout::MANIFEST_FILE).exists() => match state(&dir) {
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

fn state(dir: &Path) -> Result<TrainState, CheckpointError> {
    let bytes = Manifest::read(dir)?.file(dir, STATE_FILE)?;
    let json = |source| StoreError::Json { path: dir.join(STATE_FILE), expected: "a checkpoint's state", source };
    Ok(serde_json::from_slice(&bytes).map_err(json)?)
}

/// Everything that training needs, read once: what is checked is what is used.
fn load(dir: PathBuf) -> Result<Snapshot, CheckpointError> {
    let manifest = Manifest::read(&dir)?;
    let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for name in manifest.names() {
        let bytes = manifest.file(&dir, name)?;
        if [MODEL_FILE, EMA_FILE, OPTIMIZER_FILE].contains(&name) {
            files.insert(name, bytes);
        }
    }
    let bytes = |name: &str| files.get(name).ok_or_else(|| StoreError::NotSealed { path: dir.join(name) });
    let tensors =
        |name: &str| -> Result<StateDict, CheckpointError> { Ok(weights::decode(bytes(name)?, &dir.join(name))?.0) };
    let ema = manifest.holds(EMA_FILE).then(|| tensors(EMA_FILE)).transpose()?;
    let saved = Saved { state: state(&dir)?, model: tensors(MODEL_FILE)?, ema, optimizer: tensors(OPTIMIZER_FILE)? };
    Ok(Snapshot { dir, saved })
}
