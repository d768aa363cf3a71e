//! Runs beside one another as a person reads them first: a few lines, and a small table of the last epoch.

use super::answer::Answer;
use super::drift_summary::{fitted, name_within, settled_words};
use super::wrap::{COLUMNS, shortened, wrapped};
use crate::drift::{AgreementEstimate, Analysis, MOVED_SCALE, Matrix, SpreadDifference, moved_cell};
use crate::measure::Descriptor;
use crate::store::Against;

/// Columns of a method's name in the table.
const METHOD: usize = 20;
/// The most columns of a run's name, an even number.
const RUN: usize = 8;

/// What two runs say of each other.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Whether the methods of one and of the other find the same images to have moved most.
    pub agreement: Vec<AgreementEstimate>,
    /// How much wider the maps of one are than those of the other.
    pub spread: Vec<SpreadDifference>,
}

/// A line a run with the first sentence of its answer, two lines for every two runs, and the table.
pub fn comparison(runs: &[(&Analysis, &Answer)], pairs: &[Compared]) -> String {
    let mut text = String::new();
    for (analysis, answer) in runs {
        let said = answer.sentences.first().map_or(String::new(), |sentence| format!(" {sentence}"));
        let accuracy = analysis.accuracy.iter().next_back();
        let accuracy =
            accuracy.map_or(String::new(), |(epoch, value)| format!(" Accuracy {value:.3} at epoch {epoch}."));
        text += &wrapped(&format!("{} ({}):{said}{accuracy}", analysis.run, analysis.model), COLUMNS, 2);
    }
    let mut both = pairs.iter();
    for (place, &one) in runs.iter().enumerate() {
        for &other in &runs[place + 1..] {
            let Some(pair) = both.next() else { continue };
            let lines = [agreed(one, other, pair), wider(one, other, pair)];
            lines.into_iter().flatten().for_each(|line| text += &wrapped(&line, COLUMNS, 2));
        }
    }
    for (analysis, answer) in runs {
        let Some(first) = answer.warnings.first() else { continue };
        let more = match answer.warnings.len() - 1 {
            0 => String::new(),
            more => format!(" And {more} more: see driftscope drift."),
        };
        text += &wrapped(&format!("warning: {}: {first}{more}", analysis.run), COLUMNS, 2);
    }
    text + "\n" + &last_epochs(runs)
}

/// The leading method of a run as its name stands in comparisons, and as people call it.
fn leading((analysis, answer): (&Analysis, &Answer)) -> Option<(String, String)> {
    let [explainer, target] = answer.lead.as_ref()?;
    let title = analysis.titles.get(explainer).unwrap_or(explainer);
    Some((format!("{}:{explainer}/{target}", analysis.run), format!("{title} of {}", analysis.run)))
}

/// Whether the leading methods of two runs find the same images to have moved most, at the last epoch of both.
fn agreed(one: (&Analysis, &Answer), other: (&Analysis, &Answer), pair: &Compared) -> Option<String> {
    let (names, words) = (leading(one)?, leading(other)?);
    let measure = &one.0.matrices.first()?.measure;
    let ours = pair.agreement.iter().filter(|found| {
        (&found.one, &found.other) == (&names.0, &words.0) && found.measure == *measure && found.value.is_some()
    });
    let last = ours.max_by_key(|found| found.epoch)?;
    let since = match last.against {
        Against::Previous => "since the epoch before",
        Against::First => "since the first epoch",
        Against::Best => "since the best epoch",
        Against::Named => "since the chosen epoch",
    };
    let [low, high] = last.interval.unwrap_or([-1.0, 1.0]);
    let verdict = match (low > 0.0, high < 0.0) {
        (true, _) => "find the same images",
        (_, true) => "find opposite images",
        _ => "do not find the same images",
    };
    Some(format!(
        "{} and {} {verdict} to have moved most {since}: rank correlation {:.2} [{low:.2}, {high:.2}] at epoch {}.",
        names.1,
        words.1,
        last.value.unwrap_or(f64::NAN),
        last.epoch
    ))
}

/// Whose evidence covers more of the image, at the last epoch of both.
fn wider(one: (&Analysis, &Answer), other: (&Analysis, &Answer), pair: &Compared) -> Option<String> {
    let (names, words) = (leading(one)?, leading(other)?);
    let ours = pair.spread.iter().filter(|found| {
        let area = found.descriptor == Descriptor::EffectiveArea && found.value.is_some();
        area && (&found.one, &found.other) == (&names.0, &words.0)
    });
    let last = ours.max_by_key(|found| found.epoch)?;
    let (value, [low, high]) = (last.value?, last.interval?);
    let by =
        format!("{:.2} [{:.2}, {:.2}] of the image", value.abs(), low.abs().min(high.abs()), low.abs().max(high.abs()));
    Some(match (low > 0.0, high < 0.0) {
        (true, _) => format!(
            "The evidence of {} covers more than that of {}, by {by} at epoch {}.",
            names.1, words.1, last.epoch
        ),
        (_, true) => format!(
            "The evidence of {} covers more than that of {}, by {by} at epoch {}.",
            words.1, names.1, last.epoch
        ),
        _ => format!(
            "The evidence of {} and of {} covers as much of the image at epoch {}.",
            names.1, words.1, last.epoch
        ),
    })
}

/// A row a run, method and target at the last epoch.
fn last_epochs(runs: &[(&Analysis, &Answer)]) -> String {
    let labels = labels(&runs.iter().map(|(analysis, _)| analysis.run.as_str()).collect::<Vec<_>>());
    let rows = |((analysis, _), label): (&(&Analysis, &Answer), &String)| {
        analysis.matrices.iter().filter_map(|matrix| row(analysis, label, matrix)).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = runs.iter().zip(&labels).flat_map(rows).collect();
    // A run may have a margin of its own.
    let mut margins: Vec<String> =
        runs.iter().filter_map(|(analysis, _)| Some(analysis.matrices.first()?.margin.to_string())).collect();
    margins.dedup();
    let legend = (!margins.is_empty()).then(|| {
        let margin = margins.join(" or ");
        format!(
            "Moved: {MOVED_SCALE}; what moved farther is 100 too. Settled: from then on no two epochs are more than {margin} \
             apart; in brackets the 95 % interval of more than one epoch."
        )
    });
    let headings = ["run", "method", "accuracy", "last step", "since first", "settled"];
    fitted(&headings, &rows, 2) + &wrapped(&legend.unwrap_or_default(), COLUMNS, 0)
}

/// Short names of runs, in which runs of different names differ: their beginning and their end, or their places from 1 on.
fn labels(names: &[&str]) -> Vec<String> {
    let short = |name: &&str| match name.chars().count() {
        length if length <= RUN => name.to_string(),
        length => {
            let end: String = name.chars().skip(length - RUN / 2).collect();
            format!("{}{end}", shortened(name, RUN - RUN / 2))
        }
    };
    let shortened: Vec<String> = names.iter().map(short).collect();
    let told = |(place, label): (usize, &String)| {
        !shortened.iter().zip(names).any(|(other, name)| other == label && *name != names[place])
    };
    if shortened.iter().enumerate().all(told) {
        shortened
    } else {
        (1..=names.len()).map(|run| format!("run {run}")).collect()
    }
}

fn row(analysis: &Analysis, label: &str, matrix: &Matrix) -> Option<Vec<String>> {
    let last = *matrix.epochs.last()?;
    let title = analysis.titles.get(&matrix.explainer).unwrap_or(&matrix.explainer);
    let several = analysis.matrices.iter().any(|one| one.explainer == matrix.explainer && one.target != matrix.target);
    let name = if several { format!("{title} ({})", matrix.target) } else { title.clone() };
    let moved = |pair: Option<&crate::drift::Pair>| pair.map_or("–".to_string(), |pair| moved_cell(pair.moved));
    Some(vec![
        label.to_string(),
        name_within(&name, METHOD),
        analysis.accuracy.get(&last).map_or("–".to_string(), |accuracy| format!("{accuracy:.3}")),
        moved(matrix.step(last)),
        moved(matrix.from_first(last)),
        matrix.settled().map_or("–".to_string(), settled_words),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::answer::composed;
    use super::super::answer::testing::{analysis, facts, matrix};
    use super::*;
    use console::measure_text_width;

    fn run(name: &str, explainer: &str, still: usize) -> Analysis {
        let target = if explainer == "rollout" { "any" } else { "label" };
        let run = analysis(vec![matrix(explainer, target, &[0, 1, 2, 3, 4], still)]);
        Analysis { run: name.to_string(), accuracy: [(4, 0.72)].into(), ..run }
    }

    fn compared(agreement: f64, area: f64) -> Compared {
        let [one, other] = ["cnn:grad-cam/label", "vit:rollout/any"].map(String::from);
        let agreed = AgreementEstimate {
            measure: "spearman".into(),
            one: one.clone(),
            other: other.clone(),
            epoch: 4,
            against: Against::First,
            reference_epochs: [0, 0],
            value: Some(agreement),
            interval: Some([agreement - 0.2, agreement + 0.2]),
            defined: 24,
            undefined: 0,
        };
        let wider = SpreadDifference {
            descriptor: Descriptor::EffectiveArea,
            one,
            other,
            epoch: 4,
            value: Some(area),
            interval: Some([area - 0.05, area + 0.05]),
            defined: 24,
            undefined: 0,
        };
        Compared { agreement: vec![agreed], spread: vec![wider] }
    }

    fn text(agreement: f64, area: f64) -> String {
        let (cnn, vit) = (run("cnn", "grad-cam", 2), run("vit", "rollout", 4));
        let answers = [composed(&cnn, &facts()), composed(&vit, &facts())];
        comparison(&[(&cnn, &answers[0]), (&vit, &answers[1])], &[compared(agreement, area)])
    }

    #[test]
    fn a_comparison_is_a_few_lines_that_fit_and_a_table_of_the_last_epoch() {
        let found = text(0.5, -0.1);
        assert!(found.lines().all(|line| measure_text_width(line) <= COLUMNS), "{found}");
        let words = found.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "cnn (deit_tiny): Grad-CAM settled at epoch 2",
            "vit (deit_tiny): Attention rollout has not settled by epoch 4",
            "Grad-CAM of cnn and Attention rollout of vit find the same images to have moved most since the first epoch: rank \
             correlation 0.50 [0.30, 0.70] at epoch 4.",
            "The evidence of Attention rollout of vit covers more than that of Grad-CAM of cnn, by 0.10 [0.05, 0.15] of the image",
            "cnn Grad-CAM 0.720 within noise 40 2 (2 to 3)",
            "vit Attention rollout 0.720 40 40 not yet",
        ] {
            assert!(words.contains(part), "no '{part}' in {found}");
        }
    }

    #[test]
    fn runs_are_told_apart_however_long_their_names_are() {
        assert_eq!(labels(&["cnn", "deit_tiny-0", "deit_tiny-1"]), ["cnn", "dei…ny-0", "dei…ny-1"]);
        assert_eq!(labels(&["deit_tiny-a-0", "deit_tiny-b-0"]), ["dei…-a-0", "dei…-b-0"]);
        assert_eq!(labels(&["deit_a_seed-0", "deit_b_seed-0"]), ["run 1", "run 2"]);
        assert_eq!(labels(&["long_name_of_a_run"; 2]), ["lon…_run"; 2]);
    }

    #[test]
    fn what_lies_within_the_interval_is_no_difference() {
        let words = text(0.1, 0.01).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("do not find the same images") && words.contains("covers as much of the image"),
            "{words}"
        );
        assert!(text(-0.5, 0.1).contains("find opposite images"));
    }
}
