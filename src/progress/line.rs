//! Lines that fit: what a terminal has room for, and what is left out where it has less.

use console::{Term, measure_text_width, truncate_str};
use std::env;

/// The usual terminal, where there is none to ask.
const COLUMNS: usize = 80;
const ROWS: usize = 24;
/// Columns of a name at the left of the foot, where there are enough of them.
const NAME: usize = 9;
/// With fewer columns than this, names are not set in a column of their own.
const NARROW: usize = 60;
/// The longest bar, and the shortest one that is still drawn.
const BAR: [usize; 2] = [4, 28];

/// What a terminal has room for and can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Columns of a line, at least 1.
    pub columns: usize,
    /// Lines, at least 1.
    pub rows: usize,
    /// Whether characters beyond ASCII are shown as what they are.
    pub unicode: bool,
}

impl Screen {
    /// Of the terminal that stderr is; where it is none, 80 columns and 24 rows.
    pub fn of_stderr() -> Self {
        let size = Term::stderr().size_checked().map(|(rows, columns)| [rows, columns].map(usize::from));
        let [rows, columns] = size.unwrap_or([ROWS, COLUMNS]).map(|length| length.max(1));
        Self { columns, rows, unicode: is_utf8(|name| env::var(name).ok()) }
    }

    /// The parts with ` · ` between them.
    pub fn dotted(&self, parts: &[String]) -> String {
        parts.join(if self.unicode { " · " } else { " | " })
    }

    /// As many of the first parts as fit, with ` · ` between them; of a single one as much as fits.
    pub fn joined(&self, parts: &[String]) -> String {
        let forms: Vec<String> = (1..=parts.len()).rev().map(|count| self.dotted(&parts[..count])).collect();
        self.first_that_fits(&forms)
    }

    /// The first of several forms of a line that fits; of the last one as much as fits where none does.
    pub fn first_that_fits(&self, forms: &[String]) -> String {
        let fits = |form: &&String| measure_text_width(form) <= self.columns;
        forms.iter().find(fits).or(forms.last()).map_or(String::new(), |form| self.cut(form))
    }

    /// Words that end in a command to copy, which has a line of its own where both do not fit into one.
    pub fn with_command(&self, words: &str, command: &str) -> Vec<String> {
        let line = format!("{words} {command}");
        if measure_text_width(&line) <= self.columns {
            return vec![line];
        }
        vec![words.to_string(), format!("  {command}")]
    }

    /// As much of the beginning of a line as fits; what was cut off ends in an ellipsis.
    pub fn cut(&self, line: &str) -> String {
        truncate_str(line, self.columns, if self.unicode { "…" } else { "~" }).into_owned()
    }
}

/// Whether the first of the variables that say so names UTF-8, as the C library looks for it.
fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| variable(name).filter(|text| !text.is_empty()));
    set.is_some_and(|text| text.to_lowercase().replace('-', "").contains("utf8"))
}

/// One line at the foot of a terminal. It takes what columns there are when it is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// At its left.
    pub name: String,
    /// How full its bar is, in [0, 1]; none for a line without one.
    pub share: Option<f64>,
    /// What it says, the most important first: the last ones are left out where there is no room.
    pub parts: Vec<String>,
}

impl Line {
    /// The line in at most as many columns as there are.
    pub fn drawn(&self, screen: Screen) -> String {
        let name = if screen.columns < NARROW { self.name.clone() } else { format!("{:>NAME$}", self.name) };
        let named = measure_text_width(&name) + 1;
        let room = Screen { columns: screen.columns.saturating_sub(named).max(1), ..screen };
        let text = room.joined(&self.parts);
        // Two brackets and a blank.
        let free = room.columns.saturating_sub(measure_text_width(&text) + 3);
        let bar = self.share.filter(|_| free >= BAR[0]).map(|share| bar(share, free.min(BAR[1]), screen.unicode));
        screen.cut(&format!("{name} {}{text}", bar.unwrap_or_default()))
    }
}

/// A bar of which `share` is full, in [0, 1], with a blank behind it.
fn bar(share: f64, width: usize, unicode: bool) -> String {
    let full = (share.clamp(0.0, 1.0) * width as f64) as usize;
    let [line, tip] = if unicode { ["━", "╸"] } else { ["=", ">"] };
    let tip = if full < width { tip } else { "" };
    format!("[{}{tip}{}] ", line.repeat(full), " ".repeat(width.saturating_sub(full + 1)))
}

/// The last `most` values as bars of eight heights between the given ends; `·` for one that is no number. Without ends, between
/// the least and the greatest of them.
pub fn sparkline(values: &[f64], most: usize, ends: Option<[f64; 2]>) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values = &values[values.len().saturating_sub(most)..];
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let own = || [finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max)];
    let [least, greatest] = ends.unwrap_or_else(own);
    let bar = |value: &f64| match (value - least) / (greatest - least).max(1e-12) {
        height if height.is_finite() => BARS[((height.clamp(0.0, 1.0) * 8.0) as usize).min(7)],
        _ => '·',
    };
    values.iter().map(bar).collect()
}

/// A time for a person: `45 s`, `3 min` or `2 h`.
pub fn clock(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 90.0 => format!("{seconds:.0} s"),
        seconds if seconds < 5400.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(columns: usize) -> Screen {
        Screen { columns, rows: ROWS, unicode: true }
    }

    fn parts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    #[test]
    fn what_does_not_fit_is_left_out_from_the_end_and_a_long_name_is_cut() {
        let all = parts(&["3/10", "loss 1.23", "12 s"]);
        assert_eq!(screen(80).joined(&all), "3/10 · loss 1.23 · 12 s");
        // 4 + 3 + 9 are 16 columns, and 7 more for the time.
        assert_eq!(
            [23, 22, 16, 15].map(|columns| screen(columns).joined(&all)),
            ["3/10 · loss 1.23 · 12 s", "3/10 · loss 1.23", "3/10 · loss 1.23", "3/10",]
        );
        assert_eq!(screen(6).joined(&parts(&["generic-relevance", "37"])), "gener…");
        assert_eq!(Screen { unicode: false, ..screen(20) }.joined(&all), "3/10 | loss 1.23");
        assert_eq!(screen(9).joined(&[]), "");
        // Three letters of two columns each, and the ellipsis.
        assert_eq!(screen(7).cut("条纹的纹理"), "条纹的…");
    }

    #[test]
    fn a_command_is_not_broken_where_words_take_its_room() {
        let of = |columns| screen(columns).with_command("go on with:", "driftscope train");
        assert_eq!(of(28), ["go on with: driftscope train"]);
        assert_eq!(of(27), ["go on with:", "  driftscope train"]);
    }

    #[test]
    fn a_bar_is_as_full_as_its_share_and_takes_what_the_text_leaves() {
        let line = |share| Line { name: "epochs".to_string(), share: Some(share), parts: parts(&["0/4", "9 s gone"]) };
        assert_eq!(line(0.0).drawn(screen(80)), format!("   epochs [╸{}] 0/4 · 9 s gone", " ".repeat(27)));
        assert_eq!(
            line(0.5).drawn(screen(80)),
            format!("   epochs [{}╸{}] 0/4 · 9 s gone", "━".repeat(14), " ".repeat(13))
        );
        assert_eq!(line(1.0).drawn(screen(80)), format!("   epochs [{}] 0/4 · 9 s gone", "━".repeat(28)));
        // The name and a blank, brackets and a blank, 14 columns of text: 16 are left of 40.
        assert_eq!(line(0.5).drawn(screen(40)), format!("epochs [{}╸{}] 0/4 · 9 s gone", "━".repeat(8), " ".repeat(7)));
        assert_eq!(line(0.5).drawn(Screen { unicode: false, ..screen(28) }), "epochs [==> ] 0/4 | 9 s gone");
        assert_eq!(
            [27, 20, 8].map(|columns| line(0.5).drawn(screen(columns))),
            ["epochs 0/4 · 9 s gone", "epochs [━━━╸   ] 0/4", "epochs …",]
        );
    }

    #[test]
    fn a_sparkline_spans_its_values_or_the_given_ends_and_marks_what_is_no_number() {
        assert_eq!(sparkline(&[0.0, 1.0, 0.5, f64::NAN], 20, None), "▁█▅·");
        assert_eq!(sparkline(&[2.0, 2.0], 20, None), "▁▁");
        assert_eq!(sparkline(&[], 20, None), "");
        assert_eq!(sparkline(&[7.0, -5.0, 50.0, 140.0], 3, Some([0.0, 100.0])), "▁▅█");
    }

    #[test]
    fn a_terminal_is_utf8_where_its_locale_says_so() {
        let of = |all: &'static [(&str, &str)]| {
            is_utf8(move |name| all.iter().find(|(known, _)| *known == name).map(|(_, text)| text.to_string()))
        };
        assert!(of(&[("LANG", "de_DE.UTF-8")]) && of(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]));
        assert!(!of(&[]) && !of(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")]));
    }

    #[test]
    fn a_time_has_one_unit() {
        assert_eq!([45.0, 600.0, 7200.0].map(clock), ["45 s", "10 min", "2 h"]);
    }
}
