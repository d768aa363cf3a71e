//! What can go wrong while something is timed.

use crate::data::DataError;
use crate::device::OutOfMemory;
use crate::explain::ExplainError;

/// Why a part could not be timed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// An image cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A method does not fit the model.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// The device could not end its work.
    #[error("the device failed: {0}")]
    Device(String),
    /// A batch does not fit into memory.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// The training split has no image.
    #[error("there is no image to train on")]
    NoImages,
}
