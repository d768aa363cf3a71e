//! A batch of images on its way to the device: bytes on the host, normalised on the device.

use super::augment::Mix;
use crate::picture::Normalisation;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

/// A batch of images with their labels, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Side of each square image, pixels.
    pub size: usize,
    /// The bytes of all images, channels first: `[batch, 3, size, size]`.
    pub planes: Vec<u8>,
    /// Class indices, `[batch]`.
    pub labels: Vec<usize>,
    /// What the model wants its pixels normalised with.
    pub normalisation: Normalisation,
    /// What each image was mixed with, if they were.
    pub mix: Option<Mix>,
}

impl Batch {
    /// The normalised images on `device`, `[batch, 3, size, size]`, off the tape.
    pub fn images(&self, device: &Device) -> Tensor<4> {
        normalised(self.planes.clone(), self.labels.len(), self.size, self.normalisation, device)
    }

    /// The labels on `device`, `[batch, 1]`.
    pub fn targets(&self, device: &Device) -> Tensor<2, Int> {
        let labels: Vec<i64> = self.labels.iter().map(|&label| label as i64).collect();
        let count = labels.len();
        Tensor::from_data(TensorData::new(labels, [count, 1]), &device.clone().inner())
    }

    /// What the model should say, on `device`: `[batch, classes]`, rows that sum to one. A mixed image's row is shared
    /// between its labels, and `smoothing` of every row is spread over all classes.
    ///
    /// # Source
    ///
    /// Smoothing as `torch.nn.CrossEntropyLoss(label_smoothing)`, mixing as timm `data/mixup.py`.
    pub fn soft_targets(&self, classes: usize, smoothing: f64, device: &Device) -> Tensor<2> {
        let smoothing = smoothing as f32;
        let mut rows = vec![smoothing / classes as f32; self.labels.len() * classes];
        for (index, row) in rows.chunks_mut(classes).enumerate() {
            let (partner, share) = match &self.mix {
                Some(mix) => (mix.partners[index], mix.share),
                None => (self.labels[index], 1.0),
            };
            row[self.labels[index]] += (1.0 - smoothing) * share;
            row[partner] += (1.0 - smoothing) * (1.0 - share);
        }
        Tensor::from_data(TensorData::new(rows, [self.labels.len(), classes]), &device.clone().inner())
    }
}

/// `[count, 3, size, size]` bytes to `(x/255 − mean)/deviation`, on `device`, off the tape.
pub fn normalised(
    planes: Vec<u8>,
    count: usize,
    size: usize,
    Normalisation { mean, deviation }: Normalisation,
    device: &Device,
) -> Tensor<4> {
    let device = device.clone().inner();
    let data = TensorData::new(planes, [count, 3, size, size]);
    // Without the explicit type Burn would widen the bytes to 64 bits on the host.
    let pixels = Tensor::<4, Int>::from_data(data, (&device, DType::U8)).float();
    let scale = deviation.map(|deviation| 1.0 / (255.0 * deviation));
    let shift = [0, 1, 2].map(|channel| mean[channel] / deviation[channel]);
    let channels = |values: [f32; 3]| Tensor::<1>::from_floats(values, &device).reshape([1, 3, 1, 1]);
    pixels * channels(scale) - channels(shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On paper, four classes: smoothing 0.2 gives every class 0.05; the label's 0.8 is shared 3:1 with the partner's.
    #[test]
    fn a_soft_target_shares_a_mixed_label_and_smooths_it() {
        let mix = Some(Mix { partners: vec![2, 1], share: 0.75 });
        let (planes, normalisation) = (Vec::new(), Normalisation::IMAGENET);
        let batch = Batch { size: 0, planes, labels: vec![1, 1], normalisation, mix };
        let targets: Vec<f32> = batch.soft_targets(4, 0.2, &Device::flex()).into_data().iter::<f32>().collect();
        let expected = [0.05, 0.65, 0.25, 0.05, 0.05, 0.85, 0.05, 0.05];
        assert!(targets.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{targets:?}");
    }

    /// On paper, timm's halves: 0 is (0 − ½)/½ = −1, 255 is 1 and 51 is (0.2 − 0.5)/0.5 = −0.6.
    #[test]
    fn pixels_are_normalised_with_what_they_are_told() {
        let halves = Normalisation { mean: [0.5; 3], deviation: [0.5; 3] };
        let found = normalised(vec![0, 255, 51], 1, 1, halves, &Device::flex()).into_data();
        assert!(found.iter::<f32>().zip([-1.0, 1.0, -0.6]).all(|(found, expected)| (found - expected).abs() < 1e-6));
    }
}
