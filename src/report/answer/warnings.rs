//! What a reader must know before the sentences are believed.

use super::binomial;
use super::facts::Facts;
use super::headline::{FEWEST, counted, method};
use super::sentence::Sentence;
use crate::drift::{Against, Analysis, FLAT, Matrix, Settled, leaps, moved_by, moved_words};
use crate::measure::{Descriptor, Measure};
use crate::store::{ALL_IMAGES, TrainingMetrics};
use std::collections::BTreeMap;

/// So much more accurate on the training images than on the others, as a fraction, is far above.
const FAR_ABOVE: f64 = 0.2;
/// A validation loss rises when it is by this factor above its least.
const RISEN: f64 = 1.05;
/// Methods, or measures, disagree about when where their epochs are farther apart than this.
const EPOCHS_APART: usize = 2;
/// Measures disagree where what they say moved differs by more than this.
const MOVED_APART: f64 = 25.0;
/// Half of a map's evidence.
const MOSTLY: f64 = 0.5;

/// All of them, the most serious first.
pub(super) fn warnings(analysis: &Analysis, lead: Option<&Matrix>, facts: &Facts) -> Vec<Sentence> {
    let mut all = Vec::new();
    all.extend(not_finite(facts));
    all.extend(at_chance(facts));
    all.extend(overfitting(facts));
    all.extend(failed_test(analysis, facts));
    all.extend(without_evidence(analysis));
    if analysis.images.len() >= FEWEST {
        all.extend(not_settled(analysis, lead));
        all.extend(methods_disagree(analysis));
        all.extend(lead.and_then(|matrix| measures_disagree_when(analysis, matrix)));
        all.extend(lead.and_then(|matrix| measures_disagree(analysis, matrix)));
    }
    all.extend(mostly_negative(analysis));
    all.extend(jumps(analysis, facts));
    all
}

fn trained(facts: &Facts) -> impl DoubleEndedIterator<Item = (usize, &TrainingMetrics)> {
    facts.metrics.iter().filter_map(|metrics| Some((metrics.epoch, metrics.training.as_ref()?)))
}

/// A run whose loss is no number.
fn not_finite(facts: &Facts) -> Option<Sentence> {
    let broken = |training: &TrainingMetrics| {
        !training.val_loss.is_finite() || training.train_loss.is_some_and(|loss| !loss.is_finite())
    };
    let (epoch, _) = trained(facts).find(|(_, training)| broken(training))?;
    let end = ": the run failed, and nothing after it means anything.";
    Some(Sentence::new().text("The loss is not a number at epoch ").epoch(epoch).text(end))
}

/// The last accuracy is within the binomial 95 % interval of guessing, or below it.
fn at_chance(facts: &Facts) -> Option<Sentence> {
    let (epoch, training) = trained(facts).next_back().filter(|(epoch, _)| *epoch > 0)?;
    let (accuracy, chance) = (training.val_accuracy, 1.0 / facts.classes.len().max(1) as f64);
    let (most, of) = match facts.validated {
        Some(images) => {
            let most = binomial::upper(images, chance);
            (most as f64 / images.max(1) as f64, format!(" on {}", counted(images, "image")))
        }
        None => (chance, String::new()),
    };
    (facts.classes.len() > 1 && accuracy <= most + 1e-9).then(|| {
        let sentence = Sentence::new().text("The validation accuracy is at chance level: at epoch ").epoch(epoch);
        let guessing =
            format!("guessing among {} classes gives {chance:.3}, and up to {most:.3} by luck", facts.classes.len());
        sentence.text(format!(
            " it is {accuracy:.3}{of}; {guessing}. The maps explain a model that has learned nothing yet."
        ))
    })
}

/// Far more accurate in training, and worse and worse in validation.
fn overfitting(facts: &Facts) -> Option<Sentence> {
    let (last, training) = trained(facts).next_back()?;
    let train = training.train_accuracy?;
    let (best, least) = trained(facts)
        .map(|(epoch, training)| (epoch, training.val_loss))
        .filter(|(_, loss)| loss.is_finite())
        .min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    (best < last && train - training.val_accuracy > FAR_ABOVE && training.val_loss > RISEN * least).then(|| {
        let apart = format!("the training accuracy is {train:.3}, that of validation {:.3}", training.val_accuracy);
        let sentence = Sentence::new()
            .text(format!("Overfitting: {apart}, and the validation loss rose from {least:.3} at epoch "));
        sentence.epoch(best).text(format!(" to {:.3} at epoch ", training.val_loss)).epoch(last).text(".")
    })
}

/// Methods whose maps hardly change when what the model learned is taken away.
fn failed_test(analysis: &Analysis, facts: &Facts) -> Option<Sentence> {
    let failed = analysis.matrices.iter().filter(|matrix| facts.failed.contains(&matrix.explainer));
    let names: Vec<Sentence> = failed.map(|matrix| method(analysis, matrix)).collect();
    let end = ": they fail the parameter-randomisation test, and have no headline.";
    let sentence =
        || Sentence::new().text("Hardly dependent on what the model learned are the maps of ").listed(names.clone());
    (!names.is_empty()).then(|| sentence().text(end))
}

/// Methods none of whose maps are evidence at the last epoch.
fn without_evidence(analysis: &Analysis) -> Option<Sentence> {
    let dead = |matrix: &&Matrix| {
        let pair = matrix.epochs.last().and_then(|&last| matrix.from_first(last));
        pair.is_some_and(|pair| pair.dead > 0 && pair.defined == 0)
    };
    let names: Vec<Sentence> = analysis.matrices.iter().filter(dead).map(|matrix| method(analysis, matrix)).collect();
    let sentence =
        || Sentence::new().text("All maps are zero, constant or not finite: ").listed(names.clone()).text(".");
    (!names.is_empty()).then(sentence)
}

fn measured(matrix: &&Matrix) -> bool {
    matrix.pairs.iter().any(|pair| pair.moved.is_some())
}

/// Methods beside the headline's that have not settled.
fn not_settled(analysis: &Analysis, lead: Option<&Matrix>) -> Option<Sentence> {
    let restless = |matrix: &&Matrix| matrix.settled().is_some_and(|one| one.epoch.is_none());
    let of_lead = lead.filter(|matrix| restless(matrix));
    let others = analysis.matrices.iter().filter(|matrix| lead.is_none_or(|lead| !std::ptr::eq(lead, *matrix)));
    let all: Vec<&Matrix> = of_lead.into_iter().chain(others.filter(restless)).filter(measured).collect();
    let names: Vec<Sentence> = all.iter().map(|matrix| method(analysis, matrix)).collect();
    let sentence = || Sentence::new().text("Not settled when training ended: ").listed(names.clone()).text(".");
    (!names.is_empty()).then(sentence)
}

/// Methods that settled at epochs more than two apart. One that has not settled counts as the last epoch.
fn methods_disagree(analysis: &Analysis) -> Option<Sentence> {
    let of = |matrix: &Matrix| {
        let epoch = matrix.settled()?.epoch;
        let counts = epoch.or(matrix.epochs.last().copied())?;
        let name = method(analysis, matrix);
        let words = match epoch {
            Some(epoch) => name.text(" settled at epoch ").epoch(epoch),
            None => name.text(" has not"),
        };
        Some((counts, words))
    };
    let mut all: Vec<(usize, Sentence)> = analysis.matrices.iter().filter(measured).filter_map(of).collect();
    all.sort_by_key(|(epoch, _)| *epoch);
    let (first, last) = (all.first()?.clone(), all.last()?.clone());
    let sentence =
        || Sentence::new().text("The methods disagree about when: ").listed(vec![first.1.clone(), last.1.clone()]);
    (last.0 - first.0 > EPOCHS_APART).then(|| sentence().text("."))
}

/// Measures by which a method settled more than two epochs earlier or later. Not settled counts as the last epoch.
fn measures_disagree_when(analysis: &Analysis, matrix: &Matrix) -> Option<Sentence> {
    let last = *matrix.epochs.last()?;
    let own = matrix.settled()?.epoch.unwrap_or(last);
    let others = analysis.settled_by.iter().filter(|one| {
        let far = one.epoch.unwrap_or(last).abs_diff(own) > EPOCHS_APART;
        far && one.explainer == matrix.explainer && one.target == matrix.target
    });
    let of = |one: &Settled| {
        let label = one.measure.parse().map_or(one.measure.clone(), |measure: Measure| measure.label().to_string());
        let when = match one.epoch {
            Some(epoch) => Sentence::new().text("at epoch ").epoch(epoch),
            None => Sentence::new().text("not yet"),
        };
        when.text(format!(" by {label}"))
    };
    let all: Vec<Sentence> = others.map(of).collect();
    let start = || Sentence::new().text("By other measures ").then(method(analysis, matrix));
    (!all.is_empty()).then(|| start().text(" settled at other times: ").listed(all.clone()).text("."))
}

/// The measures that say most and least about how far a method moved, where they are far apart: of those that training
/// watches, which compare maps as a whole.
fn measures_disagree(analysis: &Analysis, matrix: &Matrix) -> Option<Sentence> {
    let last = *matrix.epochs.last()?;
    let own = matrix.from_first(last)?;
    let estimates = analysis.drift.iter().filter(|one| {
        let role = one.against == Against::First && one.group == ALL_IMAGES && one.measure != matrix.measure;
        let live = Measure::LIVE.iter().any(|measure| measure.name() == one.measure);
        live && role && one.epoch == last && one.explainer == matrix.explainer && one.target == matrix.target
    });
    let named = |measure: &str| measure.parse().map_or(measure.to_string(), |one: Measure| one.label().to_string());
    let mut said: Vec<(f64, String)> =
        estimates.filter_map(|one| Some((moved_by(one)?, named(&one.measure)))).collect();
    said.push((own.moved?, named(&matrix.measure)));
    said.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let ((least, low), (most, high)) = (said.first()?, said.last()?);
    let start = || Sentence::new().text("The measures disagree about how far ").then(method(analysis, matrix));
    // What is beyond the ends of the scale is no further apart for a reader.
    (most.clamp(0.0, 100.0) - least.clamp(0.0, 100.0) > MOVED_APART).then(|| {
        let [least, most] = [*least, *most].map(|moved| moved_words(Some(moved)));
        let sentence = start().text(" moved since epoch ").epoch(own.reference_epoch);
        sentence.text(format!(": {most} by {high}, {least} by {low}."))
    })
}

/// Steps in which the evidence moved far more than it usually does, while the accuracy hardly changed.
fn jumps(analysis: &Analysis, facts: &Facts) -> Vec<Sentence> {
    let mut jumped: BTreeMap<(usize, usize), Vec<Sentence>> = BTreeMap::new();
    for matrix in &analysis.matrices {
        for leap in leaps(matrix) {
            let words = method(analysis, matrix).text(format!(" {}", moved_words(Some(leap.moved))));
            jumped.entry((leap.epoch, leap.reference_epoch)).or_default().push(words);
        }
    }
    let flat = |((epoch, reference), methods): ((usize, usize), Vec<Sentence>)| {
        let (before, after) = (facts.accuracy(reference)?, facts.accuracy(epoch)?);
        ((after - before).abs() < FLAT).then(|| {
            let start = Sentence::new().text("From epoch ").epoch(reference).text(" to ").epoch(epoch);
            let start =
                start.text(format!(" the accuracy is flat ({before:.3}, then {after:.3}), yet the maps moved far "));
            start.text("more than in the usual step: ").listed(methods).text(".")
        })
    };
    jumped.into_iter().filter_map(flat).collect()
}

/// Methods whose maps speak more against the class than for it, at their last epoch.
fn mostly_negative(analysis: &Analysis) -> Option<Sentence> {
    let of = |matrix: &Matrix| {
        let last = *matrix.epochs.last()?;
        let mass = |descriptor: Descriptor| {
            let ours = analysis.spread.iter().find(|one| {
                one.epoch == last
                    && one.descriptor == descriptor.name()
                    && one.explainer == matrix.explainer
                    && one.target == matrix.target
            });
            ours.and_then(|one| one.value)
        };
        let [positive, negative] = [mass(Descriptor::PositiveMass)?, mass(Descriptor::NegativeMass)?];
        let share = negative / (positive + negative);
        (share > MOSTLY).then(|| method(analysis, matrix).text(format!(" ({:.0} %)", 100.0 * share)))
    };
    let names: Vec<Sentence> = analysis.matrices.iter().filter_map(of).collect();
    let sentence =
        || Sentence::new().text("Most of the evidence in the maps speaks against the class: ").listed(names.clone());
    (!names.is_empty()).then(|| sentence().text(". Look at them in signed colours."))
}
