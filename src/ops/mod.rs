//! Fused operations behind one backend-extension trait.
//!
//! Every operation has a default body made of Burn's own primitives: that body is the reference, it is what `flex` runs,
//! and the tests hold every faster body to it, in value and in gradient. `libtorch.rs` overrides the bodies with single
//! libtorch calls. Models call the safe functions here and cannot tell which body ran.

#![allow(deprecated, reason = "burn-tch is pinned with the rest of Burn 0.22, the last line that has it")]

mod autodiff;
#[cfg(feature = "libtorch")]
mod libtorch;

use burn::backend::ops::ConvOptions;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

/// The operations that a backend may run in one call. Default bodies are the reference.
#[backend_extension(LibTorch: cfg(feature = "libtorch"), Flex, Autodiff)]
pub trait FusedOps: Backend {
    /// Two-dimensional convolution without bias, dilation or groups.
    fn fused_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        Self::conv2d(input, weight, None, conv_options(stride, padding))
    }

    /// Gradient of [`fused_conv2d`](FusedOps::fused_conv2d) for its input.
    fn fused_conv2d_input_gradient(
        output_gradient: FloatTensor<Self>,
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        Self::conv2d_x_backward(input, weight, output_gradient, conv_options(stride, padding))
    }

    /// Gradient of [`fused_conv2d`](FusedOps::fused_conv2d) for its weight.
    fn fused_conv2d_weight_gradient(
        output_gradient: FloatTensor<Self>,
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        Self::conv2d_weight_backward(input, weight, output_gradient, conv_options(stride, padding))
    }
}

impl FusedOps for Flex {}

fn conv_options(stride: [usize; 2], padding: [usize; 2]) -> ConvOptions<2> {
    ConvOptions::new(stride, padding, [1, 1], 1)
}

/// Two-dimensional convolution (cross-correlation, as everywhere in the field) without bias, dilation or groups.
///
/// # Shapes
///
/// - `input`: `[batch, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in, kernel_height, kernel_width]`
/// - output: `[batch, channels_out, (height + 2·padding − kernel)/stride + 1, …]`
///
/// # Panics
///
/// On shapes that do not fit: a caller bug.
///
/// # Source
///
/// `torch.nn.functional.conv2d`; gradients from `at::convolution_backward` on libtorch.
pub fn conv2d(input: Tensor<4>, weight: Tensor<4>, stride: [usize; 2], padding: [usize; 2]) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fused_conv2d(input.into_dispatch(), weight.into_dispatch(), stride, padding))
}
