//! A model that has learnt nothing, which shows what maps owe to the image and the architecture alone.

use crate::models::{Model, ModelName};
use burn::tensor::Device;

/// Turns a run's seed into that of parameters the run never had.
const OTHER_SEED: u64 = 0x5EED_0F02_9E77_1106;

/// The model with random parameters, none of which the run of this seed began with; off the tape.
pub fn untaught(model: ModelName, classes: usize, seed: u64, device: &Device) -> Model {
    model.init(classes, 0.0, seed ^ OTHER_SEED, &device.clone().inner())
}
