//! The gradient of the target logit with respect to the input.

use super::ask::{Asked, Asker, pooled};
use super::error::ExplainError;
use super::explanation::{Explanation, plain};
use super::method::{Method, Reads, Runner};
use super::site::{Site, input_site};
use crate::models::TapSpec;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// `|∂logit/∂x|`, or with `times_input` the signed `∂logit/∂x ⊙ x`, summed over channels and the pixels of a cell.
///
/// `x` is the normalised image, so the unit is the logit per standard deviation of the pixels, or the logit.
///
/// # Source
///
/// Simonyan et al. 2013, "Deep Inside Convolutional Networks", section 3 (which takes the greatest channel, as this does
/// not); Shrikumar et al. 2016 for the product; Captum's `Saliency` and `InputXGradient`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputGradient {
    /// The signed product with the input instead of the absolute gradient.
    pub times_input: bool,
}

impl Method for InputGradient {
    const NAME: &'static str = "input-gradient";
    const TITLE: &'static str = "Input gradient";
    const READS: Reads = Reads::Input;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Asks(self)
    }
}

impl Asker for InputGradient {
    fn site(&self, taps: &[TapSpec]) -> Result<Site, ExplainError> {
        input_site(taps, Self::NAME)
    }

    fn explain(&self, model: &Asked, images: Tensor<4>, classes: &[usize]) -> Result<Vec<Explanation>, ExplainError> {
        let gradient = model.input_gradient(images.clone(), classes)?;
        let evidence = if self.times_input { gradient * images } else { gradient.abs() };
        Ok(plain(pooled(evidence, model.grid(Self::NAME)?)?))
    }
}
