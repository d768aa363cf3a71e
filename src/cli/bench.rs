//! `driftscope bench`: how fast each part of a run is here, beside what the device could do at most.

use super::args::{self, DeviceArguments};
use super::output::{Format, FormatArguments, json, print};
use super::precision::{self, PrecisionArguments};
use crate::bench::{Measured, Stage, Subject, measure};
use crate::config::RunConfig;
use crate::config::file::Settings;
use crate::data::{CacheSize, DataSet};
use crate::device::DeviceChoice;
use crate::models::ModelName;
use crate::progress::Progress;
use crate::report::{Table, text};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json as object};
use std::process::ExitCode;
use std::time::Duration;

/// Flags of `driftscope bench`.
#[derive(Debug, Args)]
pub(super) struct BenchArguments {
    /// Which model: `driftscope list models` names them; weights are drawn, so no file is needed
    #[arg(long, value_name = "NAME", default_value = "deit_tiny", value_parser = args::model(), hide_possible_values = true)]
    model: ModelName,
    /// Images per batch
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = args::whole::<u32>(1..=u32::MAX))]
    batch_size: u32,
    /// Where images come from: `textures` (embedded), `dtd` (in its usual places), or a folder
    #[arg(long, value_name = "SOURCE", default_value = "textures")]
    data: String,
    /// The least time of each measurement
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = args::whole::<u64>(0..=600))]
    seconds: u64,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    precision: PrecisionArguments,
    #[command(flatten)]
    format: FormatArguments,
}

pub(super) fn run(arguments: &BenchArguments) -> Result<ExitCode> {
    let (device, choice) = arguments.device.device.open()?;
    let config = config(arguments)?;
    let progress = Progress::new();
    precision::check(config.precision, choice)?.iter().for_each(|line| progress.say(line));
    // The thorough way keeps what it found out of files for later, and this command writes nothing.
    let mut data = DataSet::quick(&config.data)?;
    data.trainable()?;
    data.keep_pixels(CacheSize::default().bytes(), &config.preprocessing);
    let subject = Subject {
        config: &config,
        data: &data,
        device: &device,
        gpu: choice.is_gpu(),
        wanted: Duration::from_secs(arguments.seconds),
    };
    let measured = measure(subject, &|what| progress.say(&format!("measuring: {what}")))?;
    progress.finish();
    print(&match arguments.format.format {
        Format::Table => heading(&config, choice, &measured) + &table(&measured).aligned(),
        Format::Csv => table(&measured).csv(),
        Format::Json => json(&answer(&config, choice, &measured))?,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The settings of a run with these flags.
fn config(arguments: &BenchArguments) -> Result<RunConfig> {
    let mut settings = Settings::default();
    settings.set("model", arguments.model.as_str())?;
    settings.set("weights", "none")?;
    settings.set("data.source", arguments.data.as_str())?;
    settings.set("batch_size", i64::from(arguments.batch_size))?;
    if let Some(choice) = arguments.precision.precision {
        settings.set("precision", choice.name())?;
    }
    Ok(settings.resolve()?)
}

/// What was measured where, and what the device can do.
fn heading(config: &RunConfig, choice: DeviceChoice, measured: &Measured) -> String {
    let limits = measured.limits;
    format!(
        "{}, batches of {}, on {choice} ({}), {}\nat most {:.0} GFLOP/s in products of matrices, {:.1} GB/s copied\n\n",
        config.model,
        config.batch_size,
        choice.meaning(),
        config.precision,
        limits.products / 1e9,
        limits.copies / 1e9,
    )
}

/// One row a part. The limit is what its products would allow at the measured rate.
fn table(measured: &Measured) -> Table {
    let rounded = |value: f64| if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") };
    let share = |stage: &Stage| stage.limit.map(|limit| format!("{:.0}", 100.0 * stage.per_second / limit));
    let row = |stage: &Stage| {
        vec![text(&stage.name), text(rounded(stage.per_second)), stage.limit.map(rounded), share(stage)]
    };
    Table {
        headings: vec!["part", "images per second", "limit", "percent of limit"],
        rows: measured.stages.iter().map(row).collect(),
        left: 1,
    }
}

fn answer(config: &RunConfig, choice: DeviceChoice, measured: &Measured) -> Value {
    let part =
        |stage: &Stage| object!({ "name": stage.name, "images_per_second": stage.per_second, "limit": stage.limit });
    object!({
        "version": env!("CARGO_PKG_VERSION"),
        "model": config.model,
        "batch_size": config.batch_size,
        "device": choice.to_string(),
        "precision": config.precision,
        "limits": {
            "products_flop_per_second": measured.limits.products,
            "copies_byte_per_second": measured.limits.copies,
        },
        "parts": measured.stages.iter().map(part).collect::<Vec<_>>(),
    })
}
