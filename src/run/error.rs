//! Errors of a run's folder, in words for a person.

use crate::data::DataError;
use crate::fsx::{self, FsError};
use crate::store::layout::RUN_FILE;
use crate::store::{OutputError, StoreError};
use crate::weights::{FileError, WeightsError};
use std::path::{Path, PathBuf};

/// Why a run's folder, or something in it, cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file or folder could not be read or written.
    #[error(transparent)]
    Disk(#[from] FsError),
    /// A place that belongs to another run.
    #[error(transparent)]
    Place(#[from] OutputError),
    /// A `run.json` with contradictory or impossible content, which driftscope does not write.
    #[error("{path} is not a run's record as driftscope writes it: {problem}")]
    Unusable {
        /// The path of the `run.json`.
        path: PathBuf,
        /// What is wrong with its content.
        problem: String,
    },
    /// A new run is to begin where a run exists already.
    #[error(
        "{path} already holds a run; resume it with --resume {}, or name another directory with --run-dir",
        fsx::quoted(path)
    )]
    Exists {
        /// The folder of that run.
        path: PathBuf,
    },
    /// A new run is to begin in a folder that holds other files.
    #[error("{path} is not empty and holds no run (there is {found}); name a new or an empty directory with --run-dir")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
        /// The name of one entry in it.
        found: String,
    },
    /// A run is to begin where a branch of another run was not finished.
    #[error(
        "{path} holds a branch of {from} that was not finished; give the same command again, or name another directory \
         with --run-dir"
    )]
    Unfinished {
        /// The folder of the unfinished branch.
        path: PathBuf,
        /// The run that it branches off.
        from: String,
    },
    /// A name that the run needs is taken by something else.
    #[error("{path} is {found}, where driftscope would put {expected}; move it away, then go on")]
    InTheWay {
        /// The path of that name.
        path: PathBuf,
        /// What lies there, in words: `"a file"`.
        found: &'static str,
        /// What driftscope would put there, in words.
        expected: &'static str,
    },
    /// The folder holds no run.
    #[error("{path} holds no run: {RUN_FILE} was not found there")]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// Another process is training in the folder.
    #[error("{path} is in use by another driftscope process")]
    Locked {
        /// The folder of the run.
        path: PathBuf,
    },
    /// A file that cannot be read, is damaged, or is of a newer driftscope.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data has other images, splits or classes than the run began with.
    #[error("{run}: the data is not what the run began with: {difference}")]
    OtherData {
        /// The folder of the run.
        run: PathBuf,
        /// What is missing and what is new, in words.
        difference: String,
    },
    /// Images have other bytes than when the run began, under the same names.
    #[error(
        "{run}: images have changed since the run began: {which}. Put them back as they were, or train a new run on the \
         changed ones"
    )]
    ChangedPictures {
        /// The folder of the run.
        run: PathBuf,
        /// How many changed, and the first of them, in words.
        which: String,
    },
    /// Two runs cannot be compared: an image of one name has other bytes in each.
    #[error("{one} and {other} cannot be compared: {id} is another image in each")]
    OtherPictures {
        /// The folder of the first run.
        one: PathBuf,
        /// The folder of the second run.
        other: PathBuf,
        /// The id of the image.
        id: String,
    },
    /// A file that should hold digests of images holds something else.
    #[error("{path} is not a list of digests: expected lines as sha256sum prints them")]
    Digests {
        /// The path of the list.
        path: PathBuf,
    },
    /// The data or its images cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file of tensors cannot be read.
    #[error(transparent)]
    Tensors(#[from] FileError),
    /// Weights that do not fit the model.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Optimizer state that is not that of the run's optimizer.
    #[error("{path}: tensor {name} is missing, or unexpected for this optimizer")]
    OptimizerState {
        /// The path of the optimizer's state.
        path: PathBuf,
        /// The name of the tensor.
        name: String,
    },
    /// The newest checkpoint cannot be read; the error says from which epoch the run can be resumed instead.
    #[error("{damage}; {}", offer(run, *whole))]
    Offer {
        /// What is wrong with the newest checkpoint.
        damage: Box<RunError>,
        /// The folder of the run.
        run: PathBuf,
        /// The newest epoch whose files are all as they were sealed.
        whole: Option<usize>,
    },
    /// The run was stopped before its first epoch was finished.
    #[error("{run} holds no finished epoch yet")]
    NoCheckpoint {
        /// The folder of the run.
        run: PathBuf,
    },
    /// The run has no such epoch, or the epoch no longer has its weights.
    #[error("{run} has no weights of epoch {epoch}; it has those of {}", list(available))]
    NoEpoch {
        /// The folder of the run.
        run: PathBuf,
        /// The epoch that was asked for.
        epoch: usize,
        /// The epochs that still have weights, ascending.
        available: Vec<usize>,
    },
    /// Tensors that cannot be written.
    #[error("{path} cannot be written: its tensors cannot be encoded")]
    Encode {
        /// The file that was to be written.
        path: PathBuf,
        /// What the encoder said.
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
