//! `driftscope drift`: how the evidence of a run moved, on stdout.

use super::args::{self, FloorArguments, OrAll, ResampleArguments, StillArguments, StoredMethodArguments};
use super::error::wrong;
use super::input::{finished, floor};
use super::output::print;
use super::output::{Format, FormatArguments, json};
use crate::drift::{Against, Analysis, FailAbove, Matrix, Options, Protocol, Reference, Verdict, semantic_drift};
use crate::measure::Measure;
use crate::report::{
    Answer, Answered, agreement_table, drift_csv, drift_summary, drift_table, image_csv, image_table, matrix_csv,
    matrix_table, moved_image_table, protocol_table, spread_table,
};
use crate::run::RunRecord;
use crate::store::RunReader;
use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Below the small table.
const MORE: &str = "More: --matrix, --images, --groups, --all; --format csv or json.\n";
/// Rows of `--images` in a table.
const IMAGES: usize = 40;

/// Flags of `driftscope drift`.
#[derive(Debug, Args)]
pub(super) struct DriftArguments {
    /// The run's folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Measures to print as they are, separated by commas: `driftscope list measures` names them, `all` includes the slow ones
    /// [default: none in a table, with --all top20-iou, spearman and js-divergence; every fast one in CSV and JSON]
    #[arg(long, value_name = "MEASURES", value_delimiter = ',', value_parser = args::measure_or_all(), hide_possible_values = true)]
    measures: Vec<OrAll<Measure>>,
    /// The epochs that each epoch is compared with, separated by commas: previous, first, best or a number
    /// [default: previous,first]
    #[arg(long, value_name = "EPOCHS", value_delimiter = ',')]
    against: Vec<Reference>,
    #[command(flatten)]
    methods: StoredMethodArguments,
    /// Only this epoch
    #[arg(long, value_name = "EPOCH", value_parser = args::whole::<usize>(..))]
    epoch: Option<usize>,
    #[command(flatten)]
    floor: FloorArguments,
    #[command(flatten)]
    still: StillArguments,
    /// Below the answer also every estimate, with interval, floor and chance, a row an epoch, method and measure; and whether
    /// methods agree on the images
    #[arg(long)]
    all: bool,
    /// Every epoch against every other instead: a triangle a method; a row or record a pair in CSV and JSON
    #[arg(long, conflicts_with_all = ["all", "groups", "images", "spread", "epoch", "against", "fail_above"])]
    matrix: bool,
    /// Also for each outcome of the prediction (such as: became right), and for each class
    #[arg(long)]
    groups: bool,
    /// Each image instead of the panel: a table has those that moved most at the last epoch, CSV has all
    #[arg(long, conflicts_with = "groups")]
    images: bool,
    /// How wide the maps are instead: entropy, effective area, attention distance and others
    #[arg(long, conflicts_with_all = ["groups", "images"])]
    spread: bool,
    /// The measurements of a published study instead: semantic-drift (Elangovan & Ting 2026), from the end of the head-only
    /// phase to the last epoch, on images classified correctly at both
    #[arg(long, value_name = "NAME", conflicts_with_all = ["groups", "images", "spread", "matrix", "all", "fail_above"])]
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
    // The answer is about the whole run, whatever is taken out below.
    let mut answered = Answered::of(&reader, &options(arguments, &reader)?)?;
    let analysis = &mut answered.analysis;
    if let Some(epoch) = arguments.epoch {
        if !reader.epochs().contains(&epoch) {
            bail!("--epoch {epoch}: {} has epochs {}", arguments.run.display(), list(reader.epochs()));
        }
        analysis.drift.retain(|estimate| estimate.epoch == epoch);
        analysis.image_drift.retain(|estimate| estimate.epoch == epoch);
        analysis.spread.retain(|estimate| estimate.epoch == epoch);
    }
    print(&text(arguments, &answered)?)?;
    judge(&arguments.fail_above, &answered.analysis)
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
        against: references(arguments),
        explainers: arguments.methods.methods.clone(),
        seed_run: floor(reader, arguments.floor.floor.as_ref())?,
        groups: arguments.groups,
        margin: arguments.still.margin,
        patience: arguments.still.patience,
        resamples: arguments.resamples.resamples,
        ..Options::default()
    })
}

fn references(arguments: &DriftArguments) -> Vec<Reference> {
    let asked = arguments.against.clone();
    if asked.is_empty() { vec![Reference::Previous, Reference::First] } else { asked }
}

/// What `--matrix --format json` has.
#[derive(Serialize)]
struct Matrices<'a> {
    run: &'a str,
    model: &'a str,
    matrices: &'a [Matrix],
}

fn text(arguments: &DriftArguments, answered: &Answered) -> Result<String> {
    let Answered { analysis, answer } = answered;
    let Analysis { run, model, matrices, .. } = analysis;
    Ok(match arguments.format.format {
        Format::Json if arguments.matrix => json(&Matrices { run, model, matrices })?,
        Format::Json => json(answered)?,
        Format::Csv if arguments.matrix => matrix_csv(matrices),
        Format::Csv if arguments.images => image_csv(analysis),
        Format::Csv => drift_csv(&analysis.drift),
        Format::Table => table(arguments, analysis, answer),
    })
}

/// The answer, and below it the estimates where any are asked for; or what was asked for instead of it.
fn table(arguments: &DriftArguments, analysis: &Analysis, answer: &Answer) -> String {
    let DriftArguments { measures, against, groups, all, epoch, fail_above, .. } = arguments;
    if arguments.matrix {
        return matrix_table(analysis);
    }
    if arguments.spread {
        return spread_table(&analysis.spread);
    }
    if arguments.images {
        let role = references(arguments)[0].against();
        let measure = analysis.drift.first().and_then(|estimate| estimate.measure.parse::<Measure>().ok());
        return match measure.filter(|_| !measures.is_empty() || !matches!(role, Against::Previous | Against::First)) {
            Some(measure) => image_table(analysis, measure, role, *epoch, IMAGES),
            None => moved_image_table(analysis, role, *epoch, IMAGES),
        };
    }
    let asked = !measures.is_empty() || !against.is_empty() || !fail_above.is_empty();
    let summary = drift_summary(analysis, answer);
    let agreement = match *all && !analysis.agreement.is_empty() {
        true => format!("\n{}", agreement_table(&analysis.agreement)),
        false => String::new(),
    };
    match *all || *groups || epoch.is_some() || asked {
        true => format!("{summary}\n{}{agreement}", drift_table(&analysis.drift)),
        false => format!("{summary}{MORE}"),
    }
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
