//! The models: each file reads like its paper and loads like its checkpoint.
//!
//! `spec.rs` has one table of them, a row per model. [`Model`] is any of them with one forward: images in, logits out, and
//! whatever [`Taps`] asked for kept on the way. A model says itself in which [`Group`] each of its parameters sits and what
//! [`Role`] it has, so nobody takes names apart. Nothing here knows about losses, data, files, or who asks.
//!
//! ```
//! use burn::tensor::Tensor;
//! use driftscope::device::DeviceChoice;
//! use driftscope::models::{Mode, ModelName, Tap, Taps, Watch};
//!
//! let (device, _) = DeviceChoice::Auto.open()?;
//! let model = ModelName::DeitMini.init(10, 0.0, 0, &device);
//! let mut taps = Taps::request(&model.taps(), &[(Tap::Attention(0), Watch::Value)])?;
//! let logits = model.forward(Tensor::zeros([2, 3, 96, 96], &device), Mode::EVAL, &mut taps);
//! assert_eq!(logits.dims(), [2, 10]);
//! assert_eq!(taps.into_seen()[0].value().dims(), [2, 3, 145, 145]); // images, heads, tokens, tokens
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod deit;
mod groups;
mod init;
mod layers;
mod model;
mod resnet;
mod spec;
mod taps;
mod visit;
mod work;

pub use deit::{Deit, DeitSize};
pub use groups::{Group, Groups, Parameter, Role};
pub use init::{Initialiser, placed};
pub use layers::{Attention, BatchNorm2d, Conv2d, LayerNorm, Linear, Mode, Training};
pub use model::Model;
pub use resnet::{ResNet, ResNetSize};
pub use spec::{ModelName, ModelSpec, UnknownModel};
pub use taps::{Tap, TapSpec, Tapped, Taps, UnknownTap, Watch};
pub use visit::{NamedMapper, NamedVisitor, Trainable};
