//! Pictures looked at: from pixels, through the explainers, to the records that the store keeps.
//!
//! Training looks at its panel in every epoch, `driftscope explain` at a panel or at new pictures afterwards, and `cause`
//! at the panel again with parts of a model exchanged. All of them come through [`look`], so their maps compare.

pub mod faithfulness;

use crate::data::{DataError, Panel, Preprocessing, Sample, normalised, perturbed};
use crate::explain::{self, ByTarget, ExplainError, Explained, Explainer, Explanation, Logits, Site, Target};
use crate::fsx;
use crate::models::Model;
use crate::picture::{self, Limits, Normalisation, Picture, PictureError};
use crate::store::{AttentionDistance, Explanations, LayerMaps, RunReader, StoreError, UNKNOWN_CLASS};
use burn::tensor::{Device, Tensor};
use rayon::prelude::*;
use std::path::PathBuf;

/// Pictures that are explained together. Fixed: the batches of a panel are the same in every epoch.
const BATCH: usize = 32;

/// The kind of target of a method that is not class-specific.
pub const ANY_CLASS: &str = "any";

/// The panel of a run that cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum SubjectsError {
    /// A file that is missing, or is not what the run wrote.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file that is no picture.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

/// Pictures to be explained, as a model takes them, and their imperceptible perturbations.
#[derive(Debug)]
pub struct Subjects {
    /// Only explanations of subjects of one digest compare.
    pub digest: String,
    /// A name for each.
    pub ids: Vec<String>,
    /// The true class of each, where it is known.
    pub labels: Vec<Option<usize>>,
    /// All of one size.
    pub pictures: Vec<Picture>,
    perturbed: Vec<Picture>,
}

impl Subjects {
    /// `floor_seed` draws the perturbations, by each picture's id.
    pub fn new(
        digest: String,
        ids: Vec<String>,
        labels: Vec<Option<usize>>,
        pictures: Vec<Picture>,
        floor_seed: u64,
    ) -> Self {
        let perturbed = pictures.par_iter().zip(&ids).map(|(picture, id)| perturbed(picture, id, floor_seed)).collect();
        Self { digest, ids, labels, pictures, perturbed }
    }

    /// A panel, decoded as in evaluation.
    ///
    /// # Errors
    ///
    /// Where a picture cannot be read.
    pub fn of_panel(panel: &Panel, preprocessing: &Preprocessing, floor_seed: u64) -> Result<Self, DataError> {
        let prepare = |sample: &Sample| Ok(preprocessing.apply(&sample.picture(preprocessing.resize)?));
        let pictures = panel.samples.par_iter().map(prepare).collect::<Result<_, DataError>>()?;
        let ids = panel.samples.iter().map(|sample| sample.id.clone()).collect();
        let labels = panel.samples.iter().map(|sample| Some(sample.label)).collect();
        Ok(Self::new(panel.digest.clone(), ids, labels, pictures, floor_seed))
    }

    /// The panel of a run from the copies that the run keeps, so that its data need not be there.
    ///
    /// # Errors
    ///
    /// Where a copy cannot be read, or is not what the run wrote.
    pub fn of_run(run: &RunReader, floor_seed: u64) -> Result<Self, SubjectsError> {
        let panel = &run.info().panel;
        let read = |index: usize| -> Result<Picture, SubjectsError> {
            Ok(picture::of_bytes(&run.panel_image(index)?, &run.panel_image_path(index), Limits::default())?)
        };
        let pictures = (0..panel.ids.len()).into_par_iter().map(read).collect::<Result<_, _>>()?;
        let labels = panel.labels.iter().copied().map(Some).collect();
        Ok(Self::new(panel.digest.clone(), panel.ids.clone(), labels, pictures, floor_seed))
    }

    /// New pictures, of unknown classes, decoded as in evaluation. They are called by their paths.
    ///
    /// # Errors
    ///
    /// Where one cannot be read.
    pub fn of_files(
        files: &[PathBuf],
        preprocessing: &Preprocessing,
        limits: Limits,
        floor_seed: u64,
    ) -> Result<Self, PictureError> {
        let read = |path: &PathBuf| Ok(preprocessing.apply(&picture::read_within(path, limits)?));
        let pictures: Vec<Picture> = files.par_iter().map(read).collect::<Result<_, PictureError>>()?;
        let all: Vec<u8> = pictures.iter().flat_map(|picture| picture.pixels().iter().copied()).collect();
        let ids = files.iter().map(|path| path.display().to_string()).collect();
        Ok(Self::new(fsx::sha256_hex(&all), ids, vec![None; files.len()], pictures, floor_seed))
    }

    /// Checks that what the question is about is known of every picture.
    ///
    /// # Errors
    ///
    /// Where it is about the label of a picture whose class is not known.
    pub fn can_answer(&self, question: &Question) -> Result<(), ExplainError> {
        let unknown = self.labels.iter().zip(&self.ids).find(|(label, _)| label.is_none());
        match unknown.filter(|_| question.targets.contains(&Target::Label)) {
            Some((_, id)) => Err(ExplainError::UnknownLabel { id: id.clone() }),
            None => Ok(()),
        }
    }

    /// Those at `indices`, in that order.
    pub fn only(&self, indices: &[usize]) -> Self {
        let pick = |pictures: &[Picture]| indices.iter().map(|&index| pictures[index].clone()).collect();
        Self {
            digest: self.digest.clone(),
            ids: indices.iter().map(|&index| self.ids[index].clone()).collect(),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            pictures: pick(&self.pictures),
            perturbed: pick(&self.perturbed),
        }
    }
}

/// What is asked about every subject.
#[derive(Clone, Debug)]
pub struct Question {
    /// The methods.
    pub explainers: Vec<Explainer>,
    /// The classes explained.
    pub targets: Vec<Target>,
    /// The targets' names, as maps are stored under them.
    pub target_kinds: Vec<String>,
}

impl Question {
    /// From the words of a person: `label`, `prediction` or the name of a class, `class:` before it or not.
    ///
    /// # Errors
    ///
    /// Where a word is no target.
    pub fn new(explainers: Vec<Explainer>, words: &[String], classes: &[String]) -> Result<Self, ExplainError> {
        let targets = words.iter().map(|word| Target::parse(word, classes)).collect::<Result<_, _>>()?;
        let target_kinds = words.iter().map(|word| Target::stored(word, classes, &[ANY_CLASS])).collect();
        Ok(Self { explainers, targets, target_kinds })
    }
}

/// Explains every target of every subject, and of its perturbation, with every explainer: one record an explainer.
///
/// `model` is off the tape; nothing of it changes. `untrained_head` marks maps that answer for a class the model has not
/// been taught yet. `done` is told how many pictures have been explained, perturbed ones included.
///
/// # Errors
///
/// Where an explainer does not fit the model, or a label is asked for that is not known.
pub fn look(
    subjects: &Subjects,
    question: &Question,
    model: &Model,
    device: &Device,
    untrained_head: bool,
    mut done: impl FnMut(usize),
) -> Result<Vec<Explanations>, ExplainError> {
    if question.explainers.is_empty() {
        return Ok(Vec::new());
    }
    subjects.can_answer(question)?;
    let labels = &subjects.labels;
    let clean = explain_pictures(model, &subjects.pictures, labels, question, device, &mut done)?;
    let half = subjects.pictures.len();
    let mut done_of_floor = |count| done(half + count);
    let floor = explain_pictures(model, &subjects.perturbed, labels, question, device, &mut done_of_floor)?;
    let taps = model.taps();
    let record = |(index, explainer): (usize, &Explainer)| {
        let site = explainer.site(&taps)?;
        let maps = [&clean.explainers[index].targets[..], &floor.explainers[index].targets[..]];
        let untrained_head = untrained_head && explainer.class_specific();
        Ok(record(subjects, question, explainer, site, &clean.logits, maps, untrained_head))
    };
    question.explainers.iter().enumerate().map(record).collect()
}

/// Explains pictures of one size in batches, so that memory is bounded by a batch. `labels` are their true classes, where
/// they are known; `done` is told how many pictures have been explained.
///
/// # Errors
///
/// Where an explainer does not fit the model.
pub fn explain_pictures(
    model: &Model,
    pictures: &[Picture],
    labels: &[Option<usize>],
    question: &Question,
    device: &Device,
    mut done: impl FnMut(usize),
) -> Result<Explained, ExplainError> {
    let mut all: Option<Explained> = None;
    for (pictures, labels) in pictures.chunks(BATCH).zip(labels.chunks(BATCH)) {
        let batch = explain::explain(model, &question.explainers, tensor(pictures, device), labels, &question.targets)?;
        match &mut all {
            Some(all) => all.append(batch),
            None => all = Some(batch),
        }
        done(all.as_ref().map_or(0, |all| all.logits.rows().count()));
    }
    Ok(all.unwrap_or_default())
}

/// Pictures of one size as a model takes them: normalised, `[batch, 3, size, size]`.
fn tensor(pictures: &[Picture], device: &Device) -> Tensor<4> {
    let mut planes = Vec::new();
    pictures.iter().for_each(|picture| picture.append_planes(&mut planes));
    let side = pictures.first().map_or(0, Picture::width);
    normalised(planes, pictures.len(), side, Normalisation::IMAGENET, device)
}

/// What one explainer says of the pictures and of their perturbations, as the store keeps it.
fn record(
    subjects: &Subjects,
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
        panel_digest: subjects.digest.clone(),
        image_ids: subjects.ids.clone(),
        target_kinds: if class_specific { question.target_kinds.clone() } else { vec![ANY_CLASS.to_string()] },
        grid: site.grid,
        maps: by_image(clean, |explanation| explanation.map.values().to_vec()),
        floor_maps: by_image(floor, |explanation| explanation.map.values().to_vec()),
        layer_maps: layer_maps(&clean[0].explanations),
        attention_distance: attention_distance(&clean[0].explanations),
        completeness_gap: completeness_gap(clean),
        targets: targets(clean),
        predicted: logits.predictions().into_iter().map(|class| class as i64).collect(),
        labels: subjects.labels.iter().map(|label| label.map_or(UNKNOWN_CLASS, |label| label as i64)).collect(),
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
