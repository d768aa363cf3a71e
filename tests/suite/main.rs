//! The integration tests: one binary, so that libtorch is linked once. Each module is about one promise.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod architecture;
mod cause;
mod cli;
mod data;
mod drift;
mod explain;
mod explainers;
mod faithfulness;
mod measures;
mod models;
mod moved;
mod ops;
mod outputs;
mod parity;
mod python;
mod report;
mod resume;
mod run_folder;
mod settings;
mod side_effects;
mod support;
mod taps;
mod training;
mod weights;
