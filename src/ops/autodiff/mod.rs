//! How each fused operation is recorded on the tape: one node, whose backward calls the backend's own gradient body.
//!
//! Only the gradients somebody wants are computed: with frozen weights (every explanation) the weight's is skipped.

mod activation;
mod attention;
mod channels;
mod convolution;
mod linear;
mod norm;
mod tape;

use super::fused::FusedOps;
use burn::backend::tensor::FloatTensor;
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;

impl<B: FusedOps, C: CheckpointStrategy> FusedOps for Autodiff<B, C> {
    fn fused_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        convolution::conv2d::<B, C>(input, weight, stride, padding)
    }

    fn fused_linear(input: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self> {
        linear::linear::<B, C>(input, weight, bias)
    }

    fn laid_out(images: FloatTensor<Self>) -> FloatTensor<Self> {
        channels::laid_out::<B, C>(images)
    }

    fn fused_scale_channels(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        channels::scale_channels::<B, C>(input, scale, shift)
    }

    fn fused_relu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        activation::relu::<B, C>(input)
    }

    fn fused_softmax(input: FloatTensor<Self>) -> FloatTensor<Self> {
        activation::softmax::<B, C>(input)
    }

    fn probed(value: FloatTensor<Self>, leaf: FloatTensor<Self>) -> FloatTensor<Self> {
        activation::probed::<B, C>(value, leaf)
    }

    fn fused_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        norm::layer_norm::<B, C>(input, weight, bias, epsilon)
    }

    fn fused_batch_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        norm::batch_norm::<B, C>(input, weight, bias, epsilon)
    }

    fn fused_attention(packed: FloatTensor<Self>, heads: usize) -> (FloatTensor<Self>, FloatTensor<Self>) {
        attention::attention::<B, C>(packed, heads)
    }
}
