//! What a person sees of runs: tables, figures of an image through the epochs, curves, one HTML page, event files.
//!
//! Nothing here computes a measure; it shows those that [`crate::drift`] made of what [`crate::store`] kept, laid out with
//! what [`crate::draw`] has.

mod animate;
mod curves;
mod drift_details;
mod drift_summary;
mod drift_table;
mod film;
mod html;
mod row;
mod story;
mod table;
mod tensorboard;

pub use animate::{AnimateError, Animation, gif};
pub use curves::curves;
pub use drift_details::{agreement_table, image_csv, image_table, protocol_table, spread_table};
pub use drift_summary::drift_summary;
pub use drift_table::{drift_csv, drift_table};
pub use film::{FilmStrip, film_strip};
pub use html::{PageOptions, ReportError, html, html_with};
pub use row::{Scales, Sight};
pub use story::{Story, StoryError};
pub use table::{Cell, Table, aligned, confusion_csv, csv_row, number, text};
pub use tensorboard::{Category, Chart, EventWriter, TensorBoardError};
