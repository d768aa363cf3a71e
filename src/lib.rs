//! driftscope fine-tunes vision models, looks at them in every validation epoch, keeps what it saw with each checkpoint,
//! and says how the evidence moved and whether that is more than noise.
//!
//! ```text
//! configs/*.toml + flags ─► config::file ─► config::RunConfig ─► data (index → split → panel → loader)
//!    ─► models (forward = logits + taps) ─► train::fit, one visible loop; per epoch:
//!         train ─► evaluate ─► explain the panel (maps and floor) ─► drift ─► seal the epoch
//!    ─► store (read back by sample × explainer × epoch) ─► drift ─► report
//! beside it: probe asks a checkpoint again, weights brings models in and out
//! ```
//!
//! | room | owns |
//! |---|---|
//! | [`cli`] | arguments to library calls to stdout |
//! | [`config`] | what a person may type, and [`config::RunConfig`], what a run obeys |
//! | [`device`] | from `auto`, `cpu`, `cuda:N` or `flex` to a device |
//! | [`data`] | samples, splits, the panel, augmentation, the deterministic loader, the textures |
//! | [`picture`] | pixels: decoding within limits, Pillow's resampling |
//! | [`models`] | ResNet and DeiT, and their taps |
//! | [`ops`] | fused operations behind one backend-extension trait |
//! | [`train`] | the loop, one step in plain sight |
//! | [`mod@run`] | what a run's folder means: record, checkpoints, resuming, branching, the same data |
//! | [`explain`] | one small file per method: raw maps out |
//! | [`probe`] | a model asked about images: looking, evaluating, faithfulness, which part moved its evidence |
//! | [`measure`] | heat maps, their scales, measures between two and descriptors of one |
//! | [`stats`] | the bootstrap, quantiles, ranks, correlation of vectors, permutations |
//! | [`store`] | the names in a run's folder, sealed directories, the explanation files' schema; reading a run |
//! | [`drift`] | measures on two maps; floors, chance, intervals; when the evidence settled |
//! | [`draw`] | colours, text, a scene that becomes SVG or PNG; overlays, labelled figures and plots on it |
//! | [`report`] | what is seen of a run: tables, curves, animations, the HTML page, TensorBoard's event files |
//! | [`weights`] | named tensors in safetensors, loaded strictly |
//! | [`faithfulness`] | whether a map says what a model did: a model asked again through a closure |
//! | [`fsx`] | whole files or none; IO errors that name their path |
//! | [`seed`] | where every random number comes from |
//!
//! Start with [`train::fit`]: it is the whole program on one page.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic"))]

pub mod cli;
pub mod config;
pub mod data;
pub mod device;
pub mod draw;
pub mod drift;
pub mod explain;
pub mod faithfulness;
pub mod fsx;
pub mod measure;
pub mod models;
pub mod ops;
pub mod picture;
pub mod probe;
pub mod progress;
pub mod report;
pub mod run;
pub mod seed;
pub mod stats;
pub mod store;
pub mod train;
pub mod weights;
