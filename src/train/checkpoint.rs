//! The run directory: one process at a time, epochs that are whole or absent, and where to go on.
//!
//! ```text
//! checkpoints/<run>/run.json       config, versions, device, data digest, panel; before the first batch
//! checkpoints/<run>/lock           held by the process that trains
//! checkpoints/<run>/panel/000.png  the panel's pictures
//! checkpoints/<run>/pictures.sha256  the digest of every picture that is learned from, where it comes from a file
//! checkpoints/<run>/epoch-0003/    model, ema, optimizer, state, metrics, explanations, overlays; manifest.json last
//! checkpoints/<run>/interrupted/   the same for a stop in mid-epoch, superseded by the next sealed epoch
//! checkpoints/<run>/superseded-1/  what came after an epoch that the run was resumed from
//! checkpoints/<run>/metrics.jsonl  derived from the sealed epochs, written whole again at each seal
//! ```
//!
//! An epoch is built in `epoch-0003.partial/`, its manifest with sizes and digests written last, everything synced, and
//! then renamed. Only a directory with a manifest counts.

use super::folder;
use super::state::TrainState;
use crate::config::RunConfig;
use crate::config::file::Settings;
use crate::data::DataSet;
use crate::fsx::{self, FsError};
use crate::store::layout::{EMA_FILE, INTERRUPTED, INTERRUPTED_OLD, MODEL_FILE, OPTIMIZER_FILE, RUN_FILE, STATE_FILE};
use crate::store::{self, Manifest, OutputError, PanelInfo, SealedDir, StoreError, epoch_dir_name, layout};
use crate::weights::{self, FileError, StateDict};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A run directory that cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] FsError),
    /// A place that another run has.
    #[error(transparent)]
    Place(#[from] OutputError),
    /// A record that no driftscope wrote.
    #[error("{path} is not a run's record as driftscope writes it: {problem}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// There is a run already.
    #[error(
        "{path} already holds a run; resume it with --resume {}, or name another directory with --run-dir",
        fsx::quoted(path)
    )]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// Something lies where a new run is to begin.
    #[error("{path} is not empty and holds no run (there is {found}); name a new or an empty directory with --run-dir")]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// One of the things in it.
        found: String,
    },
    /// A branch that was not finished lies where another run is to begin.
    #[error(
        "{path} holds a branch of {from} that was not finished; give the same command again, or name another directory \
         with --run-dir"
    )]
    Unfinished {
        /// The directory.
        path: PathBuf,
        /// The run that it branches off.
        from: String,
    },
    /// Something else lies under a name that the run needs.
    #[error("{path} is {found}, where driftscope would put {expected}; move it away, then go on")]
    InTheWay {
        /// What lies there.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// There is no run.
    #[error("{path} holds no run: {RUN_FILE} was not found there")]
    NoRun {
        /// The directory.
        path: PathBuf,
    },
    /// Another process has it.
    #[error("{path} is in use by another driftscope process")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A file that cannot be read, is damaged, or is of a newer driftscope.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Data that is not what the run began with.
    #[error("{run}: the data is not what the run began with: {difference}")]
    OtherData {
        /// The run.
        run: PathBuf,
        /// What is missing and what is new.
        difference: String,
    },
    /// Pictures that are not what the run began with, under the same names.
    #[error(
        "{run}: pictures have changed since the run began: {which}. Put them back as they were, or train a new run on what \
         they are now"
    )]
    ChangedPictures {
        /// The run.
        run: PathBuf,
        /// How many, and the first.
        which: String,
    },
    /// Two runs that do not compare: a picture of one name has other bytes in each.
    #[error("{one} and {other} do not compare: {id} is another picture in each")]
    OtherPictures {
        /// A run.
        one: PathBuf,
        /// Another.
        other: PathBuf,
        /// The picture.
        id: String,
    },
    /// A list of digests that is none.
    #[error("{path} is no list of digests as sha256sum prints it")]
    Digests {
        /// The file.
        path: PathBuf,
    },
    /// Tensors that cannot be read.
    #[error(transparent)]
    Tensors(#[from] FileError),
    /// Optimizer state that is not this optimizer's.
    #[error("{path}: {name} is missing, or one too many for this optimizer")]
    OptimizerState {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
    },
    /// Where to go on when the newest checkpoint cannot be read.
    #[error("{damage}; {}", offer(run, *whole))]
    Offer {
        /// What is wrong with the newest.
        damage: Box<CheckpointError>,
        /// The run.
        run: PathBuf,
        /// The newest epoch that is whole.
        whole: Option<usize>,
    },
    /// Stopped before anything was sealed.
    #[error("{run} holds no finished epoch yet")]
    NoCheckpoint {
        /// The run.
        run: PathBuf,
    },
    /// No such epoch, or not with weights.
    #[error("{run} has no weights of epoch {epoch}; it has those of {}", list(available))]
    NoEpoch {
        /// The run.
        run: PathBuf,
        /// What was asked for.
        epoch: usize,
        /// Sealed epochs that still have weights.
        available: Vec<usize>,
    },
    /// Numbers that cannot be written.
    #[error("{path} cannot be encoded")]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn offer(run: &Path, whole: Option<usize>) -> String {
    match whole {
        Some(epoch) => {
            format!("the newest whole epoch is {epoch}: go on from it with --resume {}@{epoch}", fsx::quoted(run))
        }
        None => "no epoch of the run is whole".to_string(),
    }
}

fn list(epochs: &[usize]) -> String {
    let epochs: Vec<String> = epochs.iter().map(usize::to_string).collect();
    if epochs.is_empty() { "no epoch".to_string() } else { format!("epoch {}", epochs.join(", ")) }
}

/// run.json: everything that decides what the run computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of this file.
    pub schema: u32,
    /// Version of driftscope.
    pub driftscope: String,
    /// The run's name, its directory's.
    pub name: String,
    /// The model's name.
    pub model: String,
    /// The data set's name.
    pub data: String,
    /// Class names in label order.
    pub classes: Vec<String>,
    /// The resolved settings.
    pub config: RunConfig,
    /// What a person typed to get them.
    pub settings: Settings,
    /// The run and epoch that this one was forked from: `checkpoints/other@3`.
    pub forked_from: Option<String>,
    /// What the device came to.
    pub device: String,
    /// CPU threads: the same bytes need the same number.
    pub threads: usize,
    /// Digest of the data.
    pub data_digest: String,
    /// Digest of the pictures' bytes; none for pictures that are drawn, and in runs of before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_digest: Option<String>,
    /// Pictures that could not be read and were left out.
    pub skipped: Vec<PathBuf>,
    /// The pictures that are explained.
    pub panel: PanelInfo,
}

impl RunRecord {
    /// Version of run.json that this driftscope writes.
    pub const SCHEMA: u32 = store::SCHEMA;

    /// What a run says of itself.
    ///
    /// # Errors
    ///
    /// Where there is no run, or it is of a newer schema.
    pub fn read(run: &Path) -> Result<Self, CheckpointError> {
        let path = run.join(RUN_FILE);
        if fsx::kind(&path)?.is_none() {
            return Err(CheckpointError::NoRun { path: run.to_path_buf() });
        }
        let record: RunRecord = store::read_versioned(&path, "a run's record")?;
        match record.problem() {
            Some(problem) => Err(CheckpointError::Unusable { path, problem }),
            None => Ok(record),
        }
    }

    /// Why nothing can be computed from what the record says. It may have been written by another hand.
    fn problem(&self) -> Option<String> {
        let (config, panel) = (&self.config, &self.panel);
        let problems = [
            (panel.labels.len() != panel.ids.len(), "its panel has not one label for each picture"),
            (panel.labels.iter().any(|&label| label >= self.classes.len()), "a label of its panel is no class"),
            (!panel.pictures.is_empty() && panel.pictures.len() != panel.ids.len(), "its panel lacks digests"),
            (config.batch_size == 0 || config.accumulate == 0 || config.epochs == 0, "it trains on nothing"),
            (config.batch_size.checked_mul(config.accumulate).is_none(), "its batch is larger than any number"),
            (config.preprocessing.size != config.model.spec().image_size(), "its pictures are not of the model's size"),
            (config.preprocessing.resize < config.preprocessing.size, "its pictures are smaller than the model's"),
            (!(0.0..1.0).contains(&config.drop_path), "its drop_path is no share"),
            (!config.explainers.is_empty() && config.panel.targets.is_empty(), "it explains no target"),
        ];
        problems.into_iter().find_map(|(wrong, problem)| wrong.then(|| problem.to_string()))
    }

    /// Writes run.json, which makes `run` a run.
    pub(super) fn write(&self, run: &Path) -> Result<(), CheckpointError> {
        let path = run.join(RUN_FILE);
        Ok(fsx::write_atomic(&path, &store::json(self, &path)?)?)
    }
}

/// What a checkpoint holds for training to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// Where in the run it stands.
    pub state: TrainState,
    /// Parameters and buffers.
    pub model: StateDict,
    /// Their moving average.
    pub ema: Option<StateDict>,
    /// What the optimizer remembers.
    pub optimizer: StateDict,
}

/// Files that only training needs: parameters, their average, and the optimizer's memory. Retention removes them.
const WEIGHTS: [&str; 3] = [MODEL_FILE, EMA_FILE, OPTIMIZER_FILE];

/// Whether a sealed checkpoint still has its weights.
pub(super) fn has_weights(dir: &Path) -> Result<bool, CheckpointError> {
    Ok(Manifest::read(dir)?.holds(MODEL_FILE))
}

/// Removes the weights of a sealed epoch and seals it again without them.
pub(super) fn prune(dir: &Path) -> Result<(), CheckpointError> {
    Ok(Manifest::read(dir)?.prune(dir, &WEIGHTS)?)
}

impl Saved {
    /// Adds what resuming needs to a directory that is being built.
    pub(super) fn write(&self, into: &mut SealedDir) -> Result<(), CheckpointError> {
        let all =
            [(MODEL_FILE, Some(&self.model)), (EMA_FILE, self.ema.as_ref()), (OPTIMIZER_FILE, Some(&self.optimizer))];
        for (name, tensors) in all {
            let Some(tensors) = tensors else { continue };
            let path = into.path().join(name);
            let bytes = weights::encode(tensors, &[("format", "pt")])
                .map_err(|source| CheckpointError::Encode { path, source: Box::new(source) })?;
            into.write(name, &bytes)?;
        }
        Ok(into.write_json(STATE_FILE, &self.state)?)
    }

    /// The first tensor of the weights, or of their average, that holds a number that is infinite or none at all; and that
    /// number.
    pub(super) fn not_finite(&self) -> Option<(String, f64)> {
        let average = self.ema.iter().flatten().map(|tensor| ("average", tensor));
        let all = self.model.iter().map(|tensor| ("weight", tensor)).chain(average);
        all.into_iter().find_map(|(what, (name, tensor))| {
            let value = tensor.values.iter().find(|value| !value.is_finite())?;
            Some((format!("{what} {name}"), f64::from(*value)))
        })
    }
}

/// What a resumed run starts from.
#[derive(Debug)]
pub struct Snapshot {
    /// Where it was read.
    pub dir: PathBuf,
    /// What it holds.
    pub saved: Saved,
}

/// A checkpoint without its tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Where it lies.
    pub dir: PathBuf,
    /// Where in the run it stands.
    pub state: TrainState,
}

impl Snapshot {
    /// The same without its tensors.
    pub fn place(&self) -> Place {
        Place { dir: self.dir.clone(), state: self.saved.state.clone() }
    }

    /// The files of parameters, average and optimizer.
    pub(super) fn paths(&self) -> [PathBuf; 3] {
        WEIGHTS.map(|name| self.dir.join(name))
    }
}

/// A run directory that this process alone may write to.
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
    pub fn check_free(path: &Path) -> Result<(), CheckpointError> {
        folder::check_free(path)
    }

    /// Whether a branch of `from` may begin in `path`; nothing is written.
    ///
    /// # Errors
    ///
    /// As [`RunDir::fork`].
    pub fn check_branch(path: &Path, from: &Path) -> Result<(), CheckpointError> {
        folder::check_branch(path, &std::path::absolute(from).unwrap_or_else(|_| from.to_path_buf()))
    }

    /// Makes the directory and writes run.json. A run that was stopped before its first epoch was whole begins anew.
    ///
    /// # Errors
    ///
    /// Where it holds a run with an epoch or anything else, before anything is written; or another process has it.
    pub fn create(path: &Path, record: &RunRecord, data: &DataSet) -> Result<Self, CheckpointError> {
        let run = Self { path: path.to_path_buf(), _lock: folder::begin(path)? };
        run.write_pictures(data)?;
        record.write(path)?;
        Ok(run)
    }

    /// Opens an existing run for going on, and forgets what a killed process left half-written in it.
    ///
    /// # Errors
    ///
    /// Where there is none, it is of a newer schema, another process has it, or something lies where the run would put a
    /// file of its own.
    pub fn open(path: &Path) -> Result<(Self, RunRecord), CheckpointError> {
        let record = RunRecord::read(path)?;
        let run = Self { path: path.to_path_buf(), _lock: folder::lock(path)? };
        folder::clear_leftovers(path)?;
        Ok((run, record))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Starts an epoch's directory.
    pub fn begin_epoch(&self, epoch: usize) -> Result<SealedDir, CheckpointError> {
        Ok(SealedDir::begin(&self.path, &epoch_dir_name(epoch))?)
    }

    /// Saves in mid-epoch.
    pub fn save_interrupted(&self, saved: &Saved) -> Result<(), CheckpointError> {
        let mut unsealed = SealedDir::begin(&self.path, INTERRUPTED)?;
        saved.write(&mut unsealed)?;
        let (current, old) = (self.path.join(INTERRUPTED), self.path.join(INTERRUPTED_OLD));
        if current.exists() {
            layout::remove_checkpoint(&old)?;
            fsx::rename_dir(&current, &old)?;
        }
        unsealed.seal()?;
        Ok(layout::remove_checkpoint(&old)?)
    }

    /// Writes a file of the run itself, whole or not at all.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), CheckpointError> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fsx::create_dir_all(parent)?;
        }
        Ok(fsx::write_atomic(&path, bytes)?)
    }
}
