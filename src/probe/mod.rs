//! Questions to a trained model about images: evaluation on a split, heat maps, their faithfulness, and which part of the
//! model caused their drift.
//!
//! Nothing here knows training, a run's settings, or reports. The model is off the tape and is not changed.

mod cause;
mod evaluate;
mod faithfulness;
mod images;
mod look;
mod question;
mod record;
mod untaught;

pub use cause::{Cause, CauseError, Contribution, Part, causes};
pub use evaluate::{Evaluation, cross_entropy, evaluate};
pub use faithfulness::{Assessment, AssessmentError, assess};
pub use images::{Images, ImagesError};
pub use look::{look, look_without_floor};
pub use question::{ANY_CLASS, Question};
pub use untaught::untaught;
