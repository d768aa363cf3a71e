//! ResNet with bottleneck blocks, version 1.5 (the stride sits on the 3×3 convolution), in torchvision's names and order.
//!
//! # Source
//!
//! He et al. 2015, "Deep Residual Learning for Image Recognition"; torchvision `models/resnet.py`; initialisation as in
//! timm `models/resnet.py` (the last norm of each block starts at zero).

use super::groups::Groups;
use super::init::Initialiser;
use super::layers::{BatchNorm2d, Conv2d, Linear, Mode};
use super::taps::{Tap, TapSpec, Taps};
use crate::ops::{exact, laid_out, relu};
use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

/// The size of a ResNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResNetSize {
    /// Side of the square input, pixels.
    pub image_size: usize,
    /// Channels of the stem and of stage 1's bottlenecks; each stage doubles them.
    pub width: usize,
    /// Number of blocks of each stage.
    pub blocks: [usize; 4],
    /// Stride of each stage's first block.
    pub strides: [usize; 4],
}

/// Outputs of a bottleneck block have four times its width.
const EXPANSION: usize = 4;

impl ResNetSize {
    /// ResNet-50: 25.6 million parameters with 1,000 classes; last grid 7×7.
    pub const RESNET_50: Self = Self { image_size: 224, width: 64, blocks: [3, 4, 6, 3], strides: [1, 2, 2, 2] };

    /// For 96-pixel images: one block a stage, and stages 3 and 4 keep stage 2's 12×12 grid, so that a map has cells
    /// enough to show anything.
    pub const MINI: Self = Self { image_size: 96, width: 16, blocks: [1, 1, 1, 1], strides: [1, 2, 1, 1] };

    /// Side of each stage's grid: the stem divides by four, rounding up at each stride.
    fn grids(&self) -> [usize; 4] {
        let mut side = self.image_size.div_ceil(2).div_ceil(2);
        self.strides.map(|stride| {
            side = side.div_ceil(stride);
            side
        })
    }

    /// The taps of a model of this size: the outputs of the four stages.
    pub fn taps(&self) -> Vec<TapSpec> {
        taps(self.grids())
    }

    /// A new model; see [`Initialiser`].
    pub fn init(&self, classes: usize, init: &mut Initialiser) -> ResNet {
        let width = self.width;
        let mut channels = width;
        let conv1 = Conv2d::he([3, width], 7, 2, init);
        let bn1 = BatchNorm2d::new(width, 1.0, init);
        let mut stage = |index: usize| {
            let stage_width = width << index;
            (0..self.blocks[index])
                .map(|block| {
                    let stride = if block == 0 { self.strides[index] } else { 1 };
                    let bottleneck = Bottleneck::new(channels, stage_width, stride, init);
                    channels = stage_width * EXPANSION;
                    bottleneck
                })
                .collect()
        };
        let (layer1, layer2, layer3, layer4) = (stage(0), stage(1), stage(2), stage(3));
        let fc = Linear::uniform([channels, classes], init);
        ResNet { conv1, bn1, layer1, layer2, layer3, layer4, fc, grids: self.grids() }
    }
}

/// A residual network. Field names are torchvision's state-dict keys.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    layer1: Vec<Bottleneck>,
    layer2: Vec<Bottleneck>,
    layer3: Vec<Bottleneck>,
    layer4: Vec<Bottleneck>,
    /// The classification head, on the average of the last stage.
    pub fc: Linear,
    grids: [usize; 4],
}

impl ResNet {
    /// `[batch, 3, height, width]`, normalised, to logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>, mode: Mode, taps: &mut Taps) -> Tensor<2> {
        // Every feature map is laid out like the images.
        let images = laid_out(images);
        let stem = relu(self.bn1.forward(self.conv1.forward(images, mode), mode));
        let pool = MaxPoolOptions {
            kernel_size: [3, 3],
            stride: [2, 2],
            padding: [(1, 1), (1, 1)],
            dilation: [1, 1],
            ceil_mode: false,
        };
        let mut features = max_pool2d(stem, pool);
        for (index, stage) in [&self.layer1, &self.layer2, &self.layer3, &self.layer4].into_iter().enumerate() {
            features = stage.iter().fold(features, |features, block| block.forward(features, mode));
            features = taps.pass(Tap::Stage(index + 1), features);
        }
        let pooled = features.flatten::<3>(2, 3).mean_dim(2).squeeze_dim::<2>(2);
        exact(self.fc.forward(pooled, mode))
    }

    /// Stem, blocks and head.
    ///
    /// # Source
    ///
    /// timm `ResNet.group_matcher`, with every block a group of its own.
    pub(super) fn groups(&self) -> Groups {
        let stages =
            [("layer1", &self.layer1), ("layer2", &self.layer2), ("layer3", &self.layer3), ("layer4", &self.layer4)];
        let blocks = stages
            .into_iter()
            .flat_map(|(name, blocks)| (0..blocks.len()).map(move |block| vec![format!("{name}.{block}")]));
        Groups::new(blocks.collect(), "fc")
    }

    /// Its taps: the outputs of the four stages.
    pub fn taps(&self) -> Vec<TapSpec> {
        taps(self.grids)
    }
}

fn taps(grids: [usize; 4]) -> Vec<TapSpec> {
    let spec = |(index, side)| TapSpec { tap: Tap::Stage(index + 1), grid: [side, side], prefix_tokens: 0 };
    grids.into_iter().enumerate().map(spec).collect()
}

/// Three convolutions, 1×1 to fewer channels, 3×3, and 1×1 to more, and a shortcut around them.
#[derive(Module, Debug)]
pub(super) struct Bottleneck {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    conv2: Conv2d,
    bn2: BatchNorm2d,
    conv3: Conv2d,
    bn3: BatchNorm2d,
    downsample: Option<(Conv2d, BatchNorm2d)>,
}

impl Bottleneck {
    fn new(channels_in: usize, width: usize, stride: usize, init: &mut Initialiser) -> Self {
        let channels_out = width * EXPANSION;
        let reshapes = stride != 1 || channels_in != channels_out;
        Self {
            conv1: Conv2d::he([channels_in, width], 1, 1, init),
            bn1: BatchNorm2d::new(width, 1.0, init),
            conv2: Conv2d::he([width, width], 3, stride, init),
            bn2: BatchNorm2d::new(width, 1.0, init),
            conv3: Conv2d::he([width, channels_out], 1, 1, init),
            bn3: BatchNorm2d::new(channels_out, 0.0, init),
            downsample: reshapes.then(|| {
                let projection = Conv2d::he([channels_in, channels_out], 1, stride, init);
                (projection, BatchNorm2d::new(channels_out, 1.0, init))
            }),
        }
    }

    fn forward(&self, input: Tensor<4>, mode: Mode) -> Tensor<4> {
        let shortcut = match &self.downsample {
            Some((conv, norm)) => norm.forward(conv.forward(input.clone(), mode), mode),
            None => input.clone(),
        };
        let branch = relu(self.bn1.forward(self.conv1.forward(input, mode), mode));
        let branch = relu(self.bn2.forward(self.conv2.forward(branch, mode), mode));
        let branch = self.bn3.forward(self.conv3.forward(branch, mode), mode);
        relu(branch + shortcut)
    }
}
