//! driftscope fine-tunes vision models, looks at them in every validation epoch, keeps what it saw with each checkpoint,
//! and says how the evidence moved and whether that is more than noise.
//!
//! ```text
//! configs/*.toml + flags ─► config::file ─► config::RunConfig ─► data (index → split → panel → loader)
//!    ─► models (forward = logits + taps) ─► train::fit, one visible loop; per epoch:
//!         train ─► evaluate ─► explain the panel (maps and floor) ─► drift ─► seal the epoch
//!    ─► store (read back by sample × explainer × epoch) ─► drift ─► report
//! ```
//!
//! | room | owns |
//! |---|---|
//! | [`device`] | from `auto`, `cpu`, `cuda:N` or `flex` to a device |
//! | [`models`] | ResNet and DeiT, and their taps |
//! | [`ops`] | fused operations behind one backend-extension trait |
//! | [`weights`] | named tensors in safetensors, loaded strictly |
//! | [`fsx`] | whole files or none; IO errors that name their path |
//! | [`seed`] | where every random number comes from |
//!

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic"))]

pub mod device;
pub mod fsx;
pub mod models;
pub mod ops;
pub mod seed;
pub mod weights;
