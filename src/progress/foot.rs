//! What stands at the foot of the terminal, and the lines said above it.

use super::line::{Line, Screen, clock};
use crate::fsx::one_line;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The bar appears on a terminal after this time.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two pictures of the bar on a terminal.
const EVERY: Duration = Duration::from_millis(100);
/// Between two plain lines elsewhere, and before the first.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// The longest that taking the bar away may keep the process.
const CLEARING: Duration = Duration::from_millis(200);

/// How many lines of a foot are on the terminal. There is one terminal, whoever draws on it. The cursor is at the beginning of
/// the line below them, so that a `^C` that the terminal echoes there moves nothing.
static DRAWN: AtomicUsize = AtomicUsize::new(0);

/// Takes whatever bar there is off the terminal: for a process that ends where it stands. A terminal that takes nothing at
/// the moment is left as it is.
pub fn clear() {
    let (done, waiting) = channel();
    std::thread::spawn(move || {
        write(&erased(&DRAWN));
        // Nobody waits any more where it took too long.
        let _ = done.send(());
    });
    let _ = waiting.recv_timeout(CLEARING);
}

/// Says one line to the person; what would break it is escaped. Where a bar may be shown, use [`Progress::say`].
pub fn say(line: &str) {
    write(&format!("{}{}\n", erased(&DRAWN), one_line(line)));
}

fn write(text: &str) {
    // Nowhere to complain if stderr is gone.
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// What takes the foot off the terminal: up over its lines, and all from there on erased.
fn erased(drawn: &AtomicUsize) -> String {
    match drawn.swap(0, Ordering::SeqCst) {
        0 => String::new(),
        lines => format!("\x1b[{lines}A\r\x1b[J"),
    }
}

/// What puts these lines in the place of the foot that is on the terminal. Each line is erased only behind what is new in it,
/// so that nothing flickers.
fn redrawn(drawn: &AtomicUsize, lines: &[String]) -> String {
    let up = match drawn.swap(lines.len(), Ordering::SeqCst) {
        0 => String::new(),
        before => format!("\x1b[{before}A\r"),
    };
    let lines: String = lines.iter().map(|line| format!("{line}\x1b[K\n")).collect();
    up + &lines + "\x1b[J"
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
    /// Whether it is on the terminal.
    shown: bool,
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
        let foot = self.foot();
        say(line);
        foot.draw();
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
        foot.draw();
    }

    /// Takes the bar off the terminal; lines said stay.
    pub fn finish(&self) {
        if std::mem::take(&mut self.foot().shown) {
            write(&erased(&DRAWN));
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
    /// Puts it on the terminal again, if it is shown.
    fn draw(&self) {
        if self.shown {
            write(&redrawn(&DRAWN, &self.lines(Screen::of_stderr())));
        }
    }

    /// Its lines, none of which touches the edge; fewer where the terminal has no more rows.
    fn lines(&self, screen: Screen) -> Vec<String> {
        let inside = Screen { columns: screen.columns.saturating_sub(1).max(1), ..screen };
        let Around { above, below, .. } = &self.around;
        let lines = above.iter().chain([&self.phase]).chain(below).map(|line| line.drawn(inside));
        lines.take(screen.rows.saturating_sub(1)).collect()
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
            foot.shown = true;
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

    /// Up over as many lines as were drawn before, each line anew, and what is below them erased.
    #[test]
    fn a_foot_is_drawn_over_itself_and_leaves_nothing_behind() {
        let lines = ["one".to_string(), "two".to_string()];
        let drawn = AtomicUsize::new(0);
        assert_eq!(redrawn(&drawn, &lines), "one\x1b[K\ntwo\x1b[K\n\x1b[J");
        assert_eq!(redrawn(&drawn, &lines[..1]), "\x1b[2A\rone\x1b[K\n\x1b[J");
        assert_eq!(erased(&drawn), "\x1b[1A\r\x1b[J");
        assert_eq!(erased(&drawn), "");
    }

    #[test]
    fn a_foot_fits_the_terminal() {
        let line = |name: &str| Line { name: name.to_string(), share: Some(0.5), parts: pace(123_456, 234_567, 98.7) };
        let around =
            Around { above: vec![line("epochs")], below: vec![line("train"), line("val")], ..Around::default() };
        let foot = Foot { around, phase: line("training"), ..Foot::default() };
        for (columns, rows, count) in [(80, 24, 4), (40, 24, 4), (9, 24, 4), (80, 3, 2)] {
            let drawn = foot.lines(Screen { columns, rows, unicode: true });
            assert_eq!(drawn.len(), count);
            assert!(drawn.iter().all(|line| line.chars().count() < columns), "{drawn:?}");
        }
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
        assert!(!progress.foot().shown && progress.foot().last.is_none());
        progress.finish();
    }
}
