//! One self-contained HTML page for one or more runs: maps travel as numbers and are drawn in the browser.
//!
//! This file turns runs into the JSON that `report.js` documents and reads; `report.html` is the page around it. Nothing
//! is fetched: the page opens from disk, offline.

use crate::drift::{self, Against, DriftError, DriftFigure, Measure};
use crate::fsx::{self, FsError};
use crate::heatmap::MapStatus;
use crate::store::{Explanations, RunReader, StoreError};
use data_encoding::BASE64;
use serde::Serialize;
use std::collections::BTreeMap;

const PAGE: &str = include_str!("report.html");
const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
/// Version of the JSON between this file and `report.js`.
const SCHEMA: u32 = 1;

/// A page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A run could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its epochs do not compare.
    #[error(transparent)]
    Drift(#[from] DriftError),
    /// A picture of its panel could not be read.
    #[error(transparent)]
    Picture(#[from] FsError),
    /// Numbers that JSON cannot hold.
    #[error("the page's data cannot be encoded")]
    Encode(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Page {
    version: u32,
    title: String,
    runs: Vec<Run>,
    measures: Vec<MeasureNote>,
}

#[derive(Serialize)]
struct Run {
    name: String,
    model: String,
    classes: Vec<String>,
    images: Vec<Image>,
    epochs: Vec<Epoch>,
    methods: Vec<Method>,
    drift: Vec<DriftFigure>,
    image_drift: Vec<ImageDrift>,
}

#[derive(Serialize)]
struct Image {
    id: String,
    label: usize,
    png: String,
}

#[derive(Serialize)]
struct Epoch {
    epoch: usize,
    train_loss: Option<f64>,
    train_accuracy: Option<f64>,
    val_loss: Option<f64>,
    val_accuracy: Option<f64>,
}

#[derive(Serialize)]
struct Method {
    explainer: String,
    title: String,
    tap: String,
    class_specific: bool,
    grid: [usize; 2],
    target: String,
    signed: bool,
    epochs: Vec<Maps>,
}

/// The maps of one method and target at one epoch, quantised to 16 bits over their joint range.
#[derive(Serialize)]
struct Maps {
    epoch: usize,
    untrained_head: bool,
    scale: [f32; 2],
    maps: String,
    status: Vec<MapStatus>,
    predicted: Vec<i64>,
    probability_label: Vec<f64>,
    probability_predicted: Vec<f64>,
}

#[derive(Serialize)]
struct ImageDrift {
    explainer: String,
    target: String,
    measure: &'static str,
    against: Against,
    epoch: usize,
    values: Vec<Option<f64>>,
}

#[derive(Serialize)]
struct MeasureNote {
    name: &'static str,
    label: &'static str,
    higher_is_more_similar: bool,
    range: (f64, f64),
}

/// The page for `runs`, side by side.
///
/// # Errors
///
/// [`ReportError`] where a run cannot be read.
pub fn html(runs: &[RunReader]) -> Result<String, ReportError> {
    let names: Vec<&str> = runs.iter().map(|run| run.info().name.as_str()).collect();
    let page = Page {
        version: SCHEMA,
        title: names.join(" · "),
        runs: runs.iter().map(run).collect::<Result<_, _>>()?,
        measures: Measure::ALL.into_iter().map(note).collect(),
    };
    // `<` cannot end the script element, whatever a class or a file is called.
    let data = serde_json::to_string(&page)?.replace('<', "\\u003c");
    Ok(PAGE.replace("/*CSS*/", STYLE).replace("/*JS*/", SCRIPT).replacen("/*DATA*/", &data, 1))
}

fn note(measure: Measure) -> MeasureNote {
    MeasureNote {
        name: measure.name(),
        label: measure.label(),
        higher_is_more_similar: measure.higher_is_more_similar(),
        range: measure.range(),
    }
}

fn run(reader: &RunReader) -> Result<Run, ReportError> {
    let info = reader.info();
    let mut methods = BTreeMap::<(String, usize), Method>::new();
    let mut references = BTreeMap::<String, [Explanations; 2]>::new();
    let mut image_drift = Vec::new();
    for &epoch in reader.epochs() {
        for explainer in reader.explainers(epoch)? {
            let now = reader.explanations(epoch, &explainer)?;
            for (target, kind) in now.target_kinds.iter().enumerate() {
                let method = methods.entry((explainer.clone(), target)).or_insert_with(|| method(&now, kind));
                method.signed |= now.maps.iter().any(|&value| value < 0.0);
                method.epochs.push(maps(&now, epoch, target));
            }
            if now.is_evidence() {
                image_drift.extend(references.get(&explainer).map(|past| drift_of_images(&now, past, epoch)));
                let first = references.remove(&explainer).map_or_else(|| now.clone(), |[first, _]| first);
                references.insert(explainer, [first, now]);
            }
        }
    }
    Ok(Run {
        name: info.name.clone(),
        model: info.model.clone(),
        classes: info.classes.clone(),
        images: images(reader)?,
        epochs: reader.epochs().iter().map(|&number| epoch(reader, number)).collect::<Result<_, _>>()?,
        methods: methods.into_values().collect(),
        drift: drift::of_run(reader)?,
        image_drift: image_drift.into_iter().flatten().collect(),
    })
}

fn images(reader: &RunReader) -> Result<Vec<Image>, ReportError> {
    let panel = &reader.info().panel;
    let image = |(index, (id, &label)): (usize, (&String, &usize))| {
        let bytes = fsx::read(&reader.panel_image_path(index))?;
        Ok(Image { id: id.clone(), label, png: format!("data:image/png;base64,{}", BASE64.encode(&bytes)) })
    };
    panel.ids.iter().zip(&panel.labels).enumerate().map(image).collect()
}

fn epoch(reader: &RunReader, epoch: usize) -> Result<Epoch, ReportError> {
    let training = reader.metrics(epoch)?.training;
    let get = |of: fn(&crate::store::TrainingMetrics) -> Option<f64>| training.as_ref().and_then(of);
    Ok(Epoch {
        epoch,
        train_loss: get(|training| training.train_loss),
        train_accuracy: get(|training| training.train_accuracy),
        val_loss: get(|training| Some(training.val_loss)),
        val_accuracy: get(|training| Some(training.val_accuracy)),
    })
}

fn method(explanations: &Explanations, kind: &str) -> Method {
    let title = match explanations.explainer.as_str() {
        "grad-cam" => "Grad-CAM",
        "rollout" => "Attention rollout",
        other => other,
    };
    Method {
        explainer: explanations.explainer.clone(),
        title: title.to_string(),
        tap: explanations.tap.clone(),
        class_specific: explanations.class_specific,
        grid: explanations.grid,
        target: kind.to_string(),
        signed: false,
        epochs: Vec::new(),
    }
}

fn maps(explanations: &Explanations, epoch: usize, target: usize) -> Maps {
    let maps: Vec<_> = (0..explanations.images()).filter_map(|image| explanations.map(image, target)).collect();
    let values = || maps.iter().flat_map(|map| map.values().iter().copied());
    let finite = || values().filter(|value| value.is_finite());
    let (least, greatest) = (finite().fold(0.0_f32, f32::min), finite().fold(0.0_f32, f32::max));
    let width = if greatest > least { greatest - least } else { 1.0 };
    // A cast saturates: what is not finite ends at a border, and its status says that it is no evidence.
    let quantised = values().flat_map(|value| (((value - least) / width * 65535.0).round() as u16).to_le_bytes());
    let probabilities: Vec<Vec<f64>> = explanations.logits.chunks(explanations.classes.max(1)).map(softmax).collect();
    let of = |classes: &[i64]| {
        let pairs = probabilities.iter().zip(classes);
        pairs.map(|(row, &class)| row.get(class as usize).copied().unwrap_or(0.0)).collect()
    };
    Maps {
        epoch,
        untrained_head: explanations.untrained_head,
        scale: [least, least + width],
        maps: BASE64.encode(&quantised.collect::<Vec<u8>>()),
        status: maps.iter().map(|map| map.status()).collect(),
        probability_label: of(&explanations.labels),
        probability_predicted: of(&explanations.predicted),
        predicted: explanations.predicted.clone(),
    }
}

/// Every measure for every image, against the previous and the first epoch.
fn drift_of_images(now: &Explanations, [first, previous]: &[Explanations; 2], epoch: usize) -> Vec<ImageDrift> {
    let mut all = Vec::new();
    for (target, kind) in now.target_kinds.iter().enumerate() {
        for measure in Measure::ALL {
            for (against, reference) in [(Against::Previous, previous), (Against::First, first)] {
                all.push(ImageDrift {
                    explainer: now.explainer.clone(),
                    target: kind.clone(),
                    measure: measure.name(),
                    against,
                    epoch,
                    values: drift::per_image(now, reference, target, measure),
                });
            }
        }
    }
    all
}

fn softmax(logits: &[f32]) -> Vec<f64> {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - greatest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}
