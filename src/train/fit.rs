//! The whole program on one page.
//!
//! [`fit`] is the loop. It calls each stage by name, in the order in which things happen, and nothing calls back. Every
//! random number of it is derived from (run seed, purpose, epoch, step or image), so a resumed run is the uninterrupted
//! one, byte for byte on one CPU.

use super::board::Board;
use super::dashboard::{Dashboard, Lead};
use super::error::TrainError;
use super::gradients::StepGradients;
use super::loss::soft_cross_entropy;
use super::panel::PanelProbe;
use super::ready::Ready;
use super::retention::{history, tidy};
use super::schedule::Schedule;
use super::settling;
use super::setup::{Setup, Steps};
use super::stop::Stop;
use super::trainee::Trainee;
use crate::config::RunConfig;
use crate::data::Split;
use crate::device;
use crate::drift::Timeline;
use crate::models::{Mode, Model, Taps, Trainable, Training};
use crate::ops;
use crate::probe::{Evaluation, evaluate};
use crate::progress::Progress;
use crate::report::confusion_csv;
use crate::run::{Meter, NextStep, RunDir};
use crate::seed::{self, Purpose};
use crate::store::layout::{CONFUSION_FILE, METRICS_FILE};
use crate::store::{EpochMetrics, RunReader, Scored, StoreError, TrainingMetrics, panel_image_name};
use burn::tensor::Tensor;
use std::time::Instant;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// After its last epoch; or when the validation accuracy had not risen for as long as the config allows, or for as long
    /// as it asks of settled evidence.
    Finished {
        /// The epoch with the best validation accuracy, as far as one was trained.
        best: Option<Scored>,
        /// The last epoch.
        last: usize,
    },
    /// It was told to stop, as by Ctrl-C; the epoch so far is saved.
    Interrupted {
        /// The epoch in which it stopped.
        epoch: usize,
        /// Steps of it that are done.
        step: usize,
    },
}

/// Trains to the last epoch, or until it is told to `stop`, and seals every epoch with its explanations and drift.
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
    stop: &dyn Stop,
    progress: &Progress,
) -> Result<Ending, TrainError> {
    let trained = device::within_memory(|| epochs(run, setup, ready, stop, progress));
    trained.map_err(|short| short.in_batches_of(setup.largest_batch()))?
}

/// The loop.
fn epochs(
    run: &RunDir,
    setup: &Setup,
    ready: Ready,
    stop: &dyn Stop,
    progress: &Progress,
) -> Result<Ending, TrainError> {
    let (config, data, device) = (&setup.config, &setup.data, &setup.device);
    let steps = Steps::of(setup);
    let schedule = Schedule::new(&config.schedule, config.epochs, steps.count());

    // Model, optimizer and position: as they were saved, or new. What has been seen so far: read back, or epoch 0.
    let Ready { mut trainee, panel, begun, pictures } = ready;
    let (mut logbook, mut dashboard);
    // The next epoch's first batches are made while the last one is evaluated, explained and sealed.
    let mut next_batches = None;
    let lead = Lead::of(&config.explainers);
    let (reach, margin, patience) = (settling::reach(config), settling::margin(config), config.evidence.patience);
    if begun {
        let history = history(run, |error| progress.say(&format!("left out of tables and ranking: {error}")))?;
        let next = trainee.position.next().epoch;
        let damaged = |error: StoreError| progress.say(&format!("no drift is measured against this: {error}"));
        let timeline = Timeline::of_sealed(&RunReader::open(run.path())?, next, reach, margin, damaged)?;
        settling::note(&mut trainee.position, config, &timeline, &history);
        tidy(run, &history, config.keep, trainee.position.steadiest)?;
        let matrices = timeline.matrices(patience);
        let board = Board::open(run.path(), setup.tensorboard, &panel.methods(), next, &history, &matrices)?;
        logbook = Logbook { panel, timeline, board };
        dashboard = Dashboard::new(progress, config.epochs, lead, &history);
    } else {
        for (index, picture) in pictures.iter().enumerate() {
            run.write(&panel_image_name(index), picture)?;
        }
        let board = Board::open(run.path(), setup.tensorboard, &panel.methods(), 0, &[], &[])?;
        logbook = Logbook { panel, timeline: Timeline::new(reach, margin), board };
        dashboard = Dashboard::new(progress, config.epochs, lead, &[]);
        next_batches = setup.batches(1, 0);
        let untrained = EpochRun { learning_rate: None, start: Instant::now() };
        close_epoch(run, setup, &mut trainee, &mut logbook, &mut dashboard, untrained)?;
    }

    loop {
        let NextStep { epoch, steps_done } = trainee.position.next();
        let stalled = trainee.position.is_stalled(config.early_stopping)
            || trainee.position.is_stalled_and_settled(config.stop_when_stable);
        if epoch > config.epochs || stalled {
            return Ok(Ending::Finished { best: trainee.position.best(), last: epoch - 1 });
        }

        // Train. With the head alone, everything below it behaves as in evaluation.
        let start = Instant::now();
        let trainable = setup.trainable(epoch);
        trainee.model = trainee.model.train_only(trainable);
        dashboard.begin_epoch(epoch, trainee.position.meter.count, steps_done as f64 / steps.count() as f64);
        let started = next_batches.take().or_else(|| setup.batches(epoch, steps_done * config.accumulate));
        let mut batches = started.into_iter().flatten();
        for step in steps_done..steps.count() {
            if stop.should_stop() {
                // Before an epoch's first step there is nothing that the last sealed epoch does not hold.
                if step > 0 {
                    run.save_interrupted(&trainee.save())?;
                }
                return Ok(Ending::Interrupted { epoch, step });
            }

            // The gradient of the mean loss over all images of the step, however many batches they come in.
            let mut gradients = StepGradients::default();
            let _products = ops::begin(config.precision);
            for (part, batch) in batches.by_ref().take(config.accumulate).enumerate() {
                let batch = batch?;
                let seed = seed::derive(config.seed, Purpose::Regularise, &[epoch as u64, step as u64, part as u64]);
                let training = match trainable {
                    Trainable::All => Some(Training { seed, frozen_batch_norm: false }),
                    Trainable::AllButBatchNorm => Some(Training { seed, frozen_batch_norm: true }),
                    Trainable::Head => None,
                };
                let mode = Mode { training, precision: config.precision };
                let logits = trainee.model.forward(batch.images(device), mode, &mut Taps::none());
                let targets = batch.soft_targets(data.classes.len(), config.label_smoothing, device);
                let losses = soft_cross_entropy(logits.clone(), targets);
                trainee.position.meter.add(&host(losses.clone().inner()), &host(logits.inner()), &batch.labels);
                gradients.add(&trainee.model, (losses.sum() / steps.images_of(step) as f64).backward());
            }
            let norm = gradients.norm();
            for (what, value) in [("loss", trainee.position.meter.loss_sum), ("norm of the gradients", norm)] {
                if !value.is_finite() {
                    return Err(TrainError::NotFinite {
                        what: what.to_string(),
                        value,
                        epoch,
                        step: step + 1,
                        precision: config.precision,
                    });
                }
            }
            if let Some(greatest) = config.optimizer.clip_norm {
                gradients.clip(norm, greatest);
            }
            let learning_rate = schedule.at((epoch - 1) * steps.count() + step);
            trainee.model = trainee.optimizer.step(trainee.model, &mut gradients, learning_rate);
            let taken = trainee.optimizer.step_count();
            trainee.ema = trainee.ema.take().map(|ema| ema.moved(&trainee.model, taken));

            (trainee.position.epoch, trainee.position.step_in_epoch) = (epoch, step + 1);
            trainee.position.optimizer_step = taken;
            dashboard.step(&trainee.position.meter, steps.images);
        }

        // Evaluate, explain, compare with what was seen before, and seal it all together.
        next_batches = setup.batches(epoch + 1, 0);
        let trained = EpochRun { learning_rate: Some(schedule.at(epoch * steps.count() - 1)), start };
        close_epoch(run, setup, &mut trainee, &mut logbook, &mut dashboard, trained)?;
    }
}

/// The numbers of a tensor, row by row.
fn host(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// What every epoch is recorded with: the panel that it explains, the earlier maps that these are compared with, and the
/// event files for TensorBoard.
struct Logbook {
    panel: PanelProbe,
    timeline: Timeline,
    board: Board,
}

/// What an epoch's metrics hold besides losses and accuracies: learning rate and duration.
struct EpochRun {
    /// The learning rate of the last step; none where nothing was trained.
    learning_rate: Option<f64>,
    start: Instant,
}

/// Evaluates, explains, compares and seals an epoch after its last step. Epoch 0 has no steps.
fn close_epoch(
    run: &RunDir,
    setup: &Setup,
    trainee: &mut Trainee,
    logbook: &mut Logbook,
    dashboard: &mut Dashboard,
    epoch_run: EpochRun,
) -> Result<(), TrainError> {
    let model = trainee.evaluated();
    let validation = validate(setup, &model, dashboard)?;

    // The last step's update may have blown up, and no loss after it has told. Such an epoch is not sealed.
    let (epoch, step) = (trainee.position.epoch, trainee.position.step_in_epoch);
    let not_finite = |what, value| match epoch {
        0 => TrainError::NotFiniteAtStart { what, value },
        _ => TrainError::NotFinite { what, value, epoch, step, precision: setup.config.precision },
    };
    let val_loss = validation.loss().unwrap_or(f64::NAN);
    if !val_loss.is_finite() {
        return Err(not_finite("validation loss".to_string(), val_loss));
    }
    let meter = std::mem::take(&mut trainee.position.meter);
    trainee.position.step_in_epoch = 0;
    trainee.position.note(epoch, validation.accuracy().unwrap_or(0.0));

    // Explain the panel, and compare with what was seen before.
    let config = &setup.config;
    let seen = device::within_memory(|| logbook.panel.look(&model, &setup.device, epoch == 0, dashboard))??;
    let metrics = EpochMetrics {
        epoch,
        training: Some(training_half(config, &meter, &validation, val_loss, &epoch_run)),
        drift: logbook.timeline.for_epoch(epoch, &seen)?,
        randomised: logbook.timeline.randomised(&seen, &logbook.panel.untaught),
    };
    let mut history = history(run, |_| {})?;
    history.push(metrics.clone());
    // Only where the config lets it does the evidence have a say.
    settling::note(&mut trainee.position, config, &logbook.timeline, &history);

    // Seal all of it together, if it was learned from the images that the run began with.
    let saved = trainee.save();
    if let Some((what, value)) = saved.not_finite() {
        return Err(not_finite(what, value));
    }
    for split in [Split::Train, Split::Val] {
        setup.data.verify_unchanged(split)?;
    }
    let mut building = run.begin_epoch(epoch)?;
    saved.write(&mut building)?;
    building.write(CONFUSION_FILE, confusion_csv(&setup.data.classes, &validation.confusion).as_bytes())?;
    let figures = logbook.panel.write(&mut building, epoch, &seen)?;
    building.write_json(METRICS_FILE, &metrics)?;
    let matrices = logbook.timeline.matrices(config.evidence.patience);
    logbook.board.epoch(&metrics, &matrices, &figures, dashboard);
    building.seal()?;
    tidy(run, &history, config.keep, trainee.position.steadiest)?;
    logbook.timeline.advance(epoch, seen);
    dashboard.sealed(&metrics, &matrices);
    Ok(())
}

/// Loss, accuracies and confusion on the validation split.
fn validate(setup: &Setup, model: &Model, dashboard: &Dashboard) -> Result<Evaluation, TrainError> {
    let (val, classes) = (setup.data.split(Split::Val), setup.data.classes.len());
    let phase = dashboard.phase("validating");
    let told = |done| phase.done(done, val.samples().len());
    let precision = setup.config.precision;
    Ok(evaluate(model, classes, val, setup.batching(), precision, &setup.device, told)?)
}

/// The half of an epoch's metrics that is the same whether or not anything was explained.
fn training_half(
    config: &RunConfig,
    meter: &Meter,
    validation: &Evaluation,
    val_loss: f64,
    epoch_run: &EpochRun,
) -> TrainingMetrics {
    TrainingMetrics {
        train_loss: meter.loss(),
        train_accuracy: meter.accuracy(),
        val_loss,
        val_accuracy: validation.accuracy().unwrap_or(0.0),
        val_top5: validation.top5(),
        val_class_accuracy: validation.class_accuracies(),
        learning_rate: epoch_run.learning_rate,
        precision: Some(config.precision.name().to_string()),
        seconds: epoch_run.start.elapsed().as_secs_f64(),
    }
}
