//! XGrad-CAM: gradients weighted by where the activation lies.

use super::cam::{Cam, cam_settings, over_cells, weighted_sum};
use super::error::ExplainError;
use super::method::{Method, Reads, Runner};
use crate::measure::Heatmap;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

cam_settings! {
    /// `map = Σ_c w_c·A_c`, `w_c = Σ_cells g·A_c / Σ_cells A_c`, `g = ∂logit/∂A_c`. Signed, per cell. Over a ViT's norm
    /// the sum of a channel can be near zero and its weight then very large, in the reference as here.
    ///
    /// # Source
    ///
    /// Fu et al. 2020, "Axiom-based Grad-CAM", equation 8; pytorch-grad-cam `xgrad_cam.py`, its 1e-7 included.
    XGradCam
}

/// pytorch-grad-cam's, in the denominator of the weights.
const EPSILON: f64 = 1e-7;

impl Method for XGradCam {
    const NAME: &'static str = "xgrad-cam";
    const TITLE: &'static str = "XGrad-CAM";
    const READS: Reads = Reads::FeatureMap;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Reads(self)
    }
}

impl Cam for XGradCam {
    fn combine(activation: Tensor<4>, gradient: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError> {
        let weights = over_cells(gradient * activation.clone()) / (over_cells(activation.clone()) + EPSILON);
        weighted_sum(activation, weights)
    }
}
