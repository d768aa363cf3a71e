//! Curves and figures of a run for TensorBoard, written as each epoch is about to be sealed.

use super::dashboard::Dashboard;
use super::error::TrainError;
use crate::drift::{MOVED_SCALE, Matrix};
use crate::fsx::{self, FsError};
use crate::measure::Measure;
use crate::picture::Picture;
use crate::report::{Category, Chart, EventWriter};
use crate::run::RunError;
use crate::store::layout::{TENSORBOARD_DIR, is_event_file};
use crate::store::{Against, EpochMetrics};
use std::path::{Path, PathBuf};

/// Event files of a run that wants some; steps are epochs.
#[derive(Debug)]
pub(super) struct Board(Option<EventWriter>);

impl Board {
    /// Of explainers and their kinds of targets, `methods`. Where `wanted`, or where the run has event files already. Those of epochs from `next` on are forgotten by TensorBoard;
    /// a run that had none gets the `history` of its earlier epochs first.
    pub(super) fn open(
        run: &Path,
        wanted: bool,
        methods: &[(String, String)],
        next: usize,
        history: &[EpochMetrics],
        matrices: &[Matrix],
    ) -> Result<Self, TrainError> {
        let folder = run.join(TENSORBOARD_DIR);
        let known = has_events(&folder).map_err(RunError::from)?;
        if !wanted && !known {
            return Ok(Self(None));
        }
        let mut writer = EventWriter::create(&folder, next as u64)?;
        writer.layout(&layout(methods))?;
        let mut board = Self(Some(writer));
        for metrics in history.iter().filter(|metrics| !known && metrics.epoch < next) {
            board.write(metrics, matrices, &[])?;
        }
        Ok(board)
    }

    /// An epoch's numbers, how far its maps moved by the matrices so far, and its figures by image id. They are a copy of what the run keeps: where they cannot be written
    /// that is said, and the run goes on without them.
    pub(super) fn epoch(
        &mut self,
        metrics: &EpochMetrics,
        matrices: &[Matrix],
        figures: &[(String, Picture)],
        dashboard: &Dashboard,
    ) {
        if let Err(error) = self.write(metrics, matrices, figures) {
            dashboard.say(&format!("no more event files for TensorBoard: {error}"));
            self.0 = None;
        }
    }

    fn write(
        &mut self,
        metrics: &EpochMetrics,
        matrices: &[Matrix],
        figures: &[(String, Picture)],
    ) -> Result<(), TrainError> {
        let Some(writer) = &mut self.0 else { return Ok(()) };
        let step = metrics.epoch as u64;
        for (tag, value) in scalars(metrics, matrices) {
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

/// What stands in one chart: *moved* of all methods; drift in the default measure beside its floor and chance, a chart a method,
/// target and reference; the losses; the accuracies.
fn layout(methods: &[(String, String)]) -> Vec<Category> {
    let references = [(Against::Previous, "since the epoch before"), (Against::First, "since the first epoch")];
    let chart = |title: &str, tags: &[&str]| Chart {
        title: title.to_string(),
        tags: tags.iter().map(|tag| tag.to_string()).collect(),
    };
    let moved = references.map(|(against, words)| Chart {
        title: words.to_string(),
        tags: methods.iter().map(|(explainer, target)| moved_tag(explainer, target, against)).collect(),
    });
    let drift = |(explainer, target): &(String, String)| {
        references.map(|(against, words)| Chart {
            title: format!("{explainer} ({target}) {words}"),
            tags: DRIFT.map(|what| drift_tag(what, explainer, target, Measure::DEFAULT.name(), against)).to_vec(),
        })
    };
    let learning = vec![
        chart("loss", &["loss/train", "loss/val"]),
        chart("accuracy", &["accuracy/train", "accuracy/val", "accuracy/val top-5"]),
    ];
    let measure = Measure::DEFAULT.label();
    let titled = |title: String, charts: Vec<Chart>| Category { title, charts };
    let all = vec![
        titled(format!("moved: {MOVED_SCALE}"), moved.to_vec()),
        titled(format!("drift, floor and chance: {measure}"), methods.iter().flat_map(drift).collect()),
        titled("learning".to_string(), learning),
    ];
    all.into_iter().filter(|category| category.charts.iter().any(|chart| !chart.tags.is_empty())).collect()
}

/// The kinds of curves that an estimate is a point of each of.
const DRIFT: [&str; 3] = ["drift", "floor", "chance"];

fn drift_tag(what: &str, explainer: &str, target: &str, measure: &str, against: Against) -> String {
    format!("{what}/{explainer}/{target}/{measure} to {}", against.name())
}

fn moved_tag(explainer: &str, target: &str, against: Against) -> String {
    format!("moved/{explainer}/{target}/to {}", against.name())
}

/// By tag, those that are known.
fn scalars(metrics: &EpochMetrics, matrices: &[Matrix]) -> Vec<(String, f64)> {
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
        let tag = |what| drift_tag(what, &estimate.explainer, &estimate.target, &estimate.measure, estimate.against);
        let values = [estimate.value, estimate.floor, estimate.chance];
        all.extend(DRIFT.into_iter().zip(values).filter_map(|(what, value)| Some((tag(what), value?))));
    }
    for matrix in matrices {
        let tag = |against| moved_tag(&matrix.explainer, &matrix.target, against);
        let pairs =
            [(Against::Previous, matrix.step(metrics.epoch)), (Against::First, matrix.from_first(metrics.epoch))];
        all.extend(pairs.into_iter().filter_map(|(against, pair)| Some((tag(against), pair?.moved?))));
    }
    all
}
