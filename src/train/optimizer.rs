//! AdamW, Adam and SGD with PyTorch's arithmetic and state keyed by parameter path, so that it can be saved, sorted and
//! resumed.
//!
//! Burn's own optimizers key their state by parameter ids that a new process draws anew.

use super::gradients::StepGradients;
use crate::config::{Moments, OptimizerConfig, OptimizerKind};
use crate::models::{Groups, Model, NamedMapper, Parameter, Role};
use crate::ops::{self, AdamW};
use crate::weights::{HostTensor, StateDict};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::BTreeMap;

/// An optimizer and its state.
#[derive(Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    step: usize,
    memory: BTreeMap<String, Memory>,
}

/// The state of one parameter, each tensor flat: Adam's first and second moment, or SGD's momentum buffer as the first.
#[derive(Debug)]
struct Memory {
    first: Tensor<1>,
    second: Option<Tensor<1>>,
    /// Steps this parameter has taken: one that was frozen at first is younger than the run, as in PyTorch.
    steps: usize,
}

impl Optimizer {
    /// An optimizer before its first step.
    pub fn new(config: OptimizerConfig) -> Self {
        Self { config, step: 0, memory: BTreeMap::new() }
    }

    /// How many steps it has taken.
    pub fn step_count(&self) -> usize {
        self.step
    }

    /// One update of every parameter that has a gradient.
    pub fn step(&mut self, model: Model, gradients: &mut StepGradients, learning_rate: f64) -> Model {
        self.step += 1;
        let (groups, config) = (model.groups(), self.config);
        model.map_named(&mut Update { gradients, config, memory: &mut self.memory, learning_rate, groups })
    }

    /// The state as named tensors: `<parameter>.exp_avg`, `.exp_avg_sq`, `.momentum_buffer` and `.step`,
    /// PyTorch's words.
    pub fn state(&self) -> StateDict {
        let mut state = StateDict::new();
        for (name, memory) in &self.memory {
            let mut keep = |part: &str, tensor| drop(state.insert(format!("{name}.{part}"), tensor));
            keep(self.first_name(), HostTensor::from_tensor(memory.first.clone()));
            if let Some(second) = &memory.second {
                keep(SECOND, HostTensor::from_tensor(second.clone()));
            }
            keep(STEP, HostTensor { shape: vec![1], values: vec![memory.steps as f32] });
        }
        state
    }

    /// Continues from what [`state`](Optimizer::state) and [`step_count`](Optimizer::step_count) returned. Returns the
    /// name of a tensor that is missing or one too many, if there is one.
    pub fn restore(
        config: OptimizerConfig,
        step: usize,
        mut state: StateDict,
        device: &Device,
    ) -> Result<Self, String> {
        let plain = device.clone().inner();
        let tensor = |host: HostTensor| {
            let length = host.values.len();
            Tensor::from_data(TensorData::new(host.values, [length]), &plain)
        };
        let mut optimizer = Self::new(config);
        optimizer.step = step;
        let first_name = format!(".{}", optimizer.first_name());
        let names: Vec<String> =
            state.keys().filter_map(|key| key.strip_suffix(&first_name)).map(str::to_string).collect();
        for name in names {
            let mut take = |part: &str| {
                let key = format!("{name}.{part}");
                state.remove(&key).ok_or(key)
            };
            let first = tensor(take(&first_name[1..])?);
            let second = if optimizer.has_second() { Some(tensor(take(SECOND)?)) } else { None };
            let steps = take(STEP)?.values.first().map_or(0, |&steps| steps as usize);
            optimizer.memory.insert(name, Memory { first, second, steps });
        }
        match state.pop_first() {
            Some((left, _)) => Err(left),
            None => Ok(optimizer),
        }
    }

    fn has_second(&self) -> bool {
        !matches!(self.config.method, OptimizerKind::Sgd { .. })
    }

    fn first_name(&self) -> &'static str {
        if self.has_second() { "exp_avg" } else { "momentum_buffer" }
    }
}

const SECOND: &str = "exp_avg_sq";
const STEP: &str = "step";

struct Update<'a> {
    gradients: &'a mut StepGradients,
    config: OptimizerConfig,
    memory: &'a mut BTreeMap<String, Memory>,
    learning_rate: f64,
    groups: Groups,
}

impl NamedMapper for Update<'_> {
    fn map<const D: usize>(&mut self, at: Parameter, value: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.take(&at.name) else { return value };
        let (id, old, mapper) = value.consume();
        let shape = old.dims();
        // Biases, norms and tokens are exempt, as timm groups them.
        let decays = self.config.decay_all || at.role == Role::Weight;
        let decay = if decays { self.config.weight_decay } else { 0.0 };
        let rate = self.learning_rate * self.config.layer_decay.powi(self.groups.above(at.group) as i32);
        let memory = self.memory.remove(&at.name);
        let flat = old.inner().reshape([-1]);
        let (updated, memory) = advance(self.config.method, [rate, decay], flat, gradient, memory);
        self.memory.insert(at.name, memory);
        Param::from_mapped_value(id, updated.reshape(shape).autodiff().require_grad(), mapper)
    }
}

/// One parameter's update: its new value and its new state.
fn advance(
    method: OptimizerKind,
    [rate, decay]: [f64; 2],
    value: Tensor<1>,
    gradient: Tensor<1>,
    memory: Option<Memory>,
) -> (Tensor<1>, Memory) {
    match method {
        // The decay shrinks the weights themselves…
        OptimizerKind::Adamw(moments) => adam(moments, [rate, decay], value, gradient, memory),
        // … or is a part of the gradient.
        OptimizerKind::Adam(moments) => {
            let gradient = with_decay(gradient, value.clone(), decay);
            adam(moments, [rate, 0.0], value, gradient, memory)
        }
        OptimizerKind::Sgd { momentum, nesterov } => {
            let gradient = with_decay(gradient, value.clone(), decay);
            sgd([momentum, rate], nesterov, value, gradient, memory)
        }
    }
}

fn with_decay(gradient: Tensor<1>, value: Tensor<1>, decay: f64) -> Tensor<1> {
    if decay > 0.0 { gradient + value * decay } else { gradient }
}

/// Adam is AdamW without its decay.
fn adam(
    Moments { betas, epsilon }: Moments,
    [rate, decay]: [f64; 2],
    value: Tensor<1>,
    gradient: Tensor<1>,
    memory: Option<Memory>,
) -> (Tensor<1>, Memory) {
    let (first, second, steps) = match memory {
        Some(Memory { first, second: Some(second), steps }) => (first, second, steps + 1),
        _ => (gradient.zeros_like(), gradient.zeros_like(), 1),
    };
    let settings = AdamW { rate, betas, epsilon, decay, step: steps };
    let [updated, first, second] = ops::adamw([value, gradient, first, second], settings);
    (updated, Memory { first, second: Some(second), steps })
}

/// `torch/optim/sgd.py`, `_single_tensor_sgd`, no dampening: the buffer starts as the first gradient.
fn sgd(
    [momentum, rate]: [f64; 2],
    nesterov: bool,
    value: Tensor<1>,
    gradient: Tensor<1>,
    memory: Option<Memory>,
) -> (Tensor<1>, Memory) {
    let (buffer, steps) = match memory {
        Some(memory) => (memory.first * momentum + gradient.clone(), memory.steps + 1),
        None => (gradient.clone(), 1),
    };
    let direction = if nesterov { gradient + buffer.clone() * momentum } else { buffer.clone() };
    (value - direction * rate, Memory { first: buffer, second: None, steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three steps from the same start with the same gradients: `scripts/parity/optimizers.py`, torch 2.9.1.
    #[test]
    fn every_method_is_pytorchs() {
        let defaults = Moments::default();
        let other = Moments { betas: [0.8, 0.95], epsilon: 1e-3 };
        for (method, decay, expected) in [
            (OptimizerKind::Adamw(defaults), 0.2, [0.7524807, -1.6755029, 0.2335414]),
            (OptimizerKind::Adam(other), 0.2, [0.7687597, -1.7460067, 0.261274]),
            (OptimizerKind::Sgd { momentum: 0.9, nesterov: false }, 0.2, [0.5049921, -1.525984, -0.200024]),
            (OptimizerKind::Sgd { momentum: 0.9, nesterov: true }, 0.0, [0.3258, -1.6751, -0.3258]),
        ] {
            let device = Device::flex();
            let mut value = Tensor::<1>::from_floats([1.0, -2.0, 0.5], &device);
            let mut memory = None;
            for gradient in [[0.5, -1.0, 2.0], [-0.25, 0.0, 1.0], [3.0, 0.1, -0.7]] {
                let (next, kept) = advance(method, [0.1, decay], value, Tensor::from_floats(gradient, &device), memory);
                (value, memory) = (next, Some(kept));
            }
            let found: Vec<f32> = value.into_data().iter::<f32>().collect();
            // Float32 in another order of operations, on numbers of size one.
            assert!(
                found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6),
                "{method:?}: {found:?}"
            );
        }
    }
}
