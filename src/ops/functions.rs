//! The fused operations as models call them: safe functions on tensors.

use super::fused::FusedOps;
use super::precision::cast;
use crate::precision::Precision;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Two-dimensional convolution (cross-correlation, as everywhere in the field) without bias, dilation or groups, in the
/// precision that it is told: its output has that type, the gradients have the types of the inputs.
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
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    stride: [usize; 2],
    padding: [usize; 2],
    precision: Precision,
) -> Tensor<4> {
    let [input, weight] = [input, weight].map(|tensor| cast(tensor, precision).into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_conv2d(input, weight, stride, padding))
}

/// A linear map of the last axis, with bias, in the precision that it is told: its output has that type, the gradients have
/// the types of the inputs.
///
/// # Shapes
///
/// - `input`: `[…, in]`
/// - `weight`: `[out, in]`, PyTorch's layout
/// - `bias`: `[out]`
/// - output: `[…, out]`
///
/// # Panics
///
/// On shapes that do not fit: a caller bug.
///
/// # Source
///
/// `torch.nn.functional.linear`, which adds the bias inside the matrix product.
pub fn linear<const D: usize>(input: Tensor<D>, weight: Tensor<2>, bias: Tensor<1>, precision: Precision) -> Tensor<D> {
    let mut shape = input.dims();
    let [features_out, features_in] = weight.dims();
    let rows = cast(input, precision).reshape([-1, features_in as i64]);
    let output = Tensor::<2>::from_dispatch(Dispatch::fused_linear(
        rows.into_dispatch(),
        cast(weight, precision).into_dispatch(),
        cast(bias, precision).into_dispatch(),
    ));
    shape[D - 1] = features_out;
    output.reshape(shape)
}

/// The positive part. Unlike Burn's own it keeps its output for the gradient, which the next layer keeps anyway, and not
/// its input.
///
/// # Source
///
/// `torch.nn.functional.relu`; gradient from `at::threshold_backward` on libtorch.
pub fn relu<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::fused_relu(input.into_dispatch()))
}

/// The tensor in float32, on the tape if it was: what a residual stream, a loss and a person see.
pub fn exact<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    cast(tensor, Precision::F32)
}

/// A batch of images, feature maps or kernels, laid out in memory as the device's convolutions are fastest on: with libtorch the
/// channels of a pixel side by side (`torch.channels_last`). Shape and values stay, and what convolutions make of it is laid
/// out like it. A tensor of another number of axes than four is returned as it is.
pub fn laid_out<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if D == 4 { Tensor::from_dispatch(Dispatch::laid_out(tensor.into_dispatch())) } else { tensor }
}

/// Softmax over the last axis, one node on the tape that keeps its output and nothing else.
///
/// # Source
///
/// `torch.nn.functional.softmax`; gradient from `at::_softmax_backward_data` on libtorch.
pub fn softmax<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    let shape = input.dims();
    let rows = input.reshape([-1, shape[D - 1] as i64]);
    Tensor::<2>::from_dispatch(Dispatch::fused_softmax(rows.into_dispatch())).reshape(shape)
}

/// `value`, and a leaf whose gradient is the value's: as if a leaf of zeros had been added, without zeros and without an
/// addition. Off the tape only the leaf is tracked.
pub fn probed<const D: usize>(value: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
    let leaf = value.clone().inner().autodiff().require_grad();
    let watched = Tensor::from_dispatch(Dispatch::probed(value.into_dispatch(), leaf.clone().into_dispatch()));
    (watched, leaf)
}

/// Layer normalisation over the last axis.
///
/// # Shapes
///
/// - `input` and output: `[…, features]`
/// - `weight`, `bias`: `[features]`
///
/// # Panics
///
/// On shapes that do not fit: a caller bug.
///
/// # Source
///
/// Ba et al. 2016, "Layer Normalization"; `torch.nn.functional.layer_norm`; gradients from
/// `at::native_layer_norm_backward` on libtorch.
pub fn layer_norm<const D: usize>(input: Tensor<D>, weight: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<D> {
    let shape = input.dims();
    let rows = input.reshape([-1, shape[D - 1] as i64]);
    let (output, _, _) =
        Dispatch::fused_layer_norm(rows.into_dispatch(), weight.into_dispatch(), bias.into_dispatch(), epsilon);
    Tensor::<2>::from_dispatch(output).reshape(shape)
}

/// A scale and a shift of each channel, in one pass: batch normalisation whose statistics are known. Computed in float32,
/// in the type of the input.
///
/// # Shapes
///
/// - `input` and output: `[batch, channels, height, width]`
/// - `scale`, `shift`: `[channels]`, float32
///
/// # Panics
///
/// On shapes that do not fit: a caller bug.
pub fn scale_channels(input: Tensor<4>, scale: Tensor<1>, shift: Tensor<1>) -> Tensor<4> {
    let [scale, shift] = [scale, shift].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::fused_scale_channels(input.into_dispatch(), scale, shift))
}

/// What [`batch_norm`] returns.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    /// `[batch, channels, height, width]`
    pub output: Tensor<4>,
    /// The batch's mean, `[channels]`; off the tape.
    pub mean: Tensor<1>,
    /// The batch's unbiased variance, `[channels]`; off the tape.
    pub variance: Tensor<1>,
}

/// Batch normalisation with the batch's own statistics (the biased variance, as everywhere in the field).
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - `weight`, `bias`: `[channels]`
///
/// # Panics
///
/// On shapes that do not fit, and on fewer than two values per channel, as PyTorch does: a caller bug.
///
/// # Source
///
/// Ioffe & Szegedy 2015, "Batch Normalization"; `torch.nn.functional.batch_norm`; gradients from
/// `at::native_batch_norm_backward` on libtorch.
pub fn batch_norm(input: Tensor<4>, weight: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> BatchNorm {
    let [batch, _, height, width] = input.dims();
    assert!(batch * height * width > 1, "batch statistics need more than one value a channel");
    let (output, mean, _, variance) =
        Dispatch::fused_batch_norm(input.into_dispatch(), weight.into_dispatch(), bias.into_dispatch(), epsilon);
    BatchNorm {
        output: Tensor::from_dispatch(output),
        mean: Tensor::from_dispatch(mean).inner(),
        variance: Tensor::from_dispatch(variance).inner(),
    }
}

/// Multi-head self-attention without mask or dropout, `softmax(q·kᵀ/√width)·v`, that never forms the probabilities.
///
/// # Shapes
///
/// - `packed`: `[batch, tokens, 3·features]`: query, key, value, each split into `heads` of `features/heads`
/// - output: `[batch, tokens, features]`
///
/// # Panics
///
/// On shapes that do not fit: a caller bug.
///
/// # Source
///
/// Vaswani et al. 2017, "Attention Is All You Need"; Dao et al. 2022, "FlashAttention";
/// `torch.nn.functional.scaled_dot_product_attention`. It takes and differentiates the packed tensor because that is
/// what a ViT's `qkv` makes: three separate gradients would have to be put together again.
pub fn attention(packed: Tensor<3>, heads: usize) -> Tensor<3> {
    let (context, _) = Dispatch::fused_attention(packed.into_dispatch(), heads);
    Tensor::from_dispatch(context)
}
