//! The default bodies: each operation and its gradient in Burn's primitives, written for reading.

use super::update::{AdamW, Sgd};
use burn::backend::ops::ConvOptions;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Shape, Slice, TensorMetadata};
use burn::tensor::FloatDType;

type Gradients<B> = (Option<FloatTensor<B>>, Option<FloatTensor<B>>, Option<FloatTensor<B>>);

pub(super) fn conv_options(stride: [usize; 2], padding: [usize; 2]) -> ConvOptions<2> {
    ConvOptions::new(stride, padding, [1, 1], 1)
}

pub(super) fn linear<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
) -> FloatTensor<B> {
    B::float_add(B::float_matmul(input, B::float_transpose(weight)), as_row::<B>(bias))
}

pub(super) fn layer_norm<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let mean = B::float_mean_dim(input.clone(), 1);
    let centred = B::float_sub(input, mean.clone());
    let variance = B::float_mean_dim(square::<B>(centred.clone()), 1);
    let reciprocal = reciprocal_deviation::<B>(variance, epsilon);
    let normalised = B::float_mul(centred, reciprocal.clone());
    let output = B::float_add(B::float_mul(normalised, as_row::<B>(weight)), as_row::<B>(bias));
    (output, mean, reciprocal)
}

/// With `x̂` the normalised row and `g = dy·weight`: `dx = (g − mean(g) − x̂·mean(g·x̂))/deviation`.
pub(super) fn layer_norm_gradients<B: Backend>(
    output_gradient: FloatTensor<B>,
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    mean: FloatTensor<B>,
    reciprocal: FloatTensor<B>,
    want: [bool; 3],
) -> Gradients<B> {
    let normalised = B::float_mul(B::float_sub(input, mean), reciprocal.clone());
    let input_gradient = want[0].then(|| {
        let scaled = B::float_mul(output_gradient.clone(), as_row::<B>(weight));
        let along = B::float_mean_dim(B::float_mul(scaled.clone(), normalised.clone()), 1);
        let level = B::float_mean_dim(scaled.clone(), 1);
        let rest = B::float_sub(B::float_sub(scaled, level), B::float_mul(normalised.clone(), along));
        B::float_mul(rest, reciprocal)
    });
    let weight_gradient = want[1].then(|| sum_rows::<B>(B::float_mul(output_gradient.clone(), normalised)));
    let bias_gradient = want[2].then(|| sum_rows::<B>(output_gradient));
    (input_gradient, weight_gradient, bias_gradient)
}

pub(super) fn batch_norm<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let count = values_a_channel::<B>(&input);
    let mean = mean_channels::<B>(input.clone());
    let centred = B::float_sub(input, as_channels::<B>(mean.clone()));
    let variance = mean_channels::<B>(square::<B>(centred.clone()));
    let unbiased = B::float_mul_scalar(variance.clone(), (count / (count - 1.0)).into());
    let reciprocal = reciprocal_deviation::<B>(variance, epsilon);
    let scale = B::float_mul(weight, reciprocal.clone());
    let output = B::float_add(B::float_mul(centred, as_channels::<B>(scale)), as_channels::<B>(bias));
    (output, mean, reciprocal, unbiased)
}

/// As for a layer norm, with the means over everything but the channel.
pub(super) fn batch_norm_gradients<B: Backend>(
    output_gradient: FloatTensor<B>,
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    mean: FloatTensor<B>,
    reciprocal: FloatTensor<B>,
    want: [bool; 3],
) -> Gradients<B> {
    let count = values_a_channel::<B>(&input);
    let centred = B::float_sub(input, as_channels::<B>(mean));
    let normalised = B::float_mul(centred, as_channels::<B>(reciprocal.clone()));
    let level = mean_channels::<B>(output_gradient.clone());
    let along = mean_channels::<B>(B::float_mul(output_gradient.clone(), normalised.clone()));
    let input_gradient = want[0].then(|| {
        let fall = B::float_mul(normalised, as_channels::<B>(along.clone()));
        let rest = B::float_sub(B::float_sub(output_gradient, as_channels::<B>(level.clone())), fall);
        B::float_mul(rest, as_channels::<B>(B::float_mul(weight, reciprocal)))
    });
    let weight_gradient = want[1].then(|| B::float_mul_scalar(along, count.into()));
    let bias_gradient = want[2].then(|| B::float_mul_scalar(level, count.into()));
    (input_gradient, weight_gradient, bias_gradient)
}

/// The product and the sum are float32 whatever the input is.
pub(super) fn scale_channels<B: Backend>(
    input: FloatTensor<B>,
    scale: FloatTensor<B>,
    shift: FloatTensor<B>,
) -> FloatTensor<B> {
    let dtype = input.dtype();
    let scaled = B::float_mul(exact::<B>(input), as_channels::<B>(scale));
    B::float_cast(B::float_add(scaled, as_channels::<B>(shift)), dtype.into())
}

pub(super) fn scale_channels_gradients<B: Backend>(
    output_gradient: FloatTensor<B>,
    input: FloatTensor<B>,
    scale: FloatTensor<B>,
    want: [bool; 3],
) -> Gradients<B> {
    let dtype = input.dtype();
    let count = values_a_channel::<B>(&input);
    let gradient = exact::<B>(output_gradient);
    let sum = |tensor| B::float_mul_scalar(mean_channels::<B>(tensor), count.into());
    let input_gradient =
        want[0].then(|| B::float_cast(B::float_mul(gradient.clone(), as_channels::<B>(scale)), dtype.into()));
    let scale_gradient = want[1].then(|| sum(B::float_mul(gradient.clone(), exact::<B>(input))));
    let shift_gradient = want[2].then(|| sum(gradient));
    (input_gradient, scale_gradient, shift_gradient)
}

fn exact<B: Backend>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    B::float_cast(tensor, FloatDType::F32)
}

pub(super) fn attention<B: Backend>(packed: FloatTensor<B>, heads: usize) -> (FloatTensor<B>, FloatTensor<B>) {
    let [query, key, value] = unpack::<B>(packed, heads);
    let scores = scores::<B>(query, key);
    // Shifted by the greatest score, so that no exponential overflows.
    let greatest = B::float_max_dim(scores.clone(), 3);
    let exponentials = B::float_exp(B::float_sub(scores, greatest.clone()));
    let denominator = B::float_sum_dim(exponentials.clone(), 3);
    let context = B::float_matmul(B::float_div(exponentials, denominator.clone()), value);
    let log_denominator = B::float_add(B::float_log(denominator), greatest);
    let [batch, heads, tokens, _] = log_denominator.shape().dims();
    (pack::<B>(context), B::float_reshape(log_denominator, Shape::new([batch, heads, tokens])))
}

/// The probabilities again from the saved denominator; then, with `P` the probabilities and `O` the context,
/// `dV = Pᵀ·dO` and `dS = P∘(dO·Vᵀ − rowsum(dO∘O))`, from which `dQ` and `dK`.
pub(super) fn attention_gradient<B: Backend>(
    output_gradient: FloatTensor<B>,
    packed: FloatTensor<B>,
    context: FloatTensor<B>,
    log_denominator: FloatTensor<B>,
    heads: usize,
) -> FloatTensor<B> {
    let [query, key, value] = unpack::<B>(packed, heads);
    let [output_gradient, context] = [output_gradient, context].map(|tensor| split_heads::<B>(tensor, heads));
    let [batch, heads, tokens, width] = query.shape().dims();
    let log_denominator = B::float_reshape(log_denominator, Shape::new([batch, heads, tokens, 1]));

    let probabilities = B::float_exp(B::float_sub(scores::<B>(query.clone(), key.clone()), log_denominator));
    let value_gradient = B::float_matmul(B::float_swap_dims(probabilities.clone(), 2, 3), output_gradient.clone());
    let along = B::float_sum_dim(B::float_mul(output_gradient.clone(), context), 3);
    let probability_gradient = B::float_matmul(output_gradient, B::float_swap_dims(value, 2, 3));
    let score_gradient = B::float_mul(probabilities, B::float_sub(probability_gradient, along));
    let score_gradient = B::float_mul_scalar(score_gradient, (1.0 / (width as f64).sqrt()).into());
    let query_gradient = B::float_matmul(score_gradient.clone(), key);
    let key_gradient = B::float_matmul(B::float_swap_dims(score_gradient, 2, 3), query);
    B::float_cat([query_gradient, key_gradient, value_gradient].map(pack::<B>).into(), 2)
}

/// `torch/optim/adam.py`, `_single_tensor_adam` with decoupled decay.
pub(super) fn adamw<B: Backend>(
    values: Vec<FloatTensor<B>>,
    gradients: Vec<FloatTensor<B>>,
    first: Vec<FloatTensor<B>>,
    second: Vec<FloatTensor<B>>,
    settings: AdamW,
) -> Vec<FloatTensor<B>> {
    let parameters = values.into_iter().zip(gradients).zip(first.into_iter().zip(second));
    let stepped = parameters.map(|((value, gradient), (first, second))| {
        let (value, first, second) = adamw_one::<B>(value, gradient, first, second, settings);
        [value, first, second]
    });
    behind_one_another(stepped)
}

fn adamw_one<B: Backend>(
    value: FloatTensor<B>,
    gradient: FloatTensor<B>,
    first: FloatTensor<B>,
    second: FloatTensor<B>,
    settings: AdamW,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let AdamW { rate, betas: [beta1, beta2], epsilon, decay, decoupled, step } = settings;
    let [correction1, correction2] = settings.betas.map(|beta| 1.0 - beta.powi(step as i32));
    let blend = |old, beta: f64, new| {
        B::float_add(B::float_mul_scalar(old, beta.into()), B::float_mul_scalar(new, (1.0 - beta).into()))
    };
    let (value, gradient) = match decoupled {
        true => (B::float_mul_scalar(value, (1.0 - rate * decay).into()), gradient),
        false => (value.clone(), with_decay::<B>(gradient, value, decay)),
    };
    let first = blend(first, beta1, gradient.clone());
    let second = blend(second, beta2, square::<B>(gradient));
    let root = B::float_div_scalar(B::float_sqrt(second.clone()), correction2.sqrt().into());
    let direction = B::float_div(first.clone(), B::float_add_scalar(root, epsilon.into()));
    let value = B::float_sub(value, B::float_mul_scalar(direction, (rate / correction1).into()));
    (value, first, second)
}

pub(super) fn sgd<B: Backend>(
    values: Vec<FloatTensor<B>>,
    gradients: Vec<FloatTensor<B>>,
    buffers: Vec<FloatTensor<B>>,
    Sgd { rate, momentum, nesterov, decay, first }: Sgd,
) -> Vec<FloatTensor<B>> {
    let stepped = values.into_iter().zip(gradients).zip(buffers).map(|((value, gradient), buffer)| {
        let gradient = with_decay::<B>(gradient, value.clone(), decay);
        // Without momentum a buffer is of no use and is left alone.
        if momentum == 0.0 {
            return [B::float_sub(value, B::float_mul_scalar(gradient, rate.into())), buffer];
        }
        let buffer = match first {
            true => gradient.clone(),
            false => B::float_add(B::float_mul_scalar(buffer, momentum.into()), gradient.clone()),
        };
        let direction = match nesterov {
            true => B::float_add(gradient, B::float_mul_scalar(buffer.clone(), momentum.into())),
            false => buffer.clone(),
        };
        [B::float_sub(value, B::float_mul_scalar(direction, rate.into())), buffer]
    });
    behind_one_another(stepped)
}

pub(super) fn follow<B: Backend>(
    list: Vec<FloatTensor<B>>,
    targets: Vec<FloatTensor<B>>,
    share: f64,
) -> Vec<FloatTensor<B>> {
    let moved = list.into_iter().zip(targets).map(|(tensor, target)| {
        let distance = B::float_sub(target, tensor.clone());
        B::float_add(tensor, B::float_mul_scalar(distance, share.into()))
    });
    moved.collect()
}

pub(super) fn norms<B: Backend>(list: Vec<FloatTensor<B>>) -> FloatTensor<B> {
    let squares = list.into_iter().map(|tensor| B::float_sum(square::<B>(tensor))).collect();
    B::float_sqrt(B::float_cat(squares, 0))
}

fn with_decay<B: Backend>(gradient: FloatTensor<B>, value: FloatTensor<B>, decay: f64) -> FloatTensor<B> {
    if decay > 0.0 { B::float_add(gradient, B::float_mul_scalar(value, decay.into())) } else { gradient }
}

/// What was made of each parameter, as one list a kind, one behind the other.
fn behind_one_another<T, const N: usize>(made: impl Iterator<Item = [T; N]>) -> Vec<T> {
    let mut lists: [Vec<T>; N] = [(); N].map(|()| Vec::new());
    for parts in made {
        lists.iter_mut().zip(parts).for_each(|(list, part)| list.push(part));
    }
    lists.into_iter().flatten().collect()
}

/// With `p` the output: `dx = p·(dy − sum(dy·p))`.
pub(super) fn softmax_gradient<B: Backend>(output_gradient: FloatTensor<B>, output: FloatTensor<B>) -> FloatTensor<B> {
    let sums = B::float_sum_dim(B::float_mul(output_gradient.clone(), output.clone()), 1);
    B::float_mul(output, B::float_sub(output_gradient, sums))
}

/// `[rows, features]` to `[features]`.
pub(super) fn sum_rows<B: Backend>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    let [_, features] = tensor.shape().dims();
    B::float_reshape(B::float_sum_dim(tensor, 0), Shape::new([features]))
}

fn square<B: Backend>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    B::float_mul(tensor.clone(), tensor)
}

fn reciprocal_deviation<B: Backend>(variance: FloatTensor<B>, epsilon: f64) -> FloatTensor<B> {
    B::float_recip(B::float_sqrt(B::float_add_scalar(variance, epsilon.into())))
}

/// `[features]` to `[1, features]`.
fn as_row<B: Backend>(vector: FloatTensor<B>) -> FloatTensor<B> {
    let [features] = vector.shape().dims();
    B::float_reshape(vector, Shape::new([1, features]))
}

/// `[channels]` to `[1, channels, 1, 1]`.
fn as_channels<B: Backend>(vector: FloatTensor<B>) -> FloatTensor<B> {
    let [channels] = vector.shape().dims();
    B::float_reshape(vector, Shape::new([1, channels, 1, 1]))
}

/// `[batch, channels, height, width]` to each channel's mean, `[channels]`.
fn mean_channels<B: Backend>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, channels, height, width] = tensor.shape().dims();
    let cells = B::float_mean_dim(B::float_reshape(tensor, Shape::new([batch, channels, height * width])), 2);
    B::float_reshape(B::float_mean_dim(cells, 0), Shape::new([channels]))
}

fn values_a_channel<B: Backend>(tensor: &FloatTensor<B>) -> f64 {
    let [batch, _, height, width] = tensor.shape().dims();
    (batch * height * width) as f64
}

/// Attention scores before the softmax, `q·kᵀ/√width`.
fn scores<B: Backend>(query: FloatTensor<B>, key: FloatTensor<B>) -> FloatTensor<B> {
    let [_, _, _, width] = query.shape().dims();
    let query = B::float_mul_scalar(query, (1.0 / (width as f64).sqrt()).into());
    B::float_matmul(query, B::float_swap_dims(key, 2, 3))
}

/// `[batch, tokens, 3·features]` to query, key and value `[batch, heads, tokens, width]`.
fn unpack<B: Backend>(packed: FloatTensor<B>, heads: usize) -> [FloatTensor<B>; 3] {
    let [batch, tokens, packed_features] = packed.shape().dims();
    let features = packed_features / 3;
    [0, 1, 2].map(|part| {
        let bounds = [(0, batch), (0, tokens), (part * features, (part + 1) * features)];
        let slices = bounds.map(|(start, end)| Slice::from(start..end));
        split_heads::<B>(B::float_slice(packed.clone(), &slices), heads)
    })
}

/// `[batch, tokens, features]` to `[batch, heads, tokens, width]`.
fn split_heads<B: Backend>(tensor: FloatTensor<B>, heads: usize) -> FloatTensor<B> {
    let [batch, tokens, features] = tensor.shape().dims();
    B::float_swap_dims(B::float_reshape(tensor, Shape::new([batch, tokens, heads, features / heads])), 1, 2)
}

/// `[batch, heads, tokens, width]` to `[batch, tokens, features]`.
fn pack<B: Backend>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, heads, tokens, width] = tensor.shape().dims();
    B::float_reshape(B::float_swap_dims(tensor, 1, 2), Shape::new([batch, tokens, heads * width]))
}
