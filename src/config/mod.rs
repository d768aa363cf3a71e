//! What a run obeys: [`RunConfig`], complete and validated, written into the run before its first batch.
//!
//! What a person may type is another type, in [`mod@file`]: everything optional, unknown keys refused.

mod error;
#[cfg(test)]
mod extremes;
pub mod file;
mod idle;
mod keys;
#[cfg(test)]
mod properties;
mod resolve;
mod run_config;
mod sections;
mod settings;
#[cfg(test)]
mod tests;
mod training;
mod typed;
mod validate;

pub use error::InvalidConfig;
pub(crate) use run_config::label_alone;
pub use run_config::{EvidenceConfig, PanelConfig, RunConfig, WeightsConfig};
pub use training::{
    Decay, EmaConfig, FreezeConfig, KeepConfig, Moments, OptimizerConfig, OptimizerKind, ScheduleConfig, ema_note,
};
