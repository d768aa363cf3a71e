//! What is done to an image between its file and the model: evaluation's fixed preprocessing, and training's augmentation of
//! images and batches, byte for byte what torchvision and timm make of a PIL image.

pub mod colour;
mod erasing;
#[cfg(test)]
mod golden;
mod mix;
mod policy;
mod transform;
mod warp;

pub use colour::ColourJitter;
pub use erasing::RandomErasing;
pub use mix::{Mix, Mixing};
pub use policy::Policy;
pub use transform::{Augmentation, Preprocessing};
