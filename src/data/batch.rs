//! A batch of pictures on its way to the device: bytes on the host, normalised on the device.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

/// Mean of ImageNet's channels, which the pretrained weights expect to be subtracted from pixels in `0..1`.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of ImageNet's channels.
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Pictures and labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Side in pixels.
    pub size: usize,
    /// `[batch, 3, size, size]`
    pub planes: Vec<u8>,
    /// Class indices, `[batch]`.
    pub labels: Vec<usize>,
}

impl Batch {
    /// The normalised pictures on `device`, `[batch, 3, size, size]`, off the tape.
    pub fn images(&self, device: &Device) -> Tensor<4> {
        normalised(self.planes.clone(), self.labels.len(), self.size, device)
    }

    /// The labels on `device`, `[batch, 1]`.
    pub fn targets(&self, device: &Device) -> Tensor<2, Int> {
        let labels: Vec<i64> = self.labels.iter().map(|&label| label as i64).collect();
        let count = labels.len();
        Tensor::from_data(TensorData::new(labels, [count, 1]), &device.clone().inner())
    }
}

/// `[count, 3, size, size]` bytes to `(x/255 − mean)/deviation` with ImageNet's statistics, on `device`, off the tape.
pub fn normalised(planes: Vec<u8>, count: usize, size: usize, device: &Device) -> Tensor<4> {
    let device = device.clone().inner();
    let data = TensorData::new(planes, [count, 3, size, size]);
    // Without the explicit type Burn would widen the bytes to 64 bits on the host.
    let pixels = Tensor::<4, Int>::from_data(data, (&device, DType::U8)).float();
    let scale = IMAGENET_STD.map(|deviation| 1.0 / (255.0 * deviation));
    let shift = [0, 1, 2].map(|channel| IMAGENET_MEAN[channel] / IMAGENET_STD[channel]);
    let channels = |values: [f32; 3]| Tensor::<1>::from_floats(values, &device).reshape([1, 3, 1, 1]);
    pixels * channels(scale) - channels(shift)
}
