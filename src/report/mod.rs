//! What a person sees of runs: tables, figures of an image through the epochs, curves, one HTML page, event files.
//!
//! Nothing here computes a measure; it shows those that [`crate::drift`] made of what [`crate::store`] kept, laid out with
//! what [`crate::draw`] has.

mod animate;
mod answer;
mod comparison;
mod curves;
mod drift_details;
mod drift_summary;
mod drift_table;
mod film;
mod html;
mod matrix_table;
mod row;
mod story;
mod table;
mod tensorboard;
mod wrap;

pub use animate::{AnimateError, Animation, gif};
pub use answer::{Answer, Answered, Part, Sentence};
pub use comparison::{Compared, comparison};
pub use curves::{Curves, curves, matrices};
pub use drift_details::{agreement_table, image_csv, image_table, moved_image_table, protocol_table, spread_table};
pub use drift_summary::drift_summary;
pub use drift_table::{drift_csv, drift_table};
pub use film::{FilmStrip, film_strip};
pub use html::{PageOptions, ReportError, html, html_with};
pub use matrix_table::{matrix_csv, matrix_table};
pub use row::{Scales, Sight};
pub use story::{Story, StoryError};
pub use table::{Cell, Table, aligned, confusion_csv, csv_row, number, text};
pub use tensorboard::{Category, Chart, EventWriter, TensorBoardError};
pub use wrap::{COLUMNS, shortened, wrapped};
