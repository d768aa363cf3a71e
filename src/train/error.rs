//! The errors that end a run.

use crate::data::DataError;
use crate::device::OutOfMemory;
use crate::draw::FigureError;
use crate::drift::DriftError;
use crate::explain::ExplainError;
use crate::picture::PngError;
use crate::precision::Precision;
use crate::probe::ImagesError;
use crate::report::TensorBoardError;
use crate::run::RunError;
use crate::store::StoreError;
use crate::weights::WeightsError;

/// Why a run could not go on. Its sealed epochs stay.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss or a gradient is infinite or not a number.
    #[error(
        "the {what} became {value} at epoch {epoch}, step {step}; the last whole epoch is kept. A lower learning rate, a \
         longer warm-up or optimizer.clip_norm may help{}",
        if *precision == Precision::Bf16 { ", and so may precision f32" } else { "" }
    )]
    NotFinite {
        /// The loss, the norm of the gradients, the validation loss or a tensor of the weights.
        what: String,
        /// Its value: infinite, or not a number.
        value: f64,
        /// The epoch that was being trained.
        epoch: usize,
        /// The step of the epoch, counted from one.
        step: usize,
        /// What products were computed in.
        precision: Precision,
    },
    /// The loss or a tensor of the untrained model is infinite or not a number.
    #[error("before training, the {what} is {value}: the weights that the run begins with are too large or too small")]
    NotFiniteAtStart {
        /// The validation loss or a tensor of the weights.
        what: String,
        /// Its value: infinite, or not a number.
        value: f64,
    },
    /// The run's folder cannot be used, or its record not be read.
    #[error(transparent)]
    Run(#[from] RunError),
    /// An image cannot be read, or the data is not what it was.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A method does not fit the model, or a target is no class.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A file of the run cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Maps of two epochs cannot be compared.
    #[error(transparent)]
    Drift(#[from] DriftError),
    /// A figure cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A picture cannot be encoded as PNG.
    #[error(transparent)]
    Png(#[from] PngError),
    /// TensorBoard's event files cannot be written.
    #[error(transparent)]
    TensorBoard(#[from] TensorBoardError),
    /// Weights cannot be read or do not fit the model.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The memory of the device or the host does not suffice.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
}

impl From<ImagesError> for TrainError {
    fn from(error: ImagesError) -> Self {
        match error {
            ImagesError::Store(error) => error.into(),
            ImagesError::Picture(error) => DataError::from(error).into(),
        }
    }
}
