//! The panel of a run: looked at in every epoch, and written into it.

use super::dashboard::Dashboard;
use super::error::TrainError;
use super::setup::Setup;
use crate::draw::{Figure, Style};
use crate::explain::{ExplainError, Explainer};
use crate::models::Model;
use crate::picture::Picture;
use crate::probe::{self, ANY_CLASS, Images, Question, look, look_without_floor};
use crate::progress::Progress;
use crate::report::{Scales, Sight};
use crate::store::layout::{explanations_name, overlay_name};
use crate::store::{Explanations, SealedDir};
use burn::tensor::Device;
use rayon::prelude::*;

/// The panel's images, decoded once, and the methods and targets by which they are explained.
#[derive(Debug)]
pub(super) struct PanelProbe {
    images: Images,
    question: Question,
    /// How many images every epoch keeps figures of.
    overlays: usize,
    /// The heading of every figure: the model and the data.
    heading: String,
    classes: Vec<String>,
    /// What the methods make of the same model without any knowledge.
    pub(super) untaught: Vec<Explanations>,
}

impl PanelProbe {
    /// Decodes the panel as the model will see it, and explains it once by a model that has learnt nothing.
    ///
    /// # Errors
    ///
    /// Where an image cannot be read or found, a target is no class, or an explainer does not fit the model.
    pub(super) fn new(setup: &Setup, progress: &Progress) -> Result<Self, TrainError> {
        let config = &setup.config;
        let panel = config.panel.choose(&setup.data)?;
        let images = Images::of_panel(&panel, &config.preprocessing, config.panel.seed)?;
        let question = Question::new(config.explainers.clone(), &config.panel.targets, &setup.data.classes)?;
        let overlays = if config.explainers.is_empty() { 0 } else { config.panel.overlays };
        let (heading, classes) = (format!("{} on {}", config.model, setup.data.name), setup.data.classes.clone());
        let mut untaught = Vec::new();
        if !question.explainers.is_empty() {
            let model = probe::untaught(config.model, classes.len(), config.seed, &setup.device);
            let (phase, all) = (progress.phase("explaining random parameters"), images.pictures.len());
            untaught = look_without_floor(&images, &question, &model, &setup.device, |done| phase.done(done, all))?;
        }
        Ok(Self { images, question, overlays, heading, classes, untaught })
    }

    /// The name of every explainer, with each kind of target that it explains.
    pub(super) fn methods(&self) -> Vec<(String, String)> {
        let Question { explainers, target_kinds, .. } = &self.question;
        let kinds = |explainer: &Explainer| match explainer.class_specific() {
            true => target_kinds.clone(),
            false => vec![ANY_CLASS.to_string()],
        };
        let named = |explainer: &Explainer| kinds(explainer).into_iter().map(|kind| (explainer.name(), kind)).collect();
        explainers.iter().flat_map(|explainer| -> Vec<_> { named(explainer) }).collect()
    }

    /// One record per explainer. `untrained_head` marks maps that answer for a class the model has not been taught yet.
    pub(super) fn look(
        &self,
        model: &Model,
        device: &Device,
        untrained_head: bool,
        dashboard: &Dashboard,
    ) -> Result<Vec<Explanations>, ExplainError> {
        let (phase, all) = (dashboard.phase("explaining"), 2 * self.images.pictures.len());
        look(&self.images, &self.question, model, device, untrained_head, |done| phase.done(done, all))
    }

    /// The panel's images as the run keeps them: PNG files in panel order.
    pub(super) fn pictures(&self) -> Result<Vec<Vec<u8>>, TrainError> {
        Ok(self.images.pictures.par_iter().map(Picture::png).collect::<Result<_, _>>()?)
    }

    /// Writes what was seen into the epoch: one file per explainer, and figures of a few images, which are also returned, by
    /// the images' ids.
    pub(super) fn write(
        &self,
        building: &mut SealedDir,
        epoch: usize,
        seen: &[Explanations],
    ) -> Result<Vec<(String, Picture)>, TrainError> {
        for explanations in seen {
            building.write(&explanations_name(&explanations.explainer), &explanations.encode()?)?;
        }
        let heading = format!("{} · epoch {epoch}", self.heading);
        let sight = Sight { heading, seen, classes: &self.classes };
        let mut figures = Vec::new();
        for index in self.overlaid() {
            let picture = &self.images.pictures[index];
            let id = &self.images.ids[index];
            let figure = Figure { title: id.clone(), rows: vec![sight.row(index, picture.clone(), &Scales::Own)] };
            let figure = figure.scene(&Style::default())?.picture()?;
            building.write(&overlay_name(index), &figure.png()?)?;
            figures.push((id.clone(), figure));
        }
        Ok(figures)
    }

    /// Places in the panel of the images with figures: evenly spread, and so over the classes.
    fn overlaid(&self) -> impl Iterator<Item = usize> {
        let (count, wanted) = (self.images.pictures.len(), self.overlays.min(self.images.pictures.len()));
        (0..wanted).map(move |index| index * count / wanted)
    }
}
