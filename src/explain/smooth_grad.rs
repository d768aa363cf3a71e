//! SmoothGrad: the gradient averaged over noisy copies of the input.

use super::ask::{Asked, Asker, pooled};
use super::error::{ExplainError, within};
use super::explanation::{Explanation, plain};
use super::method::{Method, Reads, Runner};
use super::site::{Site, input_site};
use crate::models::TapSpec;
use crate::seed::{self, Purpose};
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// `|mean over samples of ∂logit/∂(x + ε)|`, `ε` normal, summed over channels and the pixels of a cell.
///
/// The noise comes from the seed alone and is the same for every image, so that epochs, and an image and its
/// perturbed copy, compare.
///
/// # Source
///
/// Smilkov et al. 2017, "SmoothGrad", section 3; like it and unlike Captum's `NoiseTunnel` over `Saliency`, gradients are
/// averaged before their sign is dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmoothGrad {
    /// Noisy copies, 1 to 10,000.
    pub samples: usize,
    /// Standard deviation of the noise, in standard deviations of the pixels, 0 to 100. The paper takes 10 to 20 % of an
    /// image's range, which is about 4 here; at 100 nothing of the image is left.
    pub noise: f64,
    /// Draws the noise.
    pub seed: u64,
}

impl Default for SmoothGrad {
    fn default() -> Self {
        Self { samples: 16, noise: 0.5, seed: 0 }
    }
}

impl SmoothGrad {
    /// The noise of one sample, `[1, 3, height, width]`.
    pub fn noise(&self, sample: usize, [height, width]: [usize; 2], device: &Device) -> Tensor<4> {
        let mut generator = seed::generator(self.seed, Purpose::Noise, &[sample as u64]);
        let draw = |_| (self.noise * seed::standard_normal(&mut generator)) as f32;
        let values: Vec<f32> = (0..3 * height * width).map(draw).collect();
        Tensor::from_data(TensorData::new(values, [1, 3, height, width]), device)
    }
}

impl Method for SmoothGrad {
    const NAME: &'static str = "smooth-grad";
    const TITLE: &'static str = "SmoothGrad";
    const READS: Reads = Reads::Input;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Asks(self)
    }
}

impl Asker for SmoothGrad {
    fn site(&self, taps: &[TapSpec]) -> Result<Site, ExplainError> {
        within(Self::NAME, "samples", self.samples as f64, 1.0..=10_000.0)?;
        within(Self::NAME, "noise", self.noise, 0.0..=100.0)?;
        input_site(taps, Self::NAME)
    }

    fn explain(&self, model: &Asked, images: Tensor<4>, classes: &[usize]) -> Result<Vec<Explanation>, ExplainError> {
        let [_, _, height, width] = images.dims();
        let mut sum: Option<Tensor<4>> = None;
        for sample in 0..self.samples {
            let noise = self.noise(sample, [height, width], &images.device());
            let gradient = model.input_gradient(images.clone() + noise, classes)?;
            sum = Some(sum.map_or(gradient.clone(), |sum| sum + gradient));
        }
        let sum = sum.ok_or(ExplainError::NoInputGradient)?;
        Ok(plain(pooled((sum / self.samples as f64).abs(), model.grid(Self::NAME)?)?))
    }
}
