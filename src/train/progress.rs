//! How far a run is, on stderr: a bar with rate and time left on a terminal, plain lines with the values elsewhere.

use super::state::Meter;
use crate::store::{Against, EpochMetrics};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Off a terminal, at most one line of step progress in this time.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Tells a person how far training is.
#[derive(Debug)]
pub struct Progress {
    epochs: usize,
    bar: Option<ProgressBar>,
    last_line: Instant,
    epoch_start: Instant,
    seen_at_start: usize,
}

impl Progress {
    /// For a run of `epochs`.
    pub fn new(epochs: usize) -> Self {
        let now = Instant::now();
        Self { epochs, bar: None, last_line: now, epoch_start: now, seen_at_start: 0 }
    }

    /// A line for the person.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            // Nowhere to complain if stderr is gone.
            None => drop(writeln!(std::io::stderr(), "{line}")),
        }
    }

    /// An epoch of `steps` steps begins at step `done`; `seen` samples of it are done.
    pub fn begin_epoch(&mut self, epoch: usize, steps: usize, done: usize, seen: usize) {
        (self.epoch_start, self.last_line, self.seen_at_start) = (Instant::now(), Instant::now(), seen);
        if std::io::stderr().is_terminal() {
            let template = "{prefix} [{bar:28}] {pos}/{len} {msg} · {eta} left";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(steps as u64).with_style(style.progress_chars("━╸ "));
            bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
            bar.set_position(done as u64);
            self.bar = Some(bar);
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
        match &self.bar {
            Some(bar) => {
                bar.set_position(done as u64);
                bar.set_message(values);
            }
            None if self.last_line.elapsed() >= LINE_EVERY => {
                self.last_line = Instant::now();
                self.say(&format!("epoch {epoch}/{} step {done}/{steps} {values}", self.epochs));
            }
            None => {}
        }
    }

    /// An epoch is sealed.
    pub fn sealed(&mut self, metrics: &EpochMetrics) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.say(&epoch_line(metrics, self.epochs));
    }
}

/// One epoch in one line: losses, accuracies, and the drift of each explainer against the previous epoch.
fn epoch_line(metrics: &EpochMetrics, epochs: usize) -> String {
    let number = |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{value:.3}"));
    let mut line = format!("epoch {}/{epochs}", metrics.epoch);
    if let Some(training) = &metrics.training {
        if let Some(loss) = training.train_loss {
            line += &format!(" · train loss {loss:.4} accuracy {}", number(training.train_accuracy));
        }
        line += &format!(
            " · val loss {:.4} accuracy {:.3} · {:.1} s",
            training.val_loss, training.val_accuracy, training.seconds
        );
    }
    for figure in metrics.drift.iter().filter(|figure| figure.against == Against::Previous) {
        line += &format!(
            "\n    {} {} {} (floor {}, chance {})",
            figure.explainer,
            figure.measure,
            number(figure.value),
            number(figure.floor),
            number(figure.chance)
        );
    }
    line
}
