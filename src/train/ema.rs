//! An exponential moving average of a model's parameters and buffers.

use crate::config::EmaConfig;
use crate::models::{Model, NamedMapper, NamedVisitor, Parameter};
use crate::ops::{self, Listed};
use burn::module::Param;
use burn::tensor::Tensor;
use std::collections::BTreeMap;

/// The moving average of a model that is being trained. It is never differentiated.
///
/// # Source
///
/// Polyak & Juditsky 1992; timm `ModelEmaV3`, which averages buffers as well.
#[derive(Debug)]
pub(super) struct Ema {
    config: EmaConfig,
    model: Model,
}

impl Ema {
    /// An average that starts as a copy of `model`.
    pub(super) fn new(config: EmaConfig, model: &Model) -> Self {
        Self { config, model: model.valid() }
    }

    /// Goes on from a saved average.
    pub(super) fn restore(config: EmaConfig, average: Model) -> Self {
        Self { config, model: average }
    }

    /// The averaged model.
    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    /// The average, moved towards `model` after the optimizer's step `step`, counted from one.
    pub(super) fn moved(self, model: &Model, step: usize) -> Self {
        let Self { config, model: average } = self;
        let mut targets = Targets(BTreeMap::new());
        model.visit_named(&mut targets);
        let mut taken = Take { targets: targets.0, names: Vec::new(), averages: Vec::new(), aims: Vec::new() };
        let average = average.map_named(&mut taken);
        let moved = ops::follow(taken.averages, taken.aims, 1.0 - decay_at(config, step));
        Self { config, model: average.map_named(&mut Put(taken.names.into_iter().zip(moved).collect())) }
    }
}

/// The decay of step `step`, counted from one: the share of the old average in the new one, in [0, 1].
fn decay_at(config: EmaConfig, step: usize) -> f64 {
    if !config.warmup {
        return config.decay;
    }
    config.decay.min(1.0 - (1.0 + step as f64).powf(-2.0 / 3.0))
}

/// Every parameter and buffer by name, on its own device and not differentiated.
struct Targets(BTreeMap<String, Listed>);

impl NamedVisitor for Targets {
    fn visit<const D: usize>(&mut self, at: Parameter, value: &Param<Tensor<D>>) {
        self.0.insert(at.name, Listed::of(value.val().inner()));
    }
}

/// Takes what follows out of the average, so that nobody else holds it while it is changed.
struct Take {
    targets: BTreeMap<String, Listed>,
    names: Vec<String>,
    averages: Vec<Listed>,
    aims: Vec<Listed>,
}

impl NamedMapper for Take {
    fn map<const D: usize>(&mut self, at: Parameter, value: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(target) = self.targets.remove(&at.name) else { return value };
        let (id, old, mapper) = value.consume();
        let placeholder = Tensor::<D>::empty([0; D], &old.device());
        self.names.push(at.name);
        self.averages.push(Listed::of(old));
        self.aims.push(target);
        Param::from_mapped_value(id, placeholder, mapper)
    }
}

/// Puts it back.
struct Put(BTreeMap<String, Listed>);

impl NamedMapper for Put {
    fn map<const D: usize>(&mut self, at: Parameter, value: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(moved) = self.0.remove(&at.name) else { return value };
        let (id, _, mapper) = value.consume();
        Param::from_mapped_value(id, moved.tensor::<D>(), mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ModelName;
    use crate::weights::state_dict;
    use burn::tensor::Device;

    /// On paper: `0.9·average + 0.1·model`, buffers included.
    #[test]
    fn the_average_moves_a_tenth_of_the_way() {
        let model = |seed| ModelName::ResnetMini.init(3, 0.0, seed, &Device::flex());
        let (start, target) = (model(1), model(2));
        let ema = Ema::new(EmaConfig { decay: 0.9, warmup: false }, &start).moved(&target, 1);
        let (start, target, average) = (state_dict(&start), state_dict(&target), state_dict(ema.model()));
        assert_eq!(average.keys().collect::<Vec<_>>(), start.keys().collect::<Vec<_>>());
        for (name, average) in &average {
            let parts = start[name].values.iter().zip(&target[name].values);
            for ((start, target), average) in parts.zip(&average.values) {
                let expected = 0.9 * start + 0.1 * target;
                assert!((average - expected).abs() <= 1e-6 * (start.abs() + target.abs()), "{name}: {average}");
            }
        }
    }

    /// On paper: with warm-up step 1 keeps 1 − 2^(−2/3) = 0.370, step 7 keeps 1 − 8^(−2/3) = 0.75.
    #[test]
    fn warm_up_keeps_less_at_first_and_never_more_than_the_decay() {
        let config = EmaConfig { decay: 0.9, warmup: true };
        assert!((decay_at(config, 1) - 0.370_04).abs() < 1e-5);
        assert!((decay_at(config, 7) - 0.75).abs() < 1e-12);
        assert_eq!(decay_at(config, 10_000), 0.9);
        assert_eq!(decay_at(EmaConfig { warmup: false, ..config }, 1), 0.9);
    }
}
