//! What one training step costs: `cargo run --example step -- deit_tiny 16 5 [--device cpu]`.
//!
//! Prints one line of JSON: median seconds of forward (with the loss read back), backward and optimizer step, and the
//! growth of resident memory over the loaded model at its peak. `scripts/bench/step.py` runs it beside PyTorch.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use burn::tensor::{Distribution, Int, Tensor};
use driftscope::config::OptimizerConfig;
use driftscope::device::DeviceChoice;
use driftscope::models::{Mode, ModelName, Taps};
use driftscope::probe::cross_entropy;
use driftscope::train::{Optimizer, StepGradients};
use std::error::Error;
use std::fs;
use std::time::Instant;

const CLASSES: usize = 47;
const LEARNING_RATE: f64 = 1e-4;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (positional, device) = match arguments.iter().position(|argument| argument == "--device") {
        Some(at) => (&arguments[..at], arguments.get(at + 1).ok_or("--device needs a name")?.as_str()),
        None => (&arguments[..], "cpu"),
    };
    let [model, batch, steps] = positional else {
        return Err("usage: step MODEL BATCH STEPS [--device cpu|cuda|flex]".into());
    };
    let (name, batch, steps): (ModelName, usize, usize) = (model.parse()?, batch.parse()?, steps.parse()?);
    let plain = device.parse::<DeviceChoice>()?.open()?.0;
    let device = plain.clone().autodiff();

    let mut model = name.init(CLASSES, 0.0, 0, &device);
    let mut optimizer = Optimizer::new(OptimizerConfig::adamw(0.01));
    let side = name.spec().image_size();
    let images = Tensor::<4>::random([batch, 3, side, side], Distribution::Normal(0.0, 1.0), &plain);
    let labels: Vec<i64> = (0..batch).map(|image| (image % CLASSES) as i64).collect();
    let targets = Tensor::<1, Int>::from_ints(labels.as_slice(), &plain).reshape([batch, 1]);
    let loaded = memory("VmRSS")?;

    let (mut forward, mut backward, mut update) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..steps {
        let start = Instant::now();
        let mode = Mode::Train { seed: step as u64, frozen_batch_norm: false };
        let loss = cross_entropy(model.forward(images.clone(), mode, &mut Taps::none()), targets.clone()).mean();
        loss.clone().inner().into_scalar::<f32>();
        forward.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        let mut gradients = StepGradients::default();
        gradients.add(&model, loss.backward());
        plain.sync()?;
        backward.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        model = optimizer.step(model, &mut gradients, LEARNING_RATE);
        plain.sync()?;
        update.push(start.elapsed().as_secs_f64());
    }
    let growth = memory("VmHWM")? - loaded;
    let [forward, backward, update] = [forward, backward, update].map(median);
    println!(
        r#"{{"forward": {forward:.4}, "backward": {backward:.4}, "optimizer": {update:.4}, "growth_mib": {growth:.1}}}"#
    );
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A field of Linux's account of this process, MiB.
fn memory(field: &str) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field")?;
    let kib: f64 = line.trim_matches(|c: char| !c.is_ascii_digit()).parse()?;
    Ok(kib / 1024.0)
}
