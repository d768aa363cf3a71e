//! A model of either architecture, with one forward.

use super::deit::Deit;
use super::groups::Groups;
use super::layers::Mode;
use super::resnet::ResNet;
use super::taps::{TapSpec, Taps};
use burn::module::{Module, ModuleMapper, ModuleVisitor};
use burn::tensor::Tensor;

/// A model of either architecture.
#[derive(Clone, Debug)]
pub enum Model {
    /// A convolutional network, ResNet.
    ResNet(ResNet),
    /// A vision transformer, DeiT.
    Deit(Deit),
}

impl Model {
    /// `[batch, 3, height, width]`, normalised with the statistics of the model's row, to logits `[batch, classes]`.
    ///
    /// In [`Mode::EVAL`] the images of a batch do not influence one another, so the gradient of a sum over images is
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

    /// Its groups of parameters.
    pub fn groups(&self) -> Groups {
        match self {
            Model::ResNet(model) => model.groups(),
            Model::Deit(model) => model.groups(),
        }
    }

    /// A copy off the tape with its own running statistics: what is evaluated, explained and saved.
    pub fn valid(&self) -> Model {
        match self {
            Model::ResNet(model) => Model::ResNet(model.valid()),
            Model::Deit(model) => Model::Deit(model.valid()),
        }
    }

    /// Visits parameters and buffers in state-dict order.
    pub(super) fn visit(&self, visitor: &mut impl ModuleVisitor) {
        match self {
            Model::ResNet(model) => model.visit(visitor),
            Model::Deit(model) => model.visit(visitor),
        }
    }

    /// Replaces parameters and buffers.
    pub(super) fn map(self, mapper: &mut impl ModuleMapper) -> Model {
        match self {
            Model::ResNet(model) => Model::ResNet(model.map(mapper)),
            Model::Deit(model) => Model::Deit(model.map(mapper)),
        }
    }
}
