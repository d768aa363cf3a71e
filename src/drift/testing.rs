//! Explanations for tests.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::matrix::{Floor, Matrix, Pair, Settled};
use super::timeline::Timeline;
use crate::store::{ALL_IMAGES, Against, DriftEstimate, Explanations, RunReader};

/// `images` random maps of 4 x 4, floors equal to the maps.
pub(crate) fn explanations(explainer: &str, seed: u64, images: usize) -> Explanations {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let maps: Vec<f32> = (0..images * 16).map(|_| generator.random()).collect();
    Explanations {
        explainer: explainer.into(),
        title: explainer.into(),
        settings: serde_json::json!({}),
        tap: "layer4".into(),
        class_specific: explainer == "grad-cam",
        untrained_head: false,
        panel_digest: "0123".into(),
        image_ids: (0..images).map(|image| format!("{image}.jpg")).collect(),
        target_kinds: vec!["label".into()],
        grid: [4, 4],
        floor_maps: maps.clone(),
        layer_maps: None,
        attention_distance: None,
        completeness_gap: None,
        maps,
        targets: vec![0; images],
        predicted: vec![0; images],
        labels: vec![0; images],
        logits: vec![0.0; images],
        classes: 1,
    }
}

/// An estimate of all images of four, of Grad-CAM, with floor 0.9 for Spearman and 0.1 for the rest.
pub(crate) fn estimate(measure: &str, against: Against, epoch: usize, value: Option<f64>) -> DriftEstimate {
    DriftEstimate {
        explainer: "grad-cam".into(),
        target: "label".into(),
        measure: measure.into(),
        against,
        epoch,
        reference_epoch: if against == Against::Previous { epoch - 1 } else { 0 },
        group: ALL_IMAGES.into(),
        value,
        interval: None,
        floor: Some(if measure == "spearman" { 0.9 } else { 0.1 }),
        seed_floor: None,
        chance: None,
        defined: 4,
        undefined: 0,
        dead: 0,
    }
}

/// A pair that moved so far, of four images.
pub(crate) fn pair(epoch: usize, reference_epoch: usize, moved: Option<f64>) -> Pair {
    Pair {
        epoch,
        reference_epoch,
        value: None,
        floor: None,
        chance: None,
        seed_floor: None,
        moved,
        interval: None,
        moved_from_seed: None,
        not_measurable: None,
        images: Vec::new(),
        image_floors: Vec::new(),
        images_moved: None,
        threshold: None,
        defined: 4,
        undefined: 0,
        dead: 0,
        retargeted: 0,
    }
}

/// A matrix that holds steps only: how far each epoch from 1 on moved from the one before, and where that settled.
pub(crate) fn matrix(explainer: &str, steps: &[Option<f64>], settled: Option<usize>) -> Matrix {
    let (target, measure) = ("label".to_string(), "spearman".to_string());
    let settled = Settled {
        explainer: explainer.to_string(),
        target: target.clone(),
        measure: measure.clone(),
        against_floor: Floor::Noise,
        margin: 5.0,
        patience: 2,
        epoch: settled,
        steps: settled.map_or(0, |epoch| steps.len() - epoch),
        interval: None,
        not_yet: None,
    };
    Matrix {
        explainer: explainer.to_string(),
        target,
        measure,
        margin: 5.0,
        patience: 2,
        epochs: (0..=steps.len()).collect(),
        pairs: steps.iter().enumerate().map(|(before, &moved)| pair(before + 1, before, moved)).collect(),
        phases: Vec::new(),
        settled: vec![settled],
    }
}

/// The estimates of training of a run, from its files: by epoch, explainer, target kind, measure and other epoch.
pub(super) fn of_run(reader: &RunReader) -> Vec<DriftEstimate> {
    let mut timeline = Timeline::default();
    let mut estimates = Vec::new();
    for &epoch in reader.epochs() {
        let names = reader.explainers(epoch).unwrap();
        let current: Vec<_> = names.iter().map(|name| reader.explanations(epoch, name).unwrap()).collect();
        estimates.extend(timeline.for_epoch(epoch, &current).unwrap());
        timeline.advance(epoch, current);
    }
    estimates
}
