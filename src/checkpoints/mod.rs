//! Checkpoints of other programs, as plain data: what is in them, which weights are meant, and their numbers.
//!
//! It reads safetensors and everything that PyTorch has written, runs nothing, and keeps nothing in memory that was not asked
//! for. It knows names and shapes of ResNets and ViTs, and no model, tensor or device.

mod architecture;
mod archive;
mod arena;
mod bytes;
mod candidates;
mod checkpoint;
mod container;
mod dialect;
mod document;
mod error;
mod facts;
mod folder;
mod layout;
mod legacy;
mod numpy;
mod reading;
mod recognise;
mod safetensors;
mod side_files;
mod tar;
mod tensor;
#[cfg(test)]
mod tests;
mod torch;
mod unpickle;
mod zip;

pub use architecture::Architecture;
pub use checkpoint::{Checkpoint, Found, Taken};
pub use error::CheckpointError;
pub use facts::{Counting, Facts, Preprocessing};
pub use layout::{Shapes, Trait};
