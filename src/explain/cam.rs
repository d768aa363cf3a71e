//! What the class activation maps share: a feature map, the gradient of the target logit there, and a formula on both.

use super::seen::{Reader, Seen};
use super::{ExplainError, Explanation, plain};
use crate::measure::Heatmap;
use crate::models::{Tap, TapSpec, Watch};
use burn::tensor::Tensor;

/// A formula that turns a feature map into a heat map.
pub(super) trait Cam {
    /// The kind's name.
    const KIND: &'static str;
    /// Whether the formula uses the gradient.
    const DIFFERENTIATES: bool = true;

    /// The stage of a CNN (1 to 4) or block of a ViT (from 0) to look at; the last one where none is named.
    fn layer(&self) -> Option<usize>;

    /// `activation` and `gradient` `[batch, channels, rows, columns]` to one map an image. Without
    /// [`DIFFERENTIATES`](Cam::DIFFERENTIATES) the gradient is the activation itself.
    fn combine(activation: Tensor<4>, gradient: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError>;
}

impl<T: Cam> Reader for T {
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<(TapSpec, Watch)>, ExplainError> {
        let spec = feature_map(taps, self.layer(), T::KIND)?;
        Ok(vec![(spec, if T::DIFFERENTIATES { Watch::Lift } else { Watch::Value })])
    }

    fn explain(&self, seen: &Seen) -> Result<Vec<Explanation>, ExplainError> {
        let tap = feature_map(&seen.specs(), self.layer(), T::KIND)?.tap;
        let activation = seen.value(tap)?;
        let gradient = if T::DIFFERENTIATES { seen.gradient(tap)? } else { activation.clone() };
        Ok(plain(T::combine(activation, gradient)?))
    }
}

/// The feature map of a layer, or the last one.
pub(super) fn feature_map(
    taps: &[TapSpec],
    layer: Option<usize>,
    explainer: &'static str,
) -> Result<TapSpec, ExplainError> {
    let number = |spec: &TapSpec| match spec.tap {
        Tap::Stage(number) | Tap::BlockNorm(number) => Some(number),
        Tap::Attention(_) | Tap::Block(_) => None,
    };
    let maps: Vec<(usize, TapSpec)> = taps.iter().filter_map(|spec| Some((number(spec)?, *spec))).collect();
    let found = match layer {
        Some(layer) => maps.iter().find(|(number, _)| *number == layer),
        None => maps.last(),
    };
    found.map(|(_, spec)| *spec).ok_or_else(|| match layer {
        Some(layer) => {
            let available = maps.iter().map(|(number, _)| *number).collect();
            ExplainError::NoLayer { explainer, setting: "layer", layer, available }
        }
        None => ExplainError::NotForThisModel { explainer, needs: "a feature map" },
    })
}

/// `Σ_c weights_c·A_c` for `weights` `[batch, channels, 1, 1]` or one weight a cell.
pub(super) fn weighted_sum(activation: Tensor<4>, weights: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError> {
    super::heatmaps((activation * weights).sum_dim(1).squeeze_dim(1))
}

/// Sum over the cells: `[batch, channels, rows, columns]` to `[batch, channels, 1, 1]`.
pub(super) fn over_cells(values: Tensor<4>) -> Tensor<4> {
    values.sum_dim(3).sum_dim(2)
}

macro_rules! cam_settings {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// Stage of a CNN (1 to 4) or block of a ViT (from 0, its first norm); none: the last.
            pub layer: Option<usize>,
        }
    };
}
pub(super) use cam_settings;
