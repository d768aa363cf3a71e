//! `driftscope compare`: runs side by side, a CNN and a ViT, two seeds, two recipes.

use super::args::{self, ResampleArguments, StillArguments};
use super::input::side_by_side;
use super::output::{Format, FormatArguments, print};
use crate::drift::{Analysis, Options, Reference, agreement_between, spread_between};
use crate::measure::Measure;
use crate::report::{Answer, Answered, Cell, Compared, Table, comparison, number, text};
use crate::store::RunReader;
use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope compare`.
#[derive(Debug, Args)]
pub(super) struct CompareArguments {
    /// Two or more runs that share a panel
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    runs: Vec<PathBuf>,
    /// Measures of drift, separated by commas
    #[arg(long, value_name = "MEASURES", value_delimiter = ',', default_value = "top20-iou,spearman,js-divergence",
          value_parser = args::measure(), hide_possible_values = true)]
    measures: Vec<Measure>,
    /// The epoch that each epoch is compared with: previous, first, best or a number [default: first for the answer, previous
    /// with --all and in CSV and JSON]
    #[arg(long, value_name = "EPOCH")]
    against: Option<Reference>,
    /// A row for every value instead of the answer
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    still: StillArguments,
    #[command(flatten)]
    resamples: ResampleArguments,
    #[command(flatten)]
    format: FormatArguments,
}

pub(super) fn run(arguments: &CompareArguments) -> Result<ExitCode> {
    let readers = side_by_side(&arguments.runs)?;
    one_panel(&readers)?;
    let short = arguments.format.format == Format::Table && !arguments.all;
    let options = Options {
        measures: arguments.measures.clone(),
        against: vec![arguments.against.unwrap_or(if short { Reference::First } else { Reference::Previous })],
        groups: false,
        margin: arguments.still.margin,
        patience: arguments.still.patience,
        resamples: arguments.resamples.resamples,
        ..Options::default()
    };
    let answered = readers.iter().map(|reader| Answered::of(reader, &options)).collect::<Result<Vec<_>, _>>()?;
    let (mut analyses, answers): (Vec<Analysis>, Vec<Answer>) =
        answered.into_iter().map(|Answered { analysis, answer }| (analysis, answer)).unzip();
    name_apart(&mut analyses, &arguments.runs);
    let mut pairs = Vec::new();
    for (index, one) in analyses.iter().enumerate() {
        for other in &analyses[index + 1..] {
            let agreement = agreement_between(one, other, arguments.resamples.resamples)?;
            pairs.push(Compared { agreement, spread: spread_between(one, other, arguments.resamples.resamples)? });
        }
    }
    if short {
        let runs: Vec<_> = analyses.iter().zip(&answers).collect();
        print(&comparison(&runs, &pairs))?;
    } else {
        arguments.format.print(&table(&analyses, &pairs), || programs(&analyses, &answers, &pairs))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Means over different images cannot be compared. Panels of other digests may hold the same images, if only the
/// training split differs: the copies that the runs keep decide.
fn one_panel(readers: &[RunReader]) -> Result<()> {
    let first = &readers[0];
    for other in readers[1..].iter().filter(|other| other.info().panel.digest != first.info().panel.digest) {
        let (one, two) = (first.dir().display(), other.dir().display());
        if let Some(difference) = difference(first, other)? {
            bail!(
                "{one} and {two} explain different panels: {difference}; runs can be compared only if their panels have the \
                 same images"
            );
        }
    }
    Ok(())
}

/// How the images of two panels differ; `None` if they are the same, byte for byte, in any order.
fn difference(first: &RunReader, other: &RunReader) -> Result<Option<String>> {
    let (one, two) = (&first.info().panel, &other.info().panel);
    let shared = two.ids.iter().filter(|id| one.ids.contains(id)).count();
    if shared < one.ids.len() || shared < two.ids.len() {
        return Ok(Some(format!("{} images there, {} here, {shared} of them shared", one.ids.len(), two.ids.len())));
    }
    let class = |run: &RunReader, place: usize| {
        let label = run.info().panel.labels.get(place).and_then(|label| run.info().classes.get(*label));
        label.cloned().unwrap_or_default()
    };
    for (here, id) in two.ids.iter().enumerate() {
        let there = one.ids.iter().position(|other| other == id).unwrap_or(here);
        let classes = [class(first, there), class(other, here)];
        if classes[0] != classes[1] {
            return Ok(Some(format!("{id} is of class {} there, {} here", classes[0], classes[1])));
        }
        if first.panel_image(there)? != other.panel_image(here)? {
            return Ok(Some(format!("{id} is another image there")));
        }
    }
    Ok(None)
}

/// Runs of one name are called by their directories.
fn name_apart(analyses: &mut [Analysis], paths: &[PathBuf]) {
    let names: Vec<String> = analyses.iter().map(|analysis| analysis.run.clone()).collect();
    for (index, analysis) in analyses.iter_mut().enumerate() {
        if names.iter().filter(|name| **name == names[index]).count() > 1 {
            analysis.run = paths[index].display().to_string();
        }
    }
}

/// One row per value: how a run learned and drifted, whether two see the same images move, and whose evidence is wider.
fn table(analyses: &[Analysis], pairs: &[Compared]) -> Table {
    let mut rows: Vec<Vec<Cell>> = analyses.iter().flat_map(rows_of_run).collect();
    rows.extend(pairs.iter().flat_map(rows_of_pair));
    let headings = vec!["what", "of", "one", "other", "epoch", "value", "low", "high", "floor", "chance", "images"];
    Table { headings, rows, left: 4 }
}

fn rows_of_run(analysis: &Analysis) -> Vec<Vec<Cell>> {
    let accuracy = analysis.accuracy.iter().map(|(&epoch, &accuracy)| {
        let names = ["accuracy", "val-accuracy", &analysis.run, ""];
        row(names, epoch, [Some(accuracy), None, None], None, None)
    });
    let drift = analysis.drift.iter().map(|estimate| {
        let one = format!("{}:{}/{}", analysis.run, estimate.explainer, estimate.target);
        let other = format!("{} {}", estimate.against.name(), estimate.reference_epoch);
        let yardsticks = [estimate.value, estimate.floor, estimate.chance];
        row(
            ["drift", &estimate.measure, &one, &other],
            estimate.epoch,
            yardsticks,
            estimate.interval,
            Some(estimate.defined),
        )
    });
    accuracy.chain(drift).collect()
}

fn rows_of_pair(pair: &Compared) -> Vec<Vec<Cell>> {
    let agreement = pair.agreement.iter().map(|estimate| {
        let names = ["agreement", &estimate.measure, &estimate.one, &estimate.other];
        // Rankings that have nothing to do with one another do not correlate.
        row(names, estimate.epoch, [estimate.value, None, Some(0.0)], estimate.interval, Some(estimate.defined))
    });
    let spread = pair.spread.iter().map(|estimate| {
        let names = ["spread-difference", estimate.descriptor.name(), &estimate.one, &estimate.other];
        row(names, estimate.epoch, [estimate.value, None, None], estimate.interval, Some(estimate.defined))
    });
    agreement.chain(spread).collect()
}

/// `what, of, one, other`; value, floor and chance.
fn row(
    names: [&str; 4],
    epoch: usize,
    [value, floor, chance]: [Option<f64>; 3],
    interval: Option<[f64; 2]>,
    images: Option<usize>,
) -> Vec<Cell> {
    let [low, high] = [0, 1].map(|end: usize| number(interval.map(|interval| interval[end])));
    let numbers = [number(value), low, high, number(floor), number(chance)];
    names.map(text).into_iter().chain([text(epoch)]).chain(numbers).chain([images.and_then(text)]).collect()
}

/// What JSON has.
fn programs(analyses: &[Analysis], answers: &[Answer], pairs: &[Compared]) -> Value {
    let pairs: Vec<_> =
        pairs.iter().map(|pair| json!({ "agreement": pair.agreement, "spread": pair.spread })).collect();
    json!({ "runs": analyses, "answers": answers, "pairs": pairs })
}
