//! `driftscope eval`: a checkpoint on the test split, which training never sees.

use super::args::{self, CheckpointArguments, DeviceArguments};
use super::input::{left_out, open_data};
use super::limits::LimitArguments;
use super::output::print;
use super::output::{Format, FormatArguments, checked, json};
use super::precision::{self, PrecisionArguments, PrecisionChoice};
use crate::data::{Batching, DataConfig, Split};
use crate::device;
use crate::precision::Precision;
use crate::probe::{Evaluation, evaluate};
use crate::progress::Progress;
use crate::report::{Cell, Table, confusion_csv, number, text};
use crate::run::{Reopened, RunRecord, reopen, same_data, same_panel};
use anyhow::{Result, bail};
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope eval`.
#[derive(Debug, Args)]
pub(super) struct EvalArguments {
    #[command(flatten)]
    checkpoint: CheckpointArguments,
    /// The split to evaluate: test, val or train
    #[arg(long, value_name = "SPLIT", default_value = "test")]
    split: Split,
    /// The folder of the run's images, if they were moved [default: where the run found them]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    precision: PrecisionArguments,
    /// Images per batch [default: the run's]
    #[arg(long, value_name = "N", value_parser = args::whole::<u64>(1..))]
    batch_size: Option<u64>,
    /// Also write the confusion matrix as CSV, labels in rows, predictions in columns; - for stdout, without the table
    #[arg(long, value_name = "FILE")]
    confusion: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArguments,
}

pub(super) fn run(arguments: &EvalArguments) -> Result<ExitCode> {
    let confusion = arguments.confusion.as_ref().map(|path| checked("--confusion", path)).transpose()?;
    let (device, choice) = arguments.device.device.open()?;
    let CheckpointArguments { run, weights } = &arguments.checkpoint;
    let Reopened { record, position, model } = reopen(&run.path, run.which, weights.raw, &device)?;
    let run = &run.path;
    let data = open_data(&source(arguments, &record)?)?;
    let progress = Progress::new();
    let notes = same_data(run, &record, &data, &[arguments.split])?;
    left_out(&data).iter().chain(&notes).for_each(|line| progress.say(line));
    same_panel(run, &record, &data)?.iter().for_each(|line| progress.say(line));
    let index = data.split(arguments.split);
    if index.samples().is_empty() {
        bail!("{} has no {} split", data.name, arguments.split);
    }

    let config = &record.config;
    let batch_size = arguments.batch_size.map_or(config.batch_size, |size| size as usize);
    let precision = arguments.precision.precision.map_or(config.precision, PrecisionChoice::precision);
    precision::check(precision, choice)?.iter().for_each(|line| progress.say(line));
    let batching = Batching { batch_size, preprocessing: config.preprocessing };
    let phase = progress.phase("evaluating");
    let each_batch = |done| phase.done(done, index.samples().len());
    let evaluated =
        device::within_memory(|| evaluate(&model, data.classes.len(), index, batching, precision, &device, each_batch));
    let evaluation = evaluated.map_err(|short| short.in_batches_of(batch_size.min(index.samples().len())))??;
    progress.finish();
    data.verify_unchanged(arguments.split)?;

    if let Some(confusion) = &confusion {
        confusion.write(confusion_csv(&data.classes, &evaluation.confusion).as_bytes())?;
        if confusion.is_stdout() {
            return Ok(ExitCode::SUCCESS); // two tables in one stream are none
        }
    }
    let epoch = position.epoch;
    print(&match arguments.format.format {
        Format::Table => table(&data.classes, &evaluation, arguments.split, epoch, precision),
        Format::Csv => csv(&data.classes, &evaluation),
        Format::Json => json(&answer(&data.classes, &evaluation, arguments.split, epoch, precision))?,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Where the run's images are, and how strictly they are read.
fn source(arguments: &EvalArguments, record: &RunRecord) -> Result<DataConfig> {
    let mut source = record.config.data.clone();
    source.set_limits(arguments.limits.over(source.limits()));
    match (&mut source, &arguments.data) {
        (DataConfig::Folder(folder), Some(data)) => folder.root = std::path::absolute(data)?,
        (DataConfig::Textures(_), Some(_)) => bail!("--data: {} learned from the embedded textures", record.name),
        (DataConfig::Folder(folder), None) if !folder.root.exists() => bail!(
            "the run's images were in {}, which does not exist; say where they are now with --data FOLDER",
            folder.root.display()
        ),
        _ => {}
    }
    Ok(source)
}

/// One row per class.
fn table(classes: &[String], evaluation: &Evaluation, split: Split, epoch: usize, precision: Precision) -> String {
    let shown = |value: Option<f64>| number(value).unwrap_or_else(|| "–".to_string());
    let rows = classes.iter().zip(evaluation.class_accuracies()).zip(evaluation.class_counts());
    let rows = rows.map(|((class, accuracy), count)| vec![text(class), number(accuracy), text(count)]).collect();
    format!(
        "epoch {epoch} on {split}{}: top-1 {} · top-5 {} · loss {} · {} images{}\n\n{}",
        if precision == Precision::F32 { String::new() } else { format!(" in {precision}") },
        shown(evaluation.accuracy()),
        shown(evaluation.top5()),
        shown(evaluation.loss()),
        evaluation.count(),
        match evaluation.undefined.iter().sum() {
            0 => String::new(),
            undefined => format!(", {undefined} of them without a prediction: their logits are not finite"),
        },
        Table { headings: vec!["class", "accuracy", "images"], rows, left: 1 }.aligned()
    )
}

/// One row per class, every digit, and the whole split in a row of its own named `*`.
fn csv(classes: &[String], evaluation: &Evaluation) -> String {
    let exact = |value: Option<f64>| value.and_then(text);
    let of_classes = classes.iter().zip(evaluation.class_accuracies()).zip(evaluation.class_counts());
    let mut rows: Vec<Vec<Cell>> = of_classes
        .map(|((class, accuracy), count)| vec![text(class), text(count), exact(accuracy), None, None])
        .collect();
    let [accuracy, top5, loss] = [evaluation.accuracy(), evaluation.top5(), evaluation.loss()].map(exact);
    rows.push(vec![text("*"), text(evaluation.count()), accuracy, top5, loss]);
    Table { headings: vec!["class", "images", "accuracy", "top5", "loss"], rows, left: 1 }.csv()
}

fn answer(classes: &[String], evaluation: &Evaluation, split: Split, epoch: usize, precision: Precision) -> Value {
    serde_json::json!({
        "epoch": epoch,
        "split": split.to_string(),
        "precision": precision.name(),
        "images": evaluation.count(),
        "loss": evaluation.loss(),
        "top1": evaluation.accuracy(),
        "top5": evaluation.top5(),
        "classes": classes,
        "class_accuracy": evaluation.class_accuracies(),
        "confusion": evaluation.confusion,
        "undefined": evaluation.undefined,
    })
}
