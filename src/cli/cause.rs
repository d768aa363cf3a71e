//! `driftscope cause`: which part of the model moved its evidence from one epoch to the next.

use super::args::{self, DeviceArguments, TargetArguments, WeightArguments};
use super::input::finished;
use super::output::FormatArguments;
use crate::explain::Explainer;
use crate::faithfulness::Summary;
use crate::probe::{Cause, Images, Question, causes};
use crate::progress::Progress;
use crate::report::{Table, number, text};
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
    arguments.format.print(&table(&steps), || answer(&steps))?;
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
