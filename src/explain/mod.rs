//! Explainers: what a model shows, turned into heat maps.
//!
//! There are two kinds. One reads a tapped pass (class activation maps, attention): all explainers of a run share one
//! such pass, in which the target logits are differentiated once, and each method is then arithmetic on tap values and
//! gradients. The other runs the model again (gradients of the input, occlusion, LeGrad). Maps come out raw: signed,
//! unnormalised, at the tap's own grid. Nothing here knows a model by name, or the disk.

mod attention;
mod cam;
mod eigen_cam;
mod generic_relevance;
mod grad_cam;
mod grad_cam_plus_plus;
mod gradient_rollout;
mod hires_cam;
mod input_gradient;
mod integrated_gradients;
mod layer_cam;
mod le_grad;
mod method;
mod occlusion;
mod questions;
mod raw_attention;
mod rollout;
mod seen;
mod smooth_grad;
mod target;
mod xgrad_cam;

pub use eigen_cam::EigenCam;
pub use generic_relevance::GenericRelevance;
pub use grad_cam::GradCam;
pub use grad_cam_plus_plus::GradCamPlusPlus;
pub use gradient_rollout::GradientRollout;
pub use hires_cam::HiResCam;
pub use input_gradient::InputGradient;
pub use integrated_gradients::IntegratedGradients;
pub use layer_cam::LayerCam;
pub use le_grad::LeGrad;
pub use method::{Explainer, UnknownExplainer, view};
pub use occlusion::Occlusion;
pub use raw_attention::RawAttention;
pub use rollout::{Fusion, Rollout};
pub use smooth_grad::SmoothGrad;
pub use target::Target;
pub use xgrad_cam::XGradCam;

use crate::measure::{Heatmap, HeatmapError};
use crate::models::{Mode, Model, Tap, TapSpec, Taps, UnknownTap, Watch};
use crate::stats::largest;
use burn::tensor::Tensor;
use method::Method;
use questions::{Questioned, chosen};
use seen::{Reader, Seen, union};
use std::ops::{Bound, RangeBounds};

/// An explanation could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The model does not have what the method reads.
    #[error("{explainer} reads {needs}, which this model does not have")]
    NotForThisModel {
        /// The method.
        explainer: &'static str,
        /// What it reads.
        needs: &'static str,
    },
    /// A layer that the model does not have.
    #[error("{explainer}: {setting} is {layer}, but this model has {available:?}")]
    NoLayer {
        /// The method.
        explainer: &'static str,
        /// Its setting.
        setting: &'static str,
        /// What was asked for.
        layer: usize,
        /// What there is.
        available: Vec<usize>,
    },
    /// A setting out of its range.
    #[error("{explainer}: {setting} is {found}, expected {expected}")]
    OutOfRange {
        /// The method.
        explainer: &'static str,
        /// Its setting.
        setting: &'static str,
        /// What was asked for.
        found: f64,
        /// The range, in words.
        expected: String,
    },
    /// The true class of a picture was asked for, and nobody knows it.
    #[error(
        "{id}: its true class is not known, so it cannot be explained for its label; expected prediction or a class"
    )]
    UnknownLabel {
        /// The picture.
        id: String,
    },
    /// A tap that the model does not have.
    #[error(transparent)]
    UnknownTap(#[from] UnknownTap),
    /// A tap that was asked for was not passed, or nothing differentiated depends on it.
    #[error("{tap} has no {what}: the target does not depend on it")]
    Disconnected {
        /// The tap.
        tap: Tap,
        /// Value or gradient.
        what: &'static str,
    },
    /// The target logit does not depend on the picture.
    #[error("the target logit does not depend on the picture")]
    NoInputGradient,
    /// Neither label nor prediction nor a class.
    #[error("'{found}' cannot be explained; expected label, prediction or a class: {}", classes.join(", "))]
    UnknownTarget {
        /// What was asked for.
        found: String,
        /// The classes there are.
        classes: Vec<String>,
    },
    /// Numbers that do not fill the grid.
    #[error(transparent)]
    Heatmap(#[from] HeatmapError),
}

/// Where an explainer looks in a model: the tap's name, and the grid of its maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The tap's state-dict name, the first and last of several, or `input`.
    pub tap: String,
    /// Rows and columns.
    pub grid: [usize; 2],
}

impl View {
    /// Of a method that reads these taps, at least one.
    fn over(requests: &[(TapSpec, Watch)]) -> Self {
        let [(first, _), .., (last, _)] = requests else {
            let (only, _) = requests[0];
            return View { tap: only.tap.to_string(), grid: only.grid };
        };
        View { tap: format!("{}..{}", first.tap, last.tap), grid: last.grid }
    }
}

/// What one method says of one image and class.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Raw, signed, at the tap's grid.
    pub map: Heatmap,
    /// `[block][head]`: a map each, where they were asked for.
    pub layers: Vec<Vec<Heatmap>>,
    /// `[block][head]`: how far the head looks, in units of the image's side, where it was asked for.
    pub attention_distance: Vec<Vec<f32>>,
    /// What the map's sum misses of the logit difference it should sum to (sum minus difference, in logits), where the
    /// method promises that.
    pub completeness_gap: Option<f32>,
}

/// The logits of a batch, and what every explainer says of it.
#[derive(Debug, Default)]
pub struct Explained {
    /// `[batch][classes]`, before the softmax.
    pub logits: Vec<Vec<f32>>,
    /// `[target][batch]`: the class that was explained.
    pub classes: Vec<Vec<usize>>,
    /// `[explainer][target][batch]`; a method that is not class-specific has one target, whatever was asked for.
    pub explanations: Vec<Vec<Vec<Explanation>>>,
}

impl Explained {
    /// Adds the images of another batch, explained for the same targets by the same explainers.
    pub fn append(&mut self, batch: Explained) {
        self.logits.extend(batch.logits);
        self.classes.iter_mut().zip(batch.classes).for_each(|(all, classes)| all.extend(classes));
        let explainers = self.explanations.iter_mut().zip(batch.explanations);
        for (all, explanation) in explainers.flat_map(|(all, batch)| all.iter_mut().zip(batch)) {
            all.extend(explanation);
        }
    }
}

/// Explains every image for every target by every explainer.
///
/// # Shapes
///
/// - `images`: `[batch, 3, height, width]`, normalised, off the tape
/// - `labels`: `[batch]`, the true classes
///
/// `model` must be off the tape ([`Model::valid`]): only what lies above a differentiated tap is then recorded, and
/// no parameter's gradient is ever computed. The pass evaluates ([`Mode::Eval`]), so the sum of the target logits has
/// each image's own gradient. Methods that read taps share one pass for each target; a second target whose classes are
/// the first's costs nothing.
///
/// # Errors
///
/// Where an explainer does not fit the model, or a setting of it is out of range.
pub fn explain(
    model: &Model,
    explainers: &[Explainer],
    images: Tensor<4>,
    labels: &[usize],
    targets: &[Target],
) -> Result<Explained, ExplainError> {
    let offered = model.taps();
    explainers.iter().try_for_each(|explainer| view(explainer, &offered).map(drop))?;
    let mut explained =
        Explained { logits: Vec::new(), classes: Vec::new(), explanations: vec![Vec::new(); explainers.len()] };
    for (index, target) in targets.iter().enumerate() {
        // Once more only for what depends on the class, and only where the classes are others.
        let again = |explainer: &&Explainer| index == 0 || explainer.class_specific();
        let wanted: Vec<&Explainer> = explainers.iter().filter(again).collect();
        let same = explained
            .classes
            .iter()
            .position(|classes| index > 0 && *classes == classes_of(*target, labels, &explained.logits));
        let (classes, explanations) = match same {
            Some(same) => {
                let of = |(all, _): (&Vec<Vec<Explanation>>, &Explainer)| all[same].clone();
                let specific = explained.explanations.iter().zip(explainers).filter(|(_, one)| one.class_specific());
                (explained.classes[same].clone(), specific.map(of).collect())
            }
            None => {
                let (logits, classes, explanations) = look(model, &wanted, &offered, images.clone(), labels, *target)?;
                explained.logits = logits;
                (classes, explanations)
            }
        };
        explained.classes.push(classes);
        let mut places = explained.explanations.iter_mut().zip(explainers).filter(|(_, one)| again(one));
        for explanations in explanations {
            if let Some((place, _)) = places.next() {
                place.push(explanations);
            }
        }
    }
    Ok(explained)
}

/// Logits, the classes explained, and `[explainer][batch]` for one target.
type Looked = (Vec<Vec<f32>>, Vec<usize>, Vec<Vec<Explanation>>);

fn look(
    model: &Model,
    explainers: &[&Explainer],
    offered: &[TapSpec],
    images: Tensor<4>,
    labels: &[usize],
    target: Target,
) -> Result<Looked, ExplainError> {
    let readers: Vec<&dyn Reader> = explainers.iter().filter_map(|explainer| explainer.reader()).collect();
    let mut taps = Taps::request(offered, &union(&readers, offered)?)?;
    let tracked = model.forward(images.clone(), Mode::Eval, &mut taps);
    let count = tracked.dims()[1];
    let logits: Vec<f32> = numbers(tracked.clone().inner());
    let logits: Vec<Vec<f32>> = logits.chunks(count.max(1)).map(<[f32]>::to_vec).collect();
    let classes = classes_of(target, labels, &logits);
    let gradients = tracked.is_tracked().then(|| chosen(tracked, &classes).sum().backward());
    let seen = Seen { tapped: taps.into_seen(), gradients };
    let explain = |explainer: &&Explainer| match explainer.method() {
        Method::Reads(reader) => reader.explain(&seen),
        Method::Asks(asker) => asker.explain(&Questioned(model), images.clone(), &classes),
    };
    let explanations = explainers.iter().map(explain).collect::<Result<_, _>>()?;
    Ok((logits, classes, explanations))
}

fn classes_of(target: Target, labels: &[usize], logits: &[Vec<f32>]) -> Vec<usize> {
    match target {
        Target::Label => labels.to_vec(),
        Target::Prediction => logits.iter().map(|logits| largest(logits)).collect(),
        Target::Class(class) => vec![class; labels.len()],
    }
}

/// Refuses a setting outside `range`, and what is not a number.
fn within(
    explainer: &'static str,
    setting: &'static str,
    found: f64,
    range: impl RangeBounds<f64>,
) -> Result<(), ExplainError> {
    if range.contains(&found) {
        return Ok(());
    }
    let expected = match (range.start_bound(), range.end_bound()) {
        (Bound::Included(least), Bound::Included(greatest)) => format!("{least} to {greatest}"),
        (Bound::Included(least), Bound::Excluded(below)) => format!("at least {least} and less than {below}"),
        (least, greatest) => format!("{least:?} to {greatest:?}"),
    };
    Err(ExplainError::OutOfRange { explainer, setting, found, expected })
}

/// Maps without anything beside them.
fn plain(maps: Vec<Heatmap>) -> Vec<Explanation> {
    let bare = |map| Explanation { map, layers: Vec::new(), attention_distance: Vec::new(), completeness_gap: None };
    maps.into_iter().map(bare).collect()
}

/// Splits `[batch, rows, columns]` into one map an image.
fn heatmaps(maps: Tensor<3>) -> Result<Vec<Heatmap>, ExplainError> {
    let [_, rows, columns] = maps.dims();
    let values: Vec<f32> = numbers(maps);
    let maps = values.chunks((rows * columns).max(1)).map(|map| Heatmap::new(rows, columns, map.to_vec()));
    Ok(maps.collect::<Result<_, _>>()?)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
