//! Curves and figures of a run for TensorBoard, written as each epoch is about to be sealed.

use super::dashboard::Dashboard;
use super::error::TrainError;
use crate::fsx::{self, FsError};
use crate::picture::Picture;
use crate::report::EventWriter;
use crate::run::RunError;
use crate::store::EpochMetrics;
use crate::store::layout::{TENSORBOARD_DIR, is_event_file};
use std::path::{Path, PathBuf};

/// Event files of a run that wants some; steps are epochs.
#[derive(Debug)]
pub(super) struct Board(Option<EventWriter>);

impl Board {
    /// Where `wanted`, or where the run has event files already. Those of epochs from `next` on are forgotten by TensorBoard;
    /// a run that had none gets the `history` of its earlier epochs first.
    pub(super) fn open(run: &Path, wanted: bool, next: usize, history: &[EpochMetrics]) -> Result<Self, TrainError> {
        let folder = run.join(TENSORBOARD_DIR);
        let known = has_events(&folder).map_err(RunError::from)?;
        if !wanted && !known {
            return Ok(Self(None));
        }
        let mut board = Self(Some(EventWriter::create(&folder, next as u64)?));
        for metrics in history.iter().filter(|metrics| !known && metrics.epoch < next) {
            board.write(metrics, &[])?;
        }
        Ok(board)
    }

    /// An epoch's numbers, and its figures by image id. They are a copy of what the run keeps: where they cannot be written
    /// that is said, and the run goes on without them.
    pub(super) fn epoch(&mut self, metrics: &EpochMetrics, figures: &[(String, Picture)], dashboard: &Dashboard) {
        if let Err(error) = self.write(metrics, figures) {
            dashboard.say(&format!("no more event files for TensorBoard: {error}"));
            self.0 = None;
        }
    }

    fn write(&mut self, metrics: &EpochMetrics, figures: &[(String, Picture)]) -> Result<(), TrainError> {
        let Some(writer) = &mut self.0 else { return Ok(()) };
        let step = metrics.epoch as u64;
        for (tag, value) in scalars(metrics) {
            writer.scalar(&tag, value, step)?;
        }
        for (id, figure) in figures {
            writer.image(&format!("evidence/{id}"), figure, step)?;
        }
        Ok(())
    }
}

/// Whether a folder, which is no link to somebody's, holds event files of ours.
fn has_events(folder: &Path) -> Result<bool, FsError> {
    match fsx::kind(folder)? {
        None => Ok(false),
        Some(fsx::Kind::Dir) => {
            let ours = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                is_event_file(&name)
            };
            Ok(fsx::list_dir(folder)?.iter().any(ours))
        }
        Some(_) => Err(FsError::NotAFolder { path: folder.to_path_buf() }),
    }
}

/// By tag, those that are known.
fn scalars(metrics: &EpochMetrics) -> Vec<(String, f64)> {
    let mut all = Vec::new();
    if let Some(training) = &metrics.training {
        let known = [
            ("loss/train", training.train_loss),
            ("loss/val", Some(training.val_loss)),
            ("accuracy/train", training.train_accuracy),
            ("accuracy/val", Some(training.val_accuracy)),
            ("accuracy/val top-5", training.val_top5),
            ("learning rate", training.learning_rate),
        ];
        all.extend(known.into_iter().filter_map(|(tag, value)| Some((tag.to_string(), value?))));
    }
    for estimate in &metrics.drift {
        let of =
            format!("{}/{}/{} to {}", estimate.explainer, estimate.target, estimate.measure, estimate.against.name());
        let known = [("drift", estimate.value), ("floor", estimate.floor), ("chance", estimate.chance)];
        all.extend(known.into_iter().filter_map(|(what, value)| Some((format!("{what}/{of}"), value?))));
    }
    all
}
