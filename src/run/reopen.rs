//! A finished epoch of a run, as a model.

use super::error::RunError;
use super::position::Position;
use super::record::RunRecord;
use super::resume::{Which, sealed};
use crate::models::Model;
use crate::weights;
use burn::tensor::Device;
use std::path::Path;

/// A checkpoint's model, and the run that it belongs to.
#[derive(Debug)]
pub struct Reopened {
    /// The record of the run, its `run.json`.
    pub record: RunRecord,
    /// Where in the run the checkpoint stands.
    pub position: Position,
    /// The model, off the tape.
    pub model: Model,
}

/// Reads a checkpoint, every file of it checked. The model is the average of the weights where the run keeps one, unless
/// `raw` asks for the trained weights themselves.
///
/// # Errors
///
/// Where there is no such epoch, its weights were pruned, or a file of it is damaged.
pub fn reopen(run: &Path, which: Which, raw: bool, device: &Device) -> Result<Reopened, RunError> {
    let record = RunRecord::read(run)?;
    let checkpoint = sealed(run, which)?;
    let config = &record.config;
    let drawn = config.model.init(record.classes.len(), 0.0, config.seed, &device.clone().inner());
    let tensors = checkpoint.saved.ema.filter(|_| !raw).unwrap_or(checkpoint.saved.model);
    let model = weights::load_state_dict(drawn, tensors, &checkpoint.dir)?;
    Ok(Reopened { record, position: checkpoint.saved.position, model })
}
