//! Every fused operation agrees with its reference body, in value and in each gradient.

use crate::support::{alone, devices, numbers, pseudo_random, relative_difference};
use burn::tensor::module::conv2d as reference_conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};
use driftscope::ops;

/// Sums of at most a few hundred float32 products in another order.
const ROUNDING: f32 = 1e-5;

type Conv = fn(Tensor<4>, Tensor<4>, [usize; 2], [usize; 2]) -> Tensor<4>;

fn reference(input: Tensor<4>, weight: Tensor<4>, stride: [usize; 2], padding: [usize; 2]) -> Tensor<4> {
    reference_conv2d(input, weight, None, ConvOptions::new(stride, padding, [1, 1], 1))
}

/// Output, input gradient and weight gradient of a scalar that weighs every output differently.
fn run(conv: Conv, kernel: usize, stride: usize, device: &Device) -> [Vec<f32>; 3] {
    let device = device.clone().autodiff();
    let input = pseudo_random([2, 3, 9, 8], 1, &device).require_grad();
    let weight = pseudo_random([4, 3, kernel, kernel], 2, &device).require_grad();
    let output = conv(input.clone(), weight.clone(), [stride; 2], [kernel / 2; 2]);
    let gradients = (output.clone() * pseudo_random(output.dims(), 3, &device)).sum().backward();
    [numbers(&output.inner()), numbers(&input.grad(&gradients).unwrap()), numbers(&weight.grad(&gradients).unwrap())]
}

#[test]
fn fused_convolution_equals_its_reference_in_value_and_gradients() {
    let _turn = alone();
    let flex = Device::flex();
    for (name, device) in devices() {
        for (kernel, stride) in [(1, 1), (1, 2), (3, 1), (3, 2), (7, 2)] {
            let fused = run(ops::conv2d, kernel, stride, &device);
            let expected = run(reference, kernel, stride, &flex);
            for (part, (found, expected)) in ["output", "input", "weight"].iter().zip(fused.iter().zip(&expected)) {
                let difference = relative_difference(found, expected);
                assert!(difference < ROUNDING, "{name}, kernel {kernel}, stride {stride}, {part}: {difference}");
            }
        }
    }
}

/// On paper: 1×1 input 3, weight 2: output 6; the gradient for the input is the weight and the other way round.
#[test]
fn a_one_by_one_convolution_is_a_product() {
    let _turn = alone();
    for (_, device) in devices() {
        let device = device.autodiff();
        let input = Tensor::<4>::from_floats([[[[3.0]]]], &device).require_grad();
        let weight = Tensor::<4>::from_floats([[[[2.0]]]], &device).require_grad();
        let output = ops::conv2d(input.clone(), weight.clone(), [1, 1], [0, 0]);
        let gradients = output.backward();
        assert_eq!(numbers(&output.inner()), [6.0]);
        assert_eq!(numbers(&input.grad(&gradients).unwrap()), [2.0]);
        assert_eq!(numbers(&weight.grad(&gradients).unwrap()), [3.0]);
    }
}

#[test]
fn only_the_gradient_that_is_wanted_is_made() {
    let _turn = alone();
    for (_, device) in devices() {
        let input = pseudo_random([1, 2, 5, 5], 1, &device).autodiff().require_grad();
        let weight = pseudo_random([2, 2, 3, 3], 2, &device);
        let gradients = ops::conv2d(input.clone(), weight.clone(), [1, 1], [1, 1]).sum().backward();
        assert!(input.grad(&gradients).is_some());
        assert!(weight.grad(&gradients).is_none());
    }
}
