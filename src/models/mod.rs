//! The models: each file reads like its paper and loads like its checkpoint.
//!
//! [`Model`] is the closed set of them, with one forward: images in, logits out, and whatever [`Taps`] asked for kept on
//! the way. Nothing here knows about losses, data, files, or who asks.
//!
//! ```
//! use burn::tensor::Tensor;
//! use driftscope::device::DeviceChoice;
//! use driftscope::models::{Mode, ModelName, Tap, Taps, Watch};
//!
//! let (device, _) = DeviceChoice::Auto.open()?;
//! let model = ModelName::DeitMini.init(10, 0.0, 0, &device);
//! let mut taps = Taps::request(&model.taps(), &[(Tap::Attention(0), Watch::Value)])?;
//! let logits = model.forward(Tensor::zeros([2, 3, 96, 96], &device), Mode::Eval, &mut taps);
//! assert_eq!(logits.dims(), [2, 10]);
//! assert_eq!(taps.into_seen()[0].value().dims(), [2, 3, 145, 145]); // images, heads, tokens, tokens
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod deit;
mod init;
mod layers;
mod parts;
mod resnet;
mod taps;

pub use deit::{Deit, DeitConfig};
pub use init::Initialiser;
pub use layers::{Attention, BatchNorm2d, Conv2d, LayerNorm, Linear, Mode};
pub use parts::{Depths, HEADS, Trainable, is_head};
pub use resnet::{ResNet, ResNetConfig};
pub use taps::{Tap, TapSpec, Tapped, Taps, UnknownTap, Watch};

use burn::module::{Module, ModuleMapper, ModuleVisitor};
use burn::tensor::{Device, Tensor};
use std::fmt;
use std::str::FromStr;

/// The named sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelName {
    /// ResNet-50, 224 pixels.
    Resnet50,
    /// DeiT-Tiny with 16-pixel patches, 224 pixels.
    DeitTiny,
    /// A small ResNet for 96 pixels.
    ResnetMini,
    /// A small DeiT for 96 pixels.
    DeitMini,
}

impl ModelName {
    /// All of them, as a person may type them.
    pub const ALL: [ModelName; 4] =
        [ModelName::Resnet50, ModelName::DeitTiny, ModelName::ResnetMini, ModelName::DeitMini];

    /// As a person types it.
    pub fn as_str(self) -> &'static str {
        match self {
            ModelName::Resnet50 => "resnet50",
            ModelName::DeitTiny => "deit_tiny",
            ModelName::ResnetMini => "resnet_mini",
            ModelName::DeitMini => "deit_mini",
        }
    }

    /// Whether it attends: a ViT does, a CNN does not.
    pub fn has_attention(self) -> bool {
        matches!(self, ModelName::DeitTiny | ModelName::DeitMini)
    }

    /// Side of the square input, pixels.
    pub fn image_size(self) -> usize {
        match self {
            ModelName::Resnet50 => ResNetConfig::resnet50(1).image_size,
            ModelName::DeitTiny => DeitConfig::deit_tiny(1).image_size,
            ModelName::ResnetMini => ResNetConfig::resnet_mini(1).image_size,
            ModelName::DeitMini => DeitConfig::deit_mini(1).image_size,
        }
    }

    /// What the short side of a picture is scaled to before the centre is cut out in evaluation, pixels: 248 for
    /// `deit_tiny_patch16_224` and 235 for `resnet50` in timm (crop shares 0.9 and 0.95); a mini takes the picture whole.
    pub fn resize(self) -> usize {
        match self {
            ModelName::Resnet50 => 235,
            ModelName::DeitTiny => 248,
            ModelName::ResnetMini | ModelName::DeitMini => self.image_size(),
        }
    }

    /// What a model of this name can show.
    pub fn taps(self) -> Vec<TapSpec> {
        match self {
            ModelName::Resnet50 => ResNetConfig::resnet50(1).taps(),
            ModelName::ResnetMini => ResNetConfig::resnet_mini(1).taps(),
            ModelName::DeitTiny => DeitConfig::deit_tiny(1).taps(),
            ModelName::DeitMini => DeitConfig::deit_mini(1).taps(),
        }
    }

    /// A new model on `device` with parameters drawn from `seed`. On an autodiff device they require gradients.
    pub fn init(self, classes: usize, drop_path: f64, seed: u64, device: &Device) -> Model {
        let mut init = Initialiser::new(device, seed);
        match self {
            ModelName::Resnet50 => Model::ResNet(ResNetConfig::resnet50(classes).init(&mut init)),
            ModelName::ResnetMini => Model::ResNet(ResNetConfig::resnet_mini(classes).init(&mut init)),
            ModelName::DeitTiny => {
                Model::Deit(DeitConfig { drop_path, ..DeitConfig::deit_tiny(classes) }.init(&mut init))
            }
            ModelName::DeitMini => {
                Model::Deit(DeitConfig { drop_path, ..DeitConfig::deit_mini(classes) }.init(&mut init))
            }
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No model has this name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no model is called '{found}'; there are {}", ModelName::ALL.map(ModelName::as_str).join(", "))]
pub struct UnknownModel {
    /// What was asked for.
    pub found: String,
}

impl FromStr for ModelName {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        let named = ModelName::ALL.into_iter().find(|model| model.as_str() == name);
        named.ok_or_else(|| UnknownModel { found: name.to_string() })
    }
}

/// A model of either architecture.
#[derive(Clone, Debug)]
pub enum Model {
    /// A CNN.
    ResNet(ResNet),
    /// A vision transformer.
    Deit(Deit),
}

impl Model {
    /// `[batch, 3, height, width]`, normalised with the ImageNet statistics, to logits `[batch, classes]`.
    ///
    /// In [`Mode::Eval`] the images of a batch do not influence one another, so the gradient of a sum over images is
    /// each image's own gradient.
    pub fn forward(&self, images: Tensor<4>, mode: Mode, taps: &mut Taps) -> Tensor<2> {
        match self {
            Model::ResNet(model) => model.forward(images, mode, taps),
            Model::Deit(model) => model.forward(images, mode, taps),
        }
    }

    /// Tokens `[batch, tokens, features]` behind any block of a ViT to logits `[batch, classes]`; `None` of a CNN.
    pub fn read_out(&self, tokens: Tensor<3>) -> Option<Tensor<2>> {
        match self {
            Model::ResNet(_) => None,
            Model::Deit(model) => Some(model.read_out(tokens)),
        }
    }

    /// What this model can show, in the order in which it passes.
    pub fn taps(&self) -> Vec<TapSpec> {
        match self {
            Model::ResNet(model) => model.taps(),
            Model::Deit(model) => model.taps(),
        }
    }

    /// A copy off the tape with its own running statistics: what is evaluated, explained and saved.
    pub fn valid(&self) -> Model {
        match self {
            Model::ResNet(model) => Model::ResNet(model.valid()),
            Model::Deit(model) => Model::Deit(model.valid()),
        }
    }

    /// Trainable numbers.
    pub fn parameter_count(&self) -> usize {
        struct Count(usize);
        impl ModuleVisitor for Count {
            fn visit_float<const D: usize>(&mut self, parameter: &burn::module::Param<Tensor<D>>) {
                if parameter.is_require_grad() {
                    self.0 += parameter.dims().iter().product::<usize>();
                }
            }
        }
        let mut count = Count(0);
        self.visit(&mut count);
        count.0
    }

    /// Visits parameters and buffers in state-dict order.
    pub fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        match self {
            Model::ResNet(model) => model.visit(visitor),
            Model::Deit(model) => model.visit(visitor),
        }
    }

    /// Replaces parameters and buffers.
    pub fn map<M: ModuleMapper>(self, mapper: &mut M) -> Model {
        match self {
            Model::ResNet(model) => Model::ResNet(model.map(mapper)),
            Model::Deit(model) => Model::Deit(model.map(mapper)),
        }
    }
}
