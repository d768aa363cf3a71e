//! What caused the drift between two checkpoints: the head, the batch-norm statistics, or the backbone.
//!
//! Every mixture of the two, some parts from the later checkpoint and the rest from the earlier, explains the same images. A
//! part's contribution to the change of a map is what the map gains when that part is exchanged, averaged over all orders
//! in which the parts can be exchanged: its Shapley value. Contributions are maps themselves and sum exactly to the change,
//! whatever the method and the model.

use super::images::Images;
use super::look::explain_pictures;
use super::question::Question;
use crate::explain::{ByTarget, ExplainError, Explained};
use crate::faithfulness::Summary;
use crate::measure::{Heatmap, Measure};
use crate::models::{Group, Model, Parameter, Role};
use crate::stats::{RESAMPLES, Resamples};
use crate::weights::{self, StateDict, WeightsError};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Why the cause of a change could not be found.
#[derive(Debug, thiserror::Error)]
pub enum CauseError {
    /// A mixture could not be explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// Two checkpoints of different models.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// What can be exchanged between two checkpoints of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The classification head.
    Head,
    /// Running means and variances, which no gradient reaches: they follow the data.
    BatchNormStatistics,
    /// All other parameters.
    Backbone,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 3] = [Part::Head, Part::BatchNormStatistics, Part::Backbone];

    /// The name in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Head => "head",
            Part::BatchNormStatistics => "batch-norm-statistics",
            Part::Backbone => "backbone",
        }
    }

    /// The part that a parameter or buffer belongs to.
    pub fn of(parameter: &Parameter) -> Part {
        match (parameter.group, parameter.role) {
            (Group::Head, _) => Part::Head,
            (_, Role::RunningStatistic) => Part::BatchNormStatistics,
            _ => Part::Backbone,
        }
    }
}

/// What one part did to the maps of an explainer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contribution {
    /// The part that was exchanged.
    pub part: Part,
    /// Its share of the change, `⟨φ, Δ⟩ / ⟨Δ, Δ⟩` for its contribution `φ` and the change `Δ` of an image's map. The shares
    /// of all parts sum to 1; one that worked against the change is negative. None for an image whose map stayed as it was.
    pub share: Summary,
    /// How far the maps drift when only this part is the later one's: 1 minus Spearman's correlation, in [0, 2].
    pub alone: Summary,
    /// How far the later maps drift when only this part is the earlier one's: the same unit.
    pub undone: Summary,
}

/// What caused the drift of the maps of one explainer and target between two checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cause {
    /// The explainer's name.
    pub explainer: String,
    /// The kind of target. Predictions are the later model's, whatever a mixture would predict.
    pub target: String,
    /// How far the maps drifted: 1 minus Spearman's correlation, in [0, 2].
    pub change: Summary,
    /// One for every part that the model has.
    pub contributions: Vec<Contribution>,
}

/// Explains the images by every mixture of two checkpoints of one model, off the tape.
///
/// # Errors
///
/// Where an explainer does not fit the model, or the two are not of one model.
///
/// # Source
///
/// Shapley 1953, "A Value for n-Person Games". Under average pooling and a linear head, Grad-CAM and HiResCAM maps are
/// bilinear in head `w` and features `A`, so with two parts the contributions are `Δw·(A + A′)/2` and `(w + w′)/2·ΔA`.
pub fn causes(
    images: &Images,
    question: &Question,
    [earlier, later]: [&Model; 2],
    device: &Device,
    mut done: impl FnMut(usize, usize),
) -> Result<Vec<Cause>, CauseError> {
    let [old, new] = [earlier, later].map(weights::state_dict);
    let part_of: BTreeMap<String, Part> =
        later.parameters().iter().map(|parameter| (parameter.name.clone(), Part::of(parameter))).collect();
    let parts: Vec<Part> = Part::ALL.into_iter().filter(|part| part_of.values().any(|one| one == part)).collect();
    question.fits(images)?;
    let explained = explain_pictures(later, images.shown(), question, device, |_| ())?;
    let classes = classes(&explained);

    let mut maps = Mixtures { targets: classes.len(), explainers: question.explainers.len(), maps: Vec::new() };
    let again = Question::of_given_classes(question.explainers.clone());
    let mixtures = 1 << parts.len();
    for mixture in 0..mixtures {
        let model = mixed(later, &old, &new, |name| {
            let bit = part_of.get(name).and_then(|part| parts.iter().position(|one| one == part));
            bit.is_some_and(|bit| mixture >> bit & 1 == 1)
        })?;
        for classes in &classes {
            maps.add(explain_pictures(&model, images.for_classes(classes), &again, device, |_| ())?);
        }
        done(mixture + 1, mixtures);
    }

    let mut causes = Vec::new();
    for (index, explainer) in question.explainers.iter().enumerate() {
        for target in 0..question.targets.len() {
            if target == 0 || explainer.class_specific() {
                let by_mixture: Vec<&[Heatmap]> =
                    (0..mixtures).map(|mixture| maps.of(mixture, target, index)).collect();
                causes.push(cause(explainer.name(), question.kind_for(explainer, target), &parts, &by_mixture));
            }
        }
    }
    Ok(causes)
}

/// The maps of every mixture of two checkpoints. Bit `p` of a mixture says that part `p` is the later one's.
struct Mixtures {
    targets: usize,
    explainers: usize,
    /// Of all images, by mixture, target and explainer.
    maps: Vec<Vec<Heatmap>>,
}

impl Mixtures {
    /// Adds the maps of every explainer for the next mixture, or for the next target of the same mixture.
    fn add(&mut self, explained: Explained) {
        for explainer in explained.explainers {
            let explanations = explainer.targets.into_iter().flat_map(|target| target.explanations);
            self.maps.push(explanations.map(|explanation| explanation.map).collect());
        }
    }

    /// The map of each image.
    fn of(&self, mixture: usize, target: usize, explainer: usize) -> &[Heatmap] {
        &self.maps[(mixture * self.targets + target) * self.explainers + explainer]
    }
}

/// The classes of each target, as they are asked of mixtures: those of the method that has the most targets.
fn classes(explained: &Explained) -> Vec<Vec<Option<usize>>> {
    let most = explained.explainers.iter().map(|explainer| &explainer.targets).max_by_key(|targets| targets.len());
    let classes = |target: &ByTarget| target.classes.iter().copied().map(Some).collect();
    most.into_iter().flatten().map(classes).collect()
}

/// A model with some tensors of the later checkpoint and the others of the earlier.
fn mixed(
    model: &Model,
    old: &StateDict,
    new: &StateDict,
    is_new: impl Fn(&str) -> bool,
) -> Result<Model, WeightsError> {
    let pick = |(name, tensor): (&String, &_)| {
        let source = if is_new(name) { Some(tensor) } else { old.get(name) };
        source.map(|tensor| (name.clone(), tensor.clone()))
    };
    weights::load_state_dict(model.clone(), new.iter().filter_map(pick).collect(), Path::new("the earlier checkpoint"))
}

/// `maps` are `[mixture][image]`.
fn cause(explainer: String, target: String, parts: &[Part], maps: &[&[Heatmap]]) -> Cause {
    let last = maps.len() - 1;
    let images = 0..maps[0].len();
    let resamples = Resamples::new(RESAMPLES, images.len());
    let moved = |one: usize, other: usize| {
        let distance =
            |image: usize| Measure::Spearman.between(&maps[one][image], &maps[other][image]).map(|same| 1.0 - same);
        Summary::of(&images.clone().map(distance).collect::<Vec<_>>(), &resamples)
    };
    let contribution = |(bit, &part): (usize, &Part)| {
        let share = |image: usize| share(bit, parts.len(), |mixture| maps[mixture][image].values());
        Contribution {
            part,
            share: Summary::of(&images.clone().map(share).collect::<Vec<_>>(), &resamples),
            alone: moved(0, 1 << bit),
            undone: moved(last, last & !(1 << bit)),
        }
    };
    let contributions = parts.iter().enumerate().map(contribution).collect();
    Cause { explainer, target, change: moved(0, last), contributions }
}

/// `⟨φ, Δ⟩ / ⟨Δ, Δ⟩` of one image, in float64; `None` where nothing changed or a map is not finite.
fn share<'a>(bit: usize, parts: usize, map: impl Fn(usize) -> &'a [f32]) -> Option<f64> {
    let last = (1 << parts) - 1;
    let (mut along, mut whole) = (0.0, 0.0);
    for cell in 0..map(0).len() {
        let at = |mixture: usize| f64::from(map(mixture)[cell]);
        let change = at(last) - at(0);
        let gains = (0..=last).filter(|mixture| mixture >> bit & 1 == 0).map(|without: usize| {
            weight(without.count_ones() as usize, parts) * (at(without | 1 << bit) - at(without))
        });
        along += gains.sum::<f64>() * change;
        whole += change * change;
    }
    (whole.is_finite() && whole > 0.0 && along.is_finite()).then(|| along / whole)
}

/// The share of all orders of `parts` in which exactly a given set of `before` comes before a given part.
fn weight(before: usize, parts: usize) -> f64 {
    let factorial = |number: usize| (1..=number).product::<usize>() as f64;
    factorial(before) * factorial(parts - before - 1) / factorial(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ModelName;

    #[test]
    fn every_tensor_falls_into_a_part() {
        for (model, parts) in [
            (
                ModelName::ResnetMini,
                &[
                    ("fc.weight", Part::Head),
                    ("layer1.0.bn2.running_var", Part::BatchNormStatistics),
                    ("bn1.weight", Part::Backbone),
                ][..],
            ),
            (
                ModelName::DeitMini,
                &[
                    ("head.bias", Part::Head),
                    ("norm.bias", Part::Backbone),
                    ("blocks.3.attn.qkv.weight", Part::Backbone),
                ],
            ),
        ] {
            let parameters = model.init(3, 0.0, 0, &Device::flex()).parameters();
            for (name, part) in parts {
                let parameter = parameters.iter().find(|parameter| parameter.name == *name).unwrap();
                assert_eq!(Part::of(parameter), *part, "{name}");
            }
        }
    }

    /// On paper: with maps `w·a`, `w` from 1 to 3 and `a` from 2 to 5, the change is 15 − 2 = 13. Exchanging `w` first
    /// gains 2·2 = 4, after `a` 2·5 = 10: on average 7; `a` gains 3·1 and 3·3, on average 6. So 7/13 and 6/13.
    #[test]
    fn shares_are_shapley_values_and_sum_to_one() {
        let maps = [[2.0_f32], [6.0], [5.0], [15.0]];
        let shares = [0, 1].map(|bit| share(bit, 2, |mixture| &maps[mixture]).unwrap());
        assert!((shares[0] - 7.0 / 13.0).abs() < 1e-12 && (shares[1] - 6.0 / 13.0).abs() < 1e-12, "{shares:?}");
        assert_eq!(share(0, 2, |_| &[1.0, 2.0]), None, "nothing changed");
    }

    /// Of three parts one comes first in 2 of 6 orders, after a given other in 1, and last in 2.
    #[test]
    fn every_order_counts_alike() {
        assert_eq!([0, 1, 2].map(|before| weight(before, 3)), [2.0 / 6.0, 1.0 / 6.0, 2.0 / 6.0]);
    }
}
