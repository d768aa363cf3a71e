//! `driftscope cause`: which part of the model moved its evidence from one epoch to the next.

use super::output::finished;
use super::{Format, print};
use crate::cause::{Cause, causes};
use crate::device::DeviceChoice;
use crate::evidence::{Question, Subjects};
use crate::explain::{Explainer, Target};
use crate::faithfulness::Summary;
use crate::report::{aligned, csv_row};
use crate::run::{Which, reopen, with_weights};
use crate::store::RunReader;
use crate::train::Progress;
use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope cause`.
#[derive(Debug, Args)]
pub(super) struct CauseArguments {
    /// The run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The earlier epoch; with --to alone the one before it [default: every epoch with weights and the next one]
    #[arg(long, value_name = "EPOCH", requires = "to")]
    from: Option<usize>,
    /// The later epoch
    #[arg(long, value_name = "EPOCH")]
    to: Option<usize>,
    /// Methods, separated by commas, with settings behind colons [default: the run's]
    #[arg(long, value_name = "METHODS", value_delimiter = ',')]
    methods: Vec<Explainer>,
    /// Classes to explain, separated by commas: label, prediction (the later epoch's), or a class by its name, class:NAME
    /// where that might mean something else; may be repeated [default: the run's]
    #[arg(long, value_name = "TARGETS")]
    targets: Vec<String>,
    /// Where to compute: auto, cpu, cuda, cuda:N or flex
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// The trained weights themselves, where the run keeps an average of them
    #[arg(long)]
    raw: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

/// What moved the evidence between two epochs.
struct Step {
    from: usize,
    to: usize,
    causes: Vec<Cause>,
}

pub(super) fn run(arguments: &CauseArguments) -> Result<ExitCode> {
    let reader = finished(&arguments.run)?;
    let mut progress = Progress::of_phases();
    let pairs = pairs(arguments, &reader, &progress)?;
    let (device, _) = arguments.device.open()?;
    let mut steps = Vec::new();
    for (from, to) in pairs {
        let open = |epoch| reopen(&arguments.run, Which::Epoch(epoch), arguments.raw, &device);
        let (earlier, later) = (open(from)?, open(to)?);
        let config = &later.record.config;
        let subjects = Subjects::of_run(&reader, config.panel.seed)?;
        let explainers =
            if arguments.methods.is_empty() { config.explainers.clone() } else { arguments.methods.clone() };
        let classes = &later.record.classes;
        let words = match arguments.targets.as_slice() {
            [] => config.panel.targets.clone(),
            texts => Target::words(texts, classes),
        };
        let question = Question::new(explainers, &words, classes)?;
        let told = |done, all| {
            if done == 1 {
                progress.phase("mixing", all);
            }
            progress.phase_step(done);
        };
        let causes = causes(&subjects, &question, [&earlier.model, &later.model], &device, told)?;
        steps.push(Step { from, to, causes });
    }
    progress.finish();
    print(&match arguments.format {
        Format::Json => json_of(&steps)?,
        format => table(&steps, format),
    })?;
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
                    "the weights of epoch {} were pruned (checkpoints.keep_best, checkpoints.keep_last): between the others it is told what moved",
                    pruned.join(", ")
                ));
            }
            Ok(kept.windows(2).map(|pair| (pair[0], pair[1])).collect())
        }
    }
}

/// A row a step, method, target and part.
fn table(steps: &[Step], format: Format) -> String {
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.4}"));
    let end = |summary: &Summary, end: usize| number(summary.interval.map(|interval| interval[end]));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for step in steps {
        for cause in &step.causes {
            for of in &cause.contributions {
                rows.push(vec![
                    cause.explainer.clone(),
                    cause.target.clone(),
                    of.part.name().to_string(),
                    step.from.to_string(),
                    step.to.to_string(),
                    number(cause.change.mean),
                    number(of.share.mean),
                    end(&of.share, 0),
                    end(&of.share, 1),
                    number(of.alone.mean),
                    number(of.undone.mean),
                    of.share.defined.to_string(),
                ]);
            }
        }
    }
    let header =
        ["explainer", "target", "part", "from", "to", "change", "share", "low", "high", "alone", "undone", "images"];
    match format {
        Format::Csv => csv_row(header) + &rows.iter().map(csv_row).collect::<String>(),
        _ => aligned(&header, &rows, 3),
    }
}

fn json_of(steps: &[Step]) -> Result<String> {
    let of = |step: &Step| json!({ "from": step.from, "to": step.to, "causes": step.causes });
    Ok(serde_json::to_string_pretty(&steps.iter().map(of).collect::<Vec<_>>())? + "\n")
}
