//! Every fused operation agrees with its formula written out in Burn's tensors and differentiated by Burn, in value and
//! in each gradient, whatever is frozen.

use crate::support::{alone, devices, numbers, pseudo_random, relative_difference};
use burn::tensor::activation::softmax;
use burn::tensor::module::conv2d as burn_conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, FloatDType, Tensor};
use driftscope::ops::{self, Listed};
use driftscope::precision::Precision;

/// Sums of at most a few hundred float32 products in another order.
const ROUNDING: f32 = 1e-5;
const EXACT: Precision = Precision::F32;
/// As in timm's ViTs and in ResNets.
const EPSILON: f64 = 1e-6;

/// Input `[…]`, then weight and bias where there are such.
type Inputs = (Tensor<4>, Tensor<4>, Tensor<1>);

/// An operation, what it should be, and what it takes.
struct Case {
    name: String,
    shapes: ([usize; 4], [usize; 4], [usize; 1]),
    fused: Box<dyn Fn(Inputs) -> Tensor<4>>,
    written_out: Box<dyn Fn(Inputs) -> Tensor<4>>,
}

impl Case {
    fn new(
        name: impl Into<String>,
        shapes: ([usize; 4], [usize; 4], [usize; 1]),
        fused: impl Fn(Inputs) -> Tensor<4> + 'static,
        written_out: impl Fn(Inputs) -> Tensor<4> + 'static,
    ) -> Self {
        Self { name: name.into(), shapes, fused: Box::new(fused), written_out: Box::new(written_out) }
    }
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "linear",
            ([2, 3, 5, 8], [1, 1, 6, 8], [6]),
            |(input, weight, bias)| ops::linear(input, weight.flatten::<2>(0, 2), bias, EXACT),
            |(input, weight, bias)| input.matmul(weight.swap_dims(2, 3)) + bias.reshape([1, 1, 1, -1]),
        ),
        Case::new(
            "relu",
            ([2, 3, 5, 8], [1; 4], [1]),
            |(input, weight, bias)| ops::relu(input) * weight + bias.reshape([1, 1, 1, 1]),
            |(input, weight, bias)| {
                input.clone() * input.greater_elem(0.0).float() * weight + bias.reshape([1, 1, 1, 1])
            },
        ),
        Case::new(
            "scale_channels",
            ([2, 3, 5, 4], [1, 1, 1, 3], [3]),
            |(input, weight, bias)| ops::scale_channels(input, weight.flatten::<1>(0, 3), bias),
            |(input, weight, bias)| input * weight.reshape([1, -1, 1, 1]) + bias.reshape([1, -1, 1, 1]),
        ),
        Case::new(
            "softmax",
            ([2, 3, 5, 8], [1; 4], [1]),
            |(input, weight, bias)| ops::softmax(input * 4.0) * weight + bias.reshape([1, 1, 1, 1]),
            |(input, weight, bias)| softmax(input * 4.0, 3) * weight + bias.reshape([1, 1, 1, 1]),
        ),
        Case::new(
            "layer_norm",
            ([2, 3, 5, 12], [1, 1, 1, 12], [12]),
            |(input, weight, bias)| ops::layer_norm(input, weight.flatten::<1>(0, 3), bias, EPSILON),
            |(input, weight, bias)| {
                let centred = input.clone() - input.mean_dim(3);
                let variance = centred.clone().square().mean_dim(3);
                centred / (variance + EPSILON).sqrt() * weight + bias.reshape([1, 1, 1, -1])
            },
        ),
        Case::new(
            "batch_norm",
            ([3, 4, 5, 2], [1, 4, 1, 1], [4]),
            |(input, weight, bias)| ops::batch_norm(input, weight.flatten::<1>(0, 3), bias, EPSILON).output,
            |(input, weight, bias)| {
                let mean = |tensor: Tensor<4>| tensor.mean_dim(0).mean_dim(2).mean_dim(3);
                let centred = input.clone() - mean(input);
                let variance = mean(centred.clone().square());
                centred / (variance + EPSILON).sqrt() * weight + bias.reshape([1, -1, 1, 1])
            },
        ),
        Case::new(
            "attention",
            ([1, 2, 5, 24], [1; 4], [1]),
            |(input, weight, bias)| {
                ops::attention(input.squeeze_dim::<3>(0), 2).unsqueeze() * weight + bias.reshape([1, 1, 1, 1])
            },
            |(input, weight, bias)| {
                let parts: Vec<Tensor<4>> = input
                    .reshape([2, 5, 3, 2, 4])
                    .permute([2, 0, 3, 1, 4])
                    .chunk(3, 0)
                    .into_iter()
                    .map(|part| part.squeeze_dim::<4>(0))
                    .collect();
                let scores = parts[0].clone().matmul(parts[1].clone().transpose()) / 2.0;
                let context = softmax(scores, 3).matmul(parts[2].clone()).swap_dims(1, 2);
                context.reshape([1, 2, 5, 8]) * weight + bias.reshape([1, 1, 1, 1])
            },
        ),
    ];
    for (kernel, stride) in [(1, 1), (1, 2), (3, 1), (3, 2), (7, 2)] {
        let (strides, padding) = ([stride; 2], [kernel / 2; 2]);
        cases.push(Case::new(
            format!("conv2d, kernel {kernel}, stride {stride}"),
            ([2, 3, 9, 8], [4, 3, kernel, kernel], [4]),
            move |(input, weight, bias)| {
                ops::conv2d(ops::laid_out(input), weight, strides, padding, EXACT) + bias.reshape([1, -1, 1, 1])
            },
            move |(input, weight, bias)| {
                burn_conv2d(input, weight, Some(bias), ConvOptions::new(strides, padding, [1, 1], 1))
            },
        ));
    }
    cases
}

/// The output, and the gradients of a scalar that weighs every output differently, for those inputs that are tracked.
fn run(
    case: &Case,
    operation: &dyn Fn(Inputs) -> Tensor<4>,
    tracked: [bool; 3],
    device: &Device,
) -> [Option<Vec<f32>>; 4] {
    fn track<const D: usize>(tensor: Tensor<D>, tracked: bool) -> Tensor<D> {
        if tracked { tensor.autodiff().require_grad() } else { tensor }
    }
    let input = track(pseudo_random(case.shapes.0, 1, device), tracked[0]);
    let weight = track(pseudo_random(case.shapes.1, 2, device), tracked[1]);
    let bias = track(pseudo_random(case.shapes.2, 3, device), tracked[2]);
    let output = operation((input.clone(), weight.clone(), bias.clone()));
    let gradients = (output.clone() * pseudo_random(output.dims(), 4, device)).sum().backward();
    [
        Some(numbers(&output.inner())),
        input.grad(&gradients).map(|gradient| numbers(&gradient)),
        weight.grad(&gradients).map(|gradient| numbers(&gradient)),
        bias.grad(&gradients).map(|gradient| numbers(&gradient)),
    ]
}

#[test]
fn every_fused_operation_is_its_formula_in_value_and_gradients_whatever_is_frozen() {
    let _turn = alone();
    let flex = Device::flex();
    for case in cases() {
        let expected = run(&case, &case.written_out, [true; 3], &flex);
        for (device_name, device) in devices() {
            for tracked in (1..8).map(|bits| [bits & 1 != 0, bits & 2 != 0, bits & 4 != 0]) {
                let found = run(&case, &case.fused, tracked, &device);
                let wanted = [true, tracked[0], tracked[1], tracked[2]];
                for (part, name) in ["output", "input", "weight", "bias"].iter().enumerate() {
                    let at = format!("{}, {device_name}, tracked {tracked:?}, {name}", case.name);
                    assert_eq!(found[part].is_some(), wanted[part], "{at}: a gradient exactly where one is wanted");
                    let Some(found) = &found[part] else { continue };
                    let difference = relative_difference(found, expected[part].as_ref().unwrap());
                    assert!(difference < ROUNDING, "{at}: {difference}");
                }
            }
        }
    }
}

/// With libtorch: operations in bfloat16 beside themselves in float32. What is read loses at most 2⁻⁹ of its size, and so does
/// what is written: three or four such losses on the way to a gradient. Sums are float32.
#[cfg(feature = "libtorch")]
#[test]
fn in_bf16_an_operation_is_the_exact_one_to_its_rounding_and_gradients_are_float32() {
    const BF16_ROUNDING: f32 = 4.0 / 512.0;
    let _turn = alone();
    let device = driftscope::device::DeviceChoice::Cpu.open().unwrap().0;
    let within = |precision: Precision| -> Vec<Case> {
        let half = move |tensor: Tensor<4>| match precision {
            Precision::Bf16 => tensor.cast(FloatDType::BF16),
            _ => tensor,
        };
        vec![
            Case::new(
                "linear",
                ([2, 3, 5, 8], [1, 1, 6, 8], [6]),
                move |(input, weight, bias)| ops::linear(input, weight.flatten::<2>(0, 2), bias, precision),
                |(input, _, _)| input,
            ),
            Case::new(
                "conv2d",
                ([2, 3, 9, 8], [4, 3, 3, 3], [1]),
                move |(input, weight, _)| ops::conv2d(ops::laid_out(input), weight, [2, 2], [1, 1], precision),
                |(input, _, _)| input,
            ),
            Case::new(
                "batch_norm",
                ([2, 3, 5, 4], [1, 1, 1, 3], [3]),
                move |(input, weight, bias)| {
                    ops::batch_norm(ops::laid_out(half(input)), weight.flatten::<1>(0, 3), bias, EPSILON).output
                },
                |(input, _, _)| input,
            ),
            Case::new(
                "scale_channels",
                ([2, 3, 5, 4], [1, 1, 1, 3], [3]),
                move |(input, weight, bias)| ops::scale_channels(half(input), weight.flatten::<1>(0, 3), bias),
                |(input, _, _)| input,
            ),
            Case::new(
                "attention",
                ([1, 2, 5, 24], [1; 4], [1]),
                move |(input, _, _)| {
                    let context = ops::attention(half(input).squeeze_dim::<3>(0), 2);
                    context.unsqueeze_dim::<4>(0)
                },
                |(input, _, _)| input,
            ),
        ]
    };
    for (exact, rounded) in within(EXACT).iter().zip(within(Precision::Bf16)) {
        let cast = |inputs: Inputs| {
            let output = (rounded.fused)(inputs);
            assert_eq!(output.dtype(), FloatDType::BF16.into(), "{}", rounded.name);
            ops::exact(output)
        };
        let [expected, found] =
            [run(exact, &exact.fused, [true; 3], &device), run(&rounded, &cast, [true; 3], &device)];
        for (part, name) in ["output", "input", "weight", "bias"].iter().enumerate() {
            let (Some(expected), Some(found)) = (&expected[part], &found[part]) else { continue };
            let difference = relative_difference(found, expected);
            assert!(difference < BF16_ROUNDING, "{}, {name}: {difference}", exact.name);
            assert!(difference > 0.0 || *name == "bias", "{}, {name}: nothing was rounded", exact.name);
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
        let output = ops::conv2d(input.clone(), weight.clone(), [1, 1], [0, 0], EXACT);
        let gradients = output.backward();
        assert_eq!(numbers(&output.inner()), [6.0]);
        assert_eq!(numbers(&input.grad(&gradients).unwrap()), [2.0]);
        assert_eq!(numbers(&weight.grad(&gradients).unwrap()), [3.0]);
    }
}

/// On paper: 1, 2, 3, 6 have mean 3 and squared distances 4, 1, 0, 9: 14 over 3 is the unbiased variance, 14 over 4 the
/// one that normalises.
#[test]
fn batch_norm_hands_out_the_mean_and_the_unbiased_variance() {
    let _turn = alone();
    for (name, device) in devices() {
        let input = Tensor::<4>::from_floats([[[[1.0, 2.0, 3.0, 6.0]]]], &device);
        let one = Tensor::<1>::ones([1], &device);
        let normed = ops::batch_norm(input, one.clone(), one.zeros_like(), 0.0);
        let deviation = 3.5_f32.sqrt();
        let expected = [-2.0, -1.0, 0.0, 3.0].map(|distance| distance / deviation);
        assert!(relative_difference(&numbers(&normed.output), &expected) < ROUNDING, "{name}");
        assert!(relative_difference(&numbers(&normed.mean), &[3.0]) < ROUNDING, "{name}");
        assert!(relative_difference(&numbers(&normed.variance), &[14.0 / 3.0]) < ROUNDING, "{name}");
    }
}

/// Scores of hundreds, where an exponential alone would overflow.
#[test]
fn attention_survives_great_scores() {
    let _turn = alone();
    let flex = Device::flex();
    let packed = |device: &Device| (pseudo_random([1, 6, 12], 1, device) * 40.0).autodiff().require_grad();
    let run = |device: &Device| {
        let packed = packed(device);
        let context = ops::attention(packed.clone(), 1);
        let gradients = context.clone().sum().backward();
        [numbers(&context.inner()), numbers(&packed.grad(&gradients).unwrap())]
    };
    let expected = run(&flex);
    for (name, device) in devices() {
        for (found, expected) in run(&device).iter().zip(&expected) {
            // Scores near 1,000 in float32 are known to 1e-4, and so are the probabilities' logarithms.
            assert!(relative_difference(found, expected) < 1e-3, "{name}");
        }
    }
}

const ADAMW: ops::AdamW =
    ops::AdamW { rate: 0.1, betas: [0.9, 0.99], epsilon: 1e-8, decay: 0.5, decoupled: true, step: 1 };

/// On paper: at the first step both corrected moments are the gradient's own, so the value decays by 0.1·0.5 and moves
/// by the rate against the gradient's sign.
#[test]
fn the_first_step_of_adamw_goes_against_the_sign() {
    let _turn = alone();
    for (name, device) in devices() {
        let tensor = |values: [f32; 3]| Tensor::<1>::from_floats(values, &device);
        let start = [tensor([1.0, 2.0, -4.0]), tensor([0.3, -7.0, 0.01]), tensor([0.0; 3]), tensor([0.0; 3])];
        let [value, first, second] = one::<3, 1>(ops::adamw(start.map(|tensor| vec![Listed::of(tensor)]), ADAMW));
        assert!(relative_difference(&numbers(&value), &[0.85, 2.0, -3.9]) < ROUNDING, "{name}");
        assert!(relative_difference(&numbers(&first), &[0.03, -0.7, 0.001]) < ROUNDING, "{name}");
        assert!(relative_difference(&numbers(&second), &[0.0009, 0.49, 0.000001]) < ROUNDING, "{name}");
    }
}

/// The only tensor of each list.
fn one<const N: usize, const D: usize>(lists: [Vec<Listed>; N]) -> [Tensor<D>; N] {
    lists.map(|list| <[Listed; 1]>::try_from(list).unwrap().map(Listed::tensor)).map(|[tensor]| tensor)
}

/// A list of kernels, matrices and vectors steps as each would alone, by every rule, whatever lies how in memory and whoever
/// holds it; on every device as on `flex`.
#[test]
fn a_list_steps_as_its_tensors_would_one_by_one() {
    let _turn = alone();
    let device = |name: &str| devices().into_iter().find(|(found, _)| *found == name).map(|(_, device)| device);
    let flex = device("flex").unwrap();
    let parts = |salt: u32, device: &Device| {
        // Kernels as convolutions want them, of one pixel and of nine, a matrix that is a view, and a vector.
        let kernel = ops::laid_out(pseudo_random([4, 3, 3, 3], salt, device));
        let pixel = ops::laid_out(pseudo_random([4, 6, 1, 1], salt + 1, device));
        let matrix = pseudo_random([7, 5], salt + 2, device).transpose();
        let vector = pseudo_random([9], salt + 3, device);
        vec![Listed::of(kernel), Listed::of(pixel), Listed::of(matrix), Listed::of(vector)]
    };
    // As they come: gradients and moments in other layouts than the values.
    let plain = |salt: u32, device: &Device| {
        let kernel = pseudo_random([4, 3, 3, 3], salt, device);
        let pixel = pseudo_random([4, 6, 1, 1], salt + 1, device);
        let matrix = pseudo_random([5, 7], salt + 2, device);
        let vector = pseudo_random([9], salt + 3, device);
        vec![Listed::of(kernel), Listed::of(pixel), Listed::of(matrix), Listed::of(vector)]
    };
    let squared = |list: Vec<Listed>| -> Vec<Listed> {
        let both = |listed: Listed| Listed::of(listed.clone().flat() * listed.flat());
        let shapes: [fn(Listed) -> Listed; 4] = [
            |flat| Listed::of(flat.shaped([4, 3, 3, 3])),
            |flat| Listed::of(flat.shaped([4, 6, 1, 1])),
            |flat| Listed::of(flat.shaped([5, 7])),
            |flat| flat,
        ];
        list.into_iter().zip(shapes).map(|(listed, shaped)| shaped(both(listed))).collect()
    };
    let host = |list: Vec<Listed>| list.into_iter().map(|listed| numbers(&listed.flat())).collect::<Vec<_>>();
    let run = |rule: usize, device: &Device| -> Vec<Vec<f32>> {
        let (values, gradients) = (parts(1, device), plain(11, device));
        let (first, second) = (plain(21, device), squared(plain(31, device)));
        let held = [values.clone(), first.clone()].map(host);
        let (kept, kept_first) = (values.clone(), first.clone());
        let sgd = |momentum, nesterov, first| ops::Sgd { rate: 0.1, momentum, nesterov, decay: 0.3, first };
        let adam = |decoupled| ops::AdamW { decoupled, step: 3, ..ADAMW };
        let made = match rule {
            0 => ops::adamw([values, gradients, first, second], adam(true)).concat(),
            1 => ops::adamw([values, gradients, first, second], adam(false)).concat(),
            2 => ops::sgd([values, gradients, first], sgd(0.9, false, false)).concat(),
            3 => ops::sgd([values, gradients, first], sgd(0.9, true, false)).concat(),
            4 => ops::sgd([values, gradients, first], sgd(0.9, true, true)).concat(),
            5 => ops::sgd([values, gradients, first], sgd(0.0, false, false)).concat(),
            6 => ops::follow(values, gradients, 0.1),
            7 => ops::scaled(values, 0.25),
            _ => vec![Listed::of(ops::norms(values))],
        };
        assert_eq!([kept, kept_first].map(host), held, "rule {rule}: somebody else held them");
        host(made)
    };
    for rule in 0..9 {
        let expected = run(rule, &flex);
        for (name, device) in devices() {
            for (found, expected) in run(rule, &device).iter().zip(&expected) {
                let difference = relative_difference(found, expected);
                assert!(difference < ROUNDING, "{name}, rule {rule}: {difference}");
            }
        }
    }
    // On paper: √(3² + 4²) = 5 and √(5² + 12²) = 13.
    let vector = |numbers: [f32; 2]| Listed::of(Tensor::<1>::from_floats(numbers, &flex));
    assert_eq!(numbers(&ops::norms(vec![vector([3.0, -4.0]), vector([5.0, 12.0])])), [5.0, 13.0]);
}

#[test]
fn adamw_agrees_over_many_steps_on_views_and_leaves_shared_tensors_alone() {
    let _turn = alone();
    let run = |device: &Device| {
        let start = pseudo_random([5, 7], 1, device);
        let mut value = start.clone();
        let (mut first, mut second) = (start.zeros_like(), start.zeros_like());
        let before = numbers(&start);
        for step in 1..=20 {
            // A transposed gradient is a view whose memory order is another one.
            let gradient = pseudo_random([7, 5], step as u32, device).transpose();
            let lists = [value, gradient, first, second].map(|tensor| vec![Listed::of(tensor)]);
            [value, first, second] = one(ops::adamw(lists, ops::AdamW { step, ..ADAMW }));
        }
        assert_eq!(numbers(&start), before, "somebody else held the first value");
        [value, first, second].map(|tensor| numbers(&tensor))
    };
    let expected = run(&Device::flex());
    for (name, device) in devices() {
        for (found, expected) in run(&device).iter().zip(&expected) {
            assert!(relative_difference(found, expected) < ROUNDING, "{name}");
        }
    }
}
