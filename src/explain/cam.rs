//! What the class activation maps share: a feature map, the gradient of the target logit there, and a formula on both.

use super::error::ExplainError;
use super::explanation::{Explanation, heatmaps, plain};
use super::method::Method;
use super::pass::{Pass, Reader, Request};
use super::site::feature_map;
use crate::measure::Heatmap;
use crate::models::{TapSpec, Watch};
use burn::tensor::Tensor;

/// A method that looks at one layer.
pub(super) trait OneLayer {
    /// The stage of a CNN (1 to 4) or block of a ViT (from 0) to look at; the last one where none is named.
    fn layer(&self) -> Option<usize>;
}

/// A formula that turns a feature map into a heat map.
pub(super) trait Cam: Method + OneLayer {
    /// Whether the formula uses the gradient.
    const DIFFERENTIATES: bool = true;

    /// `activation` and `gradient` `[batch, channels, rows, columns]` to one map per image. Without
    /// [`DIFFERENTIATES`](Cam::DIFFERENTIATES) the gradient is the activation itself.
    fn combine(activation: Tensor<4>, gradient: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError>;
}

impl<T: Cam> Reader for T {
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<Request>, ExplainError> {
        let spec = feature_map(taps, self.layer(), T::NAME)?;
        Ok(vec![Request { spec, watch: if T::DIFFERENTIATES { Watch::Lift } else { Watch::Value } }])
    }

    fn explain(&self, pass: &Pass) -> Result<Vec<Explanation>, ExplainError> {
        let tap = feature_map(&pass.specs(), self.layer(), T::NAME)?.tap;
        let activation = pass.value(tap)?;
        let gradient = if T::DIFFERENTIATES { pass.gradient(tap)? } else { activation.clone() };
        Ok(plain(T::combine(activation, gradient)?))
    }
}

/// `Σ_c weights_c·A_c`, where `weights` are `[batch, channels, 1, 1]` or `[batch, channels, rows, columns]`.
pub(super) fn weighted_sum(activation: Tensor<4>, weights: Tensor<4>) -> Result<Vec<Heatmap>, ExplainError> {
    heatmaps((activation * weights).sum_dim(1).squeeze_dim(1))
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
            /// Stage of a CNN (1 to 4) or block of a ViT (from 0, its first norm); `None`, or `last`, is the last one.
            #[serde(deserialize_with = "crate::explain::site::number_or_last")]
            pub layer: Option<usize>,
        }

        impl $crate::explain::cam::OneLayer for $name {
            fn layer(&self) -> Option<usize> {
                self.layer
            }
        }
    };
}
pub(super) use cam_settings;
