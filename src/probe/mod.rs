//! A trained model asked about images: what it makes of a split, where it looks, whether its maps are faithful, and which part
//! of it moved them.
//!
//! Nothing here knows training, what a run's settings are, or reports. A model is off the tape, and nothing of it changes.

mod cause;
mod evaluate;
mod faithfulness;
mod images;
mod look;
mod question;
mod record;

pub use cause::{Cause, CauseError, Contribution, Part, causes};
pub use evaluate::{Evaluation, cross_entropy, evaluate};
pub use faithfulness::{Assessment, AssessmentError, assess};
pub use images::{Images, ImagesError};
pub use look::look;
pub use question::{ANY_CLASS, Question};
