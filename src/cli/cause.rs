//! `driftscope cause`: which part of the model moved its evidence from one epoch to the next.

use super::args::{self, DeviceArguments, TargetArguments, WeightArguments};
use super::input::finished;
use super::output::{Format, FormatArguments, print};
use crate::explain::Explainer;
use crate::faithfulness::Summary;
use crate::probe::{Cause, Contribution, Images, Part, Question, causes};
use crate::progress::Progress;
use crate::report::{COLUMNS, Table, aligned, number, shortened, text, wrapped};
use crate::run::{Which, reopen, with_weights};
use crate::store::RunReader;
use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope cause`.
#[derive(Debug, Args)]
pub(super) struct CauseArguments {
    /// The run's folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The earlier epoch; with --to alone, the one before it [default: each epoch that still has weights, and the next]
    #[arg(long, value_name = "EPOCH", requires = "to", value_parser = args::whole::<usize>(..))]
    from: Option<usize>,
    /// The later epoch
    #[arg(long, value_name = "EPOCH", value_parser = args::whole::<usize>(..))]
    to: Option<usize>,
    /// Explanation methods, separated by commas, with settings behind colons [default: the run's]
    #[arg(long, value_name = "METHODS", value_delimiter = ',', value_parser = args::method(), hide_possible_values = true)]
    methods: Vec<Explainer>,
    #[command(flatten)]
    targets: TargetArguments,
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    weights: WeightArguments,
    #[command(flatten)]
    format: FormatArguments,
}

/// What moved the evidence between two epochs.
struct Step {
    from: usize,
    to: usize,
    causes: Vec<Cause>,
}

pub(super) fn run(arguments: &CauseArguments) -> Result<ExitCode> {
    let reader = finished(&arguments.run)?;
    let progress = Progress::new();
    let pairs = pairs(arguments, &reader, &progress)?;
    let (device, _) = arguments.device.device.open()?;
    let mut steps = Vec::new();
    for (from, to) in pairs {
        let open = |epoch| reopen(&arguments.run, Which::Epoch(epoch), arguments.weights.raw, &device);
        let (earlier, later) = (open(from)?, open(to)?);
        let config = &later.record.config;
        let images = Images::of_run(&reader, config.preprocessing.normalisation, config.panel.seed)?;
        let explainers =
            if arguments.methods.is_empty() { config.explainers.clone() } else { arguments.methods.clone() };
        let classes = &later.record.classes;
        let mut words = arguments.targets.words(classes);
        if words.is_empty() {
            words = config.panel.targets.clone();
        }
        let question = Question::new(explainers, &words, classes)?;
        let phase = progress.phase("mixing");
        let told = |done, all| phase.done(done, all);
        let causes = causes(&images, &question, [&earlier.model, &later.model], &device, told)?;
        steps.push(Step { from, to, causes });
    }
    progress.finish();
    match arguments.format.format {
        Format::Table => print(&read(&steps))?,
        _ => arguments.format.print(&table(&steps), || answer(&steps))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The pairs of epochs to look between; says which were pruned.
fn pairs(arguments: &CauseArguments, reader: &RunReader, progress: &Progress) -> Result<Vec<(usize, usize)>> {
    let kept = with_weights(&arguments.run)?;
    let before = |epoch: usize| kept.iter().copied().rfind(|&one| one < epoch);
    match (arguments.from, arguments.to) {
        (Some(from), Some(to)) => Ok(vec![(from, to)]),
        (None, Some(to)) => match before(to) {
            Some(from) => Ok(vec![(from, to)]),
            None => bail!("--to {to}: no earlier epoch of {} has weights", arguments.run.display()),
        },
        _ if kept.len() < 2 => {
            bail!("{} has the weights of {} epoch; a cause lies between two", arguments.run.display(), kept.len())
        }
        _ => {
            let pruned: Vec<String> =
                reader.epochs().iter().filter(|epoch| !kept.contains(epoch)).map(usize::to_string).collect();
            if !pruned.is_empty() {
                progress.say(&format!(
                    "the weights of epoch {} were pruned (checkpoints.keep_best, checkpoints.keep_last): comparing only epochs that still have weights",
                    pruned.join(", ")
                ));
            }
            Ok(kept.windows(2).map(|pair| (pair[0], pair[1])).collect())
        }
    }
}

/// What the columns mean, a line each.
const LEGEND: &str = "\
change  how far the maps of the two epochs are apart: 1 - Spearman's correlation
share   the part's share of it, with its 95 % interval; the shares sum to 1, and
        one that worked against the change is negative
alone   the change when this part alone is the later epoch's
undone  the change when this part alone is still the earlier epoch's
";
/// Columns of a method and target in the table.
const METHOD: usize = 22;

/// For a person: a sentence a step, method and target, a row for each of its parts, and what the columns mean.
fn read(steps: &[Step]) -> String {
    let causes = || steps.iter().flat_map(|step| step.causes.iter().map(move |cause| (step, cause)));
    let said: String = causes().map(|(step, cause)| wrapped(&sentence(step, cause), COLUMNS, 2)).collect();
    let rows = |(step, cause): (&Step, &Cause)| {
        let of_part = |of: &Contribution| row(step, cause, of);
        cause.contributions.iter().map(of_part).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = causes().flat_map(rows).collect();
    let headings = ["method", "epochs", "part", "change", "share", "alone", "undone"];
    format!("{said}\n{}\n{LEGEND}", aligned(&headings, &rows, 3))
}

fn row(step: &Step, cause: &Cause, of: &Contribution) -> Vec<String> {
    let far = |value: Option<f64>| value.map_or("–".to_string(), |value| digits(value, 3));
    let interval =
        of.share.interval.map_or(String::new(), |[low, high]| format!(" [{}, {}]", digits(low, 2), digits(high, 2)));
    vec![
        shortened(&format!("{} ({})", cause.explainer, cause.target), METHOD),
        format!("{} to {}", step.from, step.to),
        part(of.part).to_string(),
        far(cause.change.mean),
        of.share.mean.map_or("–".to_string(), |share| digits(share, 2)) + &interval,
        far(of.alone.mean),
        far(of.undone.mean),
    ]
}

/// So many digits after the point; nothing is minus zero.
fn digits(value: f64, count: usize) -> String {
    let text = format!("{value:.count$}");
    if text.parse() == Ok(0.0) { format!("{:.count$}", 0.0) } else { text }
}

/// A change that the table shows as nothing.
const HARDLY: f64 = 0.0005;

fn part(part: Part) -> &'static str {
    match part {
        Part::Head => "head",
        Part::BatchNormStatistics => "statistics",
        Part::Backbone => "backbone",
    }
}

/// Which part most of a change is put down to.
fn sentence(step: &Step, cause: &Cause) -> String {
    let (from, to, name) = (step.from, step.to, format!("{} ({})", cause.explainer, cause.target));
    let shares = cause.contributions.iter().filter_map(|of| Some((of, of.share.mean?)));
    let most = shares.max_by(|(_, one), (_, other)| one.total_cmp(other));
    match (cause.change.mean, most) {
        (Some(change), Some((of, share))) if change >= HARDLY => {
            let named = match of.part {
                Part::BatchNormStatistics => "batch-norm statistics",
                other => part(other),
            };
            let (change, percent) = (digits(change, 3), 100.0 * share);
            format!(
                "From epoch {from} to {to} the maps of {name} changed by {change}; {percent:.0} % of that is put down to the \
                 {named}."
            )
        }
        _ => format!("From epoch {from} to {to} the maps of {name} hardly changed."),
    }
}

/// One row per pair of epochs, method, target and part.
fn table(steps: &[Step]) -> Table {
    let end = |summary: &Summary, end: usize| number(summary.interval.map(|interval| interval[end]));
    let mut rows = Vec::new();
    for step in steps {
        for cause in &step.causes {
            for of in &cause.contributions {
                rows.push(vec![
                    text(&cause.explainer),
                    text(&cause.target),
                    text(of.part.name()),
                    text(step.from),
                    text(step.to),
                    number(cause.change.mean),
                    number(of.share.mean),
                    end(&of.share, 0),
                    end(&of.share, 1),
                    number(of.alone.mean),
                    number(of.undone.mean),
                    text(of.share.defined),
                ]);
            }
        }
    }
    let headings = vec![
        "explainer",
        "target",
        "part",
        "from",
        "to",
        "change",
        "share",
        "low",
        "high",
        "alone",
        "undone",
        "images",
    ];
    Table { headings, rows, left: 3 }
}

fn answer(steps: &[Step]) -> Value {
    let of = |step: &Step| json!({ "from": step.from, "to": step.to, "causes": step.causes });
    json!({ "steps": steps.iter().map(of).collect::<Vec<_>>() })
}
