//! HiResCAM: Grad-CAM without averaging the gradient.

use super::cam::{Cam, cam_settings, weighted_sum};
use super::error::ExplainError;
use super::method::{Method, Reads, Runner};
use crate::measure::Heatmap;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

cam_settings! {
    /// `map = Σ_c ∂logit/∂A_c ⊙ A_c`. Signed, in the unit of the target logit; under a pooled linear head it sums to
    /// the logit minus its bias.
    ///
    /// # Source
    ///
    /// Draelos & Carin 2020, "Use HiResCAM instead of Grad-CAM", equation 4; pytorch-grad-cam `hirescam.py`.
    HiResCam
}

impl Method for HiResCam {
    const NAME: &'static str = "hires-cam";
    const TITLE: &'static str = "HiResCAM";
    const READS: Reads = Reads::FeatureMap;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Reads(self)
    }
}

impl Cam for HiResCam {
    fn combine(activation: Tensor<4>, gradient: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError> {
        weighted_sum(activation, gradient)
    }
}
