//! The run directory: one process at a time, epochs that are whole or absent, and where to go on.
//!
//! ```text
//! checkpoints/<run>/run.json       config, versions, device, data digest, panel; before the first batch
//! checkpoints/<run>/lock           held by the process that trains
//! checkpoints/<run>/panel/000.png  the panel's pictures
//! checkpoints/<run>/epoch-0003/    model, ema, optimizer, state, metrics, explanations, overlays; manifest.json last
//! checkpoints/<run>/interrupted/   the same for a stop in mid-epoch, superseded by the next sealed epoch
//! checkpoints/<run>/superseded-1/  what came after an epoch that the run was resumed from
//! checkpoints/<run>/metrics.jsonl  derived from the sealed epochs, written whole again at each seal
//! ```
//!
//! An epoch is built in `epoch-0003.partial/`, its manifest with sizes and digests written last, everything synced, and
//! then renamed. Only a directory with a manifest counts.

use super::seal::{EMA, MODEL, OPTIMIZER, SCHEMA, Unsealed, json, read_json, remove_if_there};
use super::state::TrainState;
use crate::config::RunConfig;
use crate::config::file::Settings;
use crate::fsx::{self, FsError};
use crate::store::{PanelInfo, epoch_dir_name};
use crate::weights::{FileError, StateDict};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

pub(super) const RUN: &str = "run.json";
const LOCK: &str = "lock";
pub(super) const INTERRUPTED: &str = "interrupted";
/// The previous mid-epoch save while a new one takes its place.
pub(super) const INTERRUPTED_OLD: &str = "interrupted.old";

/// A run directory that cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] FsError),
    /// There is a run already.
    #[error("{path} already holds a run; resume it with --resume {path}, or name another directory with --run-dir")]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// There is no run.
    #[error("{path} holds no run: {RUN} was not found there")]
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
    /// A JSON file that is not what we write.
    #[error("{path} cannot be read as {expected}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// Written by a newer driftscope.
    #[error("{path} has schema {found}; this driftscope reads up to {SCHEMA}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
    },
    /// A file that is not what was sealed.
    #[error("{path} is not what was sealed: expected {expected}, found {found}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Size and digest in the manifest.
        expected: String,
        /// Size and digest on disk.
        found: String,
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
            format!("the newest whole epoch is {epoch}: go on from it with --resume {}@{epoch}", run.display())
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
    /// Pictures that could not be read and were left out.
    pub skipped: Vec<PathBuf>,
    /// The pictures that are explained.
    pub panel: PanelInfo,
}

impl RunRecord {
    /// Version of run.json that this driftscope writes.
    pub const SCHEMA: u32 = SCHEMA;

    /// What a run says of itself.
    ///
    /// # Errors
    ///
    /// Where there is no run, or it is of a newer schema.
    pub fn read(run: &Path) -> Result<Self, CheckpointError> {
        let path = run.join(RUN);
        if !path.exists() {
            return Err(CheckpointError::NoRun { path: run.to_path_buf() });
        }
        let record: RunRecord = read_json(&path, "a run's record")?;
        if record.schema > SCHEMA {
            return Err(CheckpointError::Newer { path, found: record.schema });
        }
        Ok(record)
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

/// What a resumed run starts from.
#[derive(Debug)]
pub struct Snapshot {
    /// Where it was read.
    pub dir: PathBuf,
    /// What it holds.
    pub saved: Saved,
}

impl Snapshot {
    /// The files of parameters, average and optimizer.
    pub(super) fn paths(&self) -> [PathBuf; 3] {
        [MODEL, EMA, OPTIMIZER].map(|name| self.dir.join(name))
    }
}

/// A run directory that this process alone may write to.
#[derive(Debug)]
pub struct RunDir {
    pub(super) path: PathBuf,
    pub(super) _lock: File,
}

impl RunDir {
    /// Makes the directory and writes run.json.
    ///
    /// # Errors
    ///
    /// Where it holds a run already, or another process has it.
    pub fn create(path: &Path, record: &RunRecord) -> Result<Self, CheckpointError> {
        if path.join(RUN).exists() {
            return Err(CheckpointError::Exists { path: path.to_path_buf() });
        }
        fsx::create_dir_all(path)?;
        let run = Self { path: path.to_path_buf(), _lock: lock(path)? };
        fsx::write_atomic(&path.join(RUN), &json(record, &path.join(RUN))?)?;
        Ok(run)
    }

    /// Opens an existing run for going on.
    ///
    /// # Errors
    ///
    /// Where there is none, it is of a newer schema, or another process has it.
    pub fn open(path: &Path) -> Result<(Self, RunRecord), CheckpointError> {
        let record = RunRecord::read(path)?;
        Ok((Self { path: path.to_path_buf(), _lock: lock(path)? }, record))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Forgets what a killed process left half-written: an epoch without its manifest, and files on their way to their name.
    pub fn clear_partial(&self) -> Result<(), CheckpointError> {
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            for path in fsx::list_dir(&folder)? {
                match path.extension().and_then(|extension| extension.to_str()) {
                    Some("partial") => fsx::remove_dir_all(&path)?,
                    Some("tmp") => fsx::remove_file(&path)?,
                    _ if path.is_dir() => folders.push(path),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Starts an epoch's directory.
    pub fn begin_epoch(&self, epoch: usize) -> Result<Unsealed, CheckpointError> {
        Unsealed::begin(&self.path, epoch_dir_name(epoch))
    }

    /// Saves in mid-epoch.
    pub fn save_interrupted(&self, saved: &Saved) -> Result<(), CheckpointError> {
        let mut unsealed = Unsealed::begin(&self.path, INTERRUPTED.to_string())?;
        unsealed.write_checkpoint(saved)?;
        let (current, old) = (self.path.join(INTERRUPTED), self.path.join(INTERRUPTED_OLD));
        if current.exists() {
            remove_if_there(&old)?;
            fsx::rename_dir(&current, &old)?;
        }
        unsealed.seal()?;
        remove_if_there(&old)
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

pub(super) fn lock(dir: &Path) -> Result<File, CheckpointError> {
    let path = dir.join(LOCK);
    let io = |source| FsError::Io { action: "lock", path: path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CheckpointError::Locked { path: dir.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(io(source).into()),
    }
}
