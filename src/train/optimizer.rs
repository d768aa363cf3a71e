//! AdamW, Adam and SGD with PyTorch's arithmetic and state keyed by parameter path, so that it can be saved, sorted and
//! resumed.
//!
//! Burn's own optimizers key their state by parameter ids that a new process draws anew.

use super::gradients::StepGradients;
use crate::config::{Moments, OptimizerConfig, OptimizerKind};
use crate::models::{Groups, Model, NamedMapper, Parameter, Role};
use crate::ops::{self, AdamW, Listed, Sgd};
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

/// The state of one parameter: Adam's first and second moment, or SGD's momentum buffer as the first. Of the parameter's shape,
/// but flat where it was read from a checkpoint and no step has been taken since.
#[derive(Debug)]
struct Memory {
    first: Listed,
    second: Option<Listed>,
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

    /// One update of every parameter that has a gradient; parameters that take the same step take it in one call.
    pub fn step(&mut self, model: Model, gradients: &mut StepGradients, learning_rate: f64) -> Model {
        self.step += 1;
        let (groups, config) = (model.groups(), self.config);
        let mut taken = Take { gradients, config, memory: &mut self.memory, learning_rate, groups, turns: Vec::new() };
        let model = model.map_named(&mut taken);
        let mut updated = BTreeMap::new();
        for (settings, turns) in together(taken.turns) {
            for (name, value, memory) in advance(config.method, settings, turns) {
                self.memory.insert(name.clone(), memory);
                updated.insert(name, value);
            }
        }
        model.map_named(&mut Put(updated))
    }

    /// The state as named tensors: `<parameter>.exp_avg`, `.exp_avg_sq`, `.momentum_buffer` and `.step`,
    /// PyTorch's words.
    pub fn state(&self) -> StateDict {
        let mut state = StateDict::new();
        for (name, memory) in &self.memory {
            let mut keep = |part: &str, tensor| drop(state.insert(format!("{name}.{part}"), tensor));
            keep(self.first_name(), flat(&memory.first));
            if let Some(second) = &memory.second {
                keep(SECOND, flat(second));
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
            Listed::of(Tensor::<1>::from_data(TensorData::new(host.values, [length]), &plain))
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
            let second = if optimizer.config.method.has_second() { Some(tensor(take(SECOND)?)) } else { None };
            let steps = take(STEP)?.values.first().map_or(0, |&steps| steps as usize);
            optimizer.memory.insert(name, Memory { first, second, steps });
        }
        match state.pop_first() {
            Some((left, _)) => Err(left),
            None => Ok(optimizer),
        }
    }

    fn first_name(&self) -> &'static str {
        if self.config.method.has_second() { "exp_avg" } else { "momentum_buffer" }
    }
}

const SECOND: &str = "exp_avg_sq";
const STEP: &str = "step";

fn flat(listed: &Listed) -> HostTensor {
    HostTensor::from_tensor(listed.clone().flat())
}

/// What a step of one parameter depends on besides its tensors. Parameters for which it is the same step together.
#[derive(Clone, Copy, Debug, PartialEq)]
struct StepSettings {
    rate: f64,
    decay: f64,
    /// Its step, counted from one.
    step: usize,
}

/// One parameter's part in a step.
struct Turn {
    name: String,
    settings: StepSettings,
    value: Listed,
    gradient: Listed,
    /// Zeros at its first step, like the second moment of Adam.
    first: Listed,
    second: Option<Listed>,
}

/// Takes every parameter that has a gradient out of the model, so that nobody else holds it while it is changed.
struct Take<'a> {
    gradients: &'a mut StepGradients,
    config: OptimizerConfig,
    memory: &'a mut BTreeMap<String, Memory>,
    learning_rate: f64,
    groups: Groups,
    turns: Vec<Turn>,
}

impl NamedMapper for Take<'_> {
    fn map<const D: usize>(&mut self, at: Parameter, value: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.take(&at.name) else { return value };
        let (id, old, mapper) = value.consume();
        let (shape, old) = (old.dims(), old.inner());
        // Biases, norms and tokens are exempt, as timm groups them.
        let decays = self.config.decay_all || at.role == Role::Weight;
        let decay = if decays { self.config.weight_decay } else { 0.0 };
        let rate = self.learning_rate * self.config.layer_decay.powi(self.groups.above(at.group) as i32);
        let shaped = |listed: Listed| Listed::of(listed.shaped(shape));
        let (first, second, steps) = match self.memory.remove(&at.name) {
            Some(Memory { first, second, steps }) => (shaped(first), second.map(shaped), steps),
            None => {
                let zeros = Listed::of(old.zeros_like());
                (zeros.clone(), self.config.method.has_second().then_some(zeros), 0)
            }
        };
        let placeholder = Tensor::<D>::empty([0; D], &old.device());
        self.turns.push(Turn {
            name: at.name,
            settings: StepSettings { rate, decay, step: steps + 1 },
            value: Listed::of(old),
            gradient: shaped(gradient),
            first,
            second,
        });
        Param::from_mapped_value(id, placeholder.autodiff(), mapper)
    }
}

/// Puts them back.
struct Put(BTreeMap<String, Listed>);

impl NamedMapper for Put {
    fn map<const D: usize>(&mut self, at: Parameter, value: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(updated) = self.0.remove(&at.name) else { return value };
        let (id, _, mapper) = value.consume();
        Param::from_mapped_value(id, updated.tensor::<D>().autodiff().require_grad(), mapper)
    }
}

/// Those with the same settings, in the order of the first of each.
fn together(turns: Vec<Turn>) -> Vec<(StepSettings, Vec<Turn>)> {
    let mut groups: Vec<(StepSettings, Vec<Turn>)> = Vec::new();
    for turn in turns {
        match groups.iter_mut().find(|(settings, _)| *settings == turn.settings) {
            Some((_, group)) => group.push(turn),
            None => groups.push((turn.settings, vec![turn])),
        }
    }
    groups
}

/// One step of parameters that take the same: the name, the new value and the new state of each.
fn advance(
    method: OptimizerKind,
    StepSettings { rate, decay, step }: StepSettings,
    turns: Vec<Turn>,
) -> Vec<(String, Listed, Memory)> {
    let (mut names, mut lists) = (Vec::new(), [(); 4].map(|()| Vec::new()));
    for turn in turns {
        names.push(turn.name);
        let parts = [Some(turn.value), Some(turn.gradient), Some(turn.first), turn.second];
        lists.iter_mut().zip(parts).for_each(|(list, part)| list.extend(part));
    }
    let [values, gradients, first, second] = lists;
    let adam = |moments: Moments, decoupled| {
        let Moments { betas, epsilon } = moments;
        AdamW { rate, betas, epsilon, decay, decoupled, step }
    };
    let [values, first, second] = match method {
        // The decay shrinks the weights themselves…
        OptimizerKind::Adamw(moments) => ops::adamw([values, gradients, first, second], adam(moments, true)),
        // … or is a part of the gradient.
        OptimizerKind::Adam(moments) => ops::adamw([values, gradients, first, second], adam(moments, false)),
        OptimizerKind::Sgd { momentum, nesterov } => {
            let settings = Sgd { rate, momentum, nesterov, decay, first: step == 1 };
            let [values, buffers] = ops::sgd([values, gradients, first], settings);
            [values, buffers, Vec::new()]
        }
    };
    let mut second = second.into_iter();
    let parameters = names.into_iter().zip(values).zip(first);
    parameters
        .map(|((name, value), first)| (name, value, Memory { first, second: second.next(), steps: step }))
        .collect()
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
            let listed = |numbers: [f32; 3]| Listed::of(Tensor::<1>::from_floats(numbers, &device));
            let (mut value, zeros) = (listed([1.0, -2.0, 0.5]), listed([0.0; 3]));
            let (mut first, mut second) = (zeros.clone(), method.has_second().then_some(zeros));
            for (index, gradient) in [[0.5, -1.0, 2.0], [-0.25, 0.0, 1.0], [3.0, 0.1, -0.7]].into_iter().enumerate() {
                let settings = StepSettings { rate: 0.1, decay, step: index + 1 };
                let turn = Turn { name: String::new(), settings, value, gradient: listed(gradient), first, second };
                let (_, next, memory) = advance(method, settings, vec![turn]).remove(0);
                (value, first, second) = (next, memory.first, memory.second);
            }
            let found: Vec<f32> = value.flat().into_data().iter::<f32>().collect();
            // Float32 in another order of operations, on numbers of size one.
            assert!(
                found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6),
                "{method:?}: {found:?}"
            );
        }
    }
}
