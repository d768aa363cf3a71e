//! How the epoch where evidence settled depends on what was chosen: `cargo run --example settled -- RUN [SEEDS] [PER_CLASS]
//! [--device cpu]`.
//!
//! Every epoch of the run that has its weights explains panels of several seeds again, with the image perturbed once, twice
//! and four times over as its floor; `docs/settled.md` holds what this printed. To keep the weights of every epoch, train
//! with `--set checkpoints.keep_last=100`. Prints a Markdown table a method: a row a perturbation and margin, a column a panel.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a script prints")]

use burn::tensor::Device;
use driftscope::config::PanelConfig;
use driftscope::data::{DataSet, perturbed};
use driftscope::device::DeviceChoice;
use driftscope::drift::{Margin, Matrix, PATIENCE, Timeline};
use driftscope::models::Model;
use driftscope::probe::{Images, Question, look};
use driftscope::run::{RunRecord, Which, reopen, with_weights};
use driftscope::store::Explanations;
use std::error::Error;
use std::path::Path;

/// How often an image is perturbed, each time by a pixel and a step of each byte, for its floor.
const PERTURBED: [usize; 3] = [1, 2, 4];
const MARGINS: [f64; 4] = [2.0, 5.0, 10.0, 20.0];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (positional, device) = match arguments.iter().position(|argument| argument == "--device") {
        Some(at) => (&arguments[..at], arguments.get(at + 1).ok_or("--device needs a name")?.as_str()),
        None => (&arguments[..], "cpu"),
    };
    let [run, numbers @ ..] = positional else {
        return Err("usage: settled RUN [SEEDS] [PER_CLASS] [--device cpu|cuda|flex]".into());
    };
    let numbers = numbers.iter().map(|number| number.parse()).collect::<Result<Vec<usize>, _>>()?;
    let (run, device) = (Path::new(run), device.parse::<DeviceChoice>()?.open()?.0);
    let record = RunRecord::read(run)?;
    let data = DataSet::open(&record.config.data)?;
    let seeds = numbers.first().copied().unwrap_or(5);
    let per_class = numbers.get(1).copied().unwrap_or(record.config.panel.per_class);

    let mut panels = Vec::new();
    for seed in 0..seeds as u64 {
        eprintln!("panel {} of {seeds}", seed + 1);
        let panel = PanelConfig { per_class, seed, images: None, ..record.config.panel.clone() }.choose(&data)?;
        let images = Images::of_panel(&panel, &record.config.preprocessing, seed)?;
        panels.push(matrices(run, &record, &images, seed, &device)?);
    }
    let Some(first) = panels.first().and_then(|panel| panel.first()) else { return Ok(()) };
    for place in 0..first.len() {
        table(&panels, place);
    }
    Ok(())
}

/// The matrices of one panel, by how often images are perturbed, then by explainer and target.
fn matrices(
    run: &Path,
    record: &RunRecord,
    images: &Images,
    seed: u64,
    device: &Device,
) -> Result<Vec<Vec<Matrix>>, Box<dyn Error>> {
    let config = &record.config;
    let question = Question::new(config.explainers.clone(), &config.panel.targets, &record.classes)?;
    let more: Vec<Images> = PERTURBED.iter().skip(1).map(|&times| perturbed_often(images, times, seed)).collect();
    let mut timelines: Vec<Timeline> = PERTURBED.iter().map(|_| Timeline::new(0, Margin::default())).collect();
    for epoch in with_weights(run)? {
        let model = reopen(run, Which::Epoch(epoch), false, device)?.model;
        let seen = |model: &Model, images: &Images| look(images, &question, model, device, epoch == 0, |_| ());
        let once = seen(&model, images)?;
        let mut floors: Vec<Vec<Explanations>> = vec![once.clone()];
        for images in &more {
            let as_floor =
                |(one, far): (&Explanations, Explanations)| Explanations { floor_maps: far.maps, ..one.clone() };
            floors.push(once.iter().zip(seen(&model, images)?).map(as_floor).collect());
        }
        for (timeline, seen) in timelines.iter_mut().zip(floors) {
            timeline.for_epoch(epoch, &seen)?;
            timeline.advance(epoch, seen);
        }
    }
    Ok(timelines.iter().map(|timeline| timeline.matrices(PATIENCE.get())).collect())
}

/// The images, perturbed so many times over.
fn perturbed_often(images: &Images, times: usize, seed: u64) -> Images {
    let picture = |(picture, id): (&_, &String)| {
        (1..times as u64)
            .fold(perturbed(picture, id, seed), |picture, time| perturbed(&picture, id, seed + 1000 * time))
    };
    let pictures = images.pictures.iter().zip(&images.ids).map(picture).collect();
    let (ids, labels) = (images.ids.clone(), images.labels.clone());
    Images::new(images.digest.clone(), ids, labels, pictures, images.normalisation, seed)
}

/// Where one explainer and target settled, of every panel.
fn table(panels: &[Vec<Vec<Matrix>>], place: usize) {
    let of = |panel: usize, times: usize| &panels[panel][times][place];
    let Matrix { explainer, target, epochs, .. } = of(0, 0);
    println!("`{explainer}` ({target}), epochs {} to {}\n", epochs.first().unwrap_or(&0), epochs.last().unwrap_or(&0));
    let seeds: String = (0..panels.len()).map(|seed| format!(" panel {seed} |")).collect();
    println!("| perturbed | margin |{seeds}\n|---|---|{}", "---|".repeat(panels.len()));
    for (times, often) in PERTURBED.iter().enumerate() {
        for margin in MARGINS {
            let settled = |panel| match of(panel, times).settled_within(margin, PATIENCE.get()) {
                Some(epoch) => format!(" {epoch} |"),
                None => " not yet |".to_string(),
            };
            println!("| {often} × | {margin} |{}", (0..panels.len()).map(settled).collect::<String>());
        }
    }
    println!();
}
