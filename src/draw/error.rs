//! Why there is no figure.

use crate::measure::HeatmapError;
use crate::picture::PngError;
use ab_glyph::InvalidFont;

/// A figure could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// A figure without a single tile.
    #[error("a figure without pictures cannot be drawn")]
    Empty,
    /// A map could not be scaled: the picture has no pixels.
    #[error(transparent)]
    Heatmap(#[from] HeatmapError),
    /// The picture could not be encoded.
    #[error(transparent)]
    Png(#[from] PngError),
    /// The embedded font is broken.
    #[error("the embedded font cannot be read")]
    Font(#[from] InvalidFont),
}
