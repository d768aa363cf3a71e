//! `driftscope runs`: what has been trained, at a glance.

use super::error::chain;
use super::output::FormatArguments;
use crate::fsx;
use crate::progress::say;
use crate::report::{Cell, Table, number, text};
use crate::run::RunRecord;
use crate::store::layout::RUN_FILE;
use crate::store::{RunReader, Scored, TrainingMetrics};
use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Flags of `driftscope runs`.
#[derive(Debug, Args)]
pub(super) struct RunsArguments {
    /// The folder to search, at any depth; links are not followed
    #[arg(value_name = "DIR", default_value = "checkpoints")]
    dir: PathBuf,
    #[command(flatten)]
    format: FormatArguments,
}

const HEADINGS: [&str; 9] =
    ["run", "model", "data", "seed", "epochs", "best epoch", "best val", "last val", "explainers"];

/// One run's line.
struct Line {
    path: PathBuf,
    record: RunRecord,
    sealed: usize,
    best: Option<Scored>,
    last: Option<Scored>,
    explainers: Vec<String>,
}

pub(super) fn run(arguments: &RunsArguments) -> Result<ExitCode> {
    if !arguments.dir.is_dir() {
        bail!("{} is no directory; expected one that holds runs", arguments.dir.display());
    }
    let (mut paths, mut troubles) = (Vec::new(), Vec::new());
    find(&arguments.dir, &mut paths, &mut troubles);
    let mut lines = Vec::new();
    for path in paths {
        match read(path.clone()) {
            Ok(line) => lines.push(line),
            Err(error) => troubles.push(format!("{}: {}", fsx::shown(&path), chain(&error))),
        }
    }
    let rows = lines.iter().map(Line::cells).collect();
    let answer = || json!({ "runs": lines.iter().map(Line::json).collect::<Vec<_>>() });
    arguments.format.print(&Table { headings: HEADINGS.to_vec(), rows, left: 3 }, answer)?;
    // The others are listed; a script learns that some are not.
    for trouble in &troubles {
        say(&format!("error: not listed: {trouble}"));
    }
    Ok(if troubles.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs below `dir`, none of them inside another; and the folders that cannot be looked into.
fn find(dir: &Path, found: &mut Vec<PathBuf>, troubles: &mut Vec<String>) {
    if dir.join(RUN_FILE).is_file() {
        found.push(dir.to_path_buf());
        return;
    }
    match fsx::list_dir(dir) {
        Ok(entries) => {
            let folder = |path: &PathBuf| fsx::kind(path).is_ok_and(|kind| kind == Some(fsx::Kind::Dir));
            entries.into_iter().filter(folder).for_each(|below| find(&below, found, troubles));
        }
        Err(error) => troubles.push(error.to_string()),
    }
}

fn read(path: PathBuf) -> Result<Line> {
    let (record, reader) = (RunRecord::read(&path)?, RunReader::open(&path)?);
    let mut scored = Vec::new();
    for &epoch in reader.epochs() {
        if let Some(TrainingMetrics { val_accuracy, .. }) = reader.metrics(epoch)?.training {
            scored.push(Scored { epoch, val_accuracy });
        }
    }
    let (best, last) = (scored.iter().copied().min_by(Scored::best_first), scored.last().copied());
    let explainers = record.config.explainers.iter().map(|explainer| explainer.name().to_string()).collect();
    // Epoch 0 is the model before training.
    let sealed = reader.epochs().last().copied().unwrap_or(0);
    Ok(Line { path, record, sealed, best, last, explainers })
}

impl Line {
    fn cells(&self) -> Vec<Cell> {
        vec![
            text(self.path.display()),
            text(&self.record.model),
            text(&self.record.data),
            text(self.record.config.seed),
            text(format!("{}/{}", self.sealed, self.record.config.epochs)),
            self.best.and_then(|best| text(best.epoch)),
            number(self.best.map(|best| best.val_accuracy)),
            number(self.last.map(|last| last.val_accuracy)),
            text(self.explainers.join(" ")),
        ]
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "run": self.path,
            "model": self.record.model,
            "data": self.record.data,
            "seed": self.record.config.seed,
            "epochs_done": self.sealed,
            "epochs": self.record.config.epochs,
            "best_epoch": self.best.map(|best| best.epoch),
            "best_val_accuracy": self.best.map(|best| best.val_accuracy),
            "last_val_accuracy": self.last.map(|last| last.val_accuracy),
            "explainers": self.explainers,
            "begun": self.record.begun,
        })
    }
}
