//! What can keep a run's folder from being used as asked, in words for a person.

use crate::data::DataError;
use crate::fsx::{self, FsError};
use crate::store::layout::RUN_FILE;
use crate::store::{OutputError, StoreError};
use crate::weights::{FileError, WeightsError};
use std::path::{Path, PathBuf};

/// A run's folder, or what lies in it, that cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
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
    /// Images that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Tensors that cannot be read.
    #[error(transparent)]
    Tensors(#[from] FileError),
    /// Weights that do not fit the model.
    #[error(transparent)]
    Weights(#[from] WeightsError),
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
        damage: Box<RunError>,
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
