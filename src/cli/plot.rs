//! `driftscope plot`: loss, accuracy and drift over the epochs, for a paper.

use super::args::{self, FloorArguments, StoredMethodArguments};
use super::error::wrong;
use super::input::{finished, floor};
use super::output::{checked, deliver, format};
use crate::draw::FigureFormat;
use crate::drift::{Options, Reference, analyse};
use crate::measure::Measure;
use crate::report::curves;
use crate::store::EpochMetrics;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope plot`.
#[derive(Debug, Args)]
pub(super) struct PlotArguments {
    /// The run's folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Where to write: .svg or .png; - is stdout, as SVG
    #[arg(long, short, value_name = "FILE", default_value = "drift.svg")]
    out: PathBuf,
    /// Measures of drift, separated by commas; each gets its own plot
    #[arg(long, value_name = "MEASURES", value_delimiter = ',', default_value = "top20-iou,spearman,js-divergence",
          value_parser = args::measure(), hide_possible_values = true)]
    measures: Vec<Measure>,
    /// The epoch that each epoch is compared with: previous, first, best or a number
    #[arg(long, value_name = "EPOCH", default_value = "previous")]
    against: Reference,
    #[command(flatten)]
    methods: StoredMethodArguments,
    #[command(flatten)]
    floor: FloorArguments,
    /// Pixels a point, of a PNG
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0)]
    sharpness: f32,
}

pub(super) fn run(arguments: &PlotArguments) -> Result<ExitCode> {
    let out = checked("--out", &arguments.out)?;
    let format: FigureFormat = format("--out", &out, &arguments.out, &["svg", "png"])?.parse()?;
    if format == FigureFormat::Png && !(0.1..=16.0).contains(&arguments.sharpness) {
        return Err(wrong(format!("--sharpness {}: expected 0.1 to 16", arguments.sharpness)));
    }
    let reader = finished(&arguments.run)?;
    let options = Options {
        measures: arguments.measures.clone(),
        against: vec![arguments.against],
        explainers: arguments.methods.methods.clone(),
        seed_run: floor(&reader, arguments.floor.floor.as_ref())?,
        groups: false,
        ..Options::default()
    };
    let analysis = analyse(&reader, &options)?;
    let metrics: Vec<EpochMetrics> =
        reader.epochs().iter().map(|&epoch| reader.metrics(epoch)).collect::<Result<_, _>>()?;
    let title = format!("{} · {}", reader.info().name, reader.info().model);
    let plots = curves(&title, &metrics, &analysis.drift, &analysis.titles, arguments.against.against());
    let bytes = plots.scene(arguments.sharpness)?.encoded(format)?;
    deliver(&out, &arguments.out, &bytes)?;
    Ok(ExitCode::SUCCESS)
}
