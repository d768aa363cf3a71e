//! The libtorch bodies of the fused operations. With `device.rs` the only place that names `tch`; `shim.rs` has the
//! foreign functions.

mod lists;
mod shim;

use super::fused::FusedOps;
use burn_tch::{LibTorch, TchTensor};
use tch::Tensor;

/// Under this momentum libtorch's running statistics are the batch's own.
const ALL_NEW: f64 = 1.0;

impl FusedOps for LibTorch {
    fn fused_conv2d_input_gradient(
        output_gradient: TchTensor,
        input: TchTensor,
        weight: TchTensor,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> TchTensor {
        let tensors = [&output_gradient, &input, &weight].map(|tensor| &tensor.tensor);
        let [gradient, _] = shim::conv2d_backward(tensors, stride, padding, [true, false]);
        wanted(gradient)
    }

    fn fused_conv2d_weight_gradient(
        output_gradient: TchTensor,
        input: TchTensor,
        weight: TchTensor,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> TchTensor {
        let tensors = [&output_gradient, &input, &weight].map(|tensor| &tensor.tensor);
        let [_, gradient] = shim::conv2d_backward(tensors, stride, padding, [false, true]);
        wanted(gradient)
    }

    fn fused_linear(input: TchTensor, weight: TchTensor, bias: TchTensor) -> TchTensor {
        TchTensor::new(input.tensor.linear(&weight.tensor, Some(&bias.tensor)))
    }

    fn laid_out(images: TchTensor) -> TchTensor {
        wanted(shim::channels_last(&images.tensor))
    }

    fn fused_scale_channels(input: TchTensor, scale: TchTensor, shift: TchTensor) -> TchTensor {
        // Batch normalisation with a mean of zero and a variance of one, and no epsilon: one pass, float32 inside.
        let (mean, variance) = (scale.tensor.zeros_like(), scale.tensor.ones_like());
        let (scale, shift) = (Some(&scale.tensor), Some(&shift.tensor));
        let (output, _, _) =
            input.tensor.native_batch_norm(scale, shift, Some(&mean), Some(&variance), false, ALL_NEW, 0.0);
        TchTensor::new(output)
    }

    fn fused_relu_gradient(output_gradient: TchTensor, output: TchTensor) -> TchTensor {
        TchTensor::new(output.tensor.threshold_backward(&output_gradient.tensor, 0.0))
    }

    fn fused_softmax_gradient(output_gradient: TchTensor, output: TchTensor) -> TchTensor {
        let kind = output.tensor.kind();
        TchTensor::new(Tensor::internal_softmax_backward_data(&output_gradient.tensor, &output.tensor, 1, kind))
    }

    fn fused_layer_norm(
        input: TchTensor,
        weight: TchTensor,
        bias: TchTensor,
        epsilon: f64,
    ) -> (TchTensor, TchTensor, TchTensor) {
        let (weight, bias) = (&weight.tensor, &bias.tensor);
        let (output, mean, reciprocal) =
            input.tensor.native_layer_norm(weight.size(), Some(weight), Some(bias), epsilon);
        (TchTensor::new(output), TchTensor::new(mean), TchTensor::new(reciprocal))
    }

    fn fused_layer_norm_gradients(
        output_gradient: TchTensor,
        input: TchTensor,
        weight: TchTensor,
        mean: TchTensor,
        reciprocal_deviation: TchTensor,
        want: [bool; 3],
    ) -> (Option<TchTensor>, Option<TchTensor>, Option<TchTensor>) {
        let tensors = [&output_gradient, &input, &weight, &mean, &reciprocal_deviation].map(|tensor| &tensor.tensor);
        shim::layer_norm_backward(tensors, want).map(|gradient| gradient.map(TchTensor::new)).into()
    }

    fn fused_batch_norm(
        input: TchTensor,
        weight: TchTensor,
        bias: TchTensor,
        epsilon: f64,
    ) -> (TchTensor, TchTensor, TchTensor, TchTensor) {
        let (weight, bias) = (&weight.tensor, &bias.tensor);
        // libtorch returns no variance, but moves running statistics by it, and by the unbiased one.
        let (no_mean, variance) = (weight.zeros_like(), weight.zeros_like());
        let (output, mean, reciprocal) = input.tensor.native_batch_norm(
            Some(weight),
            Some(bias),
            Some(&no_mean),
            Some(&variance),
            true,
            ALL_NEW,
            epsilon,
        );
        (TchTensor::new(output), TchTensor::new(mean), TchTensor::new(reciprocal), TchTensor::new(variance))
    }

    fn fused_batch_norm_gradients(
        output_gradient: TchTensor,
        input: TchTensor,
        weight: TchTensor,
        mean: TchTensor,
        reciprocal_deviation: TchTensor,
        want: [bool; 3],
    ) -> (Option<TchTensor>, Option<TchTensor>, Option<TchTensor>) {
        let tensors = [&output_gradient, &input, &weight, &mean, &reciprocal_deviation].map(|tensor| &tensor.tensor);
        shim::batch_norm_backward(tensors, want).map(|gradient| gradient.map(TchTensor::new)).into()
    }

    fn fused_attention(packed: TchTensor, heads: usize) -> (TchTensor, TchTensor) {
        let [context, log_denominator] = shim::attention(&packed.tensor, heads);
        (wanted(context), wanted(log_denominator))
    }

    fn fused_attention_gradient(
        output_gradient: TchTensor,
        packed: TchTensor,
        context: TchTensor,
        log_denominator: TchTensor,
        heads: usize,
    ) -> TchTensor {
        let tensors = [&output_gradient, &packed, &context, &log_denominator].map(|tensor| &tensor.tensor);
        let [gradient] = shim::attention_backward(tensors, heads);
        wanted(gradient)
    }
}

/// Lets the C library keep what libtorch frees.
pub(super) fn keep_memory() {
    shim::keep_memory();
}

/// Whether a GPU may round the inputs of float32 products to 10 bits of mantissa.
pub(super) fn allow_tf32(allowed: bool) {
    shim::allow_tf32(allowed);
}

fn wanted(tensor: Option<Tensor>) -> TchTensor {
    match tensor {
        Some(tensor) => TchTensor::new(tensor),
        None => unreachable!("the shim returns every tensor that was asked for"),
    }
}
