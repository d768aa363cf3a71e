//! What a person sees: tables, overlays, and one HTML page.
//!
//! Nothing here computes a measure; it shows those that [`crate::drift`] made of what [`crate::store`] kept.

pub mod animate;
pub mod colour;
mod curves;
mod drift_details;
mod drift_summary;
mod drift_table;
mod explained;
pub mod figure;
pub mod film;
mod html;
pub mod overlay;
pub mod plot;
pub mod raster;
mod scene;
pub mod story;
mod table;
pub mod tensorboard;
pub mod text;

pub use animate::{AnimateError, Animation, gif};
pub use colour::ColourMap;
pub use curves::curves;
pub use drift_details::{agreement_table, image_csv, image_table, protocol_table, spread_table};
pub use drift_summary::drift_summary;
pub use drift_table::{drift_csv, drift_table};
pub use explained::{Scales, Sight, method_title};
pub use figure::{Figure, FigureError, MapTile, Row, Style, Tile};
pub use film::{FilmStrip, film_strip};
pub use html::{ReportError, html, html_with};
pub use overlay::{Backdrop, Cells, Evidence, Limits, Overlay, Paint, Scale, overlay};
pub use plot::{Plot, Plots, Series};
pub use raster::{Raster, RasterError, rgb_png};
pub use story::{Story, StoryError};
pub use table::{aligned, confusion_csv, csv_row};
pub use tensorboard::{EventWriter, TensorBoardError};
