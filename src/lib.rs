//! driftscope fine-tunes vision models, explains the same validation images at every epoch, keeps the heat maps beside the
//! weights, and measures how far they drift, beside floors, chance and intervals.
//!
//! The command line is the usual way in; `README.md` and `docs/` describe it. As a library, start with [`train::fit`], which
//! is the whole program on one page, or with [`store::RunReader`] and [`drift::analyse()`], which read a run and need no device.
//!
//! ```text
//! configs/*.toml + flags ─► config::file ─► config::RunConfig ─► data (index → split → panel → loader)
//!    ─► models (forward = logits + taps) ─► train::fit, one visible loop; per epoch:
//!         train ─► evaluate ─► explain the panel (maps and floor) ─► drift ─► seal the epoch
//!    ─► store (read back by image × explainer × epoch) ─► drift ─► report
//! beside it: probe asks a checkpoint again, weights brings models in and out
//! ```
//!
//! # Rooms
//!
//! A room is a module directly below this one. Its first lines say what it owns, and it uses only rooms further down in this
//! table; `docs/architecture.md` says which, and why.
//!
//! | room | owns |
//! |---|---|
//! | [`cli`] | commands: from flags through the library to stdout |
//! | [`bench`](mod@bench) | how fast each part of a run is on this machine, beside what the device could do at most |
//! | [`train`] | the training loop: optimizer, moving average, schedule, loss, early stopping, retention |
//! | [`probe`] | questions to a trained model: explaining images, evaluating a split, faithfulness, causes of drift |
//! | [`mod@run`] | what a run's folder means: `run.json`, checkpoints, resuming, branching, whether the data is the same |
//! | [`config`] | what a person may type, and [`config::RunConfig`], the complete settings of a run |
//! | [`explain`] | explanation methods, one small file per method; maps come out raw |
//! | [`weights`] | named tensors on the host: strict import, export |
//! | [`checkpoints`] | files and folders of weights that others wrote: what is in them, which is meant, their numbers |
//! | [`data`] | images and their splits, the panel, augmentation, the deterministic loader, the textures |
//! | [`models`] | ResNet and DeiT, their table, their taps and their groups of parameters |
//! | [`report`] | what is shown of a run: tables, curves, film strips, the HTML page, TensorBoard's event files |
//! | [`drift`] | how far maps of two epochs are apart, beside floors, chance and intervals; when a run settled |
//! | [`faithfulness`] | whether a map says what a model did, asked through a closure |
//! | [`draw`] | colours, text, and scenes that become SVG or PNG: overlays, figures, plots |
//! | [`store`] | a run's folder as plain data: names, sealed directories, explanation files, the reader, output files |
//! | [`measure`] | heat maps, their scales, measures between two maps and descriptors of one |
//! | [`stats`] | bootstrap, quantiles, ranks, correlation, permutations |
//! | [`picture`] | pixels: decoding within limits, Pillow's resampling, PNG, normalisation |
//! | [`ops`] | fused operations, their gradients and their libtorch bodies |
//! | [`device`] | from `auto`, `cpu`, `cuda:N` or `flex` to a device; out of memory as an error |
//! | [`progress`] | lines and one progress bar on stderr |
//! | [`precision`] | what products are computed in: `f32`, `tf32`, `bf16` |
//! | [`seed`] | every stream of random numbers |
//! | [`free_memory`] | how much memory the system and its control groups still give |
//! | [`fsx`] | files that are written completely or not at all; errors that name their path |
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | image | one example of the data, with an id and, where known, a label |
//! | picture | the 8-bit pixels of an image, [`picture::Picture`] |
//! | input | an image as a model takes it: normalised, `[3, height, width]` |
//! | panel | the fixed images that every epoch explains |
//! | method, explainer | a way to explain, such as rollout; a method with its settings, such as `rollout-fusion-max` |
//! | target | which class is explained: the label, the prediction or a named class |
//! | map | a heat map: rows, columns and one number per cell, raw |
//! | evidence | what a model's maps show, taken together |
//! | measure, descriptor | a number from two maps; a number from one map |
//! | estimate | a mean over the panel, with interval, floor and chance |
//! | figure | something drawn |
//! | drift | how far an image's maps of two epochs are apart by one measure; for a similarity, 1 minus the value |
//! | floor, seed floor | drift under imperceptible noise with the same weights; drift between two training seeds |
//! | chance | the measure between maps of different images |
//! | moved | drift on one scale: 0 is the floor, 100 is chance |
//! | still, settled | two epochs that moved at most the margin; from an epoch on, every two epochs are still |
//! | phase | three or more epochs in a row of which every two are still |
//! | sealed | of a directory: complete, with its manifest. A sealed epoch is a "finished epoch" to a person |
//! | checkpoint, position | what training can continue from; where in a run it stands |
//! | branch | a run that began as a copy of another one up to an epoch |
//! | group, part | where a parameter sits (stem, block, head); what `cause` exchanges |
//! | tape | what a backward pass goes through; "off the tape" means that no gradient is recorded |

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic"))]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "a test makes, breaks and removes files"))]

pub mod bench;
pub mod checkpoints;
pub mod cli;
pub mod config;
pub mod data;
pub mod device;
pub mod draw;
pub mod drift;
pub mod explain;
pub mod faithfulness;
pub mod free_memory;
pub mod fsx;
pub mod measure;
pub mod models;
pub mod ops;
pub mod picture;
pub mod precision;
pub mod probe;
pub mod progress;
pub mod report;
pub mod run;
pub mod seed;
pub mod stats;
pub mod store;
pub mod train;
pub mod weights;
