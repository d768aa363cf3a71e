//! What the drift analysis of a run costs: `cargo run --example drift -- [IMAGES] [EPOCHS] [matrix]`.
//!
//! Makes a run of three methods (grids 7 x 7, 14 x 14 and 14 x 14; 47 classes) in a temporary folder, analyses it with
//! all measures but those that are asked for by name, against the previous and the first epoch, with one shuffle for
//! chance and 1,000 resamples, and prints one line of JSON: seconds of the analysis and the peak of resident memory,
//! making the run included. With `matrix` it is every epoch against every other in the default measure instead, with all
//! shuffles, and where the other live measures say that it settled. Evidence moves for two thirds of the epochs.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]
#![allow(clippy::disallowed_methods, reason = "a benchmark makes a folder of its own")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use driftscope::drift::{Options, analyse};
use driftscope::measure::Measure;
use driftscope::store::{
    EpochMetrics, Explanations, Manifest, PanelInfo, RunInfo, RunReader, SCHEMA, TrainingMetrics, epoch_dir_name,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const METHODS: [(&str, usize); 3] = [("grad-cam", 7), ("rollout", 14), ("le-grad", 14)];
const CLASSES: usize = 47;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let matrix = arguments.pop_if(|last| last == "matrix").is_some();
    let arguments: Vec<usize> = arguments.iter().map(|argument| argument.parse()).collect::<Result<_, _>>()?;
    let images = arguments.first().copied().unwrap_or(1880);
    let epochs = arguments.get(1).copied().unwrap_or(10);
    let folder = tempfile::tempdir()?;
    write_run(folder.path(), images, epochs)?;

    let options = if matrix {
        Options { measures: vec![Measure::DEFAULT], against: Vec::new(), groups: false, ..Options::default() }
    } else {
        Options { shuffles: 1, ..Options::default() }
    };
    let start = Instant::now();
    let analysis = analyse(&RunReader::open(folder.path())?, &options)?;
    let seconds = start.elapsed().as_secs_f64();
    let facts = serde_json::json!({
        "seconds": seconds,
        "peak_rss_bytes": peak_memory()?,
        "threads": std::thread::available_parallelism()?.get(),
        "images": images,
        "epochs": epochs,
        "methods": METHODS.len(),
        "measures": options.measures.len(),
        "resamples": options.resamples,
        "figures": analysis.drift.len(),
        "pairs": analysis.matrices.iter().map(|matrix| matrix.pairs.len()).sum::<usize>(),
        "settled": analysis.settled.iter().chain(&analysis.settled_by).map(|one| one.epoch).collect::<Vec<_>>(),
        "values_by_image": analysis.image_drift.iter().map(|drift| drift.values.len()).sum::<usize>(),
    });
    println!("{facts}");
    Ok(())
}

/// A run of which every epoch moves the evidence a little, until two thirds are over.
fn write_run(folder: &Path, images: usize, epochs: usize) -> Result<(), Box<dyn Error>> {
    let labels: Vec<usize> = (0..images).map(|image| image * CLASSES / images.max(1)).collect();
    let ids: Vec<String> = (0..images).map(|image| format!("{image:05}.jpg")).collect();
    let panel = PanelInfo { digest: "synthetic".to_string(), ids, labels, pictures: Vec::new() };
    let classes = (0..CLASSES).map(|class| format!("class {class}")).collect();
    let (name, model) = ("synthetic".to_string(), "none".to_string());
    let info = RunInfo { schema: SCHEMA, name, model, classes, panel };
    fs::write(folder.join("run.json"), serde_json::to_vec(&info)?)?;
    for epoch in 0..epochs {
        let directory = folder.join(epoch_dir_name(epoch));
        fs::create_dir_all(directory.join("explanations"))?;
        for (method, side) in METHODS {
            let file = directory.join("explanations").join(format!("{method}.safetensors"));
            fs::write(file, explanations(&info.panel, method, side, epoch, 2 * epochs / 3).encode()?)?;
        }
        fs::write(directory.join("metrics.json"), serde_json::to_vec(&metrics(epoch))?)?;
        Manifest::seal_dir(&directory)?;
    }
    Ok(())
}

/// A spot of evidence on every image, which wanders from epoch to epoch until one of them, and noise.
fn explanations(panel: &PanelInfo, method: &str, side: usize, epoch: usize, until: usize) -> Explanations {
    let images = panel.ids.len();
    let mut places = ChaCha8Rng::seed_from_u64(side as u64);
    let mut noise = ChaCha8Rng::seed_from_u64(1000 + epoch as u64);
    let (mut maps, mut floor_maps) = (Vec::new(), Vec::new());
    for _ in 0..images {
        let centre = [places.random::<f32>(), places.random::<f32>() + 0.02 * epoch.min(until) as f32];
        for cell in 0..side * side {
            let place = [cell / side, cell % side].map(|index| (index as f32 + 0.5) / side as f32);
            let squared = (place[0] - centre[0]).powi(2) + (place[1] - centre[1]).powi(2);
            let value = (-8.0 * squared).exp() - 0.2 + 0.02 * noise.random::<f32>();
            maps.push(value);
            floor_maps.push(value + 0.02 * noise.random::<f32>());
        }
    }
    let labels: Vec<i64> = panel.labels.iter().map(|&label| label as i64).collect();
    let right = |label: i64| if noise.random::<f32>() < 0.7 { label } else { (label + 1) % CLASSES as i64 };
    Explanations {
        explainer: method.to_string(),
        title: method.to_string(),
        settings: serde_json::json!({}),
        tap: "synthetic".to_string(),
        class_specific: false,
        untrained_head: false,
        panel_digest: panel.digest.clone(),
        image_ids: panel.ids.clone(),
        target_kinds: vec!["label".to_string()],
        grid: [side, side],
        maps,
        floor_maps,
        layer_maps: None,
        attention_distance: None,
        completeness_gap: None,
        targets: labels.clone(),
        predicted: labels.iter().copied().map(right).collect(),
        labels,
        logits: vec![0.0; images * CLASSES],
        classes: CLASSES,
    }
}

fn metrics(epoch: usize) -> EpochMetrics {
    let training = TrainingMetrics {
        train_loss: Some(1.0),
        train_accuracy: Some(0.7),
        val_loss: 1.0,
        val_accuracy: 0.7,
        val_top5: None,
        val_class_accuracy: Vec::new(),
        learning_rate: None,
        precision: None,
        seconds: 1.0,
    };
    EpochMetrics { epoch, training: Some(training), drift: Vec::new(), randomised: Vec::new() }
}

/// The peak of resident memory in bytes, as Linux counts it.
fn peak_memory() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).ok_or("no VmHWM in /proc/self/status")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).ok_or("VmHWM without a number")?.parse()?;
    Ok(kilobytes * 1024)
}
