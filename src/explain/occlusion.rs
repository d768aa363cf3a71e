//! Occlusion: how much the target logit falls when a part of the image is covered.

use super::ask::{Asked, Asker};
use super::error::{ExplainError, within};
use super::explanation::{Explanation, plain};
use super::method::{Method, Reads, Runner};
use super::site::{Site, input_site};
use crate::measure::Heatmap;
use crate::models::TapSpec;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// For every cell, the mean over the windows that cover it of `logit(x) − logit(x with the window covered)`. Signed, in
/// the unit of the logit. A window is `window × window` cells and moves one cell at a time; what it covers becomes zero
/// after normalisation, the mean colour. Each window costs one pass over the batch.
///
/// # Source
///
/// Zeiler & Fergus 2013, "Visualizing and Understanding Convolutional Networks", section 4.2; Captum's `Occlusion`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Occlusion {
    /// Side of the window in cells of the grid.
    pub window: usize,
}

impl Default for Occlusion {
    fn default() -> Self {
        Self { window: 1 }
    }
}

impl Method for Occlusion {
    const NAME: &'static str = "occlusion";
    const TITLE: &'static str = "Occlusion";
    const READS: Reads = Reads::Input;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Asks(self)
    }
}

impl Asker for Occlusion {
    fn site(&self, taps: &[TapSpec]) -> Result<Site, ExplainError> {
        let site = input_site(taps, Self::NAME)?;
        let greatest = site.grid[0].min(site.grid[1]) as f64;
        within(Self::NAME, "window", self.window as f64, 1.0..=greatest)?;
        Ok(site)
    }

    fn explain(&self, model: &Asked, images: Tensor<4>, classes: &[usize]) -> Result<Vec<Explanation>, ExplainError> {
        let ([batch, ..], [rows, columns]) = (images.dims(), model.grid(Self::NAME)?);
        let whole = model.logits(images.clone(), classes);
        let mut sums = vec![vec![0.0_f64; rows * columns]; batch];
        let mut counts = vec![0.0_f64; rows * columns];
        for top in 0..=rows - self.window {
            for left in 0..=columns - self.window {
                let covered = images.clone() * self.mask([top, left], [rows, columns], &images);
                let logits = model.logits(covered, classes);
                for cell in self.cells([top, left], columns) {
                    counts[cell] += 1.0;
                    for image in 0..batch {
                        sums[image][cell] += f64::from(whole[image]) - f64::from(logits[image]);
                    }
                }
            }
        }
        let map = |sums: Vec<f64>| {
            let values = sums.iter().zip(&counts).map(|(sum, count)| (sum / count) as f32).collect();
            Ok(Heatmap::new(rows, columns, values)?)
        };
        Ok(plain(sums.into_iter().map(map).collect::<Result<_, ExplainError>>()?))
    }
}

impl Occlusion {
    /// The cells of a window.
    fn cells(&self, [top, left]: [usize; 2], columns: usize) -> impl Iterator<Item = usize> {
        let window = self.window;
        (0..window * window).map(move |index| (top + index / window) * columns + left + index % window)
    }

    /// `[1, 1, height, width]`: zero under the window, one elsewhere.
    fn mask(&self, [top, left]: [usize; 2], [rows, columns]: [usize; 2], images: &Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = images.dims();
        let covers = |at: usize, from: usize| (from..from + self.window).contains(&at);
        let value = |pixel: usize| {
            let (row, column) = (pixel / width * rows / height, pixel % width * columns / width);
            if covers(row, top) && covers(column, left) { 0.0_f32 } else { 1.0 }
        };
        let values: Vec<f32> = (0..height * width).map(value).collect();
        Tensor::from_data(TensorData::new(values, [1, 1, height, width]), &images.device())
    }
}
