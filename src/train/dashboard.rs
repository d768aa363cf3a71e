//! How far a run is: its epochs, the part of the epoch that is under way, and how its losses went so far.

use crate::progress::{Around, Phase, Progress, barred, beside, clock};
use crate::run::Meter;
use crate::store::{Against, DriftEstimate, EpochMetrics};
use std::time::Instant;

/// The last so many epochs are shown as a curve.
const CURVE: usize = 20;

/// Tells a person how far a run is.
#[derive(Debug)]
pub(super) struct Dashboard<'a> {
    progress: &'a Progress,
    /// Of the run, in all.
    epochs: usize,
    epoch: usize,
    begun: Instant,
    /// The share of the run that was done before this process began, and that is done by now; in [0, 1].
    shares: [f64; 2],
    /// The training under way.
    phase: Phase<'a>,
    training: String,
    /// Validation losses and accuracies by epoch.
    losses: Vec<f64>,
    accuracies: Vec<f64>,
}

impl<'a> Dashboard<'a> {
    /// Of a run of so many epochs, of which those in `history` are done.
    pub(super) fn new(progress: &'a Progress, epochs: usize, history: &[EpochMetrics]) -> Self {
        let (begun, phase) = (Instant::now(), progress.phase(TRAINING));
        let (losses, accuracies) = (Vec::new(), Vec::new());
        let training = String::new();
        let mut dashboard =
            Self { progress, epochs, epoch: 0, begun, shares: [0.0; 2], phase, training, losses, accuracies };
        history.iter().for_each(|metrics| dashboard.remember(metrics));
        dashboard
    }

    /// Says one line.
    pub(super) fn say(&self, line: &str) {
        self.progress.say(line);
    }

    /// An epoch's training begins, of which `seen` images were seen earlier; the share of its steps that is done is in [0, 1].
    pub(super) fn begin_epoch(&mut self, epoch: usize, seen: usize, share: f64) {
        self.epoch = epoch;
        self.phase = self.progress.phase_from(TRAINING, seen);
        let done = self.share(share);
        // A resumed run did not do its earlier epochs in no time.
        let before = if self.shares[1] > 0.0 { self.shares[0] } else { done };
        self.shares = [before, done];
        self.show();
    }

    /// A step of the epoch's training is done: `meter` knows the images seen, of `images` in all.
    pub(super) fn step(&mut self, meter: &Meter, images: usize) {
        self.shares[1] = self.share(meter.count as f64 / images.max(1) as f64);
        let nothing = f64::NAN;
        let values = format!(
            "loss {:.4} · accuracy {:.3}",
            meter.loss().unwrap_or(nothing),
            meter.accuracy().unwrap_or(nothing)
        );
        self.training = beside("train", &values);
        self.show();
        self.phase.done_with(meter.count, images, &values);
    }

    /// Another part of the epoch begins.
    pub(super) fn phase(&self, name: &'static str) -> Phase<'a> {
        self.progress.phase(name)
    }

    /// An epoch is sealed.
    pub(super) fn sealed(&mut self, metrics: &EpochMetrics) {
        lines(metrics, self.epochs).iter().for_each(|line| self.say(line));
        self.remember(metrics);
        self.training.clear();
        self.shares[1] = metrics.epoch as f64 / self.epochs.max(1) as f64;
        self.show();
    }

    fn remember(&mut self, metrics: &EpochMetrics) {
        if let Some(training) = &metrics.training {
            self.losses.push(training.val_loss);
            self.accuracies.push(training.val_accuracy);
        }
    }

    /// The share of the run that is done when `of_epoch` of the epoch under way is.
    fn share(&self, of_epoch: f64) -> f64 {
        (self.epoch.saturating_sub(1) as f64 + of_epoch) / self.epochs.max(1) as f64
    }

    fn show(&self) {
        let [before, done] = self.shares;
        let gone = self.begun.elapsed().as_secs_f64();
        let mut text = format!("{}/{} · {} gone", self.epoch, self.epochs, clock(gone));
        if done > before {
            text += &format!(" · {} left", clock(gone * (1.0 - done) / (done - before)));
        }
        let curve = |values: &[f64]| values.last().map(|last| (sparkline(values), *last));
        let validation =
            curve(&self.losses).zip(curve(&self.accuracies)).map(|((losses, loss), (accuracies, accuracy))| {
                beside("val", &format!("loss {losses} {loss:.4} · accuracy {accuracies} {accuracy:.3}"))
            });
        let training = (!self.training.is_empty()).then(|| self.training.clone());
        self.progress.surround(Around {
            heading: format!("epoch {}/{}", self.epoch, self.epochs),
            above: vec![barred("epochs", done, &text)],
            below: training.into_iter().chain(validation).collect(),
        });
    }
}

const TRAINING: &str = "training";

/// The last values as bars of eight heights between their least and their greatest; `·` for one that is no number.
fn sparkline(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values = &values[values.len().saturating_sub(CURVE)..];
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (least, greatest) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let bar = |value: &f64| match (value - least) / (greatest - least).max(1e-12) {
        height if height.is_finite() => BARS[((height * 8.0) as usize).min(7)],
        _ => '·',
    };
    values.iter().map(bar).collect()
}

/// One epoch: a line with losses and accuracies, and one for every explainer and measure with its drift against the previous
/// and the first epoch.
fn lines(metrics: &EpochMetrics, epochs: usize) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{value:.3}"));
    let mut line = format!("epoch {}/{epochs}", metrics.epoch);
    if let Some(training) = &metrics.training {
        if let Some(loss) = training.train_loss {
            line += &format!(" · train loss {loss:.4} accuracy {}", number(training.train_accuracy));
        }
        line += &format!(
            " · val loss {:.4} accuracy {:.3} top-5 {} · {:.1} s",
            training.val_loss,
            training.val_accuracy,
            number(training.val_top5),
            training.seconds
        );
    }
    let mut lines = vec![line];
    for estimate in metrics.drift.iter().filter(|estimate| estimate.against == Against::Previous) {
        let same = |one: &&DriftEstimate| {
            let of = |one: &DriftEstimate| (one.explainer.clone(), one.target.clone(), one.measure.clone());
            one.against == Against::First && of(one) == of(estimate)
        };
        let first = metrics.drift.iter().find(same);
        let mut line = format!(
            "    {} ({}) {} to epoch {}: {}, to epoch {}: {} (floor {}, chance {})",
            estimate.explainer,
            estimate.target,
            estimate.measure,
            estimate.reference_epoch,
            number(estimate.value),
            first.map_or(0, |first| first.reference_epoch),
            number(first.and_then(|first| first.value)),
            number(estimate.floor),
            number(estimate.chance)
        );
        if estimate.dead > 0 {
            line += &format!(" · {} maps without evidence", estimate.dead);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_spans_its_values_and_marks_what_is_no_number() {
        assert_eq!(sparkline(&[0.0, 1.0, 0.5, f64::NAN]), "▁█▅·");
        assert_eq!(sparkline(&[2.0, 2.0]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn an_epoch_is_a_line_and_each_of_its_drifts_another() {
        let estimate = |against, reference_epoch, value| DriftEstimate {
            explainer: "grad-cam".to_string(),
            target: "label".to_string(),
            measure: "spearman".to_string(),
            against,
            epoch: 3,
            reference_epoch,
            group: crate::store::ALL_IMAGES.to_string(),
            value: Some(value),
            interval: None,
            floor: Some(0.9),
            seed_floor: None,
            chance: None,
            defined: 4,
            undefined: 0,
            dead: 1,
        };
        let drift = vec![estimate(Against::Previous, 2, 0.5), estimate(Against::First, 0, 0.25)];
        let found = lines(&EpochMetrics { epoch: 3, training: None, drift }, 4);
        let expected = "    grad-cam (label) spearman to epoch 2: 0.500, to epoch 0: 0.250 (floor 0.900, chance –) · 1 maps \
                        without evidence";
        assert_eq!(found, ["epoch 3/4", expected]);
    }
}
