//! Training: the whole program on one page.
//!
//! [`fit`] is the loop. It calls each stage by name, in the order in which things happen, and nothing calls back. Every
//! random number of it is derived from (run seed, purpose, epoch, step or sample), so a resumed run is the uninterrupted
//! one, byte for byte on one CPU.

mod checkpoint;
mod evaluate;
mod evidence;
mod optimizer;
mod progress;
mod schedule;
mod seal;
mod state;
mod trainee;

pub use checkpoint::{CheckpointError, RunDir, RunRecord, Snapshot};
pub use evaluate::{cross_entropy, evaluate};
pub use evidence::Evidence;
pub use optimizer::AdamW;
pub use progress::Progress;
pub use schedule::Schedule;
pub use state::{Best, Meter, TrainState};

use trainee::Trainee;

use crate::config::RunConfig;
use crate::data::{Batching, DataError, DataSet, Loader, Order, Panel, Split};
use crate::drift::{DriftError, Timeline};
use crate::explain::ExplainError;
use crate::models::{Mode, Taps};
use crate::report::OverlayError;
use crate::seed::{self, Purpose};
use crate::store::{EpochMetrics, RunReader, StoreError, TrainingMetrics};
use crate::weights::{self, WeightsError};
use burn::tensor::Device;
use burn_train::Interrupter;
use std::time::Instant;

/// A run that could not go on. What was sealed stays.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss is infinite or not a number.
    #[error("the loss became {loss} at epoch {epoch}, step {step}; the last whole epoch is kept")]
    NotFinite {
        /// What it became.
        loss: f64,
        /// When.
        epoch: usize,
        /// When.
        step: usize,
    },
    /// The run directory.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The pictures.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The explanations.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// Stored explanations.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The drift.
    #[error(transparent)]
    Drift(#[from] DriftError),
    /// The overlays.
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    /// Weights that do not fit the model.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// After its last epoch.
    Finished {
        /// The best epoch.
        best: Option<Best>,
    },
    /// By a signal, saved.
    Interrupted {
        /// The epoch under way.
        epoch: usize,
        /// Its steps done.
        step: usize,
    },
}

/// What a run works with, all of it fixed before the first batch.
#[derive(Debug)]
pub struct Setup {
    /// Settings.
    pub config: RunConfig,
    /// Pictures.
    pub data: DataSet,
    /// Where to compute; autodiff or not does not matter.
    pub device: Device,
}

impl Setup {
    /// The pictures that are explained.
    pub fn panel(&self) -> Panel {
        Panel::choose(&self.data, self.config.panel.per_class, self.config.panel.seed)
    }

    fn batching(&self) -> Batching {
        Batching { batch_size: self.config.batch_size, preprocessing: self.config.preprocessing }
    }
}

/// Trains to the last epoch, or until `interrupter` says stop, and seals every epoch with its explanations and drift.
///
/// Without a `snapshot` it starts at epoch 0, which is the untrained model, evaluated and explained like any other.
///
/// # Errors
///
/// [`TrainError`]; whatever it is, the sealed epochs are whole and the run can be resumed.
pub fn fit(
    run: &RunDir,
    setup: &Setup,
    snapshot: Option<Snapshot>,
    interrupter: &Interrupter,
    progress: &mut Progress,
) -> Result<Outcome, TrainError> {
    let (config, data, device) = (&setup.config, &setup.data, &setup.device);
    let train = data.split(Split::Train);
    let steps = train.samples().len().div_ceil(config.batch_size);
    let schedule = Schedule::new(&config.schedule, config.epochs, steps);
    run.clear_partial()?;

    // Model, optimizer and position: as they were saved, or new. What has been seen so far: read back, or epoch 0.
    let mut trainee = Trainee::new(setup);
    let evidence = Evidence::new(setup.panel(), &config.panel, config.explainers.clone(), &config.preprocessing)?;
    let mut timeline = Timeline::default();
    match snapshot {
        Some(snapshot) => {
            trainee = trainee.restore(snapshot, setup)?;
            timeline = Timeline::of_sealed(&RunReader::open(run.path())?, trainee.state.next().0)?;
        }
        None => {
            trainee = trainee.import(setup, progress)?;
            evidence.write_pictures(run)?;
            let start = Instant::now();
            progress.sealed(&close_epoch(run, setup, &mut trainee, &evidence, &mut timeline, (None, start))?);
        }
    }

    loop {
        let (epoch, steps_done) = trainee.state.next();
        if epoch > config.epochs {
            return Ok(Outcome::Finished { best: trainee.state.best });
        }

        // Train.
        let start = Instant::now();
        progress.begin_epoch(epoch, steps, steps_done, trainee.state.meter.count);
        let order = Order::Training { seed: config.seed, epoch, augmentation: config.augmentation };
        for (batch, step) in Loader::start(train, order, setup.batching(), steps_done).zip(steps_done..) {
            if interrupter.should_stop() {
                // Before an epoch's first step there is nothing that the last sealed epoch does not hold.
                if step > 0 {
                    let model = weights::state_dict(&trainee.model);
                    run.save_interrupted(&trainee.state, &model, &trainee.optimizer.state())?;
                }
                return Ok(Outcome::Interrupted { epoch, step });
            }

            let batch = batch?;
            let seed = seed::derive(config.seed, Purpose::Regularise, &[epoch as u64, step as u64]);
            let logits = trainee.model.forward(batch.images(device), Mode::Train { seed }, &mut Taps::none());
            let losses = cross_entropy(logits.clone(), batch.targets(device));
            let mut gradients = losses.clone().mean().backward();

            let meter = &mut trainee.state.meter;
            meter.add(losses.inner(), logits.inner(), &batch.labels);
            if !meter.loss_sum.is_finite() {
                return Err(TrainError::NotFinite { loss: meter.loss_sum, epoch, step });
            }
            let learning_rate = schedule.at((epoch - 1) * steps + step);
            trainee.model = trainee.optimizer.step(trainee.model, &mut gradients, learning_rate);

            (trainee.state.epoch, trainee.state.step_in_epoch) = (epoch, step + 1);
            trainee.state.optimizer_step = trainee.optimizer.step_count();
            progress.step(epoch, step + 1, steps, &trainee.state.meter);
        }

        // Evaluate, explain, compare with what was seen before, and seal it all together.
        let learning_rate = Some(schedule.at(epoch * steps - 1));
        progress.sealed(&close_epoch(run, setup, &mut trainee, &evidence, &mut timeline, (learning_rate, start))?);
    }
}

/// Everything that happens to an epoch after its last step. Epoch 0 has had none.
fn close_epoch(
    run: &RunDir,
    setup: &Setup,
    trainee: &mut Trainee,
    evidence: &Evidence,
    timeline: &mut Timeline,
    (learning_rate, start): (Option<f64>, Instant),
) -> Result<EpochMetrics, TrainError> {
    let model = trainee.model.valid();
    let validation = evaluate(&model, setup.data.split(Split::Val), setup.batching(), &setup.device)?;

    let meter = std::mem::take(&mut trainee.state.meter);
    let epoch = trainee.state.epoch;
    trainee.state.step_in_epoch = 0;
    let (val_loss, val_accuracy) = (validation.loss().unwrap_or(f64::NAN), validation.accuracy().unwrap_or(0.0));
    trainee.state.note(epoch, val_accuracy);

    let seen = evidence.look(&model, &setup.device, epoch == 0)?;
    let metrics = EpochMetrics {
        epoch,
        drift: timeline.for_epoch(epoch, &seen)?,
        training: Some(TrainingMetrics {
            train_loss: meter.loss(),
            train_accuracy: meter.accuracy(),
            val_loss,
            val_accuracy,
            learning_rate,
            seconds: start.elapsed().as_secs_f64(),
        }),
    };

    let mut unsealed = run.begin_epoch(epoch)?;
    unsealed.write_checkpoint(&trainee.state, &weights::state_dict(&model), &trainee.optimizer.state())?;
    evidence.write(&mut unsealed, &seen)?;
    unsealed.write_json("metrics.json", &metrics)?;
    unsealed.seal()?;
    run.clear_interrupted()?;
    run.write_history()?;
    timeline.advance(epoch, seen);
    Ok(metrics)
}
