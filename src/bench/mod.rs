//! How fast each part of a run is on this machine, beside what the machine could do at most.
//!
//! Weights are drawn, nothing is written, and what is timed is what a run does: the loader, the forward pass, a whole step,
//! each default method of the model, and the comparison of two maps. Limits come from two small probes of the same device,
//! a product of matrices and a copy, not from a data sheet.

mod error;
mod limits;
mod rate;
mod stages;

pub use error::BenchError;
pub use limits::Limits;
pub use stages::{Measured, Stage, Subject, measure};
