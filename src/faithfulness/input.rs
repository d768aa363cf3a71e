//! A normalised image as plain numbers, and what stands in for the pixels taken away from it.

/// Red, green and blue.
pub const CHANNELS: usize = 3;

/// Why some values are no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an image of 3 x {height} x {width}, of at least one pixel, takes 3 values a pixel, found {found} values")]
pub struct InputError {
    /// Rows asked for.
    pub height: usize,
    /// Columns asked for.
    pub width: usize,
    /// Values given.
    pub found: usize,
}

/// One image as a model takes it, `[3, height, width]`: normalised with the model's mean and standard deviation, plane by
/// plane, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl Input {
    /// An image from its values.
    ///
    /// # Errors
    ///
    /// When there is no pixel, or not three values a pixel.
    pub fn new(height: usize, width: usize, values: Vec<f32>) -> Result<Self, InputError> {
        let expected = height.saturating_mul(width).saturating_mul(CHANNELS);
        if expected == 0 || values.len() != expected {
            return Err(InputError { height, width, found: values.len() });
        }
        Ok(Input { height, width, values })
    }

    /// Number of rows, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Number of columns, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels in a plane, at least 1.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// All values, plane by plane, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Its own pixels where `own` says so, otherwise the other's, of the same size.
    pub(super) fn or(&self, other: &Input, own: impl Fn(usize) -> bool) -> Input {
        let pixels = self.pixels();
        let pick = |(at, (&mine, &theirs)): (usize, (&f32, &f32))| if own(at % pixels) { mine } else { theirs };
        let values = self.values.iter().zip(&other.values).enumerate().map(pick).collect();
        Input { values, ..*self }
    }

    /// Every value replaced by what `change` makes of its channel, its pixel and itself, in order.
    pub(super) fn map(&self, mut change: impl FnMut(usize, usize, f32) -> f32) -> Input {
        let pixels = self.pixels();
        let values = self.values.iter().enumerate();
        let values = values.map(|(at, &value)| change(at / pixels, at % pixels, value)).collect();
        Input { values, ..*self }
    }
}

/// What stands in for pixels that are taken away.
///
/// The choice influences the result much, because a model has rarely seen such images. [`super::road`] avoids it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Baseline {
    /// Zero after normalisation: the data set's mean colour. What torch-cam takes where nothing else is asked for.
    #[default]
    Zeros,
    /// One colour, given as normalised values: for black, `-mean / standard deviation` of each channel.
    Colour {
        /// Red, green and blue after normalisation.
        normalised: [f32; CHANNELS],
    },
    /// The mean of each channel of the image itself.
    Mean,
    /// The image, blurred by a Gaussian that reaches four standard deviations, edges repeated: it keeps colours and
    /// light, so less changes at once. `scipy.ndimage.gaussian_filter(mode="nearest")`. RISE inserts into a blurred
    /// image too, through an 11 x 11 kernel and with zeros beyond the edge.
    Blur {
        /// Standard deviation in pixels; below a small fraction of a pixel nothing changes.
        sigma: f64,
    },
}

impl Baseline {
    /// Black, for a model whose images are normalised by this mean and standard deviation (of values in [0, 1]).
    pub fn black(mean: [f32; CHANNELS], standard_deviation: [f32; CHANNELS]) -> Self {
        Baseline::Colour { normalised: std::array::from_fn(|channel| -mean[channel] / standard_deviation[channel]) }
    }

    /// An image of the same size that holds only the baseline.
    pub fn of(&self, input: &Input) -> Input {
        let pixels = input.pixels();
        let plain = |colour: [f32; CHANNELS]| {
            let values = colour.into_iter().flat_map(|value| std::iter::repeat_n(value, pixels)).collect();
            Input { values, ..*input }
        };
        match *self {
            Baseline::Zeros => plain([0.0; CHANNELS]),
            Baseline::Colour { normalised } => plain(normalised),
            Baseline::Mean => {
                let mean = |plane: &[f32]| plane.iter().map(|&value| f64::from(value)).sum::<f64>() / pixels as f64;
                plain(std::array::from_fn(|channel| mean(&input.values[channel * pixels..][..pixels]) as f32))
            }
            Baseline::Blur { sigma } => blur(input, sigma),
        }
    }
}

/// Columns, then rows: a Gaussian is the product of two.
fn blur(input: &Input, sigma: f64) -> Input {
    let (height, width) = (input.height, input.width);
    // Beyond this reach every weight is the same anyway.
    let radius = ((4.0 * sigma.max(0.0) + 0.5) as usize).min(8 * (height + width));
    let weight = |offset: usize| if offset == 0 { 1.0 } else { (-0.5 * (offset as f64 / sigma).powi(2)).exp() };
    let half: Vec<f64> = (0..=radius).map(weight).collect();
    let total = half[0] + 2.0 * half[1..].iter().sum::<f64>();
    // The mean around place `at` of a line of `length` values, `stride` apart.
    let along = |values: &[f64], start: usize, stride: usize, length: usize, at: usize| {
        let value = |place: usize| values[start + stride * place.min(length - 1)];
        let pair = |offset: usize| half[offset] * (value(at.saturating_sub(offset)) + value(at + offset));
        (half[0] * value(at) + (1..=radius).map(pair).sum::<f64>()) / total
    };
    let values: Vec<f64> = input.values.iter().map(|&value| f64::from(value)).collect();
    let row = |index: usize| index / width % height;
    let down = |index: usize| along(&values, index - row(index) * width, width, height, row(index));
    let columns: Vec<f64> = (0..values.len()).map(down).collect();
    let across = |index: usize| along(&columns, index - index % width, 1, width, index % width) as f32;
    Input { values: (0..values.len()).map(across).collect(), ..*input }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(height: usize, width: usize) -> Input {
        let values = (0..3 * height * width).map(|value| value as f32).collect();
        Input::new(height, width, values).unwrap()
    }

    #[test]
    fn an_image_has_three_values_a_pixel() {
        assert_eq!(Input::new(2, 2, vec![0.0; 4]), Err(InputError { height: 2, width: 2, found: 4 }));
        assert!(Input::new(0, 2, vec![]).is_err());
        assert_eq!(input(2, 3).pixels(), 6);
    }

    /// Planes (0, 1), (2, 3), (4, 5): their means are 1/2, 5/2, 9/2.
    #[test]
    fn plain_baselines_are_one_colour() {
        assert_eq!(Baseline::Zeros.of(&input(1, 2)).values(), [0.0; 6]);
        assert_eq!(Baseline::Mean.of(&input(1, 2)).values(), [0.5, 0.5, 2.5, 2.5, 4.5, 4.5]);
        let black = Baseline::black([0.5, 0.25, 0.75], [0.25; 3]);
        assert_eq!(black.of(&input(1, 2)).values(), [-2.0, -2.0, -1.0, -1.0, -3.0, -3.0]);
    }

    /// With `sigma = 1 / sqrt(2 ln 2)` the weights are 1, 1/2, 1/16, 1/512 (and radius int(4 * 0.849 + 0.5) = 3), in all
    /// 1 + 2 * (1/2 + 1/16 + 1/512) = 545/256. A dot of 545/256 in a row of seven spreads to those weights; the column
    /// of height 1 only repeats it.
    #[test]
    fn a_blur_spreads_a_dot_by_the_gaussian() {
        let sigma = 1.0 / (2.0 * 2f64.ln()).sqrt();
        let mut values = vec![0.0; 21];
        values[3] = 545.0 / 256.0;
        let blurred = Baseline::Blur { sigma }.of(&Input::new(1, 7, values).unwrap());
        let expected = [1.0 / 512.0, 1.0 / 16.0, 0.5, 1.0, 0.5, 1.0 / 16.0, 1.0 / 512.0];
        for (found, expected) in blurred.values()[..7].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert_eq!(blurred.values()[7..], [0.0; 14]);
        assert_eq!(Baseline::Blur { sigma: 0.0 }.of(&input(2, 3)), input(2, 3));
    }

    #[test]
    fn a_mixture_takes_whole_pixels() {
        let mixed = input(1, 2).or(&Baseline::Zeros.of(&input(1, 2)), |pixel| pixel == 1);
        assert_eq!(mixed.values(), [0.0, 1.0, 0.0, 3.0, 0.0, 5.0]);
    }
}
