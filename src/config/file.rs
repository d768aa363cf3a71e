//! What a person may type: a TOML file and flags, everything optional, unknown keys refused.
//!
//! [`Settings`] is what was typed, file and flags merged; [`FileConfig`] is the same in types; and
//! [`FileConfig::resolve`] turns it into a [`RunConfig`](super::RunConfig) with the defaults filled in.
//!
//! Every number has a range, and a setting that would have no effect in combination with the others is refused; all problems
//! are reported at once. A [`RunConfig`](super::RunConfig) that a run has saved is not checked again.

pub use super::error::ConfigError;
pub use super::settings::Settings;
pub use super::typed::FileConfig;
