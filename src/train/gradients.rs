//! The gradients of one step: summed over its batches, their norm, and clipping by it.

use crate::models::{Model, NamedVisitor, Parameter};
use crate::ops::{self, Listed};
use burn::module::Param;
use burn::tensor::{Gradients, Tensor};
use std::collections::BTreeMap;

/// The gradient of every trained parameter by state-dict name.
#[derive(Debug, Default)]
pub struct StepGradients(BTreeMap<String, Listed>);

impl StepGradients {
    /// Adds what a backward pass left for `model`'s parameters.
    pub fn add(&mut self, model: &Model, gradients: Gradients) {
        model.visit_named(&mut Collect { gradients, sums: &mut self.0 });
    }

    /// Takes out the gradient of a parameter; `None` where the loss does not depend on it.
    pub fn take(&mut self, name: &str) -> Option<Listed> {
        self.0.remove(name)
    }

    /// The Euclidean norm of all gradients as one vector; infinite or not a number as soon as one entry is.
    pub fn norm(&self) -> f64 {
        if self.0.is_empty() {
            return 0.0;
        }
        // Summed on the host in float64: a sum over all parameters at once could overflow float32.
        let norms = ops::norms(self.0.values().cloned().collect()).into_data();
        norms.iter::<f32>().map(|norm| f64::from(norm).powi(2)).sum::<f64>().sqrt()
    }

    /// Scales all gradients by one factor so that their norm is at most `greatest`.
    ///
    /// # Source
    ///
    /// `torch.nn.utils.clip_grad_norm_`: the factor is `greatest / (norm + 1e-6)` where that is below one.
    pub fn clip(&mut self, norm: f64, greatest: f64) {
        let factor = greatest / (norm + 1e-6);
        if factor < 1.0 {
            let (names, gradients): (Vec<String>, Vec<Listed>) = std::mem::take(&mut self.0).into_iter().unzip();
            self.0 = names.into_iter().zip(ops::scaled(gradients, factor)).collect();
        }
    }
}

struct Collect<'a> {
    gradients: Gradients,
    sums: &'a mut BTreeMap<String, Listed>,
}

impl NamedVisitor for Collect<'_> {
    fn visit<const D: usize>(&mut self, at: Parameter, value: &Param<Tensor<D>>) {
        if !value.is_require_grad() {
            return;
        }
        let Some(gradient) = value.val().grad_remove(&mut self.gradients) else { return };
        let sum = match self.sums.remove(&at.name) {
            Some(sum) => sum.tensor::<D>() + gradient,
            None => gradient,
        };
        self.sums.insert(at.name, Listed::of(sum));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn gradients(values: &[&[f32]]) -> StepGradients {
        let tensor = |values: &&[f32]| Listed::of(Tensor::<1>::from_floats(*values, &Device::flex()));
        let named = values.iter().enumerate().map(|(index, values)| (index.to_string(), tensor(values)));
        StepGradients(named.collect())
    }

    /// On paper: √(3² + 4² + 12²) = 13.
    #[test]
    fn the_norm_is_over_all_parameters_at_once() {
        assert!((gradients(&[&[3.0, 4.0], &[12.0]]).norm() - 13.0).abs() < 1e-6);
        assert!(!gradients(&[&[3.0, f32::NAN], &[12.0]]).norm().is_finite());
        assert!(!gradients(&[&[f32::INFINITY], &[12.0]]).norm().is_finite());
    }

    #[test]
    fn clipping_keeps_the_direction_and_leaves_a_short_one_alone() {
        let mut long = gradients(&[&[3.0, 4.0]]);
        long.clip(5.0, 1.0);
        let clipped: Vec<f32> = long.take("0").unwrap().flat().into_data().iter::<f32>().collect();
        // 1/(5 + 1e-6) of each.
        assert!((clipped[0] - 0.6).abs() < 1e-6 && (clipped[1] - 0.8).abs() < 1e-6, "{clipped:?}");
        let mut short = gradients(&[&[0.3, 0.4]]);
        short.clip(0.5, 1.0);
        let kept: Vec<f32> = short.take("0").unwrap().flat().into_data().iter::<f32>().collect();
        assert_eq!(kept, [0.3, 0.4]);
    }
}
