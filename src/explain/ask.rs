//! What methods that run the model themselves may ask of it.

use super::error::ExplainError;
use super::explanation::{Explanation, numbers};
use super::site::{Site, feature_map};
use crate::measure::Heatmap;
use crate::models::{Mode, Model, Tap, TapSpec, Tapped, Taps, Watch};
use burn::tensor::{Int, Tensor, TensorData};

/// A method that runs the model as often as it needs to.
pub(super) trait Asker {
    /// Where its maps lie.
    fn site(&self, taps: &[TapSpec]) -> Result<Site, ExplainError>;

    /// Explains class `classes[i]` of image `i`; one explanation an image.
    fn explain(&self, model: &Asked, images: Tensor<4>, classes: &[usize]) -> Result<Vec<Explanation>, ExplainError>;
}

/// A model that is asked again; nothing of it changes.
pub(super) struct Asked<'a>(pub(super) &'a Model);

impl Asked<'_> {
    /// The logits of the chosen classes, `[batch]`.
    pub(super) fn logits(&self, images: Tensor<4>, classes: &[usize]) -> Vec<f32> {
        let logits = self.0.forward(images, Mode::EVAL, &mut Taps::none());
        numbers(chosen(logits, classes))
    }

    /// `∂logit/∂images`, `[batch, 3, height, width]`, off the tape.
    pub(super) fn input_gradient(&self, images: Tensor<4>, classes: &[usize]) -> Result<Tensor<4>, ExplainError> {
        let leaf = images.inner().autodiff().require_grad();
        let logits = self.0.forward(leaf.clone(), Mode::EVAL, &mut Taps::none());
        let gradients = chosen(logits, classes).sum().backward();
        leaf.grad(&gradients).ok_or(ExplainError::NoInputGradient)
    }

    /// The values at taps of one pass.
    pub(super) fn tapped(&self, images: Tensor<4>, wanted: &[(Tap, Watch)]) -> Result<Vec<Tapped>, ExplainError> {
        let mut taps = Taps::request(&self.0.taps(), wanted)?;
        self.0.forward(images, Mode::EVAL, &mut taps);
        Ok(taps.into_seen())
    }

    /// The grid that maps of the input are pooled to, which is that of the model's last feature map.
    pub(super) fn grid(&self, explainer: &'static str) -> Result<[usize; 2], ExplainError> {
        Ok(feature_map(&self.0.taps(), None, explainer)?.grid)
    }
}

/// `logits[i, classes[i]]`, `[batch, 1]`.
pub(super) fn chosen(logits: Tensor<2>, classes: &[usize]) -> Tensor<2> {
    let indices: Vec<i64> = classes.iter().map(|&class| class as i64).collect();
    let data = TensorData::new(indices, [classes.len(), 1]);
    let device = logits.device().inner();
    logits.gather(1, Tensor::<2, Int>::from_data(data, &device))
}

/// Sums `values` `[batch, channels, height, width]` over channels and over the pixels of each cell of `grid`, in
/// float64. A pixel belongs to the cell its upper left corner lies in.
pub(super) fn pooled(values: Tensor<4>, grid: [usize; 2]) -> Result<Vec<Heatmap>, ExplainError> {
    let [_, channels, height, width] = values.dims();
    let pixels = numbers(values);
    let [rows, columns] = grid;
    let pool = |image: &[f32]| {
        let mut cells = vec![0.0_f64; rows * columns];
        for (index, &value) in image.iter().enumerate() {
            let (y, x) = (index / width % height, index % width);
            cells[y * rows / height * columns + x * columns / width] += f64::from(value);
        }
        Ok(Heatmap::new(rows, columns, cells.into_iter().map(|cell| cell as f32).collect())?)
    };
    pixels.chunks((channels * height * width).max(1)).map(pool).collect()
}
