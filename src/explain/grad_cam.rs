//! Grad-CAM over any feature map: a CNN's stage, or a ViT block's tokens as a grid.

use super::cam::{Cam, cam_settings, over_cells, weighted_sum};
use super::error::ExplainError;
use super::method::{Method, Reads, Runner};
use crate::measure::Heatmap;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

cam_settings! {
    /// `map = Σ_c w_c·A_c` with `w_c` the spatial mean of `∂logit/∂A_c`.
    ///
    /// The map is signed: the paper's ReLU, which keeps only the evidence for the class, is the viewer's to apply. Unit:
    /// the target logit, per cell.
    ///
    /// # Source
    ///
    /// Selvaraju et al. 2017, "Grad-CAM", equations 1 and 2 without the ReLU; pytorch-grad-cam `grad_cam.py`.
    GradCam
}

impl Method for GradCam {
    const NAME: &'static str = "grad-cam";
    const TITLE: &'static str = "Grad-CAM";
    const READS: Reads = Reads::FeatureMap;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Reads(self)
    }
}

impl Cam for GradCam {
    fn combine(activation: Tensor<4>, gradient: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError> {
        let [_, _, rows, columns] = activation.dims();
        weighted_sum(activation, over_cells(gradient) / (rows * columns) as f64)
    }
}
