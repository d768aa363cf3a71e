//! `driftscope drift`: how the evidence of a run moved, on stdout.

use super::args::{self, FloorArguments, OrAll, ResampleArguments, StoredMethodArguments};
use super::error::wrong;
use super::input::{finished, floor};
use super::output::print;
use super::output::{Format, FormatArguments, json};
use crate::drift::{Analysis, FailAbove, Options, Protocol, Reference, Verdict, analyse, semantic_drift};
use crate::measure::Measure;
use crate::report::{drift_csv, drift_summary, drift_table, image_csv, image_table, protocol_table, spread_table};
use crate::run::RunRecord;
use crate::store::RunReader;
use anyhow::{Result, bail};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rows of `--images` in a table.
const IMAGES: usize = 40;

/// Flags of `driftscope drift`.
#[derive(Debug, Args)]
pub(super) struct DriftArguments {
    /// The run's folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Measures, separated by commas; `all` includes the slow ones [default: top20-iou, spearman and js-divergence in a table,
    /// every fast one in CSV and JSON]
    #[arg(long, value_name = "MEASURES", value_delimiter = ',', value_parser = args::measure_or_all(), hide_possible_values = true)]
    measures: Vec<OrAll<Measure>>,
    /// The epochs that each epoch is compared with, separated by commas: previous, first, best or a number
    #[arg(long, value_name = "EPOCHS", value_delimiter = ',', default_value = "previous,first")]
    against: Vec<Reference>,
    #[command(flatten)]
    methods: StoredMethodArguments,
    /// Only this epoch
    #[arg(long, value_name = "EPOCH", value_parser = args::whole::<usize>(..))]
    epoch: Option<usize>,
    #[command(flatten)]
    floor: FloorArguments,
    /// Also for each outcome of the prediction (such as: became right), and for each class
    #[arg(long)]
    groups: bool,
    /// Each image instead of the panel: a table has those that drifted most at the last epoch, CSV has all
    #[arg(long, conflicts_with = "groups")]
    images: bool,
    /// How wide the maps are instead: entropy, effective area, attention distance and others
    #[arg(long, conflicts_with_all = ["groups", "images"])]
    spread: bool,
    /// The measurements of a published study instead: semantic-drift (Elangovan & Ting 2026), from the end of the head-only
    /// phase to the last epoch, on images classified correctly at both
    #[arg(long, value_name = "NAME", conflicts_with_all = ["groups", "images", "spread", "fail_above"])]
    protocol: Option<Protocol>,
    /// The last epoch of the head-only phase, for --protocol [default: the run's freeze.head_only_epochs]
    #[arg(long, value_name = "EPOCH", requires = "protocol", value_parser = args::whole::<usize>(..))]
    head_only_epoch: Option<usize>,
    /// Exit with 1 if any drift that is printed exceeds a limit: spearman=0.3. For a similarity, drift is 1 − value; may be
    /// repeated
    #[arg(long, value_name = "MEASURE=VALUE")]
    fail_above: Vec<FailAbove>,
    #[command(flatten)]
    resamples: ResampleArguments,
    #[command(flatten)]
    format: FormatArguments,
}

pub(super) fn run(arguments: &DriftArguments) -> Result<ExitCode> {
    let reader = finished(&arguments.run)?;
    if let Some(Protocol::SemanticDrift) = arguments.protocol {
        return protocol(arguments, &reader);
    }
    let mut analysis = analyse(&reader, &options(arguments, &reader)?)?;
    if let Some(epoch) = arguments.epoch {
        if !reader.epochs().contains(&epoch) {
            bail!("--epoch {epoch}: {} has epochs {}", arguments.run.display(), list(reader.epochs()));
        }
        analysis.drift.retain(|estimate| estimate.epoch == epoch);
        analysis.image_drift.retain(|estimate| estimate.epoch == epoch);
        analysis.spread.retain(|estimate| estimate.epoch == epoch);
    }
    print(&text(arguments, &analysis)?)?;
    judge(&arguments.fail_above, &analysis)
}

fn options(arguments: &DriftArguments, reader: &RunReader) -> Result<Options> {
    let mut measures = Vec::new();
    for measure in &arguments.measures {
        match measure {
            OrAll::All => measures.extend(Measure::ALL),
            OrAll::One(measure) => measures.push(*measure),
        }
    }
    if measures.is_empty() {
        measures = if arguments.format.format == Format::Table { Measure::LIVE.to_vec() } else { Measure::fast() };
    }
    measures.extend(arguments.fail_above.iter().map(|limit| limit.measure));
    let mut seen = Vec::new();
    measures.retain(|measure| {
        !seen.contains(measure) && {
            seen.push(*measure);
            true
        }
    });
    Ok(Options {
        measures,
        against: arguments.against.clone(),
        explainers: arguments.methods.methods.clone(),
        seed_run: floor(reader, arguments.floor.floor.as_ref())?,
        groups: arguments.groups,
        resamples: arguments.resamples.resamples,
        ..Options::default()
    })
}

fn text(arguments: &DriftArguments, analysis: &Analysis) -> Result<String> {
    let leading = analysis.drift.first().and_then(|estimate| estimate.measure.parse::<Measure>().ok());
    Ok(match (arguments.format.format, leading) {
        (Format::Json, _) => json(analysis)?,
        (Format::Csv, _) if arguments.images => image_csv(analysis),
        (Format::Csv, _) => drift_csv(&analysis.drift),
        (Format::Table, Some(measure)) if arguments.images => {
            image_table(analysis, measure, arguments.against[0].against(), None, IMAGES)
        }
        (Format::Table, _) if arguments.spread => spread_table(&analysis.spread),
        (Format::Table, _) => format!("{}\n{}", drift_table(&analysis.drift), drift_summary(analysis)),
    })
}

/// One line a limit that was exceeded.
fn judge(limits: &[FailAbove], analysis: &Analysis) -> Result<ExitCode> {
    let mut failures = Vec::new();
    for limit in limits {
        let name = limit.measure.name();
        match limit.judge(&analysis.drift) {
            Verdict::Within => {}
            Verdict::NothingToJudge => failures.push(format!("--fail-above {name}: no estimate has a value")),
            Verdict::Above(estimates) => failures.extend(estimates.into_iter().map(|estimate| {
                format!(
                    "--fail-above {name}={}: {} ({}) is {:.4} at epoch {} against epoch {}",
                    limit.limit,
                    estimate.explainer,
                    estimate.target,
                    estimate.value.unwrap_or(f64::NAN),
                    estimate.epoch,
                    estimate.reference_epoch
                )
            })),
        }
    }
    if failures.is_empty() { Ok(ExitCode::SUCCESS) } else { bail!(failures.join("\n       ")) }
}

fn protocol(arguments: &DriftArguments, reader: &RunReader) -> Result<ExitCode> {
    let head_only = match arguments.head_only_epoch {
        Some(epoch) => epoch,
        None => RunRecord::read(&arguments.run)?.config.freeze.head_only_epochs,
    };
    if head_only == 0 && arguments.head_only_epoch.is_none() {
        bail!(
            "{} had no head-only phase (freeze.head_only_epochs is 0); say where to begin with --head-only-epoch",
            arguments.run.display()
        );
    }
    let estimates = semantic_drift(reader, head_only, arguments.epoch, arguments.resamples.resamples)?;
    print(&match arguments.format.format {
        Format::Table => protocol_table(&estimates),
        Format::Csv => return Err(wrong("--format csv: --protocol prints a table or JSON".to_string())),
        Format::Json => json(&estimates)?,
    })?;
    Ok(ExitCode::SUCCESS)
}

fn list(epochs: &[usize]) -> String {
    epochs.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}
