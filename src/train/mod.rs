//! Training: the loop, and what it is made of.
//!
//! Start with [`fit`](fit()), which is the whole program on one page. How maps are made, how a directory becomes whole, and what
//! a measure is, is not known here.

mod board;
mod dashboard;
mod ema;
mod error;
mod fit;
mod gradients;
mod loss;
mod optimizer;
mod panel;
mod ready;
mod retention;
mod schedule;
mod settling;
mod setup;
mod stop;
mod trainee;

pub use error::TrainError;
pub use fit::{Ending, fit};
pub use gradients::StepGradients;
pub use optimizer::Optimizer;
pub use ready::Ready;
pub use schedule::Schedule;
pub use setup::Setup;
pub use stop::Stop;
