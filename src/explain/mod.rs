//! Explainers: methods that turn what a model shows into heat maps, each with its settings.
//!
//! There are two kinds. One reads a tapped pass (class activation maps, attention): all explainers of a run share one
//! such pass, in which the target logits are differentiated once, and each method is then arithmetic on tap values and
//! gradients. The other runs the model again (gradients of the input, occlusion, LeGrad). Maps come out raw: signed,
//! unnormalised, at the tap's own grid. A method's file states its name, title and what it reads; `registry.rs` lists
//! them. Nothing here knows a model by name, or the disk.

mod ask;
mod attention;
mod cam;
mod eigen_cam;
mod error;
mod explanation;
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
mod pass;
#[cfg(test)]
mod properties;
mod raw_attention;
mod registry;
mod rollout;
mod site;
mod smooth_grad;
mod target;
mod xgrad_cam;

pub use eigen_cam::EigenCam;
pub use error::ExplainError;
pub use explanation::{ByExplainer, ByHead, ByTarget, Explained, Explanation, Logits};
pub use generic_relevance::GenericRelevance;
pub use grad_cam::GradCam;
pub use grad_cam_plus_plus::GradCamPlusPlus;
pub use gradient_rollout::GradientRollout;
pub use hires_cam::HiResCam;
pub use input_gradient::InputGradient;
pub use integrated_gradients::IntegratedGradients;
pub use layer_cam::LayerCam;
pub use le_grad::LeGrad;
pub use method::{MethodSpec, Reads};
pub use occlusion::Occlusion;
pub use raw_attention::RawAttention;
pub use registry::{Explainer, UnknownExplainer};
pub use rollout::{Fusion, Rollout};
pub use site::{LAST, Site};
pub use smooth_grad::SmoothGrad;
pub use target::Target;
pub use xgrad_cam::XGradCam;

use crate::models::{Mode, Model, TapSpec, Taps};
use ask::{Asked, chosen};
use burn::tensor::Tensor;
use explanation::numbers;
use method::Runner;
use pass::{Pass, Reader, union};

/// Explains every image for every target by every explainer.
///
/// # Shapes
///
/// - `images`: `[batch, 3, height, width]`, normalised, off the tape
/// - `labels`: `[batch]`, the true classes where they are known
///
/// `model` must be off the tape ([`Model::valid`]): only what lies above a differentiated tap is then recorded, and
/// no parameter's gradient is ever computed. The pass evaluates ([`Mode::EVAL`]), so the sum of the target logits has
/// each image's own gradient. Methods that read taps share one pass for each target; a second target whose classes are
/// the first's costs nothing.
///
/// # Errors
///
/// Where an explainer does not fit the model, a setting of it is out of range, or a label is asked for that is not known.
pub fn explain(
    model: &Model,
    explainers: &[Explainer],
    images: Tensor<4>,
    labels: &[Option<usize>],
    targets: &[Target],
) -> Result<Explained, ExplainError> {
    let offered = model.taps();
    explainers.iter().try_for_each(|explainer| explainer.site(&offered).map(drop))?;
    let (mut logits, mut by_explainer) = (Logits::default(), vec![ByExplainer::default(); explainers.len()]);
    let mut asked: Vec<Vec<usize>> = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        // Another target matters only to methods that depend on the class, and only where its classes differ.
        let again = |explainer: &Explainer| index == 0 || explainer.class_specific();
        let mut places: Vec<(&Explainer, &mut ByExplainer)> =
            explainers.iter().zip(&mut by_explainer).filter(|(explainer, _)| again(explainer)).collect();
        let same = match index {
            0 => None,
            _ => {
                let classes = classes_of(*target, labels, &logits)?;
                asked.iter().position(|earlier| *earlier == classes)
            }
        };
        let classes = match same {
            Some(same) => {
                places.iter_mut().for_each(|(_, place)| place.targets.push(place.targets[same].clone()));
                asked[same].clone()
            }
            None => {
                let wanted: Vec<&Explainer> = places.iter().map(|(explainer, _)| *explainer).collect();
                let passed = pass(model, &wanted, &offered, images.clone(), labels, *target)?;
                logits = passed.logits;
                for ((_, place), explanations) in places.iter_mut().zip(passed.explanations) {
                    place.targets.push(ByTarget { classes: passed.classes.clone(), explanations });
                }
                passed.classes
            }
        };
        asked.push(classes);
    }
    Ok(Explained { logits, explainers: by_explainer })
}

/// What one pass for one target gives.
struct Passed {
    logits: Logits,
    classes: Vec<usize>,
    /// Of each explainer, one per image.
    explanations: Vec<Vec<Explanation>>,
}

fn pass(
    model: &Model,
    explainers: &[&Explainer],
    offered: &[TapSpec],
    images: Tensor<4>,
    labels: &[Option<usize>],
    target: Target,
) -> Result<Passed, ExplainError> {
    let readers: Vec<&dyn Reader> = explainers.iter().filter_map(|explainer| explainer.reader()).collect();
    let mut taps = Taps::request(offered, &union(&readers, offered)?)?;
    let tracked = model.forward(images.clone(), Mode::EVAL, &mut taps);
    let logits = Logits { classes: tracked.dims()[1], values: numbers(tracked.clone().inner()) };
    let classes = classes_of(target, labels, &logits)?;
    let gradients = tracked.is_tracked().then(|| chosen(tracked, &classes).sum().backward());
    let pass = Pass { tapped: taps.into_seen(), gradients };
    let explain = |explainer: &&Explainer| match explainer.runner() {
        Runner::Reads(reader) => reader.explain(&pass),
        Runner::Asks(asker) => asker.explain(&Asked(model), images.clone(), &classes),
    };
    let explanations = explainers.iter().map(explain).collect::<Result<_, _>>()?;
    Ok(Passed { logits, classes, explanations })
}

fn classes_of(target: Target, labels: &[Option<usize>], logits: &Logits) -> Result<Vec<usize>, ExplainError> {
    let known = |(image, label): (usize, &Option<usize>)| label.ok_or(ExplainError::NoLabel { image });
    match target {
        Target::Label => labels.iter().enumerate().map(known).collect(),
        Target::Prediction => Ok(logits.predictions()),
        Target::Class(class) => Ok(vec![class; labels.len()]),
    }
}
