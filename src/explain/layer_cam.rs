//! LayerCAM: every cell weighted by its own positive gradient.

use super::ExplainError;
use super::cam::{Cam, cam_settings, weighted_sum};
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

impl Cam for LayerCam {
    const KIND: &'static str = "layer-cam";

    fn layer(&self) -> Option<usize> {
        self.layer
    }

    fn combine(activation: Tensor<4>, gradient: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError> {
        weighted_sum(activation, gradient.clamp_min(0.0))
    }
}
