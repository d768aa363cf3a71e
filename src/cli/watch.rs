//! How far something long is that may also be over in a moment, on stderr.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Nothing is said before this time.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two lines on a terminal, where each replaces the last, and elsewhere.
const EVERY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(10)];

/// Says from any thread how many files are done, with the rate and the time left.
pub(super) struct Watch {
    what: &'static str,
    on_terminal: bool,
    start: Instant,
    /// When something was said last; none before.
    last: Mutex<Option<Instant>>,
}

impl Watch {
    pub(super) fn new(what: &'static str) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        let on_terminal = std::io::stderr().is_terminal() && !dumb;
        Self { what, on_terminal, start: Instant::now(), last: Mutex::new(None) }
    }

    /// `done` of `all` are.
    pub(super) fn told(&self, done: usize, all: usize) {
        let Ok(mut last) = self.last.try_lock() else { return };
        let now = Instant::now();
        let every = EVERY[usize::from(!self.on_terminal)];
        let due = last.map_or(now - self.start >= PATIENCE, |last| now - last >= every);
        if due {
            *last = Some(now);
            let line = line(self.what, done, all, self.start.elapsed());
            let text = if self.on_terminal { format!("\r{line}\x1b[K") } else { format!("{line}\n") };
            // Nowhere to complain if stderr is gone.
            drop(write!(std::io::stderr(), "{text}"));
        }
    }

    /// Takes the line off a terminal.
    pub(super) fn finish(self) {
        if self.on_terminal && self.last.into_inner().is_ok_and(|last| last.is_some()) {
            drop(write!(std::io::stderr(), "\r\x1b[K"));
        }
    }
}

/// At most 79 columns.
fn line(what: &str, done: usize, all: usize, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-9);
    let left = (all.saturating_sub(done)) as f64 / rate.max(1e-9);
    let line = format!("{what}: {done} of {all} · {rate:.0}/s · {} left", clock(left));
    line.chars().take(79).collect()
}

/// `45 s`, `3 min` or `2 h`.
fn clock(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 90.0 => format!("{seconds:.0} s"),
        seconds if seconds < 5400.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_rate_and_time_left_and_fits() {
        let line = line("checking pictures", 100, 500, Duration::from_secs(10));
        assert_eq!(line, "checking pictures: 100 of 500 · 10/s · 40 s left");
        let greatest = super::line("checking pictures", 1, usize::MAX, Duration::from_secs(1));
        assert!(greatest.chars().count() < 80, "{greatest}");
        assert_eq!((clock(600.0), clock(7200.0)), ("10 min".to_string(), "2 h".to_string()));
    }
}
