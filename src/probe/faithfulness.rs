//! Faithfulness of explanations to a model: every criterion of [`crate::faithfulness`], with a real model.

use super::images::Images;
use super::look::{BATCH, explain_pictures, tensor};
use super::question::Question;
use crate::explain::{self, ByTarget, ExplainError, Explained, Explainer, Target};
use crate::faithfulness::{
    Criteria, Estimate, FaithfulnessError, Input, InputError, Judged, Logits, Maps, Randomisation, RandomisationError,
    Reading, Stage, against_random, estimates, randomisation, sensitivity_against_random,
};
use crate::measure::Heatmap;
use crate::models::{Mode, Model, Parameter, Taps};
use crate::picture::Picture;
use crate::stats::{RESAMPLES, Resamples};
use crate::weights::{self, StateDict, WeightsError};
use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::Path;

/// Why the faithfulness of maps could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum AssessmentError {
    /// The maps could not be made.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// The model could not be asked.
    #[error(transparent)]
    Ask(#[from] FaithfulnessError<ExplainError>),
    /// An image does not have the shape that the criteria need.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The randomised parameters do not fit the model.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The maps of a randomised model are not those of the same images.
    #[error(transparent)]
    Randomisation(#[from] RandomisationError),
}

/// The faithfulness of one explainer's maps for one target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment {
    /// The explainer's name.
    pub explainer: String,
    /// The kind of target.
    pub target: String,
    /// Every criterion over the images, beside the same of random maps.
    #[serde(rename = "figures")]
    pub estimates: Vec<Estimate>,
    /// Parameter randomisation: how alike the maps stay when the model is randomised from the head downwards.
    pub randomisation: Randomisation,
}

/// Measures the faithfulness of every explainer's maps of the images. `forgetful` is the same model with random parameters.
/// `done` is called with the number of parts done and of all parts.
///
/// # Errors
///
/// Where an explainer does not fit the model.
pub fn assess(
    images: &Images,
    question: &Question,
    [model, forgetful]: [&Model; 2],
    device: &Device,
    criteria: &Criteria,
    mut done: impl FnMut(usize, usize),
) -> Result<Vec<Assessment>, AssessmentError> {
    question.fits(images)?;
    let explained = explain_pictures(model, images.shown(), question, device, |_| ())?;
    let inputs = inputs(images, device)?;
    let resamples = Resamples::new(RESAMPLES, inputs.len());
    let all = question.explainers.iter().zip(&explained.explainers);
    let asked: Vec<(&Explainer, usize, &ByTarget)> = all
        .flat_map(|(explainer, of)| of.targets.iter().enumerate().map(move |(target, of)| (explainer, target, of)))
        .collect();
    let (mut parts, total) = (0, asked.len() * (inputs.len() + 1));
    let mut assessments = Vec::new();
    for (explainer, target, ByTarget { classes, explanations }) in asked {
        let maps: Vec<Heatmap> = explanations.iter().map(|explanation| explanation.map.clone()).collect();
        let mut readings = Vec::new();
        for (place, input) in inputs.iter().enumerate() {
            let judged = Judged { input, map: &maps[place], class: classes[place], index: place as u64 };
            readings.extend(read(&judged, explainer, model, device, criteria)?);
            parts += 1;
            done(parts, total);
        }
        let stages = forget(images, explainer, classes, [model, forgetful], device)?;
        let staged: Vec<Stage> = stages.iter().map(|(name, maps)| Stage { name, maps }).collect();
        parts += 1;
        done(parts, total);
        assessments.push(Assessment {
            explainer: explainer.name(),
            target: question.kind_for(explainer, target),
            estimates: estimates(&readings, &resamples),
            randomisation: randomisation(&maps, &staged, criteria.control_seed, &resamples)?,
        });
    }
    Ok(assessments)
}

/// All criteria of one explanation that ask the model or the explainer again.
fn read(
    judged: &Judged,
    explainer: &Explainer,
    model: &Model,
    device: &Device,
    criteria: &Criteria,
) -> Result<Vec<Reading>, AssessmentError> {
    let batch = NonZeroUsize::MIN.saturating_add(BATCH - 1);
    let mut answer = |inputs: &[Input]| -> Result<Vec<Vec<f32>>, ExplainError> {
        let logits = model.forward(batch_of(inputs, device), Mode::EVAL, &mut Taps::none());
        let classes = logits.dims()[1];
        Ok(logits.into_data().iter::<f32>().collect::<Vec<_>>().chunks(classes).map(<[f32]>::to_vec).collect())
    };
    let mut readings = against_random(&mut Logits::new(&mut answer, batch), criteria, judged)?;
    let mut again = |inputs: &[Input]| -> Result<Vec<Heatmap>, ExplainError> {
        let (tensor, classes) = (batch_of(inputs, device), vec![Some(judged.class); inputs.len()]);
        let explained = explain::explain(model, std::slice::from_ref(explainer), tensor, &classes, &[Target::Label])?;
        Ok(only_maps(explained))
    };
    readings.push(sensitivity_against_random(&mut Maps::new(&mut again, batch), criteria, judged)?);
    Ok(readings)
}

/// The maps of the same classes by models that are randomised step by step: the head, then the head and the last block,
/// and so on down to the stem. Each step has the name of the part that was randomised last.
fn forget(
    images: &Images,
    explainer: &Explainer,
    classes: &[usize],
    [model, forgetful]: [&Model; 2],
    device: &Device,
) -> Result<Vec<(String, Vec<Heatmap>)>, AssessmentError> {
    let (groups, parameters, random) = (model.groups(), model.parameters(), weights::state_dict(forgetful));
    let question = Question::of_given_classes(vec![explainer.clone()]);
    let classes: Vec<Option<usize>> = classes.iter().copied().map(Some).collect();
    let mut tensors: StateDict = weights::state_dict(model);
    let mut stages = Vec::new();
    for group in groups.all().into_iter().rev() {
        for Parameter { name, .. } in parameters.iter().filter(|parameter| parameter.group == group) {
            tensors.extend(random.get(name).map(|drawn| (name.clone(), drawn.clone())));
        }
        let emptied = weights::load_state_dict(model.clone(), tensors.clone(), Path::new("random parameters"))?;
        let explained = explain_pictures(&emptied, images.for_classes(&classes), &question, device, |_| ())?;
        stages.push((groups.name(group).to_string(), only_maps(explained)));
    }
    Ok(stages)
}

fn inputs(images: &Images, device: &Device) -> Result<Vec<Input>, InputError> {
    let input = |picture: &Picture| {
        let values = tensor(std::slice::from_ref(picture), images.normalisation, device);
        let values = values.into_data().iter::<f32>().collect();
        Input::new(picture.height(), picture.width(), values)
    };
    images.pictures.iter().map(input).collect()
}

/// `[batch, 3, height, width]`.
fn batch_of(inputs: &[Input], device: &Device) -> Tensor<4> {
    let values: Vec<f32> = inputs.iter().flat_map(|input| input.values().iter().copied()).collect();
    let (height, width) = inputs.first().map_or((0, 0), |input| (input.height(), input.width()));
    Tensor::from_data(TensorData::new(values, [inputs.len(), 3, height, width]), device)
}

/// The maps of one explainer and one target.
fn only_maps(explained: Explained) -> Vec<Heatmap> {
    let targets = explained.explainers.into_iter().flat_map(|explainer| explainer.targets);
    targets.flat_map(|target| target.explanations).map(|explanation| explanation.map).collect()
}
