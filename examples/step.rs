//! What one training step costs: `cargo run --example step -- deit_tiny 16 5 [--device cpu] [--precision bf16]`.
//!
//! Prints one line of JSON, all of it by step: median seconds, seconds of CPU time over all threads, the median of forward,
//! backward and optimizer alone, and how much more memory than the loaded model was taken at most, MiB (resident memory on
//! a CPU, the card's on a GPU, with what libtorch keeps for later). The first steps are not counted. On a GPU the steps of
//! a block follow one another with no synchronisation, and the parts are timed in steps of their own.
//! `scripts/bench/step.py` runs it beside PyTorch.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use burn::tensor::{Device, Distribution, Int, Tensor};
use driftscope::config::OptimizerConfig;
use driftscope::device::DeviceChoice;
use driftscope::models::{Mode, Model, ModelName, Taps};
use driftscope::precision::Precision;
use driftscope::probe::cross_entropy;
use driftscope::train::{Optimizer, StepGradients};
use std::error::Error;
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

const CLASSES: usize = 47;
const LEARNING_RATE: f64 = 1e-4;
const WARM_UP: usize = 3;
/// Blocks of steps on a GPU, and steps whose parts are timed.
const BLOCKS: usize = 3;
const USAGE: &str = "usage: step MODEL BATCH STEPS [--device cpu|cuda|flex] [--precision f32|tf32|bf16]";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let device = flag(&mut arguments, "--device", "cpu")?;
    let precision: Precision = flag(&mut arguments, "--precision", "f32")?.parse()?;
    let [model, batch, steps] = arguments.as_slice() else { return Err(USAGE.into()) };
    let (name, batch, steps): (ModelName, usize, usize) = (model.parse()?, batch.parse()?, steps.parse()?);
    let choice: DeviceChoice = device.parse()?;
    let (plain, choice) = choice.open()?;
    let mut trained = Trained::new(name, batch, precision, &plain);
    plain.sync()?;
    let loaded = memory(choice, "VmRSS")?;

    for _ in 0..WARM_UP {
        trained.step(false)?;
    }
    plain.sync()?;
    let mut parts = Vec::new();
    let mut step = Vec::new();
    let cpu = cpu_seconds()?;
    if matches!(choice, DeviceChoice::Cuda(_)) {
        for _ in 0..BLOCKS {
            let start = Instant::now();
            for _ in 0..steps {
                trained.step(false)?;
            }
            plain.sync()?;
            step.push(start.elapsed().as_secs_f64() / steps as f64);
        }
    } else {
        for _ in 0..steps {
            let timed = trained.step(true)?;
            step.push(timed.iter().sum());
            parts.push(timed);
        }
    }
    let cpu = (cpu_seconds()? - cpu) / if parts.is_empty() { BLOCKS * steps } else { steps } as f64;
    if parts.is_empty() {
        for _ in 0..BLOCKS {
            parts.push(trained.step(true)?);
        }
    }
    let growth = memory(choice, "VmHWM")? - loaded;
    let [forward, backward, optimizer] = [0, 1, 2].map(|part| median(parts.iter().map(|timed| timed[part]).collect()));
    let step = median(step);
    println!(
        r#"{{"step": {step:.5}, "cpu": {cpu:.3}, "forward": {forward:.5}, "backward": {backward:.5}, "optimizer": {optimizer:.5}, "growth_mib": {growth:.1}}}"#
    );
    Ok(())
}

/// A model in training, and the batch that it is trained with.
struct Trained {
    device: Device,
    /// Taken while it takes a step.
    model: Option<Model>,
    optimizer: Optimizer,
    images: Tensor<4>,
    targets: Tensor<2, Int>,
    precision: Precision,
    taken: u64,
}

impl Trained {
    fn new(name: ModelName, batch: usize, precision: Precision, device: &Device) -> Self {
        let side = name.spec().image_size();
        let labels: Vec<i64> = (0..batch).map(|image| (image % CLASSES) as i64).collect();
        Self {
            device: device.clone(),
            model: Some(name.init(CLASSES, 0.0, 0, &device.clone().autodiff())),
            optimizer: Optimizer::new(OptimizerConfig::adamw(0.01)),
            images: Tensor::random([batch, 3, side, side], Distribution::Normal(0.0, 1.0), device),
            targets: Tensor::<1, Int>::from_ints(labels.as_slice(), device).reshape([batch, 1]),
            precision,
            taken: 0,
        }
    }

    /// Takes a step; the seconds of its parts mean something where it waits for the device after each.
    fn step(&mut self, wait: bool) -> Result<[f64; 3]> {
        let model = self.model.take().ok_or("a step failed")?;
        let mode = Mode { precision: self.precision, ..Mode::train(self.taken) };
        self.taken += 1;
        let mut clock = Clock { device: &self.device, wait, start: Instant::now() };

        let logits = model.forward(self.images.clone(), mode, &mut Taps::none());
        let loss = cross_entropy(logits, self.targets.clone()).mean();
        let forward = clock.lap()?;
        let mut gradients = StepGradients::default();
        gradients.add(&model, loss.backward());
        let backward = clock.lap()?;
        self.model = Some(self.optimizer.step(model, &mut gradients, LEARNING_RATE));
        Ok([forward, backward, clock.lap()?])
    }
}

struct Clock<'a> {
    device: &'a Device,
    wait: bool,
    start: Instant,
}

impl Clock<'_> {
    fn lap(&mut self) -> Result<f64> {
        if self.wait {
            self.device.sync()?;
        }
        let seconds = self.start.elapsed().as_secs_f64();
        self.start = Instant::now();
        Ok(seconds)
    }
}

/// The value behind a flag, which is taken out of the arguments.
fn flag(arguments: &mut Vec<String>, name: &str, default: &str) -> Result<String> {
    let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(default.to_string()) };
    if at + 1 >= arguments.len() {
        return Err(format!("{name} needs a value; {USAGE}").into());
    }
    arguments.remove(at);
    Ok(arguments.remove(at))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// On a CPU a field of Linux's account of this process, on a GPU what is taken of the card; MiB.
fn memory(choice: DeviceChoice, field: &str) -> Result<f64> {
    if let DeviceChoice::Cuda(index) = choice {
        let card = format!("--id={index}");
        let asked = ["--query-gpu=memory.used", "--format=csv,noheader,nounits", &card];
        let said = Command::new("nvidia-smi").args(asked).output()?.stdout;
        return Ok(String::from_utf8(said)?.trim().parse()?);
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field")?;
    let kib: f64 = line.trim_matches(|c: char| !c.is_ascii_digit()).parse()?;
    Ok(kib / 1024.0)
}

/// CPU time of all threads so far; Linux counts it in hundredths of a second.
fn cpu_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // Behind the name, which is in brackets: user and system time are the 12th and 13th field.
    let (_, fields) = stat.rsplit_once(") ").ok_or("/proc/self/stat has no name")?;
    let ticks: Vec<f64> = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
