//! Fused operations behind one backend-extension trait.
//!
//! Every operation has a default body made of Burn's own primitives: that body is the reference, it is what `flex` runs,
//! and the tests hold every faster body to it, in value and in gradient. `libtorch/` overrides the bodies with single
//! libtorch calls, `autodiff/` records each operation as one node of the tape. Models call the safe functions here and
//! cannot tell which body ran.

#![allow(deprecated, reason = "burn-tch is pinned with the rest of Burn 0.22, the last line that has it")]

mod autodiff;
mod functions;
mod fused;
#[cfg(feature = "libtorch")]
mod libtorch;
mod list;
mod list_ops;
#[cfg(feature = "libtorch")]
mod memory;
mod precision;
mod reference;
mod update;

pub use functions::{
    BatchNorm, attention, batch_norm, conv2d, exact, laid_out, layer_norm, linear, probed, relu, scale_channels,
    softmax,
};
pub use fused::FusedOps;
pub use list::{Listed, adamw, follow, norms, scaled, sgd};
#[cfg(feature = "libtorch")]
pub use memory::keep_memory;
pub use precision::{Products, allow_tf32, begin, cast};
pub use update::{AdamW, Sgd};
