//! What training changes: the model, the optimizer, and where in the run they stand.

use super::checkpoint::{CheckpointError, Snapshot};
use super::optimizer::AdamW;
use super::state::TrainState;
use super::{Progress, Setup, TrainError};
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
    /// A new model with drawn parameters, before its first step.
    pub(super) fn new(setup: &Setup) -> Self {
        let config = &setup.config;
        let device = setup.device.clone().autodiff();
        let model = config.model.init(setup.data.classes.len(), config.drop_path, config.seed, &device);
        Self { model, optimizer: AdamW::new(config.optimizer), state: TrainState::default() }
    }

    /// The same with the weights of the run's file, if it has one; says what the file did not hold.
    pub(super) fn import(self, setup: &Setup, progress: &Progress) -> Result<Self, TrainError> {
        let config = &setup.config.weights;
        let Some(file) = &config.file else { return Ok(self) };
        let imported = weights::import(self.model, file, &config.allow_missing)?;
        progress.say(&format!("weights from {}", file.display()));
        if let Some([found, wanted]) = imported.new_head {
            progress.say(&format!("a new head: {found} classes in the file, {wanted} in the data"));
        }
        for (what, names) in [("missing", &imported.missing), ("unexpected", &imported.unexpected)] {
            if !names.is_empty() {
                progress.say(&format!("{} {what} names excused: {}", names.len(), abridged(names)));
            }
        }
        Ok(Self { model: imported.model, ..self })
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

/// The first and the last name stand for all.
fn abridged(names: &[String]) -> String {
    match names {
        [first, .., last] => format!("{first} … {last}"),
        _ => names.join(", "),
    }
}
