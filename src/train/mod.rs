//! Training: the whole program on one page.
//!
//! [`fit`] is the loop. It calls each stage by name, in the order in which things happen, and nothing calls back. Every
//! random number of it is derived from (run seed, purpose, epoch, step or sample), so a resumed run is the uninterrupted
//! one, byte for byte on one CPU.

mod board;
mod dashboard;
mod ema;
mod evidence;
mod gradients;
mod history;
mod loss;
mod optimizer;
mod ready;
mod schedule;
mod stability;
mod trainee;

pub use gradients::StepGradients;
pub use optimizer::Optimizer;
pub use ready::Ready;
pub use schedule::Schedule;

use board::Board;
use dashboard::Dashboard;
use evidence::Evidence;
use loss::soft_cross_entropy;
use trainee::Trainee;

use crate::config::RunConfig;
use crate::data::{Batching, DataError, DataSet, Loader, Order, Split};
use crate::device::{self, OutOfMemory};
use crate::draw::FigureError;
use crate::drift::{DriftError, Timeline};
use crate::explain::ExplainError;
use crate::models::{Mode, Taps, Trainable};
use crate::picture::PngError;
use crate::probe::{ImagesError, evaluate};
use crate::progress::Progress;
use crate::report::{TensorBoardError, confusion_csv};
use crate::run::{NextStep, RunDir, RunError};
use crate::seed::{self, Purpose};
use crate::store::layout::{CONFUSION_FILE, METRICS_FILE};
use crate::store::{EpochMetrics, RunReader, Scored, StoreError, TrainingMetrics, panel_image_name};
use crate::weights::WeightsError;
use burn::tensor::{Device, Tensor};
use burn_train::Interrupter;
use std::time::Instant;

/// A run that could not go on. What was sealed stays.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss or a gradient is infinite or not a number.
    #[error(
        "the {what} became {value} at epoch {epoch}, step {step}; the last whole epoch is kept. A lower learning rate, a \
         longer warm-up or optimizer.clip_norm may help"
    )]
    NotFinite {
        /// The loss, the norm of the gradients, the validation loss or a tensor of the weights.
        what: String,
        /// What it became.
        value: f64,
        /// When.
        epoch: usize,
        /// When, counted from one.
        step: usize,
    },
    /// The untrained model's numbers are infinite or none.
    #[error("before training, the {what} is {value}: the weights that the run begins with are too large or too small")]
    NotFiniteAtStart {
        /// The validation loss or a tensor of the weights.
        what: String,
        /// What it is.
        value: f64,
    },
    /// The run's folder.
    #[error(transparent)]
    Run(#[from] RunError),
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
    /// A figure.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A picture.
    #[error(transparent)]
    Png(#[from] PngError),
    /// Event files.
    #[error(transparent)]
    TensorBoard(#[from] TensorBoardError),
    /// Weights that do not fit the model.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The device's memory, or the host's.
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

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// After its last epoch; or when the validation accuracy had not risen for as long as the config allows, or for as long
    /// as it asks of settled evidence.
    Finished {
        /// The best epoch.
        best: Option<Scored>,
        /// The last one.
        last: usize,
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
    /// Whether to write event files for TensorBoard too.
    pub tensorboard: bool,
}

impl Setup {
    fn batching(&self) -> Batching {
        Batching { batch_size: self.config.batch_size, preprocessing: self.config.preprocessing }
    }

    /// Steps of all epochs together.
    pub fn total_steps(&self) -> usize {
        self.config.epochs * Steps::of(self).count()
    }

    /// Which parameters epoch `epoch` trains.
    fn trainable(&self, epoch: usize) -> Trainable {
        match self.config.freeze {
            freeze if epoch <= freeze.head_only_epochs => Trainable::Head,
            freeze if freeze.batch_norm => Trainable::AllButBatchNorm,
            _ => Trainable::All,
        }
    }
}

/// How an epoch's samples fall into steps of `accumulate` batches each.
#[derive(Clone, Copy, Debug)]
struct Steps {
    samples: usize,
    step_size: usize,
}

impl Steps {
    fn of(setup: &Setup) -> Self {
        let samples = setup.data.split(Split::Train).samples().len();
        Self { samples, step_size: setup.config.batch_size * setup.config.accumulate }
    }

    fn count(self) -> usize {
        self.samples.div_ceil(self.step_size)
    }

    /// Samples of one step; the last may have fewer.
    fn samples_of(self, step: usize) -> usize {
        self.step_size.min(self.samples - step * self.step_size)
    }
}

/// Trains to the last epoch, or until `interrupter` says stop, and seals every epoch with its explanations and drift.
///
/// A new run starts at epoch 0, which is the untrained model, evaluated and explained like any other.
///
/// # Errors
///
/// [`TrainError`]; whatever it is, the sealed epochs are whole and the run can be resumed.
pub fn fit(
    run: &RunDir,
    setup: &Setup,
    ready: Ready,
    interrupter: &Interrupter,
    progress: &Progress,
) -> Result<Outcome, TrainError> {
    device::within_memory(|| epochs(run, setup, ready, interrupter, progress))?
}

/// The loop.
fn epochs(
    run: &RunDir,
    setup: &Setup,
    ready: Ready,
    interrupter: &Interrupter,
    progress: &Progress,
) -> Result<Outcome, TrainError> {
    let (config, data, device) = (&setup.config, &setup.data, &setup.device);
    let steps = Steps::of(setup);
    let schedule = Schedule::new(&config.schedule, config.epochs, steps.count());

    // Model, optimizer and position: as they were saved, or new. What has been seen so far: read back, or epoch 0.
    let Ready { mut trainee, evidence, begun, pictures } = ready;
    let (mut logbook, mut dashboard);
    if begun {
        run.tidy(config.keep)?;
        let next = trainee.position.next().epoch;
        let history = run.history_telling(|error| progress.say(&format!("left out of tables and ranking: {error}")))?;
        let damaged = |error: StoreError| progress.say(&format!("no drift is measured against this: {error}"));
        let timeline = Timeline::of_sealed(&RunReader::open(run.path())?, next, damaged)?;
        let board = Board::open(run.path(), setup.tensorboard, next, &history)?;
        logbook = Logbook { evidence, timeline, board };
        dashboard = Dashboard::new(progress, config.epochs, &history);
    } else {
        for (index, picture) in pictures.iter().enumerate() {
            run.write(&panel_image_name(index), picture)?;
        }
        let board = Board::open(run.path(), setup.tensorboard, 0, &[])?;
        logbook = Logbook { evidence, timeline: Timeline::default(), board };
        dashboard = Dashboard::new(progress, config.epochs, &[]);
        close_epoch(run, setup, &mut trainee, &mut logbook, &mut dashboard, (None, Instant::now()))?;
    }

    loop {
        let NextStep { epoch, steps_done } = trainee.position.next();
        let (stalled, stable) = (config.early_stopping, config.stop_when_stable);
        if epoch > config.epochs
            || trainee.position.is_stalled(stalled)
            || trainee.position.is_stalled_and_settled(stable)
        {
            return Ok(Outcome::Finished { best: trainee.position.best(), last: epoch - 1 });
        }

        // Train. With the head alone, everything below it behaves as in evaluation.
        let start = Instant::now();
        let trainable = setup.trainable(epoch);
        trainee.model = trainee.model.train_only(trainable);
        dashboard.begin_epoch(epoch, trainee.position.meter.count, steps_done as f64 / steps.count() as f64);
        let (augmentation, mixing) = (config.augmentation, config.mixing);
        let order = Order::Training { seed: config.seed, epoch, augmentation, mixing };
        let first_batch = steps_done * config.accumulate;
        let mut batches = Loader::start(data.split(Split::Train).clone(), order, setup.batching(), first_batch);
        for step in steps_done..steps.count() {
            if interrupter.should_stop() {
                // Before an epoch's first step there is nothing that the last sealed epoch does not hold.
                if step > 0 {
                    run.save_interrupted(&trainee.save())?;
                }
                return Ok(Outcome::Interrupted { epoch, step });
            }

            // The gradient of the mean loss over all samples of the step, however many batches they come in.
            let mut gradients = StepGradients::default();
            for (part, batch) in batches.by_ref().take(config.accumulate).enumerate() {
                let batch = batch?;
                let seed = seed::derive(config.seed, Purpose::Regularise, &[epoch as u64, step as u64, part as u64]);
                let mode = match trainable {
                    Trainable::All => Mode::Train { seed, frozen_batch_norm: false },
                    Trainable::AllButBatchNorm => Mode::Train { seed, frozen_batch_norm: true },
                    Trainable::Head => Mode::Eval,
                };
                let logits = trainee.model.forward(batch.images(device), mode, &mut Taps::none());
                let targets = batch.soft_targets(data.classes.len(), config.label_smoothing, device);
                let losses = soft_cross_entropy(logits.clone(), targets);
                trainee.position.meter.add(&host(losses.clone().inner()), &host(logits.inner()), &batch.labels);
                gradients.add(&trainee.model, (losses.sum() / steps.samples_of(step) as f64).backward());
            }
            let norm = gradients.norm();
            for (what, value) in [("loss", trainee.position.meter.loss_sum), ("norm of the gradients", norm)] {
                if !value.is_finite() {
                    return Err(TrainError::NotFinite { what: what.to_string(), value, epoch, step: step + 1 });
                }
            }
            if let Some(greatest) = config.optimizer.clip_norm {
                gradients.clip(norm, greatest);
            }
            let learning_rate = schedule.at((epoch - 1) * steps.count() + step);
            trainee.model = trainee.optimizer.step(trainee.model, &mut gradients, learning_rate);
            if let Some(ema) = &mut trainee.ema {
                ema.update(&trainee.model, trainee.optimizer.step_count());
            }

            (trainee.position.epoch, trainee.position.step_in_epoch) = (epoch, step + 1);
            trainee.position.optimizer_step = trainee.optimizer.step_count();
            dashboard.step(&trainee.position.meter, steps.samples);
        }

        // Evaluate, explain, compare with what was seen before, and seal it all together.
        let learning_rate = Some(schedule.at(epoch * steps.count() - 1));
        close_epoch(run, setup, &mut trainee, &mut logbook, &mut dashboard, (learning_rate, start))?;
    }
}

/// The numbers of a tensor, row by row.
fn host(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// What is looked at in every epoch, what it is compared with, and where else it is shown.
struct Logbook {
    evidence: Evidence,
    timeline: Timeline,
    board: Board,
}

/// Everything that happens to an epoch after its last step. Epoch 0 has had none.
fn close_epoch(
    run: &RunDir,
    setup: &Setup,
    trainee: &mut Trainee,
    logbook: &mut Logbook,
    dashboard: &mut Dashboard,
    (learning_rate, start): (Option<f64>, Instant),
) -> Result<(), TrainError> {
    let model = trainee.evaluated();
    let (val, classes) = (setup.data.split(Split::Val), &setup.data.classes);
    let phase = dashboard.phase("validating");
    let each_batch = |done| phase.done(done, val.samples().len());
    let validation = evaluate(&model, classes.len(), val, setup.batching(), &setup.device, each_batch)?;

    // The last step's update may have blown up, and no loss after it has told. Such an epoch is not sealed.
    let (epoch, step) = (trainee.position.epoch, trainee.position.step_in_epoch);
    let val_loss = validation.loss().unwrap_or(f64::NAN);
    let refused = |(what, value)| match epoch {
        0 => TrainError::NotFiniteAtStart { what, value },
        _ => TrainError::NotFinite { what, value, epoch, step },
    };
    if !val_loss.is_finite() {
        return Err(refused(("validation loss".to_string(), val_loss)));
    }

    let meter = std::mem::take(&mut trainee.position.meter);
    trainee.position.step_in_epoch = 0;
    let val_accuracy = validation.accuracy().unwrap_or(0.0);
    trainee.position.note(epoch, val_accuracy);

    let seen = logbook.evidence.look(&model, &setup.device, epoch == 0, dashboard)?;
    let metrics = EpochMetrics {
        epoch,
        drift: logbook.timeline.for_epoch(epoch, &seen)?,
        training: Some(TrainingMetrics {
            train_loss: meter.loss(),
            train_accuracy: meter.accuracy(),
            val_loss,
            val_accuracy,
            val_top5: validation.top5(),
            val_class_accuracy: validation.class_accuracies(),
            learning_rate,
            seconds: start.elapsed().as_secs_f64(),
        }),
    };

    // Only where the config lets it does the evidence have a say.
    if setup.config.stop_when_stable.is_some() || setup.config.keep.stable_within.is_some() {
        let mut history = run.history()?;
        history.push(metrics.clone());
        let (steps, tolerance) = (setup.config.stop_when_stable, setup.config.keep.stable_within);
        trainee.position.settled = steps.is_some_and(|steps| stability::has_settled(&history, steps));
        trainee.position.steadiest = tolerance.and_then(|tolerance| stability::steadiest(&history, tolerance));
    }

    let saved = trainee.save();
    if let Some(found) = saved.not_finite() {
        return Err(refused(found));
    }
    for split in [Split::Train, Split::Val] {
        setup.data.verify_unchanged(split)?;
    }
    let mut unsealed = run.begin_epoch(epoch)?;
    saved.write(&mut unsealed)?;
    unsealed.write(CONFUSION_FILE, confusion_csv(classes, &validation.confusion).as_bytes())?;
    let figures = logbook.evidence.write(&mut unsealed, epoch, &seen)?;
    unsealed.write_json(METRICS_FILE, &metrics)?;
    logbook.board.epoch(&metrics, &figures, dashboard);
    unsealed.seal()?;
    run.tidy(setup.config.keep)?;
    logbook.timeline.advance(epoch, seen);
    dashboard.sealed(&metrics);
    Ok(())
}
