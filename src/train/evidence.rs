//! The panel looked at: from pixels to what the store keeps.

use super::TrainError;
use super::checkpoint::RunDir;
use super::evaluate::largest;
use super::seal::Unsealed;
use crate::config::PanelConfig;
use crate::data::{DataError, Panel, Picture, Preprocessing, Sample, normalised, perturbed};
use crate::explain::{self, ExplainError, Explained, Explainer, View};
use crate::heatmap::Heatmap;
use crate::models::Model;
use crate::report::{overlay_strip, rgb_png};
use crate::store::{EXPLANATIONS_DIR, EXPLANATIONS_EXTENSION, Explanations, panel_image_name};
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
    overlays: usize,
}

impl Evidence {
    /// Decodes the panel as the model will see it.
    ///
    /// # Errors
    ///
    /// Where a picture cannot be read.
    pub fn new(
        panel: Panel,
        config: &PanelConfig,
        explainers: Vec<Explainer>,
        preprocessing: &Preprocessing,
    ) -> Result<Self, DataError> {
        let prepare = |sample: &Sample| Ok(preprocessing.apply(&sample.picture(preprocessing.resize)?));
        let clean = panel.samples.par_iter().map(prepare).collect::<Result<Vec<Picture>, DataError>>()?;
        let shaken = |(picture, sample): (&Picture, &Sample)| perturbed(picture, &sample.id, config.seed);
        let perturbed = clean.iter().zip(&panel.samples).map(shaken).collect();
        let labels = panel.samples.iter().map(|sample| sample.label).collect();
        let overlays = if explainers.is_empty() { 0 } else { config.overlays };
        Ok(Self { panel, labels, clean, perturbed, explainers, overlays })
    }

    /// The panel's pictures, in its order.
    pub fn pictures(&self) -> &[Picture] {
        &self.clean
    }

    /// The class of each picture.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Explains the label of every picture with every explainer: one record an explainer.
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
        let clean = self.explain(model, &self.clean, device)?;
        let floor = self.explain(model, &self.perturbed, device)?;
        let taps = model.taps();
        let record = |(index, explainer): (usize, &Explainer)| {
            let view = explain::view(explainer, &taps)?;
            Ok(self.record(explainer, view, &clean, &clean.maps[index], &floor.maps[index], untrained_head))
        };
        self.explainers.iter().enumerate().map(record).collect()
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

    fn explain(&self, model: &Model, pictures: &[Picture], device: &Device) -> Result<Explained, ExplainError> {
        let mut all = Explained { logits: Vec::new(), maps: vec![Vec::new(); self.explainers.len()] };
        for (pictures, labels) in pictures.chunks(BATCH).zip(self.labels.chunks(BATCH)) {
            let mut planes = Vec::new();
            pictures.iter().for_each(|picture| picture.append_planes(&mut planes));
            let images = normalised(planes, pictures.len(), pictures[0].width(), device);
            let batch = explain::explain(model, &self.explainers, images, labels)?;
            all.logits.extend(batch.logits);
            all.maps.iter_mut().zip(batch.maps).for_each(|(all, maps)| all.extend(maps));
        }
        Ok(all)
    }

    fn record(
        &self,
        explainer: &Explainer,
        view: View,
        explained: &Explained,
        maps: &[Heatmap],
        floor_maps: &[Heatmap],
        untrained_head: bool,
    ) -> Explanations {
        let flat = |maps: &[Heatmap]| maps.iter().flat_map(|map| map.values().iter().copied()).collect();
        let labels: Vec<i64> = self.labels.iter().map(|&label| label as i64).collect();
        Explanations {
            explainer: explainer.name().to_string(),
            settings: serde_json::to_value(explainer).unwrap_or_default(),
            tap: view.tap,
            class_specific: explainer.class_specific(),
            untrained_head: untrained_head && explainer.class_specific(),
            panel_digest: self.panel.digest.clone(),
            image_ids: self.panel.samples.iter().map(|sample| sample.id.clone()).collect(),
            target_kinds: vec!["label".to_string()],
            grid: view.grid,
            maps: flat(maps),
            floor_maps: flat(floor_maps),
            targets: labels.clone(),
            predicted: explained.logits.iter().map(|logits| largest(logits) as i64).collect(),
            labels,
            logits: explained.logits.concat(),
            classes: explained.logits.first().map_or(0, Vec::len),
        }
    }
}
