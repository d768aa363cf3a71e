//! Lines and one bar on stderr.
//!
//! On a terminal the bar is rewritten in place at the foot, and lines are said above it. Elsewhere (in a file, a pipe, or on a
//! terminal that cannot move its cursor) the same numbers come as a plain line now and then. What is over in a moment is not
//! shown at all.

use crate::fsx::one_line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The bar appears on a terminal after this time.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two pictures of the bar on a terminal.
const EVERY: Duration = Duration::from_millis(100);
/// Between two plain lines elsewhere, and before the first.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Columns of everything that stands at the foot of a terminal: one less than the usual 80, so that nothing wraps.
const COLUMNS: usize = 79;
/// Columns of a name at the left of the foot.
const NAME: usize = 12;

/// Says one line to the person; what would break it is escaped. Where a bar may be shown, use [`Progress::say`].
pub fn say(line: &str) {
    // Nowhere to complain if stderr is gone.
    drop(writeln!(std::io::stderr(), "{}", one_line(line)));
}

/// Tells a person how far the work is.
#[derive(Debug)]
pub struct Progress {
    on_terminal: bool,
    begun: Instant,
    foot: Mutex<Foot>,
}

/// What is at the foot of the terminal.
#[derive(Debug, Default)]
struct Foot {
    /// None until something is shown.
    bar: Option<ProgressBar>,
    /// When the bar was last drawn, or a plain line was last said.
    last: Option<Instant>,
    phase: String,
    around: Around,
}

/// Lines that stand around the bar, and what precedes it where there is no terminal.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Before every plain line, such as `epoch 3/90`.
    pub heading: String,
    /// Above the bar.
    pub above: Vec<String>,
    /// Below the bar.
    pub below: Vec<String>,
}

impl Progress {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        let cannot_move = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        let on_terminal = std::io::stderr().is_terminal() && !cannot_move;
        Self { on_terminal, begun: Instant::now(), foot: Mutex::default() }
    }

    /// Says one line, above the bar where there is one; what would break it is escaped.
    pub fn say(&self, line: &str) {
        match &self.foot().bar {
            Some(bar) => bar.println(one_line(line)),
            None => say(line),
        }
    }

    /// A part of the work begins, and so does its clock.
    pub fn phase(&self, name: &'static str) -> Phase<'_> {
        self.phase_from(name, 0)
    }

    /// The same of a part of which `done` was done earlier.
    pub fn phase_from(&self, name: &'static str, done: usize) -> Phase<'_> {
        Phase { progress: self, name, from: done, begun: Instant::now() }
    }

    /// Changes what stands around the bar.
    pub fn surround(&self, around: Around) {
        let mut foot = self.foot();
        foot.around = around;
        if foot.bar.is_some() {
            foot.draw();
        }
    }

    /// Takes the bar off the terminal; lines said stay.
    pub fn finish(&self) {
        if let Some(bar) = self.foot().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn foot(&self) -> MutexGuard<'_, Foot> {
        self.foot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Foot {
    fn draw(&mut self) {
        let new = || {
            let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
        };
        let Around { above, below, .. } = &self.around;
        let lines: Vec<String> = above.iter().chain([&self.phase]).chain(below).map(|line| cut(line)).collect();
        self.bar.get_or_insert_with(new).set_message(lines.join("\n"));
    }
}

/// A part of the work whose length is known.
#[derive(Debug)]
pub struct Phase<'a> {
    progress: &'a Progress,
    name: &'static str,
    from: usize,
    begun: Instant,
}

impl Phase<'_> {
    /// `done` of `all` are done; may be called from any thread, and as often as is convenient.
    pub fn done(&self, done: usize, all: usize) {
        self.done_with(done, all, "");
    }

    /// The same; where there is no terminal, `values` stand behind the numbers.
    pub fn done_with(&self, done: usize, all: usize, values: &str) {
        let Ok(mut foot) = self.progress.foot.try_lock() else { return };
        let now = Instant::now();
        let (first, every) = if self.progress.on_terminal { (PATIENCE, EVERY) } else { (LINE_EVERY, LINE_EVERY) };
        let due = foot.last.map_or(now - self.progress.begun >= first, |last| now - last >= every);
        if !due {
            return;
        }
        foot.last = Some(now);
        let pace =
            pace(done, all, done.saturating_sub(self.from) as f64 / self.begun.elapsed().as_secs_f64().max(1e-9));
        if self.progress.on_terminal {
            foot.phase = barred(self.name, done as f64 / all.max(1) as f64, &pace);
            foot.draw();
        } else {
            let parts = [foot.around.heading.as_str(), self.name, &pace, values];
            say(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "));
        }
    }
}

/// A name, a bar of which `share` is full, in [0, 1], and a text, in as many columns as there are.
pub fn barred(name: &str, share: f64, text: &str) -> String {
    // The name, and a blank and two brackets before the bar, and a blank behind it.
    let width = COLUMNS.saturating_sub(NAME + 4 + text.chars().count()).min(28);
    let full = (share.clamp(0.0, 1.0) * width as f64) as usize;
    let tip = if full < width { "╸" } else { "" };
    format!("{name:>NAME$} [{}{tip}{}] {text}", "━".repeat(full), " ".repeat(width.saturating_sub(full + 1)))
}

/// A name and a text under the bars.
pub fn beside(name: &str, text: &str) -> String {
    format!("{name:>NAME$} {text}")
}

/// How many are done, how many a second, and the time left: `100/500 · 10/s · 40 s left`.
fn pace(done: usize, all: usize, per_second: f64) -> String {
    let counted = format!("{done}/{all}");
    if per_second <= 0.0 {
        return counted;
    }
    let rate = if per_second < 10.0 { format!("{per_second:.1}") } else { format!("{per_second:.0}") };
    format!("{counted} · {rate}/s · {} left", clock(all.saturating_sub(done) as f64 / per_second))
}

/// A time for a person: `45 s`, `3 min` or `2 h`.
pub fn clock(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 90.0 => format!("{seconds:.0} s"),
        seconds if seconds < 5400.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.0} h", seconds / 3600.0),
    }
}

fn cut(line: &str) -> String {
    line.chars().take(COLUMNS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_has_rate_and_time_left() {
        assert_eq!(pace(100, 500, 10.0), "100/500 · 10/s · 40 s left");
        assert_eq!(pace(1, 8, 0.25), "1/8 · 0.2/s · 28 s left");
        assert_eq!(pace(0, 8, 0.0), "0/8");
        assert_eq!([45.0, 600.0, 7200.0].map(clock), ["45 s", "10 min", "2 h"]);
    }

    #[test]
    fn a_bar_is_as_full_as_its_share_and_fits_the_terminal() {
        assert_eq!(barred("epochs", 0.0, "0/4"), format!("      epochs [╸{}] 0/4", " ".repeat(27)));
        assert_eq!(barred("epochs", 0.5, "2/4"), format!("      epochs [{}╸{}] 2/4", "━".repeat(14), " ".repeat(13)));
        assert_eq!(barred("epochs", 1.0, "4/4"), format!("      epochs [{}] 4/4", "━".repeat(28)));
        let greatest = barred("training", 0.3, &pace(123_456_789, 123_456_789, 1_234_567.0));
        assert!(greatest.chars().count() <= COLUMNS, "{greatest}");
        assert_eq!(cut(&"x".repeat(200)).len(), COLUMNS);
    }

    #[test]
    fn what_is_over_in_a_moment_is_not_shown() {
        let progress = Progress { on_terminal: false, ..Progress::new() };
        let phase = progress.phase("counting");
        std::thread::scope(|scope| {
            let phase = &phase;
            (1..=4).for_each(|done| drop(scope.spawn(move || phase.done(done, 4))));
        });
        progress.surround(Around { heading: "epoch 1/2".to_string(), ..Around::default() });
        assert!(progress.foot().bar.is_none() && progress.foot().last.is_none());
        progress.finish();
    }
}
