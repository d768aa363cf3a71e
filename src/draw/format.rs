//! What a figure's file can be.

use std::fmt;
use std::str::FromStr;

/// The file format of a figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FigureFormat {
    /// Pixels, at the sharpness the figure was laid out for.
    #[default]
    Png,
    /// Shapes and text, with pictures and maps in it as PNG: sharp at any size.
    Svg,
}

/// Not a file format of figures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a figure cannot be written as {found}, expected png or svg")]
pub struct UnknownFigureFormat {
    /// The name that was given.
    pub found: String,
}

impl FigureFormat {
    /// Its name on the command line, and the ending of its files.
    pub fn name(self) -> &'static str {
        match self {
            FigureFormat::Png => "png",
            FigureFormat::Svg => "svg",
        }
    }
}

impl fmt::Display for FigureFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for FigureFormat {
    type Err = UnknownFigureFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = [FigureFormat::Png, FigureFormat::Svg].into_iter().find(|format| format.name() == text);
        named.ok_or_else(|| UnknownFigureFormat { found: text.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_a_wrong_one_is_told_the_right_ones() {
        for format in [FigureFormat::Png, FigureFormat::Svg] {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "pdf".parse::<FigureFormat>().unwrap_err().to_string();
        assert_eq!(error, "a figure cannot be written as pdf, expected png or svg");
    }
}
