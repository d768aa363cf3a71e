//! What a run's folder means: its record, its checkpoints, who may begin, resume or branch there, whether the data is still the
//! same, and a finished epoch as a model that can be asked.
//!
//! ```text
//! checkpoints/<run>/run.json          config, versions, device, data digest, panel; before the first batch
//! checkpoints/<run>/lock              held by the process that trains
//! checkpoints/<run>/panel/000.png     the panel's images as the model takes them
//! checkpoints/<run>/pictures.sha256   the digest of every image that is learned from, where it comes from a file
//! checkpoints/<run>/epoch-0003/       model, ema, optimizer, state, metrics, explanations, overlays; manifest.json last
//! checkpoints/<run>/interrupted/      the same for a stop in mid-epoch, superseded by the next sealed epoch
//! checkpoints/<run>/superseded-1/     what came after an epoch that the run was resumed from
//! checkpoints/<run>/metrics.jsonl     derived from the sealed epochs, written whole again at each seal
//! ```
//!
//! The names, and how a directory becomes whole, are [`mod@crate::store`]'s. Nothing here takes a step of training.

mod branch;
mod checkpoint;
mod error;
mod folder;
mod position;
mod record;
mod reopen;
mod resume;
mod same_data;

pub use checkpoint::{Checkpoint, Saved};
pub use error::RunError;
pub use folder::RunDir;
pub use position::{Meter, NextStep, Position};
pub use record::RunRecord;
pub use reopen::{Reopened, reopen};
pub use resume::{Which, misfits, sealed, with_weights};
pub use same_data::{same_data, same_panel, same_pictures};
