//! Explaining images: from pixels, through the explainers, to the records that the store keeps.
//!
//! Training explains its panel in every epoch, `driftscope explain` a panel or new images afterwards. Both call [`look`], so
//! their maps can be compared.

use super::images::{Images, Shown};
use super::question::Question;
use super::record::record;
use crate::data::normalised;
use crate::explain::{self, ExplainError, Explained, Explainer};
use crate::models::Model;
use crate::picture::{Normalisation, Picture};
use crate::store::Explanations;
use burn::tensor::{Device, Tensor};

/// Images that are explained together. Fixed: the batches of a panel are the same in every epoch.
pub(super) const BATCH: usize = 32;

/// Explains every target of every image, and of its perturbed copy, with every explainer: one record per explainer.
///
/// `model` is off the tape and is not changed. `untrained_head` marks class-specific maps of a head that was never trained.
/// `done` is called with the number of images explained so far, perturbed copies included.
///
/// # Errors
///
/// Where an explainer does not fit the model, or a label is asked for that is not known.
pub fn look(
    images: &Images,
    question: &Question,
    model: &Model,
    device: &Device,
    untrained_head: bool,
    mut done: impl FnMut(usize),
) -> Result<Vec<Explanations>, ExplainError> {
    if question.explainers.is_empty() {
        return Ok(Vec::new());
    }
    question.fits(images)?;
    let clean = explain_pictures(model, images.shown(), question, device, &mut done)?;
    let half = images.pictures.len();
    let mut done_of_floor = |count| done(half + count);
    let floor = explain_pictures(model, images.shown_perturbed(), question, device, &mut done_of_floor)?;
    records(images, question, model, &clean, Some(&floor), untrained_head)
}

/// The same of the images alone, for maps that only others are compared with: the records have no floor maps.
///
/// # Errors
///
/// As [`look`].
pub fn look_without_floor(
    images: &Images,
    question: &Question,
    model: &Model,
    device: &Device,
    done: impl FnMut(usize),
) -> Result<Vec<Explanations>, ExplainError> {
    if question.explainers.is_empty() {
        return Ok(Vec::new());
    }
    question.fits(images)?;
    let clean = explain_pictures(model, images.shown(), question, device, done)?;
    records(images, question, model, &clean, None, false)
}

/// One record per explainer.
fn records(
    images: &Images,
    question: &Question,
    model: &Model,
    clean: &Explained,
    floor: Option<&Explained>,
    untrained_head: bool,
) -> Result<Vec<Explanations>, ExplainError> {
    let taps = model.taps();
    let of = |(index, explainer): (usize, &Explainer)| {
        let site = explainer.site(&taps)?;
        let floor = floor.map_or(&[][..], |floor| &floor.explainers[index].targets);
        let maps = [&clean.explainers[index].targets[..], floor];
        let untrained_head = untrained_head && explainer.class_specific();
        Ok(record(images, question, explainer, site, &clean.logits, maps, untrained_head))
    };
    question.explainers.iter().enumerate().map(of).collect()
}

/// Explains pictures in batches, so that memory is bounded by a batch. `done` is told how many have been explained.
///
/// # Errors
///
/// Where an explainer does not fit the model.
pub(super) fn explain_pictures(
    model: &Model,
    Shown { pictures, labels, normalisation }: Shown,
    question: &Question,
    device: &Device,
    mut done: impl FnMut(usize),
) -> Result<Explained, ExplainError> {
    let mut all: Option<Explained> = None;
    for (pictures, labels) in pictures.chunks(BATCH).zip(labels.chunks(BATCH)) {
        let inputs = tensor(pictures, normalisation, device);
        let batch = explain::explain(model, &question.explainers, inputs, labels, &question.targets)?;
        match &mut all {
            Some(all) => all.append(batch),
            None => all = Some(batch),
        }
        done(all.as_ref().map_or(0, |all| all.logits.rows().count()));
    }
    Ok(all.unwrap_or_default())
}

/// Pictures of one size as a model takes them: normalised, `[batch, 3, size, size]`.
pub(super) fn tensor(pictures: &[Picture], normalisation: Normalisation, device: &Device) -> Tensor<4> {
    let mut planes = Vec::new();
    pictures.iter().for_each(|picture| picture.append_planes(&mut planes));
    let side = pictures.first().map_or(0, Picture::width);
    normalised(planes, pictures.len(), side, normalisation, device)
}
