//! What a person sees: tables, overlays, and one HTML page.
//!
//! Nothing here computes a measure; it shows those that [`crate::drift`] made of what [`crate::store`] kept.

pub mod colour;
mod drift_table;
mod explained;
pub mod figure;
mod html;
pub mod overlay;
pub mod raster;
mod table;
pub mod text;

pub use colour::ColourMap;
pub use drift_table::{drift_csv, drift_table};
pub use explained::{CommonLimits, Sight, method_title};
pub use figure::{Figure, FigureError, MapTile, Row, Style, Tile};
pub use html::{ReportError, html};
pub use overlay::{Backdrop, Cells, Evidence, Limits, Overlay, Paint, Scale, overlay};
pub use raster::{Raster, RasterError, rgb_png};
pub use table::{aligned, confusion_csv, csv_row};
