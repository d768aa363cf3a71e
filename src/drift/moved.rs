//! The scale of movement: from noise, 0, to another image's map, 100.

use std::fmt;
use std::str::FromStr;

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
#[error("'{0}' is no margin; expected a number from 0, noise, to 100, another image's map")]
pub struct NotAMargin(String);

impl FromStr for Margin {
    type Err = NotAMargin;

    fn from_str(text: &str) -> Result<Self, NotAMargin> {
        text.trim().parse().ok().and_then(Margin::new).ok_or_else(|| NotAMargin(text.to_string()))
    }
}

/// How far something moved, for tables and sentences alike: `"within noise"`, a whole number up to 100, `"over 100"`, or
/// `"not measurable"`.
pub fn moved_words(moved: Option<f64>) -> String {
    match moved.map(f64::round) {
        None => "not measurable".to_string(),
        Some(moved) if moved <= 0.0 => "within noise".to_string(),
        Some(moved) if moved > 100.0 => "over 100".to_string(),
        Some(moved) => format!("{moved:.0}"),
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
            assert!(error.starts_with(&format!("'{text}' is no margin; expected a number from 0")), "{error}");
        }
        assert_eq!(Margin(2.5).to_string().parse(), Ok(Margin(2.5)));
    }

    #[test]
    fn what_is_noise_or_beyond_another_map_is_said_in_words() {
        let cases = [
            (Some(-12.0), "within noise"),
            (Some(0.49), "within noise"),
            (Some(0.5), "1"),
            (Some(36.7), "37"),
            (Some(100.4), "100"),
            (Some(100.5), "over 100"),
            (None, "not measurable"),
        ];
        for (moved, words) in cases {
            assert_eq!(moved_words(moved), words);
        }
    }
}
