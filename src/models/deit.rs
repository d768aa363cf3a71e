//! DeiT, a vision transformer with a class token, in timm's names and order.
//!
//! # Source
//!
//! Touvron et al. 2020, "Training data-efficient image transformers"; timm `models/vision_transformer.py`: pre-norm
//! blocks, exact erf GELU, LayerNorm epsilon 1e-6, drop path rising linearly over the blocks, class-token pooling.

use super::groups::Groups;
use super::init::Initialiser;
use super::layers::{Attention, Conv2d, LayerNorm, Linear, Mode, drop_path};
use super::taps::{Tap, TapSpec, Taps};
use crate::ops::{exact, laid_out};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::gelu;

/// The size of a DeiT.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeitSize {
    /// Side of the square input, pixels.
    pub image_size: usize,
    /// Side of a square patch, pixels.
    pub patch_size: usize,
    /// Features of a token: the width.
    pub features: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Attention heads of a block.
    pub heads: usize,
    /// Standard deviation of the initial weights of every linear map.
    pub deviation: f64,
}

/// The hidden layer of a block's perceptron has four times the features.
const MLP_RATIO: usize = 4;

impl DeitSize {
    /// DeiT-Tiny: 5.7 million parameters with 1,000 classes; 14×14 patches.
    pub const TINY: Self =
        Self { image_size: 224, patch_size: 16, features: 192, depth: 12, heads: 3, deviation: 0.02 };

    /// DeiT-Small: 22.1 million parameters with 1,000 classes; 14×14 patches.
    pub const SMALL: Self =
        Self { image_size: 224, patch_size: 16, features: 384, depth: 12, heads: 6, deviation: 0.02 };

    /// For 96-pixel images: 12×12 patches. At this width timm's deviation of 0.02 shrinks the signal fivefold in every
    /// map, and a model trained from scratch sits on a plateau for epochs; 0.1 ≈ 1/√96 keeps its scale.
    pub const MINI: Self = Self { image_size: 96, patch_size: 8, features: 96, depth: 4, heads: 3, deviation: 0.1 };

    fn side(&self) -> usize {
        self.image_size / self.patch_size
    }

    /// The taps of a model of this size: first norm, attention and output of every block.
    pub fn taps(&self) -> Vec<TapSpec> {
        taps(self.depth, self.side())
    }

    /// A new model; see [`Initialiser`]. `drop_path` is the rate of the last block; it rises linearly from 0 in the first.
    pub fn init(&self, classes: usize, drop_path: f64, init: &mut Initialiser) -> Deit {
        let (features, tokens) = (self.features, 1 + self.side() * self.side());
        let rate = |block: usize| drop_path * block as f64 / (self.depth.max(2) - 1) as f64;
        Deit {
            cls_token: init.truncated_normal([1, 1, features], 1e-6),
            pos_embed: init.truncated_normal([1, tokens, features], 0.02),
            patch_embed: PatchEmbed { proj: Conv2d::patches([3, features], self.patch_size, init) },
            blocks: (0..self.depth).map(|block| Block::new(self, rate(block), init)).collect(),
            norm: LayerNorm::new(features, init),
            head: Linear::truncated_normal([features, classes], 0.02, init),
            side: self.side(),
        }
    }
}

/// A vision transformer. Field names are timm's state-dict keys.
#[derive(Module, Debug)]
pub struct Deit {
    cls_token: Param<Tensor<3>>,
    pos_embed: Param<Tensor<3>>,
    patch_embed: PatchEmbed,
    blocks: Vec<Block>,
    norm: LayerNorm,
    /// The head, on the class token.
    pub head: Linear,
    side: usize,
}

impl Deit {
    /// `[batch, 3, height, width]`, normalised, to logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>, mode: Mode, taps: &mut Taps) -> Tensor<2> {
        let patches = self.patch_embed.proj.forward(laid_out(images), mode).flatten::<3>(2, 3).swap_dims(1, 2);
        let [batch, _, features] = patches.dims();
        let class = self.cls_token.val().expand([batch, 1, features]);
        let mut tokens = Tensor::cat(vec![class, patches], 1) + self.pos_embed.val();
        for (index, block) in self.blocks.iter().enumerate() {
            tokens = block.forward(tokens, index, mode, taps);
            tokens = taps.pass_tokens(Tap::Block(index), tokens);
        }
        self.read_out_as(tokens, mode)
    }

    /// Tokens `[batch, tokens, features]` behind any block to logits `[batch, classes]`: final norm and head on the class
    /// token.
    pub fn read_out(&self, tokens: Tensor<3>) -> Tensor<2> {
        self.read_out_as(tokens, Mode::EVAL)
    }

    fn read_out_as(&self, tokens: Tensor<3>, mode: Mode) -> Tensor<2> {
        let batch = tokens.dims()[0];
        let class = self.norm.forward(tokens.slice([0..batch, 0..1])).squeeze_dim::<2>(1);
        exact(self.head.forward(class, mode))
    }

    /// Stem, blocks and head. The final norm belongs to the last block.
    ///
    /// # Source
    ///
    /// timm `VisionTransformer.group_matcher`.
    pub(super) fn groups(&self) -> Groups {
        let last = self.blocks.len() - 1;
        let modules = |block: usize| {
            let own = format!("blocks.{block}");
            if block == last { vec![own, "norm".to_string()] } else { vec![own] }
        };
        Groups::new((0..=last).map(modules).collect(), "head")
    }

    /// Its taps: first norm, attention and output of every block.
    pub fn taps(&self) -> Vec<TapSpec> {
        taps(self.blocks.len(), self.side)
    }
}

fn taps(depth: usize, side: usize) -> Vec<TapSpec> {
    let spec = |tap| TapSpec { tap, grid: [side; 2], prefix_tokens: 1 };
    let of_block = |block| [Tap::BlockNorm(block), Tap::Attention(block), Tap::Block(block)].map(spec);
    (0..depth).flat_map(of_block).collect()
}

/// Cuts the image into patches and maps each to a token.
#[derive(Module, Debug)]
pub(super) struct PatchEmbed {
    proj: Conv2d,
}

/// Attention and perceptron, each behind a norm, and a shortcut around each.
#[derive(Module, Debug)]
pub(super) struct Block {
    norm1: LayerNorm,
    attn: Attention,
    norm2: LayerNorm,
    mlp: Mlp,
    drop_path_rate: f64,
}

impl Block {
    fn new(size: &DeitSize, drop_path_rate: f64, init: &mut Initialiser) -> Self {
        Self {
            norm1: LayerNorm::new(size.features, init),
            attn: Attention::new(size.features, size.heads, size.deviation, init),
            norm2: LayerNorm::new(size.features, init),
            mlp: Mlp {
                fc1: Linear::truncated_normal([size.features, MLP_RATIO * size.features], size.deviation, init),
                fc2: Linear::truncated_normal([MLP_RATIO * size.features, size.features], size.deviation, init),
            },
            drop_path_rate,
        }
    }

    fn forward(&self, tokens: Tensor<3>, index: usize, mode: Mode, taps: &mut Taps) -> Tensor<3> {
        // The residual stream, which the norms read, is float32.
        let drop = |branch, part: usize| drop_path(exact(branch), self.drop_path_rate, (2 * index + part) as u64, mode);
        let normed = taps.pass_tokens(Tap::BlockNorm(index), self.norm1.forward(tokens.clone()));
        let tokens = tokens + drop(self.attn.forward(normed, mode, Tap::Attention(index), taps), 0);
        let branch = self.mlp.forward(self.norm2.forward(tokens.clone()), mode);
        tokens + drop(branch, 1)
    }
}

/// Two linear maps around a GELU.
#[derive(Module, Debug)]
pub(super) struct Mlp {
    fc1: Linear,
    fc2: Linear,
}

impl Mlp {
    fn forward(&self, tokens: Tensor<3>, mode: Mode) -> Tensor<3> {
        self.fc2.forward(gelu(self.fc1.forward(tokens, mode)), mode)
    }
}
