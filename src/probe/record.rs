//! From explanations, `[target][image]`, to the records of the store, `[N, T, …]`, image by image.

use super::images::Images;
use super::question::{ANY_CLASS, Question};
use crate::explain::{ByTarget, Explainer, Explanation, Logits, Site};
use crate::store::{AttentionDistance, Explanations, LayerMaps, UNKNOWN_CLASS};

/// The record of one explainer's maps of the images and of their perturbed copies, which may be none. `untrained_head` marks class-specific
/// maps of a head that was never trained.
pub(super) fn record(
    images: &Images,
    question: &Question,
    explainer: &Explainer,
    site: Site,
    logits: &Logits,
    [clean, floor]: [&[ByTarget]; 2],
    untrained_head: bool,
) -> Explanations {
    let class_specific = explainer.class_specific();
    Explanations {
        explainer: explainer.name(),
        title: explainer.title(),
        settings: explainer.settings().into(),
        tap: site.tap,
        class_specific,
        untrained_head,
        panel_digest: images.digest.clone(),
        image_ids: images.ids.clone(),
        target_kinds: if class_specific { question.target_kinds.clone() } else { vec![ANY_CLASS.to_string()] },
        grid: site.grid,
        maps: by_image(clean, |explanation| explanation.map.values().to_vec()),
        floor_maps: by_image(floor, |explanation| explanation.map.values().to_vec()),
        layer_maps: layer_maps(&clean[0].explanations),
        attention_distance: attention_distance(&clean[0].explanations),
        completeness_gap: completeness_gap(clean),
        targets: targets(clean),
        predicted: logits.predictions().into_iter().map(|class| class as i64).collect(),
        labels: images.labels.iter().map(|label| label.map_or(UNKNOWN_CLASS, |label| label as i64)).collect(),
        logits: logits.values.clone(),
        classes: logits.classes,
    }
}

/// Numbers of every explanation, `[N, T, …]`.
fn by_image(targets: &[ByTarget], numbers: impl Fn(&Explanation) -> Vec<f32>) -> Vec<f32> {
    let images = targets.first().map_or(0, |target| target.explanations.len());
    (0..images)
        .flat_map(|image| targets.iter().flat_map(move |target| target.explanations.get(image)))
        .flat_map(numbers)
        .collect()
}

/// The class that every map explains, `[N, T]`.
fn targets(targets: &[ByTarget]) -> Vec<i64> {
    let images = targets.first().map_or(0, |target| target.classes.len());
    (0..images).flat_map(|image| targets.iter().map(move |target| target.classes[image] as i64)).collect()
}

/// `None` where the method keeps none.
fn layer_maps(explanations: &[Explanation]) -> Option<LayerMaps> {
    let layers = &explanations.first()?.layers;
    let (layers, heads) = (layers.len(), layers.first()?.len());
    let maps = explanations.iter().flat_map(|explanation| explanation.layers.iter().flatten());
    Some(LayerMaps { layers, heads, values: maps.flat_map(|map| map.values().iter().copied()).collect() })
}

/// `None` where the method does not say.
fn attention_distance(explanations: &[Explanation]) -> Option<AttentionDistance> {
    let distances = &explanations.first()?.attention_distance;
    let (layers, heads) = (distances.len(), distances.first()?.len());
    let all = explanations.iter().flat_map(|explanation| explanation.attention_distance.concat());
    Some(AttentionDistance { layers, heads, values: all.collect() })
}

/// `None` where the method promises no sum.
fn completeness_gap(targets: &[ByTarget]) -> Option<Vec<f32>> {
    targets.first()?.explanations.first()?.completeness_gap?;
    Some(by_image(targets, |explanation| explanation.completeness_gap.into_iter().collect()))
}
