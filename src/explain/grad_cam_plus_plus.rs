//! Grad-CAM++: positive gradients weighted so that several instances of a class count alike.

use super::cam::{Cam, cam_settings, over_cells, weighted_sum};
use super::error::ExplainError;
use super::method::{Method, Reads, Runner};
use crate::measure::Heatmap;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

cam_settings! {
    /// `map = Σ_c w_c·A_c`, `w_c = Σ_cells α·max(g, 0)`, `α = g²/(2g² + g³·Σ_cells A_c)`, `g = ∂logit/∂A_c`. Signed
    /// where activations are.
    ///
    /// # Source
    ///
    /// Chattopadhyay et al. 2018, "Grad-CAM++", equations 7 and 19, which hold for the exponential of the logit, whose
    /// higher derivatives are powers of the gradient; pytorch-grad-cam `grad_cam_plusplus.py`, its 1e-6 included.
    GradCamPlusPlus
}

/// pytorch-grad-cam's, in the denominator of α.
const EPSILON: f64 = 1e-6;

impl Method for GradCamPlusPlus {
    const NAME: &'static str = "grad-cam-plus-plus";
    const TITLE: &'static str = "Grad-CAM++";
    const READS: Reads = Reads::FeatureMap;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Reads(self)
    }
}

impl Cam for GradCamPlusPlus {
    fn combine(activation: Tensor<4>, gradient: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError> {
        let square = gradient.clone() * gradient.clone();
        let cube = square.clone() * gradient.clone();
        // Where the gradient is zero, so is its square: α needs no case of its own.
        let alpha = square.clone() / (square * 2.0 + cube * over_cells(activation.clone()) + EPSILON);
        weighted_sum(activation, over_cells(alpha * gradient.clamp_min(0.0)))
    }
}
