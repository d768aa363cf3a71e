//! Records for tests.

use super::facts::Facts;
use crate::drift::{Analysis, Floor, Matrix, Pair, Phase, Settled};
use crate::store::EpochMetrics;
use crate::store::tests::of_accuracy;
use std::collections::BTreeMap;

/// How many images the panel has: three of each of eight classes.
pub(in crate::report) const IMAGES: usize = 24;

/// Of two epochs of which the later one moved so far, with floor 0.9 and chance 0.1: moved by 40 the correlation is
/// 0.9 - 0.8 · 0.4 = 0.58. Every image moved as far as the panel.
pub(in crate::report) fn pair(epoch: usize, reference_epoch: usize, moved: f64) -> Pair {
    Pair {
        epoch,
        reference_epoch,
        value: Some((90.0 - 0.8 * moved).round() / 100.0),
        floor: Some(0.9),
        chance: Some(0.1),
        seed_floor: None,
        moved: Some(moved),
        interval: Some([moved - 5.0, moved + 5.0]),
        moved_from_seed: None,
        not_measurable: None,
        images: vec![Some(moved); IMAGES],
        image_floors: vec![Some(0.0); IMAGES],
        images_moved: None,
        threshold: None,
        defined: IMAGES,
        undefined: 0,
        dead: 0,
        retargeted: 0,
    }
}

/// All pairs moved by 40 but those of epochs from `still` on, which are as far apart as noise. It settled there where two epochs
/// follow, with an interval up to one epoch later.
pub(in crate::report) fn matrix(explainer: &str, target: &str, epochs: &[usize], still: usize) -> Matrix {
    let mut pairs = Vec::new();
    for (place, &epoch) in epochs.iter().enumerate() {
        pairs.extend(epochs[..place].iter().map(|&one| pair(epoch, one, if one >= still { -1.0 } else { 40.0 })));
    }
    let steps = epochs.iter().filter(|epoch| **epoch > still).count();
    let epoch = (steps >= 2).then_some(still);
    let settled = Settled {
        explainer: explainer.into(),
        target: target.into(),
        measure: "spearman".into(),
        against_floor: Floor::Noise,
        margin: 5.0,
        patience: 2,
        epoch,
        steps,
        interval: Some(epoch.map_or([None, None], |epoch| [Some(epoch), Some(epoch + 1)])),
        not_yet: Some(if epoch.is_some() { 0.0 } else { 0.97 }),
    };
    let last = epochs.last().copied().unwrap_or_default();
    Matrix {
        explainer: explainer.into(),
        target: target.into(),
        measure: "spearman".into(),
        margin: 5.0,
        patience: 2,
        epochs: epochs.to_vec(),
        pairs,
        phases: epoch.map(|from| Phase { from, to: last }).into_iter().collect(),
        settled: vec![settled],
    }
}

/// A run of 24 images with these matrices and nothing else.
pub(in crate::report) fn analysis(matrices: Vec<Matrix>) -> Analysis {
    Analysis {
        run: "dtd".into(),
        model: "deit_tiny".into(),
        images: (0..IMAGES).map(|image| format!("{image}.jpg")).collect(),
        titles: BTreeMap::from(
            [("grad-cam", "Grad-CAM"), ("rollout", "Attention rollout")]
                .map(|(name, title)| (name.into(), title.into())),
        ),
        accuracy: BTreeMap::new(),
        drift: vec![],
        image_drift: vec![],
        paths: vec![],
        settled: matrices.iter().flat_map(|matrix| matrix.settled.clone()).collect(),
        settled_by: vec![],
        matrices,
        spread: vec![],
        image_spread: vec![],
        agreement: vec![],
        layers: vec![],
        warnings: vec![],
    }
}

/// Accuracies of 0.1, 0.3, 0.5, 0.7 and 0.72 on 800 images of eight classes, at epochs 0 to 4.
pub(in crate::report) fn facts() -> Facts {
    let metrics = |(epoch, accuracy): (usize, f64)| EpochMetrics {
        epoch,
        training: Some(of_accuracy(accuracy)),
        drift: vec![],
        randomised: vec![],
    };
    Facts {
        metrics: [0.1, 0.3, 0.5, 0.7, 0.72].into_iter().enumerate().map(metrics).collect(),
        classes: (0..8).map(|class| format!("class {class}")).collect(),
        labels: (0..IMAGES).map(|image| image / 3).collect(),
        validated: Some(800),
        averaged: false,
        order: vec![],
        failed: vec![],
    }
}
