//! `driftscope compare`: runs side by side, a CNN and a ViT, two seeds, two recipes.

use super::{Format, print};
use crate::drift::{
    AgreementFigure, Analysis, Measure, Options, Reference, SpreadDifference, agreement_between, analyse,
    spread_between,
};
use crate::report::{aligned, csv_row};
use crate::store::RunReader;
use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope compare`.
#[derive(Debug, Args)]
pub(super) struct CompareArguments {
    /// The runs, two or more of one panel
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    runs: Vec<PathBuf>,
    /// Measures of drift, separated by commas
    #[arg(long, value_name = "MEASURES", value_delimiter = ',', default_value = "top20-iou,spearman,js-divergence")]
    measures: Vec<Measure>,
    /// What every epoch is compared with: previous or first
    #[arg(long, value_name = "EPOCH", default_value = "previous")]
    against: Reference,
    /// Resampled panels behind each interval
    #[arg(long, value_name = "N", default_value_t = crate::drift::RESAMPLES)]
    resamples: usize,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

/// What two runs say of each other.
struct Pair {
    agreement: Vec<AgreementFigure>,
    spread: Vec<SpreadDifference>,
}

pub(super) fn run(arguments: &CompareArguments) -> Result<ExitCode> {
    let readers = arguments.runs.iter().map(|path| RunReader::open(path)).collect::<Result<Vec<_>, _>>()?;
    one_panel(&readers)?;
    let options = Options {
        measures: arguments.measures.clone(),
        against: vec![arguments.against],
        groups: false,
        resamples: arguments.resamples,
        ..Options::default()
    };
    let mut analyses = readers.iter().map(|reader| analyse(reader, &options)).collect::<Result<Vec<_>, _>>()?;
    name_apart(&mut analyses, &arguments.runs);
    let mut pairs = Vec::new();
    for (index, one) in analyses.iter().enumerate() {
        for other in &analyses[index + 1..] {
            let agreement = agreement_between(one, other, arguments.resamples)?;
            pairs.push(Pair { agreement, spread: spread_between(one, other, arguments.resamples)? });
        }
    }
    print(&match arguments.format {
        Format::Json => json_of(&analyses, &pairs)?,
        format => table(&analyses, &pairs, format),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Means over different pictures do not compare.
fn one_panel(readers: &[RunReader]) -> Result<()> {
    let first = &readers[0];
    for other in &readers[1..] {
        let (one, two) = (&first.info().panel, &other.info().panel);
        if one.digest != two.digest {
            let shared = two.ids.iter().filter(|id| one.ids.contains(id)).count();
            bail!(
                "{} and {} explain different panels: {} images there, {} here, {shared} of them shared; runs compare that \
                 have the same data, split, panel.seed and panel.per_class",
                first.dir().display(),
                other.dir().display(),
                one.ids.len(),
                two.ids.len()
            );
        }
    }
    Ok(())
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

/// A row a figure: what drifted, how wide the evidence is, whether two runs see the same images move.
fn table(analyses: &[Analysis], pairs: &[Pair], format: Format) -> String {
    let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.4}"));
    let end = |interval: Option<[f64; 2]>, end: usize| number(interval.map(|interval| interval[end]));
    let who = |run: &str, explainer: &str, target: &str| format!("{run}:{explainer}/{target}");
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row =
        |what: &str, of: String, one: String, other: String, epoch: usize, numbers: [String; 5], images: usize| {
            let [value, low, high, floor, chance] = numbers;
            rows.push(vec![
                what.to_string(),
                of,
                one,
                other,
                epoch.to_string(),
                value,
                low,
                high,
                floor,
                chance,
                images.to_string(),
            ]);
        };
    let none = String::new;
    for analysis in analyses {
        for (&epoch, &accuracy) in &analysis.accuracy {
            let numbers = [number(Some(accuracy)), none(), none(), none(), none()];
            row("accuracy", "val-accuracy".into(), analysis.run.clone(), none(), epoch, numbers, 0);
        }
        for figure in &analysis.drift {
            let one = who(&analysis.run, &figure.explainer, &figure.target);
            let other = format!("{} {}", figure.against.name(), figure.reference_epoch);
            let (value, interval) = (number(figure.value), figure.interval);
            let numbers = [value, end(interval, 0), end(interval, 1), number(figure.floor), number(figure.chance)];
            row("drift", figure.measure.clone(), one, other, figure.epoch, numbers, figure.defined);
        }
    }
    for pair in pairs {
        for figure in &pair.agreement {
            let numbers =
                [number(figure.value), end(figure.interval, 0), end(figure.interval, 1), none(), "0.0000".into()];
            let (one, other) = (figure.one.clone(), figure.other.clone());
            row("agreement", figure.measure.clone(), one, other, figure.epoch, numbers, figure.defined);
        }
        for figure in &pair.spread {
            let numbers = [number(figure.value), end(figure.interval, 0), end(figure.interval, 1), none(), none()];
            let (one, other) = (figure.one.clone(), figure.other.clone());
            row(
                "spread-difference",
                figure.descriptor.name().to_string(),
                one,
                other,
                figure.epoch,
                numbers,
                figure.defined,
            );
        }
    }
    let header = ["what", "of", "one", "other", "epoch", "value", "low", "high", "floor", "chance", "images"];
    match format {
        Format::Csv => csv_row(header) + &rows.iter().map(csv_row).collect::<String>(),
        _ => aligned(&header, &rows, 4),
    }
}

fn json_of(analyses: &[Analysis], pairs: &[Pair]) -> Result<String> {
    let pairs: Vec<_> =
        pairs.iter().map(|pair| json!({ "agreement": pair.agreement, "spread": pair.spread })).collect();
    Ok(serde_json::to_string_pretty(&json!({ "runs": analyses, "pairs": pairs }))? + "\n")
}
