//! `driftscope plot`: loss, accuracy and drift over the epochs, for a paper.

use super::args::{self, FloorArguments, StillArguments, StoredMethodArguments};
use super::error::wrong;
use super::input::{finished, floor};
use super::output::{checked, deliver, format};
use crate::draw::FigureFormat;
use crate::drift::{Against, Options, Reference, analyse};
use crate::measure::Measure;
use crate::report::{Curves, curves, matrices};
use crate::store::EpochMetrics;
use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// The file that is written where none is named.
const CURVES: &str = "drift.svg";
const MATRIX: &str = "matrix.svg";

/// Flags of `driftscope plot`.
#[derive(Debug, Args)]
pub(super) struct PlotArguments {
    /// The run's folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Where to write: .svg or .png; - is stdout, as SVG [default: drift.svg, with --matrix matrix.svg]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Every epoch against every other instead: a matrix a method, with its phases outlined
    #[arg(long, conflicts_with = "against")]
    matrix: bool,
    /// Measures to plot as they are, with their floors and chance, separated by commas: `driftscope list measures` names them.
    /// With --matrix the first one is what is shown, instead of spearman
    #[arg(long, value_name = "MEASURES", value_delimiter = ',', value_parser = args::measure(), hide_possible_values = true)]
    measures: Vec<Measure>,
    /// The epoch that each epoch is compared with: previous, first, best or a number [default: both previous and first]
    #[arg(long, value_name = "EPOCH")]
    against: Option<Reference>,
    #[command(flatten)]
    methods: StoredMethodArguments,
    #[command(flatten)]
    floor: FloorArguments,
    #[command(flatten)]
    still: StillArguments,
    /// Pixels a point, of a PNG
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0)]
    sharpness: f32,
}

pub(super) fn run(arguments: &PlotArguments) -> Result<ExitCode> {
    let named = arguments.out.clone().unwrap_or_else(|| if arguments.matrix { MATRIX } else { CURVES }.into());
    let out = checked("--out", &named)?;
    let format: FigureFormat = format("--out", &out, &named, &["svg", "png"])?.parse()?;
    if format == FigureFormat::Png && !(0.1..=16.0).contains(&arguments.sharpness) {
        return Err(wrong(format!("--sharpness {}: expected 0.1 to 16", arguments.sharpness)));
    }
    let reader = finished(&arguments.run)?;
    let against = arguments.against.map_or(vec![Reference::Previous, Reference::First], |one| vec![one]);
    let mut measures = arguments.measures.clone();
    // *Moved* is in the default measure, be it plotted or not.
    if measures.is_empty() || !arguments.matrix && !measures.contains(&Measure::DEFAULT) {
        measures.push(Measure::DEFAULT);
    }
    let options = Options {
        measures,
        against: against.clone(),
        explainers: arguments.methods.methods.clone(),
        seed_run: floor(&reader, arguments.floor.floor.as_ref())?,
        groups: false,
        margin: arguments.still.margin,
        patience: arguments.still.patience,
        ..Options::default()
    };
    let analysis = analyse(&reader, &options)?;
    let title = format!("{} · {}", reader.info().name, reader.info().model);
    let scene = if arguments.matrix {
        matrices(&title, &analysis).scene(arguments.sharpness)
    } else {
        let metrics: Vec<EpochMetrics> =
            reader.epochs().iter().map(|&epoch| reader.metrics(epoch)).collect::<Result<_, _>>()?;
        let roles: Vec<Against> = against.iter().map(|reference| reference.against()).collect();
        let (analysis, measures) = (&analysis, &arguments.measures[..]);
        curves(Curves { title, metrics: &metrics, analysis, moved: &roles, measures }).scene(arguments.sharpness)
    };
    let bytes = scene.with_context(|| format!("{}", arguments.run.display()))?.encoded(format)?;
    deliver(&out, &named, &bytes)?;
    Ok(ExitCode::SUCCESS)
}
