//! The libtorch bodies of the fused operations. With `device.rs` the only place that names `tch`; `shim.rs` has the
//! foreign functions.

mod shim;

use super::adamw::AdamW;
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

    fn fused_adamw(
        value: TchTensor,
        gradient: TchTensor,
        first: TchTensor,
        second: TchTensor,
        settings: AdamW,
    ) -> (TchTensor, TchTensor, TchTensor) {
        // The kernel walks all four in memory order and does not look at strides.
        let gradient = gradient.tensor.contiguous();
        let [value, first, second] = [value, first, second].map(own);
        shim::adamw([&value.tensor, &gradient, &first.tensor, &second.tensor], settings);
        (value, first, second)
    }
}

/// Itself if nobody else can see it change, else a copy.
fn own(tensor: TchTensor) -> TchTensor {
    if tensor.can_mut() && tensor.tensor.is_contiguous() {
        return tensor;
    }
    let contiguous = tensor.tensor.contiguous();
    // `contiguous` returns the same storage where there is nothing to do.
    let shared = contiguous.data_ptr() == tensor.tensor.data_ptr();
    TchTensor::new(if shared { contiguous.copy() } else { contiguous })
}

fn wanted(tensor: Option<Tensor>) -> TchTensor {
    match tensor {
        Some(tensor) => TchTensor::new(tensor),
        None => unreachable!("the shim returns every tensor that was asked for"),
    }
}
