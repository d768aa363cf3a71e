//! The parts of a run, one timed after the other.

use super::error::BenchError;
use super::limits::Limits;
use super::rate::{finished, rate};
use crate::config::RunConfig;
use crate::data::{Batch, Batching, DataSet, Loader, Order, Split};
use crate::device;
use crate::explain::{Target, explain};
use crate::measure::{Heatmap, Measure, Prepared};
use crate::models::{Mode, Model, Taps, Training};
use crate::ops;
use crate::probe::cross_entropy;
use crate::train::{Optimizer, StepGradients};
use burn::tensor::{Device, Int, Tensor};
use std::time::{Duration, Instant};

/// What is timed.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Model, batch size, augmentation, optimizer and explainers, as a run would have them.
    pub config: &'a RunConfig,
    /// The images.
    pub data: &'a DataSet,
    /// Where to compute, without autodiff.
    pub device: &'a Device,
    /// Whether that is a GPU.
    pub gpu: bool,
    /// The least time of one measurement.
    pub wanted: Duration,
}

/// How fast one part is.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// What was timed, in words.
    pub name: String,
    /// Images a second; of drift, pairs of maps.
    pub per_second: f64,
    /// What the products alone allow, images a second, at the rate of [`Limits::products`]; none where products are not most
    /// of the work.
    pub limit: Option<f64>,
}

/// All that was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What the device can do at most.
    pub limits: Limits,
    /// The parts in the order of a run.
    pub stages: Vec<Stage>,
}

/// Times every part; `told` is called with the name of each before it begins.
///
/// # Errors
///
/// Where an image cannot be read, memory does not suffice for a batch, or the device fails.
pub fn measure(subject: Subject, told: &dyn Fn(&str)) -> Result<Measured, BenchError> {
    let images = subject.data.split(Split::Train).samples().len();
    let batch = subject.config.batch_size.min(images);
    if batch == 0 {
        return Err(BenchError::NoImages);
    }
    device::within_memory(|| all(subject, batch, told)).map_err(|short| short.in_batches_of(batch))?
}

fn all(subject: Subject, batch: usize, told: &dyn Fn(&str)) -> Result<Measured, BenchError> {
    let Subject { config, device, wanted, .. } = subject;
    told("what the device can do at most");
    let limits = Limits::of(device, subject.gpu, config.precision, wanted)?;
    told("images");
    let (mut stages, loaded) = data(subject)?;

    let classes = subject.data.classes.len();
    // Two operations a multiplication; a step has the products of two gradients too.
    let work = 2.0 * config.model.multiplications(classes) as f64;
    let limit = |passes: f64| Some(limits.products / (work * passes));
    let images = loaded.images(device);
    let per_second = |calls: f64| calls * batch as f64;
    let wait = || finished(device);
    let trained = config.model.init(classes, config.drop_path, config.seed, &device.clone().autodiff());
    let model = trained.valid();

    told("forward pass");
    let products = ops::begin(config.precision);
    let forward = || {
        drop(model.forward(images.clone(), Mode::eval(config.precision), &mut Taps::none()));
        Ok(())
    };
    let calls = rate(wanted, forward, wait)?;
    stages.push(Stage { name: "forward pass".to_string(), per_second: per_second(calls), limit: limit(1.0) });

    told("training step");
    let mut training = Trained { model: Some(trained), optimizer: Optimizer::new(config.optimizer), steps: 0 };
    let targets = loaded.targets(device);
    let step = || {
        training.step(config, images.clone(), targets.clone());
        Ok(())
    };
    let calls = rate(wanted, step, wait)?;
    stages.push(Stage { name: "training step".to_string(), per_second: per_second(calls), limit: limit(3.0) });

    // Explanations are float32, whatever the rest is.
    drop(products);
    let labels: Vec<Option<usize>> = loaded.labels.iter().copied().map(Some).collect();
    let mut maps: Vec<Heatmap> = Vec::new();
    for explainer in &config.explainers {
        told(&explainer.title());
        let look = || {
            let one = std::slice::from_ref(explainer);
            let mut explained = explain(&model, one, images.clone(), &labels, &[Target::Label])?;
            let of_first = explained.explainers.swap_remove(0).targets.swap_remove(0);
            maps = of_first.explanations.into_iter().map(|explanation| explanation.map).collect();
            Ok(())
        };
        let calls = rate(wanted, look, wait)?;
        stages.push(Stage { name: explainer.title(), per_second: per_second(calls), limit: None });
    }
    if !maps.is_empty() {
        told("drift");
        stages.push(drift(&maps, wanted)?);
    }
    Ok(Measured { limits, stages })
}

/// The loader in the order of training, decoding and augmenting: once, and once more over the same images. Also returns a
/// batch.
fn data(Subject { config, data, wanted, .. }: Subject) -> Result<(Vec<Stage>, Batch), BenchError> {
    let batching = Batching { batch_size: config.batch_size, preprocessing: config.preprocessing };
    let order =
        Order::Training { seed: config.seed, epoch: 1, augmentation: config.augmentation, mixing: config.mixing };
    let pass = |most: usize, wanted: Duration| -> Result<(usize, f64, Option<Batch>), BenchError> {
        let (start, mut count, mut batches, mut first) = (Instant::now(), 0, 0, None);
        for batch in Loader::start(data.split(Split::Train).clone(), order, batching, 0).take(most) {
            let batch = batch?;
            (count, batches) = (count + batch.labels.len(), batches + 1);
            first = first.or(Some(batch));
            if start.elapsed() >= wanted {
                break;
            }
        }
        Ok((batches, count as f64 / start.elapsed().as_secs_f64(), first))
    };
    let (batches, once, first) = pass(usize::MAX, wanted)?;
    let (_, again, _) = pass(batches, Duration::MAX)?;
    let stage = |name: &str, per_second| Stage { name: name.to_string(), per_second, limit: None };
    Ok((vec![stage("images, first time", once), stage("images, again", again)], first.ok_or(BenchError::NoImages)?))
}

/// A model in training.
struct Trained {
    /// Taken while it takes a step.
    model: Option<Model>,
    optimizer: Optimizer,
    steps: u64,
}

impl Trained {
    /// One step as a run takes it: forward, backward, the norm of the gradients, clipping, and the optimizer.
    fn step(&mut self, config: &RunConfig, images: Tensor<4>, targets: Tensor<2, Int>) {
        let Some(model) = self.model.take() else { return };
        let training = Training { seed: self.steps, frozen_batch_norm: config.freeze.batch_norm };
        let mode = Mode { training: Some(training), precision: config.precision };
        self.steps += 1;
        let loss = cross_entropy(model.forward(images, mode, &mut Taps::none()), targets).mean();
        let mut gradients = StepGradients::default();
        gradients.add(&model, loss.backward());
        let norm = gradients.norm();
        if let Some(greatest) = config.optimizer.clip_norm {
            gradients.clip(norm, greatest);
        }
        self.model = Some(self.optimizer.step(model, &mut gradients, config.schedule.learning_rate));
    }
}

/// The default measure between maps that have not been looked at before.
fn drift(maps: &[Heatmap], wanted: Duration) -> Result<Stage, BenchError> {
    let shifted: Vec<&Heatmap> = maps.iter().skip(1).chain(maps.first()).collect();
    let mut sum = 0.0;
    let compare = || {
        for (one, other) in maps.iter().zip(&shifted) {
            let (one, other) = (Prepared::new(one.clone()), Prepared::new((*other).clone()));
            sum += Measure::DEFAULT.between_prepared(&one, &other).unwrap_or(0.0);
        }
        Ok(())
    };
    let calls = rate(wanted, compare, || Ok(()))?;
    std::hint::black_box(sum);
    Ok(Stage {
        name: format!("drift ({})", Measure::DEFAULT.name()),
        per_second: calls * maps.len() as f64,
        limit: None,
    })
}
