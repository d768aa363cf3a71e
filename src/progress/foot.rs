//! What stands at the foot of the terminal, and the lines said above it.

use super::line::{Line, Screen, clock};
use crate::fsx::one_line;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, WeakProgressBar};
use std::io::{IsTerminal, Write};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The bar appears on a terminal after this time.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two pictures of the bar on a terminal.
const EVERY: Duration = Duration::from_millis(100);
/// Between two plain lines elsewhere, and before the first.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Columns that the foot leaves free, so that neither the cursor nor the `^C` that a terminal echoes makes it wrap.
const FREE: usize = 3;

/// The longest that taking the bar away may keep the process.
const CLEARING: Duration = Duration::from_millis(200);

/// The bar that is on the terminal, for those who know nothing of who draws it.
static SHOWN: Mutex<Option<WeakProgressBar>> = Mutex::new(None);

/// Takes whatever bar there is off the terminal: for a process that ends where it stands. A terminal that takes nothing at
/// the moment is left as it is.
pub fn clear() {
    let Some(bar) = SHOWN.try_lock().ok().and_then(|shown| shown.as_ref()?.upgrade()) else { return };
    let (done, waiting) = channel();
    std::thread::spawn(move || {
        bar.finish_and_clear();
        // Nobody waits any more where it took too long.
        let _ = done.send(());
    });
    let _ = waiting.recv_timeout(CLEARING);
}

/// Says one line to the person; what would break it is escaped. Where a bar may be shown, use [`Progress::say`].
pub fn say(line: &str) {
    // Nowhere to complain if stderr is gone.
    drop(writeln!(std::io::stderr(), "{}", one_line(line)));
}

/// Tells a person how far the work is.
#[derive(Debug)]
pub struct Progress {
    on_terminal: bool,
    details: bool,
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
    phase: Line,
    around: Around,
}

/// Lines that stand around the bar, and what precedes it where there is no terminal.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Before every plain line, such as `epoch 3/90`.
    pub heading: String,
    /// Above the bar.
    pub above: Vec<Line>,
    /// Below the bar.
    pub below: Vec<Line>,
}

impl Progress {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        let cannot_move = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        let on_terminal = std::io::stderr().is_terminal() && !cannot_move;
        Self { on_terminal, details: false, begun: Instant::now(), foot: Mutex::default() }
    }

    /// The same, for a person who wants to be told more, or no more than is usual.
    pub fn detailed(self, details: bool) -> Self {
        Self { details, ..self }
    }

    /// Whether the person wants to be told more than is usual.
    pub fn details(&self) -> bool {
        self.details
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
        let screen = Screen::of_stderr();
        let screen = Screen { columns: screen.columns.saturating_sub(FREE).max(1), ..screen };
        let Around { above, below, .. } = &self.around;
        let lines: Vec<String> =
            above.iter().chain([&self.phase]).chain(below).map(|line| line.drawn(screen)).collect();
        let bar = self.bar.get_or_insert_with(new);
        bar.set_message(lines.join("\n"));
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.downgrade());
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
            let share = Some(done as f64 / all.max(1) as f64);
            foot.phase = Line { name: self.name.to_string(), share, parts: pace };
            foot.draw();
        } else {
            let ends = [vec![foot.around.heading.clone(), self.name.to_string()], pace, vec![values.to_string()]];
            let parts: Vec<String> = ends.concat().into_iter().filter(|part| !part.is_empty()).collect();
            say(&Screen::of_stderr().dotted(&parts));
        }
    }
}

/// How many are done, how many a second, and the time left: `100/500`, `10/s`, `40 s left`.
fn pace(done: usize, all: usize, per_second: f64) -> Vec<String> {
    let counted = format!("{done}/{all}");
    if per_second <= 0.0 {
        return vec![counted];
    }
    let rate = if per_second < 10.0 { format!("{per_second:.1}/s") } else { format!("{per_second:.0}/s") };
    let left = format!("{} left", clock(all.saturating_sub(done) as f64 / per_second));
    vec![counted, rate, left]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_has_rate_and_time_left() {
        assert_eq!(pace(100, 500, 10.0), ["100/500", "10/s", "40 s left"]);
        assert_eq!(pace(1, 8, 0.25), ["1/8", "0.2/s", "28 s left"]);
        assert_eq!(pace(0, 8, 0.0), ["0/8"]);
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
