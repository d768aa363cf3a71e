//! Integrated Gradients: gradients along the straight line from a baseline to the input.

use super::ask::{Asked, Asker, pooled};
use super::error::{ExplainError, within};
use super::explanation::{Explanation, plain};
use super::method::{Method, Reads, Runner};
use super::site::{Site, input_site};
use crate::models::TapSpec;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// `x ⊙ ∫₀¹ ∂logit/∂(α·x) dα`, summed over channels and the pixels of a cell. Signed, in the unit of the logit: with
/// enough steps a map sums to the logit of the input minus that of the baseline. The difference from that is kept as the
/// map's completeness gap.
///
/// The baseline is zero after normalisation: an image of the mean colour. The integral is a Gauss-Legendre sum.
///
/// # Source
///
/// Sundararajan et al. 2017, "Axiomatic Attribution for Deep Networks", equations 1 and 3; Captum's
/// `IntegratedGradients` with its default method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IntegratedGradients {
    /// Points on the line, 1 to 10,000.
    pub steps: usize,
}

impl Default for IntegratedGradients {
    fn default() -> Self {
        Self { steps: 32 }
    }
}

impl Method for IntegratedGradients {
    const NAME: &'static str = "integrated-gradients";
    const TITLE: &'static str = "Integrated Gradients";
    const READS: Reads = Reads::Input;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Asks(self)
    }
}

impl Asker for IntegratedGradients {
    fn site(&self, taps: &[TapSpec]) -> Result<Site, ExplainError> {
        within(Self::NAME, "steps", self.steps as f64, 1.0..=10_000.0)?;
        input_site(taps, Self::NAME)
    }

    fn explain(&self, model: &Asked, images: Tensor<4>, classes: &[usize]) -> Result<Vec<Explanation>, ExplainError> {
        let mut integral: Option<Tensor<4>> = None;
        for (place, weight) in gauss_legendre(self.steps) {
            let gradient = model.input_gradient(images.clone() * place, classes)? * weight;
            integral = Some(integral.map_or(gradient.clone(), |sum| sum + gradient));
        }
        let evidence = integral.ok_or(ExplainError::NoInputGradient)? * images.clone();
        let maps = pooled(evidence, model.grid(Self::NAME)?)?;
        let [batch, ..] = images.dims();
        let (logits, baseline) = (model.logits(images.clone(), classes), model.logits(images.zeros_like(), classes));
        let mut explanations = plain(maps);
        for image in 0..batch {
            let sum: f64 = explanations[image].map.values().iter().map(|&cell| f64::from(cell)).sum();
            let difference = f64::from(logits[image]) - f64::from(baseline[image]);
            explanations[image].completeness_gap = Some((sum - difference) as f32);
        }
        Ok(explanations)
    }
}

/// Places in `0..1` and weights of the Gauss-Legendre rule with `count` points; the weights sum to one.
///
/// # Source
///
/// The roots of the Legendre polynomial by Newton's method from Tricomi's first guess, as in `numpy.polynomial`.
fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let degree = count as f64;
    let rule = |index: usize| {
        let mut root = (std::f64::consts::PI * (index as f64 + 0.75) / (degree + 0.5)).cos();
        let mut slope = 0.0;
        for _ in 0..100 {
            let (mut before, mut value) = (1.0, root);
            for k in 2..=count {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * root * value - (k - 1.0) * before) / k);
            }
            if count == 1 {
                before = 1.0;
            }
            slope = degree * (root * value - before) / (root * root - 1.0);
            let change = value / slope;
            root -= change;
            if change.abs() < 1e-15 {
                break;
            }
        }
        ((1.0 - root) / 2.0, 1.0 / ((1.0 - root * root) * slope * slope))
    };
    (0..count).map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On paper: one point is the midpoint; two lie at (1 ± 1/√3)/2 with half the weight each; `n` points integrate
    /// `α^(2n−1)` over `0..1` to `1/2n` exactly.
    #[test]
    fn the_rule_is_exact_for_polynomials() {
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-13, "{found}, not {expected}");
        let [(place, weight)] = gauss_legendre(1)[..] else { panic!("one point") };
        close(place, 0.5);
        close(weight, 1.0);
        let [(low, half), (high, _)] = gauss_legendre(2)[..] else { panic!("two points") };
        close(low, (1.0 - 1.0 / 3.0_f64.sqrt()) / 2.0);
        close(high, (1.0 + 1.0 / 3.0_f64.sqrt()) / 2.0);
        close(half, 0.5);
        for count in [3, 10, 50] {
            let power = 2 * count as i32 - 1;
            let sum: f64 = gauss_legendre(count).iter().map(|(place, weight)| weight * place.powi(power)).sum();
            close(sum, 1.0 / f64::from(power + 1));
        }
    }
}
