//! What training changes: the model, the optimizer, and where in the run they stand.

use super::checkpoint::{CheckpointError, Snapshot};
use super::optimizer::AdamW;
use super::state::TrainState;
use super::{Setup, TrainError};
use crate::models::Model;
use crate::weights;

/// Everything that a checkpoint must hold for training to go on as if nothing had happened.
#[derive(Debug)]
pub(super) struct Trainee {
    pub(super) model: Model,
    pub(super) optimizer: AdamW,
    pub(super) state: TrainState,
}

impl Trainee {
    /// A new model, before its first step.
    pub(super) fn new(setup: &Setup) -> Self {
        let config = &setup.config;
        let device = setup.device.clone().autodiff();
        let model = config.model.init(setup.data.classes.len(), config.drop_path, config.seed, &device);
        Self { model, optimizer: AdamW::new(config.optimizer), state: TrainState::default() }
    }

    /// The same as it was saved.
    pub(super) fn restore(self, snapshot: Snapshot, setup: &Setup) -> Result<Self, TrainError> {
        let (model_path, optimizer_path) = (snapshot.model_path(), snapshot.optimizer_path());
        let model = weights::load_state_dict(self.model, snapshot.model, &model_path)?;
        let steps = snapshot.state.optimizer_step;
        let optimizer = AdamW::restore(setup.config.optimizer, steps, snapshot.optimizer, &setup.device)
            .map_err(|name| CheckpointError::Moments { path: optimizer_path, name })?;
        Ok(Self { model, optimizer, state: snapshot.state })
    }
}
