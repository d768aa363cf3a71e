//! Explainers: what a model shows, turned into heat maps.
//!
//! There are two kinds. One reads a tapped pass (class activation maps, attention): all explainers of a run share one
//! such pass, in which the target logits are differentiated once, and each method is then arithmetic on tap values and
//! gradients. The other runs the model again (gradients of the input, occlusion, LeGrad). Maps come out raw: signed,
//! unnormalised, at the tap's own grid. Nothing here knows a model by name, or the disk.

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
mod raw_attention;
mod registry;
mod rollout;
mod site;
mod smooth_grad;
mod target;
mod xgrad_cam;

pub use eigen_cam::EigenCam;
pub use error::ExplainError;
pub use explanation::{ByHead, Explained, Explanation};
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
pub use site::Site;
pub use smooth_grad::SmoothGrad;
pub use target::Target;
pub use xgrad_cam::XGradCam;

use crate::models::{Mode, Model, TapSpec, Taps};
use crate::stats::largest;
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
    explainers.iter().try_for_each(|explainer| explainer.site(&offered).map(drop))?;
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
                let (logits, classes, explanations) = pass(model, &wanted, &offered, images.clone(), labels, *target)?;
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
type Passed = (Vec<Vec<f32>>, Vec<usize>, Vec<Vec<Explanation>>);

/// One pass for one target.
fn pass(
    model: &Model,
    explainers: &[&Explainer],
    offered: &[TapSpec],
    images: Tensor<4>,
    labels: &[usize],
    target: Target,
) -> Result<Passed, ExplainError> {
    let readers: Vec<&dyn Reader> = explainers.iter().filter_map(|explainer| explainer.reader()).collect();
    let mut taps = Taps::request(offered, &union(&readers, offered)?)?;
    let tracked = model.forward(images.clone(), Mode::Eval, &mut taps);
    let count = tracked.dims()[1];
    let logits: Vec<f32> = numbers(tracked.clone().inner());
    let logits: Vec<Vec<f32>> = logits.chunks(count.max(1)).map(<[f32]>::to_vec).collect();
    let classes = classes_of(target, labels, &logits);
    let gradients = tracked.is_tracked().then(|| chosen(tracked, &classes).sum().backward());
    let pass = Pass { tapped: taps.into_seen(), gradients };
    let explain = |explainer: &&Explainer| match explainer.runner() {
        Runner::Reads(reader) => reader.explain(&pass),
        Runner::Asks(asker) => asker.explain(&Asked(model), images.clone(), &classes),
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
