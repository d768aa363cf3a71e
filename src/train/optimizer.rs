//! AdamW with PyTorch's arithmetic and state keyed by parameter path, so that it can be saved, sorted and resumed.
//!
//! Burn's own optimizer keys its state by parameter ids that a new process draws anew.

use crate::config::AdamWConfig;
use crate::models::Model;
use crate::weights::{HostTensor, ModulePath, StateDict};
use burn::module::{ModuleMapper, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use std::collections::BTreeMap;

/// Loshchilov & Hutter 2017, "Decoupled Weight Decay Regularization", as `torch.optim.AdamW` computes it.
#[derive(Debug)]
pub struct AdamW {
    config: AdamWConfig,
    step: usize,
    moments: BTreeMap<String, Moments>,
}

/// Exponential means of the gradient and of its square, flat.
#[derive(Debug)]
struct Moments {
    first: Tensor<1>,
    second: Tensor<1>,
}

impl AdamW {
    /// No step taken.
    pub fn new(config: AdamWConfig) -> Self {
        Self { config, step: 0, moments: BTreeMap::new() }
    }

    /// Steps taken.
    pub fn step_count(&self) -> usize {
        self.step
    }

    /// One update of every parameter that has a gradient.
    pub fn step(&mut self, model: Model, gradients: &mut Gradients, learning_rate: f64) -> Model {
        self.step += 1;
        let [beta1, beta2] = self.config.betas;
        let correction1 = 1.0 - beta1.powi(self.step as i32);
        let correction2 = 1.0 - beta2.powi(self.step as i32);
        model.map(&mut Update {
            module: ModulePath::default(),
            gradients,
            config: self.config,
            moments: &mut self.moments,
            learning_rate,
            step_size: learning_rate / correction1,
            root_correction: correction2.sqrt(),
        })
    }

    /// The moments as named tensors: `<parameter>.exp_avg` and `<parameter>.exp_avg_sq`, PyTorch's words.
    pub fn state(&self) -> StateDict {
        let entries = self.moments.iter().flat_map(|(name, moments)| {
            [
                (format!("{name}.{FIRST}"), HostTensor::from_tensor(moments.first.clone())),
                (format!("{name}.{SECOND}"), HostTensor::from_tensor(moments.second.clone())),
            ]
        });
        entries.collect()
    }

    /// Continues from what [`state`](AdamW::state) and [`step_count`](AdamW::step_count) returned. Returns the name of
    /// a moment whose partner is missing, if there is one.
    pub fn restore(config: AdamWConfig, step: usize, mut state: StateDict, device: &Device) -> Result<Self, String> {
        let plain = device.clone().inner();
        let tensor = |host: HostTensor| {
            let length = host.values.len();
            Tensor::from_data(TensorData::new(host.values, [length]), &plain)
        };
        let mut moments = BTreeMap::new();
        while let Some((key, host)) = state.pop_first() {
            let partner = key.strip_suffix(FIRST).map(|stem| (stem.to_string(), format!("{stem}{SECOND}")));
            let Some((stem, second)) = partner else { return Err(key) };
            let Some(second) = state.remove(&second) else { return Err(key) };
            let name = stem.trim_end_matches('.').to_string();
            moments.insert(name, Moments { first: tensor(host), second: tensor(second) });
        }
        Ok(Self { config, step, moments })
    }
}

const FIRST: &str = "exp_avg";
const SECOND: &str = "exp_avg_sq";

/// Whether weight decay applies: matrices and kernels only, as timm groups them.
fn decays(name: &str, rank: usize) -> bool {
    rank > 1 && !matches!(name, "cls_token" | "pos_embed")
}

struct Update<'a> {
    module: ModulePath,
    gradients: &'a mut Gradients,
    config: AdamWConfig,
    moments: &'a mut BTreeMap<String, Moments>,
    learning_rate: f64,
    step_size: f64,
    root_correction: f64,
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.module.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.module.exit();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !parameter.is_require_grad() {
            return parameter;
        }
        let Some(gradient) = parameter.val().grad_remove(self.gradients) else { return parameter };
        let name = self.module.key();
        let (id, old, mapper) = parameter.consume();
        let shape = old.dims();
        let decay = if decays(&name, D) { self.learning_rate * self.config.weight_decay } else { 0.0 };
        let updated = self.update(name, old.inner().reshape([-1]), gradient.reshape([-1]), decay);
        Param::from_mapped_value(id, updated.reshape(shape).autodiff().require_grad(), mapper)
    }
}

impl Update<'_> {
    fn update(&mut self, name: String, value: Tensor<1>, gradient: Tensor<1>, decay: f64) -> Tensor<1> {
        let [beta1, beta2] = self.config.betas;
        let (first, second) = match self.moments.remove(&name) {
            Some(moments) => (moments.first, moments.second),
            None => (gradient.zeros_like(), gradient.zeros_like()),
        };
        let first = first * beta1 + gradient.clone() * (1.0 - beta1);
        let second = second * beta2 + gradient.clone() * gradient * (1.0 - beta2);
        let denominator = second.clone().sqrt() / self.root_correction + self.config.epsilon;
        let value = if decay > 0.0 { value * (1.0 - decay) } else { value };
        let updated = value - first.clone() / denominator * self.step_size;
        self.moments.insert(name, Moments { first, second });
        updated
    }
}
