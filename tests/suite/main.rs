//! The integration tests: one binary, so that libtorch is linked once. Each module is about one promise.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test makes, breaks and removes files")]

mod architecture;
mod batches;
mod bench;
mod cause;
mod cli;
mod damaged_runs;
mod data;
mod drift;
mod explain;
mod explain_batches;
mod explainers;
mod faithfulness;
mod flags;
mod many;
mod measures;
mod memory;
mod models;
mod moved;
mod names;
mod old_runs;
mod ops;
mod outputs;
mod parity;
mod precision;
mod python;
mod report;
mod resume;
mod run_folder;
mod settings;
mod side_effects;
mod snapshots;
mod streams;
mod support;
mod taps;
mod training;
mod versions;
mod weight_files;
mod weights;
