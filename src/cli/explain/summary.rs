//! What `driftscope explain` writes and prints in words: summary.json, and the tables on stdout.

use super::looked::{Looked, short};
use crate::faithfulness::Summary;
use crate::measure::MapStatus;
use crate::probe::Assessment;
use crate::report::{Cell, Table, number, text};
use crate::store::Explanations;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;

/// Version of summary.json.
const SCHEMA: u32 = 1;

/// summary.json: the runs, and for each what it predicted for every image; `figures` are the file names of the
/// figures, in the order of the images.
pub(super) fn json(all: &[Looked], figures: &[String]) -> Result<String> {
    let summary = json!({
        "schema": SCHEMA,
        "driftscope": env!("CARGO_PKG_VERSION"),
        "runs": all.iter().map(run).collect::<Vec<_>>(),
        "figures": figures,
    });
    Ok(serde_json::to_string_pretty(&summary)? + "\n")
}

fn run(looked: &Looked) -> Value {
    let record = &looked.reopened.record;
    let images = (0..looked.images.ids.len()).map(|index| image(looked, index));
    json!({
        "run": record.name,
        "epoch": looked.reopened.position.epoch,
        "folder": short(&looked.title),
        "model": record.model,
        "classes": record.classes,
        "panel_digest": looked.images.digest,
        "explainers": looked.seen.iter().map(explainer).collect::<Vec<_>>(),
        "images": images.collect::<Vec<_>>(),
        "faithfulness": looked.assessments,
    })
}

/// An explainer, the file of its raw maps, and how many of them are zero, constant or not finite.
fn explainer(seen: &Explanations) -> Value {
    let targets = 0..seen.target_kinds.len();
    let maps = targets.flat_map(|target| (0..seen.images()).filter_map(move |image| seen.map(image, target)));
    let unusable = maps.filter(|map| map.status() != MapStatus::Alive).count();
    json!({
        "explainer": seen.explainer,
        "settings": seen.settings,
        "tap": seen.tap,
        "grid": seen.grid,
        "targets": seen.target_kinds,
        "file": format!("{}.safetensors", seen.explainer),
        "untrained_head": seen.untrained_head,
        "unusable_maps": unusable,
    })
}

fn image(looked: &Looked, index: usize) -> Value {
    let (label, prediction) = (label(looked, index), Prediction::of(looked, index));
    json!({
        "id": looked.images.ids[index],
        "label": label,
        "predicted": prediction.class,
        "probability": prediction.probability,
        "logits": prediction.logits,
    })
}

/// What a run predicts for an image.
pub(super) struct Prediction<'a> {
    /// The class's name.
    pub(super) class: &'a str,
    /// Its probability, in [0, 1].
    pub(super) probability: f64,
    /// Of every class, before the softmax.
    pub(super) logits: Vec<f32>,
}

impl<'a> Prediction<'a> {
    pub(super) fn of(looked: &'a Looked, index: usize) -> Self {
        let seen = &looked.seen[0];
        let logits = seen.logits[index * seen.classes..][..seen.classes].to_vec();
        let class = seen.predicted[index] as usize;
        Self { class: &looked.reopened.record.classes[class], probability: seen.probabilities(index)[class], logits }
    }
}

/// The class of an image by name, where it is known.
pub(super) fn label(looked: &Looked, index: usize) -> Option<&str> {
    looked.images.labels[index].map(|label| looked.reopened.record.classes[label].as_str())
}

/// One row per image and run.
pub(super) fn list(all: &[Looked], figures: &[String], out: &Path) -> Table {
    let mut rows = Vec::new();
    for (index, figure) in figures.iter().enumerate() {
        for looked in all {
            let prediction = Prediction::of(looked, index);
            rows.push(vec![
                text(&looked.images.ids[index]),
                label(looked, index).and_then(text),
                text(&looked.title),
                text(prediction.class),
                text(format!("{:.3}", prediction.probability)),
                text(out.join(figure).display()),
            ]);
        }
    }
    Table { headings: vec!["picture", "label", "run", "predicted", "probability", "figure"], rows, left: 4 }
}

/// One row per run, explainer, target and criterion, each beside the same criterion of random maps; then how similar maps
/// remain while the model's parameters are randomised.
pub(super) fn faithfulness(all: &[Looked]) -> Table {
    let rows = all.iter().flat_map(|looked| looked.assessments.iter().flat_map(|one| rows(looked, one))).collect();
    let headings = vec![
        "run",
        "method",
        "target",
        "measure",
        "better",
        "value",
        "low",
        "high",
        "random",
        "gain",
        "gain low",
        "gain high",
        "images",
    ];
    Table { headings, rows, left: 5 }
}

fn rows(looked: &Looked, assessment: &Assessment) -> Vec<Vec<Cell>> {
    let row = |measure: String, better: &str, [value, random, gain]: [Option<&Summary>; 3]| {
        let mean = |summary: Option<&Summary>| number(summary.and_then(|summary| summary.mean));
        let end = |summary: Option<&Summary>, end: usize| {
            number(summary.and_then(|summary| summary.interval).map(|of| of[end]))
        };
        vec![
            text(&looked.title),
            text(&assessment.explainer),
            text(&assessment.target),
            text(measure),
            text(better),
            mean(value),
            end(value, 0),
            end(value, 1),
            mean(random),
            mean(gain),
            end(gain, 0),
            end(gain, 1),
            text(value.map_or(0, |value| value.defined)),
        ]
    };
    let mut rows: Vec<Vec<Cell>> = assessment
        .estimates
        .iter()
        .map(|estimate| {
            let better = if estimate.criterion.higher_is_better() { "higher" } else { "lower" };
            row(
                estimate.criterion.name().to_string(),
                better,
                [Some(&estimate.value), Some(&estimate.random), Some(&estimate.gain)],
            )
        })
        .collect();
    let check = &assessment.randomisation;
    let random = check.stages.iter().map(|stage| (format!("random from the head to {}", stage.stage), stage));
    for (name, stage) in random.chain([("of other images".to_string(), &check.chance)]) {
        for ((similarity, value), (_, random)) in stage.similarity.iter().zip(&check.random.similarity) {
            rows.push(row(format!("{}, {name}", similarity.name()), "lower", [Some(value), Some(random), None]));
        }
    }
    rows
}
