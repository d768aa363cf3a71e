//! Fused operations behind one backend-extension trait.
//!
//! Every operation has a default body made of Burn's own primitives: that body is the reference, it is what `flex` runs,
//! and the tests hold every faster body to it, in value and in gradient. `libtorch/` overrides the bodies with single
//! libtorch calls, `autodiff/` records each operation as one node of the tape. Models call the safe functions here and
//! cannot tell which body ran.

#![allow(deprecated, reason = "burn-tch is pinned with the rest of Burn 0.22, the last line that has it")]

mod adamw;
mod autodiff;
mod functions;
mod fused;
#[cfg(feature = "libtorch")]
mod libtorch;
mod reference;

pub use adamw::AdamW;
pub use functions::{BatchNorm, adamw, attention, batch_norm, conv2d, layer_norm, linear, probed, relu, softmax};
pub use fused::FusedOps;
