//! A sealed epoch of a run as a model that can be asked.

use super::checkpoint::RunRecord;
use super::resume::{Which, sealed};
use super::{TrainError, TrainState};
use crate::models::Model;
use crate::weights;
use burn::tensor::Device;
use std::path::Path;

/// A checkpoint's model, and whose it is.
#[derive(Debug)]
pub struct Reopened {
    /// The run.
    pub record: RunRecord,
    /// Where in the run it stands.
    pub state: TrainState,
    /// Off the tape.
    pub model: Model,
}

/// Reads a checkpoint, every file of it checked. The model is the average of the weights where the run keeps one, unless
/// `raw` asks for the trained weights themselves.
///
/// # Errors
///
/// Where there is no such epoch, its weights were pruned, or a file of it is damaged.
pub fn reopen(run: &Path, which: Which, raw: bool, device: &Device) -> Result<Reopened, TrainError> {
    let record = RunRecord::read(run)?;
    let snapshot = sealed(run, which)?;
    let config = &record.config;
    let drawn = config.model.init(record.classes.len(), 0.0, config.seed, &device.clone().inner());
    let tensors = snapshot.saved.ema.filter(|_| !raw).unwrap_or(snapshot.saved.model);
    let model = weights::load_state_dict(drawn, tensors, &snapshot.dir)?;
    Ok(Reopened { record, state: snapshot.saved.state, model })
}
