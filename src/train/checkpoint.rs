//! The run directory: one process at a time, epochs that are whole or absent, and where to go on.
//!
//! ```text
//! checkpoints/<run>/run.json       config, versions, device, data digest, panel; before the first batch
//! checkpoints/<run>/lock           held by the process that trains
//! checkpoints/<run>/panel/000.png  the panel's pictures
//! checkpoints/<run>/epoch-0003/    model, optimizer, state, metrics, explanations, overlays; manifest.json last
//! checkpoints/<run>/interrupted/   the same for a stop in mid-epoch, superseded by the next sealed epoch
//! checkpoints/<run>/metrics.jsonl  derived from the sealed epochs, written whole again at each seal
//! ```
//!
//! An epoch is built in `epoch-0003.partial/`, its manifest with sizes and digests written last, everything synced, and
//! then renamed. Only a directory with a manifest counts.

use super::TrainError;
use super::seal::{MANIFEST, MODEL, OPTIMIZER, SCHEMA, STATE, Unsealed, json, read_json, remove_if_there, verify};
use super::state::TrainState;
use crate::config::RunConfig;
use crate::fsx::{self, FsError};
use crate::store::{EpochMetrics, PanelInfo, RunReader, epoch_dir_name};
use crate::weights::{self, FileError, StateDict};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

const RUN: &str = "run.json";
const LOCK: &str = "lock";
const HISTORY: &str = "metrics.jsonl";
const HISTORY_TABLE: &str = "metrics.csv";
const INTERRUPTED: &str = "interrupted";
/// The previous mid-epoch save while a new one takes its place.
const INTERRUPTED_OLD: &str = "interrupted.old";

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
    /// Optimizer state without its partner.
    #[error("{path}: {name} has no partner among the moments")]
    Moments {
        /// The file.
        path: PathBuf,
        /// The lonely tensor.
        name: String,
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
    /// What the device came to.
    pub device: String,
    /// CPU threads: the same bytes need the same number.
    pub threads: usize,
    /// Digest of the data.
    pub data_digest: String,
    /// The pictures that are explained.
    pub panel: PanelInfo,
}

impl RunRecord {
    /// Version of run.json that this driftscope writes.
    pub const SCHEMA: u32 = SCHEMA;
}

/// What a resumed run starts from.
#[derive(Debug)]
pub struct Snapshot {
    /// Where it was read.
    pub dir: PathBuf,
    /// Where in the run it stands.
    pub state: TrainState,
    /// Parameters and buffers.
    pub model: StateDict,
    /// Moments.
    pub optimizer: StateDict,
}

impl Snapshot {
    /// The file that the parameters came from.
    pub fn model_path(&self) -> PathBuf {
        self.dir.join(MODEL)
    }

    /// The file that the moments came from.
    pub fn optimizer_path(&self) -> PathBuf {
        self.dir.join(OPTIMIZER)
    }
}

/// A run directory that this process alone may write to.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    _lock: File,
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
        let file = path.join(RUN);
        if !file.exists() {
            return Err(CheckpointError::NoRun { path: path.to_path_buf() });
        }
        let run = Self { path: path.to_path_buf(), _lock: lock(path)? };
        let record: RunRecord = read_json(&file, "a run's record")?;
        if record.schema > SCHEMA {
            return Err(CheckpointError::Newer { path: file, found: record.schema });
        }
        Ok((run, record))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Forgets what a killed process left half-written.
    pub fn clear_partial(&self) -> Result<(), CheckpointError> {
        for path in fsx::list_dir(&self.path)? {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("partial") => fsx::remove_dir_all(&path)?,
                Some("tmp") => fsx::remove_file(&path)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The newest whole checkpoint, every file of it checked against its manifest; `None` where the run was stopped
    /// before its first.
    ///
    /// # Errors
    ///
    /// Where a file of it is missing, truncated or altered.
    pub fn newest(&self) -> Result<Option<Snapshot>, CheckpointError> {
        let mut candidates = Vec::new();
        for dir in fsx::list_dir(&self.path)? {
            if is_checkpoint(&dir) && dir.join(MANIFEST).exists() {
                let state: TrainState = read_json(&dir.join(STATE), "a checkpoint's state")?;
                // A finished epoch stands after every step of itself.
                let finished = usize::from(state.step_in_epoch == 0);
                candidates.push(((state.epoch, finished, state.step_in_epoch), dir, state));
            }
        }
        candidates.sort_by_key(|(order, ..)| *order);
        candidates.pop().map(|(_, dir, state)| load(dir, state)).transpose()
    }

    /// Starts an epoch's directory.
    pub fn begin_epoch(&self, epoch: usize) -> Result<Unsealed, CheckpointError> {
        Unsealed::begin(&self.path, epoch_dir_name(epoch))
    }

    /// Saves in mid-epoch.
    pub fn save_interrupted(
        &self,
        state: &TrainState,
        model: &StateDict,
        optimizer: &StateDict,
    ) -> Result<(), CheckpointError> {
        let mut unsealed = Unsealed::begin(&self.path, INTERRUPTED.to_string())?;
        unsealed.write_checkpoint(state, model, optimizer)?;
        let (current, old) = (self.path.join(INTERRUPTED), self.path.join(INTERRUPTED_OLD));
        if current.exists() {
            remove_if_there(&old)?;
            fsx::rename_dir(&current, &old)?;
        }
        unsealed.seal()?;
        remove_if_there(&old)
    }

    /// Removes mid-epoch saves: a sealed epoch supersedes them.
    pub fn clear_interrupted(&self) -> Result<(), CheckpointError> {
        remove_if_there(&self.path.join(INTERRUPTED))?;
        remove_if_there(&self.path.join(INTERRUPTED_OLD))
    }

    /// Writes metrics.jsonl and metrics.csv anew from the sealed epochs.
    pub fn write_history(&self) -> Result<(), TrainError> {
        let reader = RunReader::open(&self.path)?;
        let mut lines = String::new();
        let mut table = String::from("epoch,learning_rate,train_loss,train_accuracy,val_loss,val_accuracy,seconds\n");
        for &epoch in reader.epochs() {
            let metrics = reader.metrics(epoch)?;
            let path = self.path.join(HISTORY);
            lines += &serde_json::to_string(&metrics)
                .map_err(|source| CheckpointError::Encode { path, source: Box::new(source) })?;
            lines.push('\n');
            table += &metrics_row(&metrics);
        }
        self.write(HISTORY, lines.as_bytes())?;
        Ok(self.write(HISTORY_TABLE, table.as_bytes())?)
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

/// The training half of an epoch as a row; drift has its own table.
fn metrics_row(metrics: &EpochMetrics) -> String {
    let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let cells = metrics.training.as_ref().map(|training| {
        let (loss, accuracy) = (Some(training.val_loss), Some(training.val_accuracy));
        let rest = [training.train_loss, training.train_accuracy, loss, accuracy, Some(training.seconds)];
        std::iter::once(training.learning_rate).chain(rest).map(cell).collect::<Vec<_>>().join(",")
    });
    format!("{},{}\n", metrics.epoch, cells.unwrap_or_else(|| ",,,,,".to_string()))
}

fn is_checkpoint(dir: &Path) -> bool {
    let name = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = name.strip_prefix("epoch-").unwrap_or_default();
    let is_epoch = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_epoch || name == INTERRUPTED || name == INTERRUPTED_OLD
}

fn load(dir: PathBuf, state: TrainState) -> Result<Snapshot, CheckpointError> {
    verify(&dir)?;
    let read = |name: &str| -> Result<StateDict, CheckpointError> {
        let path = dir.join(name);
        Ok(weights::decode(&fsx::read(&path)?, &path)?.0)
    };
    Ok(Snapshot { model: read(MODEL)?, optimizer: read(OPTIMIZER)?, state, dir })
}

fn lock(dir: &Path) -> Result<File, CheckpointError> {
    let path = dir.join(LOCK);
    let io = |source| FsError::Io { action: "lock", path: path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CheckpointError::Locked { path: dir.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(io(source).into()),
    }
}
