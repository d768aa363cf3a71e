//! Grad-CAM over any feature map: a CNN's stage, or a ViT block's tokens as a grid.

use super::{ExplainError, Seen, heatmaps};
use crate::heatmap::Heatmap;
use crate::models::{Tap, TapSpec, Watch};
use serde::{Deserialize, Serialize};

/// `map = Σ_c w_c·A_c` with `w_c` the spatial mean of `∂logit/∂A_c`.
///
/// The map is signed: the paper's ReLU, which keeps only the evidence for the class, is the viewer's to apply. Unit: the
/// target logit, per cell.
///
/// # Source
///
/// Selvaraju et al. 2017, "Grad-CAM", equations 1 and 2 without the ReLU; pytorch-grad-cam `grad_cam.py`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradCam {}

impl GradCam {
    /// A CNN's last stage, or the first norm of a ViT's last block.
    pub(super) fn requests(&self, taps: &[TapSpec]) -> Result<Vec<(TapSpec, Watch)>, ExplainError> {
        let last = taps.iter().rev().find(|spec| is_feature_map(spec.tap));
        let needs = ExplainError::NotForThisModel { explainer: "grad-cam", needs: "a feature map" };
        Ok(vec![(*last.ok_or(needs)?, Watch::Lift)])
    }

    pub(super) fn explain(&self, seen: &Seen) -> Result<Vec<Heatmap>, ExplainError> {
        let specs: Vec<TapSpec> = seen.specs().collect();
        let tap = self.requests(&specs)?[0].0.tap;
        let (activation, gradient) = (seen.value(tap)?, seen.gradient(tap)?);
        let [batch, channels, rows, columns] = activation.dims();
        let weights = gradient.reshape([batch, channels, rows * columns]).mean_dim(2);
        let map = (activation * weights.reshape([batch, channels, 1, 1])).sum_dim(1);
        heatmaps(map.reshape([batch, rows, columns]))
    }
}

fn is_feature_map(tap: Tap) -> bool {
    matches!(tap, Tap::Stage(_) | Tap::BlockNorm(_))
}
