//! LayerCAM: every cell weighted by its own positive gradient.

use super::cam::{Cam, cam_settings, weighted_sum};
use super::error::ExplainError;
use super::method::{Method, Reads, Runner};
use crate::measure::Heatmap;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

cam_settings! {
    /// `map = Σ_c max(∂logit/∂A_c, 0) ⊙ A_c`. Behind a ReLU, as in a CNN, it is never negative; over a ViT's norm, whose
    /// values have both signs, it is signed.
    ///
    /// # Source
    ///
    /// Jiang et al. 2021, "LayerCAM", equations 6 and 7 without the outer ReLU; pytorch-grad-cam `layer_cam.py`.
    LayerCam
}

impl Method for LayerCam {
    const NAME: &'static str = "layer-cam";
    const TITLE: &'static str = "LayerCAM";
    const READS: Reads = Reads::FeatureMap;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Reads(self)
    }
}

impl Cam for LayerCam {
    fn combine(activation: Tensor<4>, gradient: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError> {
        weighted_sum(activation, gradient.clamp_min(0.0))
    }
}
