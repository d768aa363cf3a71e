//! What figures are drawn with and on: colours, text, a scene that becomes SVG or PNG, overlays, labelled figures, plots.
//!
//! Knows maps and pictures, never a run: what is to be seen of one is laid out in [`crate::report`].

mod canvas;
mod colour;
mod error;
mod figure;
mod format;
mod mark;
mod matrix;
mod overlay;
mod pen;
mod plot;
mod scene;
mod text;

pub use colour::{ColourMap, UnknownColourMap};
pub use error::FigureError;
pub use figure::{Figure, MapTile, Row, Style, Tile};
pub use format::{FigureFormat, UnknownFigureFormat};
pub use mark::{Mark, looks_of_curves};
pub use matrix::{MatrixPanel, MatrixPlots};
pub use overlay::{ColourLimits, MapPart, Overlay, Paint, Scale, overlay};
pub use plot::{Plot, Plots, Series};
pub use scene::Scene;

pub(crate) use colour::{FAINT, INK, RULE, WARNING};
pub(crate) use pen::Pen;
pub(crate) use scene::Shape;
pub(crate) use text::{Align, Face};
