//! Taps: how a model shows what passes through it, without hooks and without knowing who asks.
//!
//! A model states what it can show ([`TapSpec`]) and hands each such value to [`Taps`] during its forward pass, which keeps
//! it only where somebody asked for it. A value that must be differentiated is either *lifted* (made a leaf of the tape in
//! place, so that nothing below it is recorded) or *probed* (given a leaf beside it that receives the value's gradient).

use crate::ops;
use burn::tensor::{Gradients, Tensor};
use std::fmt;

/// A place in a model, in the words both architectures share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tap {
    /// Output of residual stage 1 to 4 of a CNN: a feature map.
    Stage(usize),
    /// Output of a transformer block's first norm, class token split off: a feature map. (The class token of the last
    /// block's *output* no longer depends on its patches, so their gradient there is zero.)
    BlockNorm(usize),
    /// Attention probabilities of a transformer block.
    Attention(usize),
    /// Output of a transformer block: its tokens.
    Block(usize),
}

impl fmt::Display for Tap {
    /// The state-dict name of the module whose value this is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tap::Stage(stage) => write!(f, "layer{stage}"),
            Tap::BlockNorm(block) => write!(f, "blocks.{block}.norm1"),
            Tap::Attention(block) => write!(f, "blocks.{block}.attn"),
            Tap::Block(block) => write!(f, "blocks.{block}"),
        }
    }
}

/// What a model can show at one tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapSpec {
    /// The place in the model.
    pub tap: Tap,
    /// Rows and columns of the patch or feature grid.
    pub grid: [usize; 2],
    /// Tokens before the patches (1 for a class token); 0 for a CNN.
    pub prefix_tokens: usize,
}

/// What to keep at a tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// The value alone.
    Value,
    /// The value, and its gradient after a backward pass. It becomes a leaf, so nothing below it is recorded.
    Lift,
    /// The value, and its gradient after a backward pass, while everything below stays recorded: for several differentiated
    /// taps in one pass.
    Probe,
    /// The value attached to the tape, while the model goes on from a detached copy: for a score read off here, whose
    /// gradient is then that of what lies below this tap and above the previous one.
    Cut,
}

/// A tap was asked for that the model does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("this model has no tap {wanted}; it has {}", list(available))]
pub struct UnknownTap {
    /// The tap asked for.
    pub wanted: Tap,
    /// The taps of the model.
    pub available: Vec<Tap>,
}

fn list(taps: &[Tap]) -> String {
    taps.iter().map(Tap::to_string).collect::<Vec<_>>().join(", ")
}

/// Keeps the values that were asked for during one forward pass.
#[derive(Debug, Default)]
pub struct Taps {
    requests: Vec<(TapSpec, Watch)>,
    seen: Vec<Tapped>,
}

/// A value that passed a tap.
#[derive(Debug)]
pub struct Tapped {
    /// Where it passed.
    pub spec: TapSpec,
    value: Kept,
    leaf: Option<Kept>,
}

/// Feature maps and attention are `[batch, …, …, …]`; tokens are kept as the model has them and turned into a grid when read.
#[derive(Debug, Clone)]
enum Kept {
    Map(Tensor<4>),
    Tokens(Tensor<3>),
}

impl Taps {
    /// Taps that keep nothing, for a plain forward pass.
    pub fn none() -> Self {
        Self::default()
    }

    /// Will keep `wanted`, out of the taps that the model has.
    ///
    /// # Errors
    ///
    /// [`UnknownTap`] where the model does not offer one of them.
    pub fn request(offered: &[TapSpec], wanted: &[(Tap, Watch)]) -> Result<Self, UnknownTap> {
        let find = |&(tap, watch): &(Tap, Watch)| match offered.iter().find(|spec| spec.tap == tap) {
            Some(spec) => Ok((*spec, watch)),
            None => Err(UnknownTap { wanted: tap, available: offered.iter().map(|spec| spec.tap).collect() }),
        };
        let requests = wanted.iter().map(find).collect::<Result<_, _>>()?;
        Ok(Self { requests, seen: Vec::new() })
    }

    /// Whether the value at `tap` will be kept.
    pub fn wants(&self, tap: Tap) -> bool {
        self.requests.iter().any(|(spec, _)| spec.tap == tap)
    }

    /// Passes a feature map `[batch, channels, height, width]` or attention `[batch, heads, tokens, tokens]`.
    pub fn pass(&mut self, tap: Tap, value: Tensor<4>) -> Tensor<4> {
        let Some((spec, watch)) = self.requested(tap) else { return value };
        let (value, leaf) = watched(value, watch);
        self.keep(spec, Kept::Map(value.clone().inner()), leaf.map(Kept::Map));
        value
    }

    /// Passes tokens `[batch, prefix + height·width, channels]`.
    pub fn pass_tokens(&mut self, tap: Tap, value: Tensor<3>) -> Tensor<3> {
        let Some((spec, watch)) = self.requested(tap) else { return value };
        let (value, leaf) = watched(value, watch);
        self.keep(spec, Kept::Tokens(value.clone().inner()), leaf.map(Kept::Tokens));
        value
    }

    /// The values kept, in the order of the forward pass.
    pub fn into_seen(self) -> Vec<Tapped> {
        self.seen
    }

    fn requested(&self, tap: Tap) -> Option<(TapSpec, Watch)> {
        self.requests.iter().find(|(spec, _)| spec.tap == tap).copied()
    }

    fn keep(&mut self, spec: TapSpec, value: Kept, leaf: Option<Kept>) {
        self.seen.push(Tapped { spec, value, leaf });
    }
}

/// The value to pass on, and the leaf whose gradient is the value's.
fn watched<const D: usize>(value: Tensor<D>, watch: Watch) -> (Tensor<D>, Option<Tensor<D>>) {
    match watch {
        Watch::Value => (value, None),
        Watch::Lift => {
            let leaf = value.inner().autodiff().require_grad();
            (leaf.clone(), Some(leaf))
        }
        Watch::Probe => {
            let (value, leaf) = ops::probed(value);
            (value, Some(leaf))
        }
        Watch::Cut => (value.clone().inner(), Some(value)),
    }
}

impl Tapped {
    /// The value: a feature map `[batch, channels, height, width]`, or attention probabilities
    /// `[batch, heads, tokens, tokens]`. Off the tape.
    pub fn value(&self) -> Tensor<4> {
        self.spec.arrange(self.value.clone())
    }

    /// Tokens `[batch, prefix + height·width, channels]` on the tape, where they were cut off it ([`Watch::Cut`]).
    pub fn tracked_tokens(&self) -> Option<Tensor<3>> {
        match self.leaf.as_ref()? {
            Kept::Tokens(tokens) => Some(tokens.clone()),
            Kept::Map(_) => None,
        }
    }

    /// The gradient of what `gradients` were computed from, for this value; same shape as [`value`](Tapped::value).
    /// `None` if the tap was only watched for its value, or nothing differentiated depends on it.
    pub fn gradient(&self, gradients: &Gradients) -> Option<Tensor<4>> {
        let gradient = match self.leaf.as_ref()? {
            Kept::Map(leaf) => Kept::Map(leaf.grad(gradients)?),
            Kept::Tokens(leaf) => Kept::Tokens(leaf.grad(gradients)?),
        };
        Some(self.spec.arrange(gradient))
    }
}

impl TapSpec {
    /// Tokens become a grid, prefix tokens split off.
    fn arrange(&self, kept: Kept) -> Tensor<4> {
        match kept {
            Kept::Map(map) => map,
            Kept::Tokens(tokens) => {
                let [batch, count, channels] = tokens.dims();
                let [rows, columns] = self.grid;
                tokens
                    .slice([0..batch, self.prefix_tokens..count, 0..channels])
                    .swap_dims(1, 2)
                    .reshape([batch, channels, rows, columns])
            }
        }
    }
}
