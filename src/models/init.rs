//! Initial parameters, drawn on the host from the run's seed: the same numbers on every device and backend.

use crate::ops::laid_out;
use crate::seed::{self, Purpose, standard_normal};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Draws parameters in the order in which a model asks for them.
#[derive(Debug)]
pub struct Initialiser {
    device: Device,
    generator: ChaCha8Rng,
}

impl Initialiser {
    /// Parameters go to `device`; on an autodiff device they require gradients.
    pub fn new(device: &Device, seed: u64) -> Self {
        Self { device: device.clone(), generator: seed::generator(seed, Purpose::Initialise, &[]) }
    }

    /// The device that parameters are made on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// A parameter with every entry equal to `value`.
    pub fn constant<const D: usize>(&mut self, shape: [usize; D], value: f32) -> Param<Tensor<D>> {
        self.fill(shape, |_| value)
    }

    /// A parameter drawn from a normal distribution of mean zero.
    pub fn normal<const D: usize>(&mut self, shape: [usize; D], deviation: f64) -> Param<Tensor<D>> {
        self.fill(shape, |generator| (standard_normal(generator) * deviation) as f32)
    }

    /// A parameter drawn from a normal distribution of mean zero, cut off at two deviations.
    pub fn truncated_normal<const D: usize>(&mut self, shape: [usize; D], deviation: f64) -> Param<Tensor<D>> {
        self.fill(shape, |generator| {
            loop {
                let draw = standard_normal(generator);
                if draw.abs() <= 2.0 {
                    return (draw * deviation) as f32;
                }
            }
        })
    }

    /// A parameter drawn uniformly from `-bound..bound`.
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f64) -> Param<Tensor<D>> {
        self.fill(shape, |generator| (generator.random_range(-1.0..1.0) * bound) as f32)
    }

    fn fill<const D: usize>(
        &mut self,
        shape: [usize; D],
        mut draw: impl FnMut(&mut ChaCha8Rng) -> f32,
    ) -> Param<Tensor<D>> {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| draw(&mut self.generator)).collect();
        Param::from_tensor(placed(TensorData::new(values, shape), &self.device))
    }
}

/// The tensor of a parameter on a device, laid out as its convolutions are fastest on; on the tape of an autodiff device.
pub fn placed<const D: usize>(data: TensorData, device: &Device) -> Tensor<D> {
    let tensor = laid_out(Tensor::from_data(data, &device.clone().inner()));
    if device.is_autodiff() { tensor.autodiff() } else { tensor }
}
