//! The scale of movement: from noise, 0, to another image's map, 100.

use std::fmt;
use std::str::FromStr;

/// What the scale means: the same words wherever a person meets it.
pub const MOVED_SCALE: &str = "0 is what noise does, 100 is another image's map";

/// How much a pair of epochs may have moved and still be still, on the scale of *moved*.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Margin(f64);

impl Margin {
    /// A margin from 0 to 100; `None` for any other number.
    pub fn new(moved: f64) -> Option<Self> {
        (0.0..=100.0).contains(&moved).then_some(Margin(moved))
    }

    /// The most that is still.
    pub const fn moved(self) -> f64 {
        self.0
    }
}

impl Default for Margin {
    /// A twentieth of the way from noise to another image's map.
    fn default() -> Self {
        Margin(5.0)
    }
}

impl fmt::Display for Margin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// A text that is no margin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no margin; expected a number from 0 to 100, where {MOVED_SCALE}")]
pub struct NotAMargin(String);

impl FromStr for Margin {
    type Err = NotAMargin;

    fn from_str(text: &str) -> Result<Self, NotAMargin> {
        text.trim().parse().ok().and_then(Margin::new).ok_or_else(|| NotAMargin(text.to_string()))
    }
}

/// How far something moved, in a sentence: `"within noise"`, a whole number below 100, `"as far as another image's map"` from
/// there on, or `"not measurable"`.
pub fn moved_words(moved: Option<f64>) -> String {
    match moved {
        Some(moved) if moved.round() >= 100.0 => "as far as another image's map".to_string(),
        _ => moved_cell(moved),
    }
}

/// The same where there is no room for words: the scale ends at 100, and what moved farther has that number too. The
/// numbers beyond are in files.
pub fn moved_cell(moved: Option<f64>) -> String {
    match moved.map(f64::round) {
        None => "not measurable".to_string(),
        Some(moved) if moved <= 0.0 => "within noise".to_string(),
        Some(moved) => format!("{:.0}", moved.min(100.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_a_number_on_the_scale() {
        assert_eq!("5".parse(), Ok(Margin::default()));
        assert_eq!(("0".parse(), " 2.5 ".parse()), (Ok(Margin(0.0)), Ok(Margin(2.5))));
        for text in ["-0.1", "100.5", "nan", "inf", "5%", ""] {
            let error = text.parse::<Margin>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("'{text}' is no margin; expected a number from 0 to 100")), "{error}");
        }
        assert_eq!(Margin(2.5).to_string().parse(), Ok(Margin(2.5)));
    }

    #[test]
    fn what_is_noise_or_beyond_another_map_is_said_in_words() {
        let far = "as far as another image's map";
        let cases = [
            (Some(-12.0), "within noise", "within noise"),
            (Some(0.49), "within noise", "within noise"),
            (Some(0.5), "1", "1"),
            (Some(36.7), "37", "37"),
            (Some(99.4), "99", "99"),
            (Some(99.5), far, "100"),
            (Some(250.0), far, "100"),
            (None, "not measurable", "not measurable"),
        ];
        for (moved, words, cell) in cases {
            assert_eq!((moved_words(moved).as_str(), moved_cell(moved).as_str()), (words, cell));
        }
    }
}
