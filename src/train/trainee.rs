//! What training changes: the model, its moving average, the optimizer, and the position in the run.

use super::ema::Ema;
use super::error::TrainError;
use super::optimizer::Optimizer;
use super::setup::Setup;
use crate::models::Model;
use crate::progress::Progress;
use crate::run::{Checkpoint, Position, RunError, Saved};
use crate::weights;

/// Everything that a checkpoint must hold for training to go on as if nothing had happened.
#[derive(Debug)]
pub(super) struct Trainee {
    pub(super) model: Model,
    pub(super) ema: Option<Ema>,
    pub(super) optimizer: Optimizer,
    pub(super) position: Position,
}

impl Trainee {
    /// A model with drawn parameters, or the weights of the run's file, before its first step; says what the file did not
    /// hold.
    pub(super) fn new(setup: &Setup, progress: &Progress) -> Result<Self, TrainError> {
        let mut model = draw(setup);
        let config = &setup.config.weights;
        if let Some(file) = &config.file {
            let imported = weights::import(model, file, config.key.as_deref(), &config.allow_missing)?;
            progress.say(&format!("weights from {}", file.display()));
            imported.origin.notes().iter().for_each(|note| progress.say(note));
            if let Some([found, wanted]) = imported.new_head {
                progress.say(&format!("a new head: {found} classes in the file, {wanted} in the data"));
            }
            for (what, names) in [("missing", &imported.missing), ("unexpected", &imported.unexpected)] {
                if !names.is_empty() {
                    progress.say(&format!("{} {what} names excused: {}", names.len(), abridged(names)));
                }
            }
            model = imported.model;
        }
        let ema = setup.config.ema.map(|config| Ema::new(config, &model));
        Ok(Self { model, ema, optimizer: Optimizer::new(setup.config.optimizer), position: Position::default() })
    }

    /// Model, average, optimizer and position as a checkpoint holds them.
    pub(super) fn restore(checkpoint: Checkpoint, setup: &Setup) -> Result<Self, TrainError> {
        let [model_path, ema_path, optimizer_path] = checkpoint.paths();
        let saved = checkpoint.saved;
        let drawn = draw(setup);
        let average = match (setup.config.ema, saved.ema) {
            (Some(config), Some(average)) => {
                Some(Ema::restore(config, weights::load_state_dict(drawn.valid(), average, &ema_path)?))
            }
            _ => None,
        };
        let model = weights::load_state_dict(drawn, saved.model, &model_path)?;
        let ema = average.or_else(|| setup.config.ema.map(|config| Ema::new(config, &model)));
        let steps = saved.position.optimizer_step;
        let optimizer = Optimizer::restore(setup.config.optimizer, steps, saved.optimizer, &setup.device)
            .map_err(|name| RunError::OptimizerState { path: optimizer_path, name })?;
        Ok(Self { model, ema, optimizer, position: saved.position })
    }

    /// The model that is evaluated and explained, without differentiation: the average where the run keeps one.
    pub(super) fn evaluated(&self) -> Model {
        self.ema.as_ref().map_or_else(|| self.model.valid(), |ema| ema.model().clone())
    }

    /// All of it as tensors on the host, to be saved.
    pub(super) fn save(&self) -> Saved {
        Saved {
            position: self.position.clone(),
            model: weights::state_dict(&self.model.valid()),
            ema: self.ema.as_ref().map(|ema| weights::state_dict(ema.model())),
            optimizer: self.optimizer.state(),
        }
    }
}

fn draw(setup: &Setup) -> Model {
    let config = &setup.config;
    let device = setup.device.clone().autodiff();
    config.model.init(setup.data.classes.len(), config.drop_path, config.seed, &device)
}

/// The first and the last name stand for all.
fn abridged(names: &[String]) -> String {
    match names {
        [first, .., last] => format!("{first} … {last}"),
        _ => names.join(", "),
    }
}
