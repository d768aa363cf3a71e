//! The operations, as a trait that backends implement.

use super::reference;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};

/// The operations that a backend may run in one call. Default bodies are the reference.
///
/// A method named `…_gradient` is called from the tape with the tensors that the forward pass saved. One that makes
/// several gradients in one pass takes `want`, in the order of the forward's inputs, and returns exactly those wanted.
#[backend_extension(LibTorch: cfg(feature = "libtorch"), Flex, Autodiff)]
pub trait FusedOps: Backend {
    /// Two-dimensional convolution without bias, dilation or groups.
    fn fused_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        Self::conv2d(input, weight, None, reference::conv_options(stride, padding))
    }

    /// Gradient of [`fused_conv2d`](FusedOps::fused_conv2d) for its input.
    fn fused_conv2d_input_gradient(
        output_gradient: FloatTensor<Self>,
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        Self::conv2d_x_backward(input, weight, output_gradient, reference::conv_options(stride, padding))
    }

    /// Gradient of [`fused_conv2d`](FusedOps::fused_conv2d) for its weight.
    fn fused_conv2d_weight_gradient(
        output_gradient: FloatTensor<Self>,
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        Self::conv2d_weight_backward(input, weight, output_gradient, reference::conv_options(stride, padding))
    }

    /// `input · weightᵀ + bias` over rows: `[rows, in]`, `[out, in]`, `[out]` to `[rows, out]`.
    fn fused_linear(input: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::linear::<Self>(input, weight, bias)
    }

    /// Gradient of [`fused_linear`](FusedOps::fused_linear) for its input.
    fn fused_linear_input_gradient(output_gradient: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(output_gradient, weight)
    }

    /// Gradient of [`fused_linear`](FusedOps::fused_linear) for its weight.
    fn fused_linear_weight_gradient(output_gradient: FloatTensor<Self>, input: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(Self::float_transpose(output_gradient), input)
    }

    /// Gradient of [`fused_linear`](FusedOps::fused_linear) for its bias.
    fn fused_linear_bias_gradient(output_gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::sum_rows::<Self>(output_gradient)
    }

    /// The tensor as its device's convolutions are fastest on.
    fn laid_out(images: FloatTensor<Self>) -> FloatTensor<Self> {
        images
    }

    /// `input · scale + shift` a channel, computed in float32: `[batch, channels, height, width]` and float32 `[channels]`
    /// twice, to the type and shape of the input.
    fn fused_scale_channels(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        reference::scale_channels::<Self>(input, scale, shift)
    }

    /// Gradients of [`fused_scale_channels`](FusedOps::fused_scale_channels) for input, scale and shift.
    #[allow(clippy::type_complexity, reason = "the macro reads the type as it is written: no alias")]
    fn fused_scale_channels_gradients(
        output_gradient: FloatTensor<Self>,
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        want: [bool; 3],
    ) -> (Option<FloatTensor<Self>>, Option<FloatTensor<Self>>, Option<FloatTensor<Self>>) {
        reference::scale_channels_gradients::<Self>(output_gradient, input, scale, want)
    }

    /// The positive part.
    fn fused_relu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::relu(input)
    }

    /// Gradient of [`fused_relu`](FusedOps::fused_relu), from its output: the input need not be kept.
    fn fused_relu_gradient(output_gradient: FloatTensor<Self>, output: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::relu_backward(output, output_gradient)
    }

    /// Softmax of rows: `[rows, columns]` to the same shape.
    fn fused_softmax(input: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::softmax(input, 1)
    }

    /// Gradient of [`fused_softmax`](FusedOps::fused_softmax), from its output.
    fn fused_softmax_gradient(output_gradient: FloatTensor<Self>, output: FloatTensor<Self>) -> FloatTensor<Self> {
        reference::softmax_gradient::<Self>(output_gradient, output)
    }

    /// The value itself. On the tape its gradient is `leaf`'s gradient too, whatever that holds.
    fn probed(value: FloatTensor<Self>, _leaf: FloatTensor<Self>) -> FloatTensor<Self> {
        value
    }

    /// Layer normalisation of rows: `[rows, features]`, `[features]` twice, to the normalised rows, and each row's mean
    /// and reciprocal deviation `[rows, 1]`.
    fn fused_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::layer_norm::<Self>(input, weight, bias, epsilon)
    }

    /// Gradients of [`fused_layer_norm`](FusedOps::fused_layer_norm) for input, weight and bias.
    #[allow(clippy::type_complexity, reason = "the macro reads the type as it is written: no alias")]
    fn fused_layer_norm_gradients(
        output_gradient: FloatTensor<Self>,
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        reciprocal_deviation: FloatTensor<Self>,
        want: [bool; 3],
    ) -> (Option<FloatTensor<Self>>, Option<FloatTensor<Self>>, Option<FloatTensor<Self>>) {
        reference::layer_norm_gradients::<Self>(output_gradient, input, weight, mean, reciprocal_deviation, want)
    }

    /// Batch normalisation with the batch's own statistics: `[batch, channels, height, width]`, `[channels]` twice, to
    /// the normalised batch, and each channel's mean, reciprocal deviation and unbiased variance `[channels]`.
    fn fused_batch_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        reference::batch_norm::<Self>(input, weight, bias, epsilon)
    }

    /// Gradients of [`fused_batch_norm`](FusedOps::fused_batch_norm) for input, weight and bias.
    #[allow(clippy::type_complexity, reason = "the macro reads the type as it is written: no alias")]
    fn fused_batch_norm_gradients(
        output_gradient: FloatTensor<Self>,
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        reciprocal_deviation: FloatTensor<Self>,
        want: [bool; 3],
    ) -> (Option<FloatTensor<Self>>, Option<FloatTensor<Self>>, Option<FloatTensor<Self>>) {
        reference::batch_norm_gradients::<Self>(output_gradient, input, weight, mean, reciprocal_deviation, want)
    }

    /// Self-attention of packed rows: `[batch, tokens, 3·features]` (query, key, value; each by heads) to the context
    /// `[batch, tokens, features]`, and the logarithm of each row's softmax denominator `[batch, heads, tokens]`.
    fn fused_attention(packed: FloatTensor<Self>, heads: usize) -> (FloatTensor<Self>, FloatTensor<Self>) {
        reference::attention::<Self>(packed, heads)
    }

    /// Gradient of [`fused_attention`](FusedOps::fused_attention).
    fn fused_attention_gradient(
        output_gradient: FloatTensor<Self>,
        packed: FloatTensor<Self>,
        context: FloatTensor<Self>,
        log_denominator: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self> {
        reference::attention_gradient::<Self>(output_gradient, packed, context, log_denominator, heads)
    }
}

impl FusedOps for Flex {}
