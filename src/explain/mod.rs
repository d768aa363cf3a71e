//! Explainers: what a model showed during one pass, turned into heat maps.
//!
//! All explainers of a run share one tapped pass: what they need is merged, the target logits are differentiated once,
//! and each method is then arithmetic on tap values and gradients. Maps come out raw: signed, unnormalised, at the tap's
//! own grid. Nothing here knows a model by name, or the disk.

mod grad_cam;
mod rollout;

pub use grad_cam::GradCam;
pub use rollout::Rollout;

use crate::heatmap::{Heatmap, HeatmapError};
use crate::models::{Mode, Model, ModelName, Tap, TapSpec, Tapped, Taps, UnknownTap, Watch};
use burn::tensor::{Gradients, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

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
    /// Numbers that do not fill the grid.
    #[error(transparent)]
    Heatmap(#[from] HeatmapError),
}

/// A method, with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Explainer {
    /// Gradient-weighted class activation map.
    GradCam(GradCam),
    /// Attention rollout.
    Rollout(Rollout),
}

impl Explainer {
    /// What is looked at in every epoch where nothing else is asked for: Grad-CAM on a CNN's last stage; Grad-CAM on the
    /// last block's tokens, and rollout, on a ViT.
    pub fn defaults(model: ModelName) -> Vec<Explainer> {
        let grad_cam = Explainer::GradCam(GradCam::default());
        if model.has_attention() { vec![grad_cam, Explainer::Rollout(Rollout::default())] } else { vec![grad_cam] }
    }

    /// Its name in files and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Explainer::GradCam(_) => "grad-cam",
            Explainer::Rollout(_) => "rollout",
        }
    }

    /// Whether its maps answer for one class. Those of an untrained head are noise.
    pub fn class_specific(&self) -> bool {
        match self {
            Explainer::GradCam(_) => true,
            Explainer::Rollout(_) => false,
        }
    }

    /// What it reads, in the words of the model's taps: the last one names the map's grid.
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<(TapSpec, Watch)>, ExplainError> {
        match self {
            Explainer::GradCam(method) => method.requests(taps),
            Explainer::Rollout(method) => method.requests(taps),
        }
    }

    fn explain(&self, seen: &Seen) -> Result<Vec<Heatmap>, ExplainError> {
        match self {
            Explainer::GradCam(method) => method.explain(seen),
            Explainer::Rollout(method) => method.explain(seen),
        }
    }
}

/// Where an explainer looks in a model: the tap's name, and the grid of its maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The tap's state-dict name, or the first and last of several.
    pub tap: String,
    /// Rows and columns.
    pub grid: [usize; 2],
}

/// Where `explainer` looks in a model with these taps.
///
/// # Errors
///
/// [`ExplainError::NotForThisModel`].
pub fn view(explainer: &Explainer, taps: &[TapSpec]) -> Result<View, ExplainError> {
    let requests = explainer.requests(taps)?;
    let [(first, _), .., (last, _)] = requests.as_slice() else {
        let (only, _) = requests[0];
        return Ok(View { tap: only.tap.to_string(), grid: only.grid });
    };
    Ok(View { tap: format!("{}..{}", first.tap, last.tap), grid: last.grid })
}

/// What one tapped pass left behind.
struct Seen {
    tapped: Vec<Tapped>,
    gradients: Option<Gradients>,
}

impl Seen {
    /// The value at a tap: `[batch, channels, rows, columns]`, or `[batch, heads, tokens, tokens]` for attention.
    fn value(&self, tap: Tap) -> Result<Tensor<4>, ExplainError> {
        Ok(self.find(tap, "value")?.value())
    }

    /// The gradient of the target logit there, same shape.
    fn gradient(&self, tap: Tap) -> Result<Tensor<4>, ExplainError> {
        let gradients = self.gradients.as_ref().ok_or(ExplainError::Disconnected { tap, what: "gradient" })?;
        let gradient = self.find(tap, "gradient")?.gradient(gradients);
        gradient.ok_or(ExplainError::Disconnected { tap, what: "gradient" })
    }

    fn specs(&self) -> impl Iterator<Item = TapSpec> {
        self.tapped.iter().map(|tapped| tapped.spec)
    }

    fn find(&self, tap: Tap, what: &'static str) -> Result<&Tapped, ExplainError> {
        let found = self.tapped.iter().find(|tapped| tapped.spec.tap == tap);
        found.ok_or(ExplainError::Disconnected { tap, what })
    }
}

/// The logits of a batch, and the maps of every explainer for it.
#[derive(Debug)]
pub struct Explained {
    /// `[batch][classes]`, before the softmax.
    pub logits: Vec<Vec<f32>>,
    /// `[explainer][batch]`: raw, signed, at the tap's grid.
    pub maps: Vec<Vec<Heatmap>>,
}

/// Explains class `targets[i]` of image `i`, for every explainer, in one pass over the model.
///
/// # Shapes
///
/// - `images`: `[batch, 3, height, width]`, normalised, off the tape
/// - `targets`: `[batch]` class indices
///
/// `model` must be off the tape ([`Model::valid`]): only what lies above a differentiated tap is then recorded, and
/// no parameter's gradient is ever computed. The pass evaluates ([`Mode::Eval`]), so the sum of the target logits has
/// each image's own gradient.
///
/// # Errors
///
/// Where an explainer does not fit the model.
pub fn explain(
    model: &Model,
    explainers: &[Explainer],
    images: Tensor<4>,
    targets: &[usize],
) -> Result<Explained, ExplainError> {
    let offered = model.taps();
    let mut taps = Taps::request(&offered, &union(explainers, &offered)?)?;
    let device = images.device();
    let logits = model.forward(images, Mode::Eval, &mut taps);
    let [count, classes] = logits.dims();
    let gradients = logits.is_tracked().then(|| {
        let targets: Vec<i64> = targets.iter().map(|&target| target as i64).collect();
        let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [count, 1]), &device);
        logits.clone().gather(1, targets).sum().backward()
    });
    let seen = Seen { tapped: taps.into_seen(), gradients };
    let maps = explainers.iter().map(|explainer| explainer.explain(&seen)).collect::<Result<_, _>>()?;
    let logits: Vec<f32> = numbers(logits.inner());
    Ok(Explained { logits: logits.chunks(classes.max(1)).map(<[f32]>::to_vec).collect(), maps })
}

/// Every tap that somebody needs, once. One differentiated tap is lifted in place; with several, a lift would cut those
/// below it off the tape, so they are probed.
fn union(explainers: &[Explainer], offered: &[TapSpec]) -> Result<Vec<(Tap, Watch)>, ExplainError> {
    let mut wanted: Vec<(Tap, Watch)> = Vec::new();
    for explainer in explainers {
        for (spec, watch) in explainer.requests(offered)? {
            match wanted.iter_mut().find(|(tap, _)| *tap == spec.tap) {
                Some((_, present)) if *present == Watch::Value => *present = watch,
                Some(_) => {}
                None => wanted.push((spec.tap, watch)),
            }
        }
    }
    let differentiated = wanted.iter().filter(|(_, watch)| *watch != Watch::Value).count();
    if differentiated > 1 {
        wanted.iter_mut().filter(|(_, watch)| *watch == Watch::Lift).for_each(|(_, watch)| *watch = Watch::Probe);
    }
    Ok(wanted)
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
