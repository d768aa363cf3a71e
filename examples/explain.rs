//! What an explanation costs beside a plain forward pass: `cargo run --example explain -- deit_tiny 16 5 [--device cpu]`.
//!
//! Every round times a plain forward pass, one with explicit attention (which attention taps need; a ViT only), and each
//! set of methods, one after the other, so that whatever else the machine does falls on all. Prints a line of JSON a
//! set: median seconds of the two passes and of the explanation, and its ratios over them.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use burn::tensor::{Distribution, Tensor};
use driftscope::device::DeviceChoice;
use driftscope::explain::{Explainer, Target, explain};
use driftscope::models::{Mode, Model, ModelName, Tap, Taps, Watch};
use serde_json::json;
use std::error::Error;
use std::time::Instant;

const CLASSES: usize = 47;
const CNN: [&str; 3] =
    ["grad-cam", "grad-cam,grad-cam-plus-plus,hires-cam,layer-cam,xgrad-cam,eigen-cam", "input-gradient"];
const VIT: [&str; 6] = ["rollout", "grad-cam", "grad-cam,rollout", "gradient-rollout", "generic-relevance", "le-grad"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (positional, device) = match arguments.iter().position(|argument| argument == "--device") {
        Some(at) => (&arguments[..at], arguments.get(at + 1).ok_or("--device needs a name")?.as_str()),
        None => (&arguments[..], "cpu"),
    };
    let [model, batch, rounds] = positional else {
        return Err("usage: explain MODEL BATCH ROUNDS [--device cpu|cuda|flex]".into());
    };
    let (name, batch, rounds): (ModelName, usize, usize) = (model.parse()?, batch.parse()?, rounds.parse()?);
    let device = device.parse::<DeviceChoice>()?.open()?.0;
    let model = name.init(CLASSES, 0.0, 0, &device);
    let side = name.spec().image_size();
    let images = Tensor::<4>::random([batch, 3, side, side], Distribution::Normal(0.0, 1.0), &device);
    let labels: Vec<Option<usize>> = (0..batch).map(|image| Some(image % CLASSES)).collect();
    let attention: Vec<(Tap, Watch)> = model.taps().into_iter().map(|spec| (spec.tap, Watch::Value)).collect();
    let attention: Vec<_> = attention.into_iter().filter(|(tap, _)| matches!(tap, Tap::Attention(_))).collect();

    let sets: Vec<&str> = if name.spec().has_attention() { VIT.to_vec() } else { CNN.to_vec() };
    let parsed = sets.iter().map(|set| set.split(',').map(str::parse).collect::<Result<Vec<Explainer>, _>>());
    let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
    let mut times = vec![Vec::new(); 2 + sets.len()];
    for round in 0..=rounds {
        let mut measured = vec![forward(&model, &images, &[])?, forward(&model, &images, &attention)?];
        for explainers in &parsed {
            let start = Instant::now();
            explain(&model, explainers, images.clone(), &labels, &[Target::Label])?;
            measured.push(start.elapsed().as_secs_f64());
        }
        // The first round warms up.
        if round > 0 {
            times.iter_mut().zip(measured).for_each(|(times, measured)| times.push(measured));
        }
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    for (set, &seconds) in sets.iter().zip(&medians[2..]) {
        let (plain, explicit) = (medians[0], medians[1]);
        let line = json!({
            "methods": set, "forward": plain, "explicit": explicit, "explain": seconds,
            "over_forward": seconds / plain, "over_explicit": seconds / explicit,
        });
        println!("{line}");
    }
    Ok(())
}

/// Seconds of one pass, its logits read back.
fn forward(model: &Model, images: &Tensor<4>, wanted: &[(Tap, Watch)]) -> Result<f64, Box<dyn Error>> {
    let mut taps = Taps::request(&model.taps(), wanted)?;
    let start = Instant::now();
    model.forward(images.clone(), Mode::EVAL, &mut taps).into_data();
    Ok(start.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
