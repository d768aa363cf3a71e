//! Event files that TensorBoard reads: scalars and pictures by step, and which scalars stand in one chart.

mod layout;
mod message;
mod writer;

pub use layout::{Category, Chart};
pub use writer::{EventWriter, TensorBoardError};
