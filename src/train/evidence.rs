//! The panel looked at: from pixels to what the store keeps.

use super::checkpoint::RunDir;
use super::seal::Unsealed;
use super::{Setup, TrainError};
use crate::data::{DataError, Panel, Picture, Sample, normalised, perturbed};
use crate::explain::{self, ExplainError, Explained, Explainer, Explanation, Target, View, largest};
use crate::heatmap::Heatmap;
use crate::models::Model;
use crate::report::{overlay_strip, rgb_png};
use crate::store::{EXPLANATIONS_DIR, EXPLANATIONS_EXTENSION, Explanations, LayerMaps, panel_image_name};
use burn::tensor::Device;
use rayon::prelude::*;

/// Pictures of the panel that are explained together. Fixed: the batches of a panel are the same in every epoch.
const BATCH: usize = 32;

/// The panel's pixels, decoded once, and their imperceptible perturbation.
#[derive(Debug)]
pub struct Evidence {
    panel: Panel,
    labels: Vec<usize>,
    clean: Vec<Picture>,
    perturbed: Vec<Picture>,
    explainers: Vec<Explainer>,
    targets: Vec<Target>,
    /// The targets as a person wrote them.
    target_kinds: Vec<String>,
    overlays: usize,
}

impl Evidence {
    /// Decodes the panel as the model will see it.
    ///
    /// # Errors
    ///
    /// Where a picture cannot be read or found, or a target is no class.
    pub fn new(setup: &Setup) -> Result<Self, TrainError> {
        let (panel, config, preprocessing) = (setup.panel()?, &setup.config, &setup.config.preprocessing);
        let prepare = |sample: &Sample| Ok(preprocessing.apply(&sample.picture(preprocessing.resize)?));
        let clean = panel.samples.par_iter().map(prepare).collect::<Result<Vec<Picture>, DataError>>()?;
        let shaken = |(picture, sample): (&Picture, &Sample)| perturbed(picture, &sample.id, config.panel.seed);
        let perturbed = clean.iter().zip(&panel.samples).map(shaken).collect();
        let labels = panel.samples.iter().map(|sample| sample.label).collect();
        let explainers = config.explainers.clone();
        let overlays = if explainers.is_empty() { 0 } else { config.panel.overlays };
        let (targets, target_kinds) = (setup.targets()?, config.panel.targets.clone());
        Ok(Self { panel, labels, clean, perturbed, explainers, targets, target_kinds, overlays })
    }

    /// The panel's pictures, in its order.
    pub fn pictures(&self) -> &[Picture] {
        &self.clean
    }

    /// The class of each picture.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Explains every target of every picture with every explainer: one record an explainer.
    ///
    /// `model` is off the tape; nothing of it changes. `untrained_head` marks maps that answer for a class the model has
    /// not been taught yet.
    pub fn look(
        &self,
        model: &Model,
        device: &Device,
        untrained_head: bool,
    ) -> Result<Vec<Explanations>, ExplainError> {
        if self.explainers.is_empty() {
            return Ok(Vec::new());
        }
        let explain = |pictures: &[Picture]| {
            explain_pictures(model, pictures, &self.labels, &self.explainers, &self.targets, device)
        };
        let (clean, floor) = (explain(&self.clean)?, explain(&self.perturbed)?);
        let taps = model.taps();
        let record = |index: usize| {
            let explainer = &self.explainers[index];
            let view = explain::view(explainer, &taps)?;
            let untrained_head = untrained_head && explainer.class_specific();
            Ok(self.record(index, view, &clean, &floor.explanations[index], untrained_head))
        };
        (0..self.explainers.len()).map(record).collect()
    }

    /// Writes the panel's pictures into the run, where reports find them.
    pub fn write_pictures(&self, run: &RunDir) -> Result<(), TrainError> {
        for (index, picture) in self.clean.iter().enumerate() {
            run.write(&panel_image_name(index), &rgb_png(picture.width(), picture.pixels())?)?;
        }
        Ok(())
    }

    /// Writes what was seen into the epoch: a file an explainer, and a few overlays.
    pub fn write(&self, epoch: &mut Unsealed, seen: &[Explanations]) -> Result<(), TrainError> {
        for explanations in seen {
            let name = format!("{EXPLANATIONS_DIR}/{}.{EXPLANATIONS_EXTENSION}", explanations.explainer);
            epoch.write(&name, &explanations.encode()?)?;
        }
        for index in self.overlaid() {
            let picture = &self.clean[index];
            let maps: Vec<Heatmap> = seen.iter().filter_map(|explanations| explanations.map(index, 0)).collect();
            epoch.write(
                &format!("overlays/{index:03}.png"),
                &overlay_strip(picture.width(), picture.pixels(), &maps)?,
            )?;
        }
        Ok(())
    }

    /// A few pictures, evenly over the panel and so over its classes.
    fn overlaid(&self) -> impl Iterator<Item = usize> {
        let (count, wanted) = (self.clean.len(), self.overlays.min(self.clean.len()));
        (0..wanted).map(move |index| index * count / wanted)
    }

    fn record(
        &self,
        index: usize,
        view: View,
        explained: &Explained,
        floor: &[Vec<Explanation>],
        untrained_head: bool,
    ) -> Explanations {
        let (explainer, clean) = (&self.explainers[index], &explained.explanations[index]);
        let labels: Vec<i64> = self.labels.iter().map(|&label| label as i64).collect();
        let class_specific = explainer.class_specific();
        Explanations {
            explainer: explainer.name(),
            settings: explainer.settings().into(),
            tap: view.tap,
            class_specific,
            untrained_head,
            panel_digest: self.panel.digest.clone(),
            image_ids: self.panel.samples.iter().map(|sample| sample.id.clone()).collect(),
            target_kinds: if class_specific { self.target_kinds.clone() } else { vec![ANY_CLASS.to_string()] },
            grid: view.grid,
            maps: by_image(clean, |explanation| explanation.map.values().to_vec()),
            floor_maps: by_image(floor, |explanation| explanation.map.values().to_vec()),
            layer_maps: layer_maps(&clean[0]),
            completeness_gap: completeness_gap(clean),
            targets: targets(&explained.classes[..clean.len()]),
            predicted: explained.logits.iter().map(|logits| largest(logits) as i64).collect(),
            labels,
            logits: explained.logits.concat(),
            classes: explained.logits.first().map_or(0, Vec::len),
        }
    }
}

/// The kind of target of a method that is not class-specific.
const ANY_CLASS: &str = "any";

/// Explains pictures of one size in batches, so that memory is bounded by a batch. `labels` are their true classes.
///
/// # Errors
///
/// Where an explainer does not fit the model.
pub fn explain_pictures(
    model: &Model,
    pictures: &[Picture],
    labels: &[usize],
    explainers: &[Explainer],
    targets: &[Target],
    device: &Device,
) -> Result<Explained, ExplainError> {
    let mut all: Option<Explained> = None;
    for (pictures, labels) in pictures.chunks(BATCH).zip(labels.chunks(BATCH)) {
        let mut planes = Vec::new();
        pictures.iter().for_each(|picture| picture.append_planes(&mut planes));
        let images = normalised(planes, pictures.len(), pictures[0].width(), device);
        let batch = explain::explain(model, explainers, images, labels, targets)?;
        match &mut all {
            Some(all) => all.append(batch),
            None => all = Some(batch),
        }
    }
    Ok(all.unwrap_or_default())
}

/// `[target][image]` numbers of an explanation to `[N, T, …]`.
fn by_image(explanations: &[Vec<Explanation>], numbers: impl Fn(&Explanation) -> Vec<f32>) -> Vec<f32> {
    let images = explanations.first().map_or(0, Vec::len);
    (0..images)
        .flat_map(|image| explanations.iter().flat_map(move |of_target| of_target.get(image)))
        .flat_map(numbers)
        .collect()
}

/// `[target][image]` to `[N, T]`.
fn targets(classes: &[Vec<usize>]) -> Vec<i64> {
    let images = classes.first().map_or(0, Vec::len);
    (0..images).flat_map(|image| classes.iter().map(move |of_target| of_target[image] as i64)).collect()
}

/// `None` where the method keeps none.
fn layer_maps(explanations: &[Explanation]) -> Option<LayerMaps> {
    let layers = &explanations.first()?.layers;
    let (layers, heads) = (layers.len(), layers.first()?.len());
    let maps = explanations.iter().flat_map(|explanation| explanation.layers.iter().flatten());
    Some(LayerMaps { layers, heads, values: maps.flat_map(|map| map.values().iter().copied()).collect() })
}

/// `None` where the method promises no sum.
fn completeness_gap(explanations: &[Vec<Explanation>]) -> Option<Vec<f32>> {
    explanations.first()?.first()?.completeness_gap?;
    Some(by_image(explanations, |explanation| explanation.completeness_gap.into_iter().collect()))
}
