//! `driftscope eval`: a checkpoint on the test split, which training never sees.

use super::limits::LimitArguments;
use super::output::checked;
use super::run_spec::RunSpec;
use super::{Format, left_out, open_data, print};
use crate::data::{Batching, DataConfig, Split};
use crate::device::DeviceChoice;
use crate::report::{aligned, confusion_csv, csv_row};
use crate::run::{Reopened, RunRecord, reopen, same_data, same_panel};
use crate::train::{Evaluation, Progress, evaluate};
use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope eval`.
#[derive(Debug, Args)]
pub(super) struct EvalArguments {
    /// The run, and its epoch: RUN or RUN@last (the last), RUN@N or RUN@best
    #[arg(value_name = "RUN[@EPOCH]")]
    run: RunSpec,
    /// Which split: test, val or train
    #[arg(long, value_name = "SPLIT", default_value = "test")]
    split: Split,
    /// Where the run's pictures lie by now [default: where they lay]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitArguments,
    /// Where to compute: auto, cpu, cuda, cuda:N or flex
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// Pictures in one pass [default: the run's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    batch_size: Option<u64>,
    /// The trained weights themselves, where the run keeps an average of them
    #[arg(long)]
    raw: bool,
    /// Also write the confusion matrix (rows: labels, columns: predictions) as CSV; - is stdout, instead of the table
    #[arg(long, value_name = "FILE")]
    confusion: Option<PathBuf>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

pub(super) fn run(arguments: &EvalArguments) -> Result<ExitCode> {
    let confusion = arguments.confusion.as_ref().map(|path| checked("--confusion", path)).transpose()?;
    let (device, _) = arguments.device.open()?;
    let Reopened { record, position, model } =
        reopen(&arguments.run.path, arguments.run.which, arguments.raw, &device)?;
    let run = &arguments.run.path;
    let data = open_data(&source(arguments, &record)?)?;
    let mut progress = Progress::of_phases();
    let notes = same_data(run, &record, &data, &[arguments.split])?;
    left_out(&data).iter().chain(&notes).for_each(|line| progress.say(line));
    same_panel(run, &record, &data)?.iter().for_each(|line| progress.say(line));
    let index = data.split(arguments.split);
    if index.samples().is_empty() {
        bail!("{} has no {} split", data.name, arguments.split);
    }

    let config = &record.config;
    let batch_size = arguments.batch_size.map_or(config.batch_size, |size| size as usize);
    let batching = Batching { batch_size, preprocessing: config.preprocessing };
    progress.phase("evaluating", index.samples().len());
    let each_batch = |done| progress.phase_step(done);
    let evaluation = evaluate(&model, data.classes.len(), index, batching, &device, each_batch)?;
    progress.finish();
    data.verify_unchanged(arguments.split)?;

    if let Some(confusion) = &confusion {
        confusion.write(confusion_csv(&data.classes, &evaluation.confusion).as_bytes())?;
        if confusion.is_stdout() {
            return Ok(ExitCode::SUCCESS); // two tables in one stream are none
        }
    }
    let epoch = position.epoch;
    print(&match arguments.format {
        Format::Table => table(&data.classes, &evaluation, arguments.split, epoch),
        Format::Csv => csv(&data.classes, &evaluation),
        Format::Json => json(&data.classes, &evaluation, arguments.split, epoch)?,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Where the run's pictures are, and how strictly they are read.
fn source(arguments: &EvalArguments, record: &RunRecord) -> Result<DataConfig> {
    let mut source = record.config.data.clone();
    source.set_limits(arguments.limits.over(source.limits()));
    match (&mut source, &arguments.data) {
        (DataConfig::Folder(folder), Some(data)) => folder.root = std::path::absolute(data)?,
        (DataConfig::Textures(_), Some(_)) => bail!("--data: {} learned from the embedded textures", record.name),
        (DataConfig::Folder(folder), None) if !folder.root.exists() => bail!(
            "the run's pictures were in {}, which is not there; say where they are now with --data FOLDER",
            folder.root.display()
        ),
        _ => {}
    }
    Ok(source)
}

fn table(classes: &[String], evaluation: &Evaluation, split: Split, epoch: usize) -> String {
    let number = |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{value:.4}"));
    let counts = evaluation.class_counts();
    let rows = classes.iter().zip(evaluation.class_accuracies()).zip(counts);
    let rows: Vec<Vec<String>> =
        rows.map(|((class, accuracy), count)| vec![class.clone(), number(accuracy), count.to_string()]).collect();
    format!(
        "epoch {epoch} on {split}: top-1 {} · top-5 {} · loss {} · {} images{}\n\n{}",
        number(evaluation.accuracy()),
        number(evaluation.top5()),
        number(evaluation.loss()),
        evaluation.count(),
        match evaluation.undefined.iter().sum() {
            0 => String::new(),
            undefined => format!(", {undefined} of them without a prediction: their logits are not finite"),
        },
        aligned(&["class", "accuracy", "images"], &rows, 1)
    )
}

/// A row a class, and the whole split in a row of its own named `*`.
fn csv(classes: &[String], evaluation: &Evaluation) -> String {
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let mut table = csv_row(["class", "images", "accuracy", "top5", "loss"]);
    let rows = classes.iter().zip(evaluation.class_accuracies()).zip(evaluation.class_counts());
    for ((class, accuracy), count) in rows {
        table += &csv_row([class.clone(), count.to_string(), number(accuracy), String::new(), String::new()]);
    }
    let [accuracy, top5, loss] = [evaluation.accuracy(), evaluation.top5(), evaluation.loss()].map(number);
    table + &csv_row(["*".to_string(), evaluation.count().to_string(), accuracy, top5, loss])
}

fn json(classes: &[String], evaluation: &Evaluation, split: Split, epoch: usize) -> Result<String> {
    let value = json!({
        "epoch": epoch,
        "split": split.to_string(),
        "images": evaluation.count(),
        "loss": evaluation.loss(),
        "top1": evaluation.accuracy(),
        "top5": evaluation.top5(),
        "classes": classes,
        "class_accuracy": evaluation.class_accuracies(),
        "confusion": evaluation.confusion,
        "undefined": evaluation.undefined,
    });
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}
