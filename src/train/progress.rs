//! How far a run is, on stderr: a small dashboard on a terminal, plain lines with the values elsewhere.

use crate::fsx::one_line;
use crate::run::Meter;
use crate::store::{Against, DriftEstimate, EpochMetrics};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Off a terminal, at most one line of progress in this time.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Tells a person how far training is.
#[derive(Debug)]
pub struct Progress {
    epochs: usize,
    dashboard: Option<Dashboard>,
    phase: &'static str,
    phase_length: usize,
    last_line: Instant,
    epoch_start: Instant,
    seen_at_start: usize,
    losses: Vec<f64>,
    accuracies: Vec<f64>,
}

/// Three lines at the foot of a terminal: the run, the epoch, and how validation went so far. Work that is no run has one.
#[derive(Debug)]
struct Dashboard {
    all: MultiProgress,
    run: ProgressBar,
    epoch: ProgressBar,
    curves: ProgressBar,
}

impl Dashboard {
    /// For a run of `epochs`, or for other work; none where nobody could see it: off a terminal, or on one that cannot move its
    /// cursor (`TERM=dumb`).
    fn new(epochs: Option<usize>) -> Option<Self> {
        let all = MultiProgress::new();
        if !std::io::stderr().is_terminal() || all.is_hidden() {
            return None;
        }
        let style = |template| {
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            style.progress_chars("━╸ ")
        };
        let bar = |length, template| all.add(ProgressBar::new(length).with_style(style(template)));
        let unseen = || ProgressBar::hidden();
        // The run's bar counts thousandths of epochs, so that it moves and knows its time left within the first.
        let of_run = |epochs| bar(1000 * epochs as u64, "{prefix:>12} [{bar:28}] {msg} · {elapsed} gone, {eta} left");
        let run = epochs.map_or_else(unseen, of_run);
        let epoch = match epochs {
            Some(_) => bar(1, "{prefix:>12} [{bar:28}] {pos}/{len} {msg}"),
            None => bar(1, "{prefix:>12} [{bar:28}] {pos}/{len} · {elapsed} gone, {eta} left"),
        };
        let curves = epochs.map_or_else(unseen, |_| bar(1, "{msg}"));
        if epochs.is_some() {
            run.set_prefix("epochs");
            run.enable_steady_tick(Duration::from_millis(500));
        }
        Some(Self { all, run, epoch, curves })
    }
}

impl Progress {
    /// For a run of `epochs`.
    pub fn new(epochs: usize) -> Self {
        Self::with(epochs, Dashboard::new(Some(epochs)))
    }

    /// For work that is no run: one bar for the phase it is in.
    pub fn of_phases() -> Self {
        Self::with(0, Dashboard::new(None))
    }

    fn with(epochs: usize, dashboard: Option<Dashboard>) -> Self {
        let now = Instant::now();
        Self {
            epochs,
            dashboard,
            phase: "",
            phase_length: 0,
            last_line: now,
            epoch_start: now,
            seen_at_start: 0,
            losses: Vec::new(),
            accuracies: Vec::new(),
        }
    }

    /// A line for the person; what would break it is escaped.
    pub fn say(&self, line: &str) {
        let line = one_line(line);
        let shown = self.dashboard.as_ref().is_some_and(|dashboard| dashboard.all.println(&line).is_ok());
        if !shown {
            // Nowhere to complain if stderr is gone.
            drop(writeln!(std::io::stderr(), "{line}"));
        }
    }

    /// The epochs before this process began, for the curves.
    pub fn recall(&mut self, history: &[EpochMetrics]) {
        history.iter().for_each(|metrics| self.remember(metrics));
    }

    /// An epoch of `steps` steps begins at step `done`; `seen` samples of it are done.
    pub fn begin_epoch(&mut self, epoch: usize, steps: usize, done: usize, seen: usize) {
        (self.epoch_start, self.last_line, self.seen_at_start) = (Instant::now(), Instant::now(), seen);
        if let Some(dashboard) = &self.dashboard {
            let position = 1000 * (epoch as u64 - 1) + 1000 * done as u64 / steps.max(1) as u64;
            if dashboard.run.position() == 0 && position > 0 {
                dashboard.run.set_position(position);
                dashboard.run.reset_eta(); // a resumed run did not do these epochs in no time
            }
            dashboard.run.set_message(format!("{epoch}/{}", self.epochs));
            dashboard.epoch.set_prefix("training");
            dashboard.epoch.set_length(steps as u64);
            dashboard.epoch.set_position(done as u64);
        }
    }

    /// A step of the epoch is done.
    pub fn step(&mut self, epoch: usize, done: usize, steps: usize, meter: &Meter) {
        let seconds = self.epoch_start.elapsed().as_secs_f64().max(1e-9);
        let rate = (meter.count - self.seen_at_start) as f64 / seconds;
        let values = format!(
            "loss {:.4} · accuracy {:.3} · {rate:.0} images/s",
            meter.loss().unwrap_or(f64::NAN),
            meter.accuracy().unwrap_or(f64::NAN)
        );
        if let Some(dashboard) = &self.dashboard {
            dashboard.epoch.set_position(done as u64);
            dashboard.epoch.set_message(values);
            dashboard.run.set_position(1000 * (epoch as u64 - 1) + 1000 * done as u64 / steps.max(1) as u64);
        } else if self.line_is_due() {
            let left = seconds / (meter.count - self.seen_at_start).max(1) as f64
                * (meter.count as f64 * (steps as f64 / done.max(1) as f64 - 1.0));
            self.say(&format!("epoch {epoch}/{} step {done}/{steps} {values} · {left:.0} s left of it", self.epochs));
        }
    }

    /// Another part of the epoch begins: `length` samples, or 0 where it is over in a moment.
    pub fn phase(&mut self, name: &'static str, length: usize) {
        (self.phase, self.phase_length) = (name, length);
        if let Some(dashboard) = &self.dashboard {
            dashboard.epoch.set_prefix(name);
            dashboard.epoch.set_length(length.max(1) as u64);
            dashboard.epoch.set_position(0);
            dashboard.epoch.reset_elapsed();
            dashboard.epoch.reset_eta();
        }
    }

    /// So many samples of the phase are done.
    pub fn phase_step(&mut self, done: usize) {
        if let Some(dashboard) = &self.dashboard {
            dashboard.epoch.set_position(done as u64);
        } else if self.line_is_due() {
            self.say(&format!("    {} {done}/{}", self.phase, self.phase_length));
        }
    }

    /// An epoch is sealed.
    pub fn sealed(&mut self, metrics: &EpochMetrics) {
        self.say(&epoch_line(metrics, self.epochs));
        self.remember(metrics);
        if let Some(dashboard) = &self.dashboard {
            let last = |values: &[f64]| values.last().copied().unwrap_or(f64::NAN);
            dashboard.curves.set_message(format!(
                "{:>12} {} {:.4} · accuracy {} {:.3}",
                "val loss",
                sparkline(&self.losses),
                last(&self.losses),
                sparkline(&self.accuracies),
                last(&self.accuracies)
            ));
            dashboard.run.set_position(1000 * metrics.epoch as u64);
            dashboard.epoch.set_message("");
        }
    }

    /// Takes the dashboard down; lines said stay.
    pub fn finish(&mut self) {
        if let Some(dashboard) = self.dashboard.take() {
            let _ = dashboard.all.clear(); // only decoration
        }
    }

    fn remember(&mut self, metrics: &EpochMetrics) {
        if let Some(training) = &metrics.training {
            self.losses.push(training.val_loss);
            self.accuracies.push(training.val_accuracy);
        }
    }

    fn line_is_due(&mut self) -> bool {
        let due = self.last_line.elapsed() >= LINE_EVERY;
        if due {
            self.last_line = Instant::now();
        }
        due
    }
}

/// The last values as bars of eight heights between their least and their greatest; `·` for one that is no number.
fn sparkline(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const LENGTH: usize = 32;
    let values = &values[values.len().saturating_sub(LENGTH)..];
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (least, greatest) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let bar = |value: &f64| match (value - least) / (greatest - least).max(1e-12) {
        height if height.is_finite() => BARS[((height * 8.0) as usize).min(7)],
        _ => '·',
    };
    values.iter().map(bar).collect()
}

/// One epoch: losses and accuracies in one line, then a line for every explainer and measure with its drift against the
/// previous and the first epoch.
fn epoch_line(metrics: &EpochMetrics, epochs: usize) -> String {
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
    for figure in metrics.drift.iter().filter(|figure| figure.against == Against::Previous) {
        let of = |one: &&DriftEstimate| {
            let same =
                (&one.explainer, &one.target, &one.measure) == (&figure.explainer, &figure.target, &figure.measure);
            one.against == Against::First && same
        };
        let first = metrics.drift.iter().find(of);
        line += &format!(
            "\n    {} ({}) {} to epoch {}: {}, to epoch {}: {} (floor {}, chance {})",
            figure.explainer,
            figure.target,
            figure.measure,
            figure.reference_epoch,
            number(figure.value),
            first.map_or(0, |first| first.reference_epoch),
            number(first.and_then(|first| first.value)),
            number(figure.floor),
            number(figure.chance)
        );
        if figure.dead > 0 {
            line += &format!(" · {} maps without evidence", figure.dead);
        }
    }
    line
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
}
