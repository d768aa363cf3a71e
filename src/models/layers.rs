//! The layers both architectures are made of, with PyTorch's arithmetic and PyTorch's parameter names.
//!
//! Weights keep PyTorch's layout (`[out, in]`, `[out, in, kh, kw]`), so a parameter's path in the module tree is its
//! state-dict key and checkpoints need no translation. No layer asks its device whether it is training: [`Mode`] is an
//! argument.

use super::init::Initialiser;
use super::taps::{Tap, Taps};
use crate::ops;
use crate::precision::Precision;
use crate::seed::{self, Purpose};
use burn::module::{Module, Param, RunningState};
use burn::tensor::{Device, Tensor};
use rand::RngExt;

/// How a forward pass runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Where it trains: batch statistics, which also move the running ones, and drop path. Where it evaluates, none: running
    /// statistics, nothing dropped, and images of a batch are independent of one another.
    pub training: Option<Training>,
    /// What products are computed in; logits are float32 whatever it is.
    pub precision: Precision,
}

/// What a forward pass that trains has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Training {
    /// Draws drop path; derived from (run seed, epoch, step).
    pub seed: u64,
    /// Whether batch norm uses its running statistics all the same, and leaves them alone.
    pub frozen_batch_norm: bool,
}

impl Mode {
    /// Evaluation in float32: what every explanation is made in.
    pub const EVAL: Self = Self::eval(Precision::F32);

    /// Evaluation.
    pub const fn eval(precision: Precision) -> Self {
        Self { training: None, precision }
    }

    /// Training in float32 with batch norm's own statistics.
    pub const fn train(seed: u64) -> Self {
        Self { training: Some(Training { seed, frozen_batch_norm: false }), precision: Precision::F32 }
    }

    /// Whether batch norm takes the statistics of the batch.
    fn has_batch_statistics(self) -> bool {
        self.training.is_some_and(|training| !training.frozen_batch_norm)
    }
}

/// A convolution as in `torch.nn.Conv2d` (dilation 1, groups 1).
#[derive(Module, Debug)]
pub struct Conv2d {
    /// Kernel, `[channels_out, channels_in, kernel, kernel]`.
    pub weight: Param<Tensor<4>>,
    /// Bias, `[channels_out]`; none where a norm follows.
    pub bias: Option<Param<Tensor<1>>>,
    stride: usize,
    padding: usize,
}

impl Conv2d {
    /// Without bias, He-normal over the fan-out: torchvision's and timm's choice for ResNet.
    pub fn he(channels: [usize; 2], kernel: usize, stride: usize, init: &mut Initialiser) -> Self {
        let [channels_in, channels_out] = channels;
        let deviation = (2.0 / (channels_out * kernel * kernel) as f64).sqrt();
        let weight = init.normal([channels_out, channels_in, kernel, kernel], deviation);
        Self { weight, bias: None, stride, padding: kernel / 2 }
    }

    /// A patch embedding: kernel equal to stride, with bias; LeCun-normal as timm draws it.
    pub fn patches(channels: [usize; 2], patch: usize, init: &mut Initialiser) -> Self {
        let [channels_in, channels_out] = channels;
        let deviation = (1.0 / (channels_in * patch * patch) as f64).sqrt();
        let weight = init.truncated_normal([channels_out, channels_in, patch, patch], deviation);
        Self { weight, bias: Some(init.constant([channels_out], 0.0)), stride: patch, padding: 0 }
    }

    /// `[batch, channels_in, height, width]` to `[batch, channels_out, …]`, in the type of the mode's precision; where there
    /// is a bias, in float32.
    pub fn forward(&self, input: Tensor<4>, mode: Mode) -> Tensor<4> {
        let output = ops::conv2d(input, self.weight.val(), [self.stride; 2], [self.padding; 2], mode.precision);
        match &self.bias {
            Some(bias) => ops::exact(output) + bias.val().reshape([1, -1, 1, 1]),
            None => output,
        }
    }
}

/// Batch normalisation as in `torch.nn.BatchNorm2d`: epsilon 1e-5, momentum 0.1, unbiased running variance.
#[derive(Module, Debug)]
pub struct BatchNorm2d {
    /// Scale of each channel, `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// Shift of each channel, `[channels]`.
    pub bias: Param<Tensor<1>>,
    /// Estimate of the data's mean, `[channels]`; a buffer.
    pub running_mean: RunningState<Tensor<1>>,
    /// `[channels]`, a buffer; estimates the variance without bias, as PyTorch does and Burn's own layer does not.
    pub running_var: RunningState<Tensor<1>>,
}

const BATCH_NORM_EPSILON: f64 = 1e-5;
const BATCH_NORM_MOMENTUM: f64 = 0.1;

impl BatchNorm2d {
    /// Weight at `scale`: one, or zero for the last norm of a residual block, which then starts as the identity.
    pub fn new(channels: usize, scale: f32, init: &mut Initialiser) -> Self {
        let plain = init.device().clone().inner();
        Self {
            weight: init.constant([channels], scale),
            bias: init.constant([channels], 0.0),
            running_mean: RunningState::new(Tensor::zeros([channels], &plain)),
            running_var: RunningState::new(Tensor::ones([channels], &plain)),
        }
    }

    /// Normalises `[batch, channels, height, width]`; in training mode also moves the running statistics.
    pub fn forward(&self, input: Tensor<4>, mode: Mode) -> Tensor<4> {
        match mode.has_batch_statistics() {
            true => self.forward_batch_statistics(input),
            false => self.forward_running_statistics(input, mode.precision),
        }
    }

    /// One scale and one shift a channel: two passes over the activation instead of four.
    fn forward_running_statistics(&self, input: Tensor<4>, precision: Precision) -> Tensor<4> {
        let deviation = (self.running_var.value_sync() + BATCH_NORM_EPSILON).sqrt();
        let scale = self.weight.val() / deviation;
        let shift = self.bias.val() - self.running_mean.value_sync() * scale.clone();
        match precision {
            Precision::Bf16 => ops::scale_channels(input, scale, shift),
            Precision::F32 | Precision::Tf32 => input * scale.reshape([1, -1, 1, 1]) + shift.reshape([1, -1, 1, 1]),
        }
    }

    fn forward_batch_statistics(&self, input: Tensor<4>) -> Tensor<4> {
        let normalised = ops::batch_norm(input, self.weight.val(), self.bias.val(), BATCH_NORM_EPSILON);
        move_towards(&self.running_mean, normalised.mean);
        move_towards(&self.running_var, normalised.variance);
        normalised.output
    }
}

/// Applies the update at once: Burn keeps it pending otherwise, and pending updates are not saved.
fn move_towards(running: &RunningState<Tensor<1>>, batch: Tensor<1>) {
    let current = running.value_sync();
    running.update(current * (1.0 - BATCH_NORM_MOMENTUM) + batch * BATCH_NORM_MOMENTUM);
    running.value_sync();
}

/// A linear map with bias, as in `torch.nn.Linear`.
#[derive(Module, Debug)]
pub struct Linear {
    /// Matrix, `[out, in]`: PyTorch's layout.
    pub weight: Param<Tensor<2>>,
    /// Bias of each output feature, `[out]`.
    pub bias: Param<Tensor<1>>,
}

impl Linear {
    /// Truncated normal and zero bias: timm's choice inside a ViT and for its new heads.
    pub fn truncated_normal(features: [usize; 2], deviation: f64, init: &mut Initialiser) -> Self {
        let [features_in, features_out] = features;
        Self {
            weight: init.truncated_normal([features_out, features_in], deviation),
            bias: init.constant([features_out], 0.0),
        }
    }

    /// Uniform in ±1/√in, weight and bias: PyTorch's default, which torchvision and timm leave for ResNet's `fc`.
    pub fn uniform(features: [usize; 2], init: &mut Initialiser) -> Self {
        let [features_in, features_out] = features;
        let bound = 1.0 / (features_in as f64).sqrt();
        Self { weight: init.uniform([features_out, features_in], bound), bias: init.uniform([features_out], bound) }
    }

    /// `[…, in]` to `[…, out]`, the last axis mapped, in the type of the mode's precision.
    pub fn forward<const D: usize>(&self, input: Tensor<D>, mode: Mode) -> Tensor<D> {
        ops::linear(input, self.weight.val(), self.bias.val(), mode.precision)
    }
}

/// Layer normalisation over the last axis with timm's epsilon for ViTs, 1e-6 (PyTorch's default is 1e-5).
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// Scale of each feature, `[features]`.
    pub weight: Param<Tensor<1>>,
    /// Shift of each feature, `[features]`.
    pub bias: Param<Tensor<1>>,
}

const LAYER_NORM_EPSILON: f64 = 1e-6;

impl LayerNorm {
    /// Weight one, bias zero.
    pub fn new(features: usize, init: &mut Initialiser) -> Self {
        Self { weight: init.constant([features], 1.0), bias: init.constant([features], 0.0) }
    }

    /// `[…, features]` to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        ops::layer_norm(input, self.weight.val(), self.bias.val(), LAYER_NORM_EPSILON)
    }
}

/// Multi-head self-attention in timm's names: `qkv` fused in the order q, k, v, then heads.
#[derive(Module, Debug)]
pub struct Attention {
    /// Query, key and value in one map, `[3·features, features]`.
    pub qkv: Linear,
    /// The map behind the heads, `[features, features]`.
    pub proj: Linear,
    heads: usize,
}

impl Attention {
    /// `features` must be a multiple of `heads`.
    pub fn new(features: usize, heads: usize, deviation: f64, init: &mut Initialiser) -> Self {
        Self {
            qkv: Linear::truncated_normal([features, 3 * features], deviation, init),
            proj: Linear::truncated_normal([features, features], deviation, init),
            heads,
        }
    }

    /// `[batch, tokens, features]` to the same shape.
    ///
    /// Fused attention never forms the probabilities, so a pass that taps `tap` runs the explicit formula for this
    /// block; a test bounds the difference between the two. What is tapped is float32.
    pub fn forward(&self, input: Tensor<3>, mode: Mode, tap: Tap, taps: &mut Taps) -> Tensor<3> {
        let packed = self.qkv.forward(input, mode);
        let context = if taps.wants(tap) {
            self.explicit(ops::exact(packed), tap, taps)
        } else {
            ops::attention(packed, self.heads)
        };
        self.proj.forward(context, mode)
    }

    /// `softmax(q·kᵀ/√width)·v` written out, the probabilities shown to the tap.
    fn explicit(&self, packed: Tensor<3>, tap: Tap, taps: &mut Taps) -> Tensor<3> {
        let [batch, tokens, packed_features] = packed.dims();
        let features = packed_features / 3;
        let width = features / self.heads;
        let part = |index: usize| {
            let part = packed.clone().slice([0..batch, 0..tokens, index * features..(index + 1) * features]);
            part.reshape([batch, tokens, self.heads, width]).swap_dims(1, 2)
        };
        let [query, key, value] = [0, 1, 2].map(part);
        let scores = (query * (1.0 / (width as f64).sqrt())).matmul(key.transpose());
        let context = taps.pass(tap, ops::softmax(scores)).matmul(value);
        context.swap_dims(1, 2).reshape([batch, tokens, features])
    }
}

/// Drops a residual branch for whole images, each with probability `rate`, and scales the rest by `1/(1 − rate)`.
///
/// # Source
///
/// Huang et al. 2016, "Deep Networks with Stochastic Depth"; timm `layers/drop.py`. The draw is the host's, from the
/// step's seed and the branch's index, so that it does not depend on the device or on what ran before.
pub(super) fn drop_path(branch: Tensor<3>, rate: f64, index: u64, mode: Mode) -> Tensor<3> {
    let Some(Training { seed, .. }) = mode.training else { return branch };
    if rate <= 0.0 {
        return branch;
    }
    let batch = branch.dims()[0];
    let mut generator = seed::generator(seed, Purpose::Regularise, &[index]);
    let keep: Vec<f32> =
        (0..batch).map(|_| if generator.random_bool(1.0 - rate) { 1.0 / (1.0 - rate) as f32 } else { 0.0 }).collect();
    let device: Device = branch.device().inner();
    branch * Tensor::<1>::from_floats(keep.as_slice(), &device).reshape([batch, 1, 1])
}
