//! When the evidence settled, its largest step, and what moved most.

use super::facts::Facts;
use super::sentence::Sentence;
use crate::drift::{Analysis, Floor, MOVED_SCALE, Matrix, NotMeasurable, Pair, Settled, moved_words};

/// How many images a headline needs, of the panel or of a class.
pub(super) const FEWEST: usize = 5;

/// A method as people call it, with the kind of its target where the run explains several.
pub(super) fn method(analysis: &Analysis, matrix: &Matrix) -> Sentence {
    let explainer = &matrix.explainer;
    let title = analysis.titles.get(explainer).unwrap_or(explainer);
    let several = analysis.matrices.iter().any(|one| one.explainer == *explainer && one.target != matrix.target);
    let target = if several { format!(" ({})", matrix.target) } else { String::new() };
    Sentence::new().method(explainer, &format!("{title}{target}"))
}

/// `1 image`, `2 images`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The sentences about one method.
pub(super) fn headline(analysis: &Analysis, matrix: &Matrix, facts: &Facts) -> Vec<Sentence> {
    let images = analysis.images.len();
    if images < FEWEST {
        let panel = counted(images, "image");
        return vec![Sentence::new().text(format!("The panel has {panel}: a headline needs {FEWEST}."))];
    }
    let Some(&last) = matrix.epochs.last().filter(|_| matrix.epochs.len() > 1) else {
        return vec![method(analysis, matrix).text(" has no two epochs to compare.")];
    };
    let name = method(analysis, matrix);
    let name = if facts.averaged { name.text(" of the averaged weights (EMA)") } else { name };
    let mut sentences: Vec<Sentence> =
        matrix.settled().map(|one| settled(name, matrix, one, last)).into_iter().collect();
    sentences.extend(another_seed(matrix));
    sentences.extend(largest_step(matrix, facts));
    sentences.extend(most_moved(analysis, matrix, facts, last));
    sentences.extend(retargeted(analysis, last));
    sentences
}

/// When a method settled, with its interval and the margin.
fn settled(name: Sentence, matrix: &Matrix, settled: &Settled, last: usize) -> Sentence {
    let (margin, needed) = (settled.margin, settled.patience + 1);
    // What would be 0 % is not said.
    let share = settled.not_yet.map(|share| (100.0 * share).round()).filter(|&share| share > 0.0);
    let not_yet = share.map(|share| format!("{share:.0} % of resampled panels"));
    if let Some(epoch) = settled.epoch {
        let mut known: Vec<String> =
            settled.interval.and_then(|interval| between(epoch, interval)).into_iter().collect();
        known.extend(not_yet.map(|panels| format!("not yet in {panels}")));
        let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join("; ")) };
        let rest = format!("{known}: from then on no two epochs are more than {margin} apart ({MOVED_SCALE}).");
        return name.text(" settled at epoch ").epoch(epoch).text(rest);
    }
    if matrix.epochs.len() < needed {
        let few = matrix.epochs.len();
        return name
            .text(format!(" cannot have settled: {needed} epochs with evidence are needed, and there are {few}."));
    }
    let end = &matrix.epochs[matrix.epochs.len() - needed..];
    let unknown = matrix.pairs.iter().find(|pair| pair.moved.is_none() && end.contains(&pair.reference_epoch));
    if let Some(why) = unknown.and_then(|pair| pair.not_measurable) {
        return Sentence::new()
            .text("Whether ")
            .then(name)
            .text(format!(" settled is not measurable here: {}.", reason(why)));
    }
    let panels = not_yet.map_or(String::new(), |panels| format!(" (nor in {panels})"));
    let rest = format!("{panels}: of its last {needed} epochs some are more than {margin} apart ({MOVED_SCALE}).");
    name.text(" has not settled by epoch ").epoch(last).text(rest)
}

/// The interval of the epoch: the middle 95 % of resampled panels, which is all it says where both ends are one epoch.
fn between(epoch: usize, [low, high]: [Option<usize>; 2]) -> Option<String> {
    let low = low?;
    Some(match high {
        Some(high) if high == low => {
            let same = if low == epoch { "the same".to_string() } else { format!("epoch {low}") };
            format!("{same} in 95 % of resampled panels")
        }
        Some(high) => format!("95 % interval {low} to {high}"),
        None => format!("95 % interval {low} to not yet"),
    })
}

/// Why something is not measurable, in words.
pub(super) fn reason(why: NotMeasurable) -> &'static str {
    match why {
        NotMeasurable::FewImages => "too few images have evidence",
        NotMeasurable::ChanceWithinFloor => "noise changes its maps as much as another image does",
        NotMeasurable::SmallContrast => "maps of different images are hardly farther apart than noise makes them",
    }
}

/// When it settled against the floor of another seed, where there is one.
fn another_seed(matrix: &Matrix) -> Option<Sentence> {
    let seed = matrix.settled.iter().find(|one| one.against_floor == Floor::Seed)?;
    let sentence = Sentence::new().text("Against the floor of another seed it ");
    Some(match seed.epoch {
        Some(epoch) => sentence.text("settled at epoch ").epoch(epoch).text("."),
        None => sentence.text("has not settled."),
    })
}

/// Whether people are told that it is noise.
fn is_noise(moved: f64) -> bool {
    moved_words(Some(moved)) == moved_words(Some(0.0))
}

/// Whether no step was more than noise, though some epochs are farther apart than the margin.
fn adds_up(matrix: &Matrix) -> bool {
    let steps = || matrix.epochs.iter().filter_map(|&epoch| matrix.step(epoch)).filter_map(|step| step.moved);
    steps().next().is_some()
        && steps().all(is_noise)
        && matrix.pairs.iter().any(|pair| pair.moved > Some(matrix.margin))
}

/// The step between neighbouring epochs that moved most, with the accuracy before and after.
fn largest_step(matrix: &Matrix, facts: &Facts) -> Option<Sentence> {
    let steps = matrix.epochs.iter().filter_map(|&epoch| matrix.step(epoch));
    let known = steps.filter_map(|step| Some((step, step.moved?)));
    let (step, moved) = known.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let (from, to) = (step.reference_epoch, step.epoch);
    if is_noise(moved) {
        return Some(Sentence::new().text("No step from one epoch to the next was more than noise."));
    }
    let sentence = Sentence::new().text("Its largest step was from epoch ").epoch(from).text(" to ").epoch(to);
    let words = format!(": it moved {}", moved_words(Some(moved)));
    let accuracy = facts.accuracy(from).zip(facts.accuracy(to));
    let accuracy = accuracy.map_or(String::new(), |(before, after)| {
        format!(", while the validation accuracy went from {before:.3} to {after:.3}")
    });
    Some(sentence.text(words + &accuracy + "."))
}

/// What moved most since the first epoch: the panel, and in it a class of at least five images, else an image.
fn most_moved(analysis: &Analysis, matrix: &Matrix, facts: &Facts, last: usize) -> Option<Sentence> {
    let pair = matrix.from_first(last)?;
    let moved = pair.moved?;
    let since = Sentence::new().text("Since epoch ").epoch(pair.reference_epoch);
    if is_noise(moved) {
        return Some(since.text(" it has not moved by more than noise."));
    }
    let sentence = since.text(if adds_up(matrix) { " they add up: it moved " } else { " it moved " });
    let count = pair.images_moved.map_or(String::new(), |count| {
        let all = pair.images.iter().flatten().count();
        format!(", {count} of {} by more than noise", counted(all, "image"))
    });
    let sentence = sentence.text(moved_words(Some(moved)) + &count);
    let noise = |value: f64| moved_words(Some(value)) == moved_words(Some(0.0));
    let most = match most_moved_class(pair, facts) {
        Some((_, mean, _)) if noise(mean) => Sentence::new(),
        Some((class, mean, images)) => {
            let words = format!(" ({} on {images} images)", moved_words(Some(mean)));
            Sentence::new().text("; most of all the class ").class(&facts.classes[class]).text(words)
        }
        None => match most_moved_image(pair).filter(|&(_, value)| !noise(value)) {
            Some((image, value)) => {
                let id = analysis.images.get(image).map_or("", String::as_str);
                let words = format!(" ({})", moved_words(Some(value)));
                Sentence::new().text("; most of all the image ").image(image, id).text(words)
            }
            None => Sentence::new(),
        },
    };
    Some(sentence.then(most).text("."))
}

/// The class with the greatest mean, of those with enough images that count: its index, the mean and how many images.
fn most_moved_class(pair: &Pair, facts: &Facts) -> Option<(usize, f64, usize)> {
    let of_class = |class: usize| {
        let labelled = pair.images.iter().zip(&facts.labels).filter(|(_, label)| **label == class);
        let values: Vec<f64> = labelled.filter_map(|(value, _)| *value).collect();
        (values.len() >= FEWEST).then(|| (class, values.iter().sum::<f64>() / values.len() as f64, values.len()))
    };
    (0..facts.classes.len()).filter_map(of_class).max_by(|(_, one, _), (_, other, _)| one.total_cmp(other))
}

fn most_moved_image(pair: &Pair) -> Option<(usize, f64)> {
    let known = pair.images.iter().enumerate().filter_map(|(image, value)| Some((image, (*value)?)));
    known.max_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// Of how many images another class was predicted than at the first epoch, where the prediction is explained.
fn retargeted(analysis: &Analysis, last: usize) -> Option<Sentence> {
    let matrix = analysis.matrices.iter().find(|matrix| matrix.target == "prediction")?;
    let pair = matrix.from_first(last)?;
    let (count, all) = (pair.retargeted, counted(analysis.images.len(), "image"));
    let sentence = Sentence::new().text(format!("The predicted class of {count} of {all} changed since epoch "));
    Some(sentence.epoch(pair.reference_epoch).text(": maps of the target prediction explain another class there."))
}
