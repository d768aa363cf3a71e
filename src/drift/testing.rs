//! Explanations for tests.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

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
