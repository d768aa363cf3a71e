//! What a person sees: tables, overlays, and one HTML page.
//!
//! Nothing here computes a measure; it shows those that [`crate::drift`] made of what [`crate::store`] kept.

mod html;
mod overlay;
mod table;

pub use html::{ReportError, html};
pub use overlay::{OverlayError, overlay_strip, rgb_png};
pub use table::{aligned, confusion_csv, csv_row, drift_csv, drift_table};
