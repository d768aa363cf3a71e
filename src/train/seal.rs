//! How an epoch becomes whole at once: built aside, its manifest last, then renamed.

use super::checkpoint::{CheckpointError, Saved};
use crate::fsx;
use crate::store::{self, Manifest, Seal, layout};
use crate::weights;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) const STATE: &str = "state.json";
pub(super) const MODEL: &str = "model.safetensors";
pub(super) const EMA: &str = "ema.safetensors";
pub(super) const OPTIMIZER: &str = "optimizer.safetensors";
/// What retention removes: only training needs it.
const WEIGHTS: [&str; 3] = [MODEL, EMA, OPTIMIZER];

/// A checkpoint under construction. Dropped unsealed, it is as if it had never been.
#[derive(Debug)]
pub struct Unsealed {
    partial: PathBuf,
    target: PathBuf,
    files: BTreeMap<String, Seal>,
}

impl Unsealed {
    pub(super) fn begin(run: &Path, name: String) -> Result<Self, CheckpointError> {
        let partial = run.join(layout::partial_dir_name(&name));
        layout::remove_checkpoint(&partial)?;
        fsx::create_dir_all(&partial)?;
        Ok(Self { partial, target: run.join(name), files: BTreeMap::new() })
    }

    /// Adds a file; `name` may hold folders.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), CheckpointError> {
        let path = self.partial.join(name);
        if let Some(parent) = path.parent() {
            fsx::create_dir_all(parent)?;
        }
        fsx::write_atomic(&path, bytes)?;
        self.files.insert(name.to_string(), Seal::of(bytes));
        Ok(())
    }

    /// Adds a value as JSON.
    pub fn write_json<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), CheckpointError> {
        let bytes = store::json(value, &self.partial.join(name))?;
        self.write(name, &bytes)
    }

    /// Adds what resuming needs.
    pub(super) fn write_checkpoint(&mut self, saved: &Saved) -> Result<(), CheckpointError> {
        let tensors = [(MODEL, Some(&saved.model)), (EMA, saved.ema.as_ref()), (OPTIMIZER, Some(&saved.optimizer))];
        for (name, tensors) in tensors {
            let Some(tensors) = tensors else { continue };
            let path = self.partial.join(name);
            let bytes = weights::encode(tensors, &[("format", "pt")])
                .map_err(|source| CheckpointError::Encode { path, source: Box::new(source) })?;
            self.write(name, &bytes)?;
        }
        self.write_json(STATE, &saved.state)
    }

    /// Writes the manifest and gives the directory its name.
    pub fn seal(self) -> Result<PathBuf, CheckpointError> {
        Manifest::new(self.files).write(&self.partial)?;
        fsx::sync_dir(&self.partial)?;
        fsx::rename_dir(&self.partial, &self.target)?;
        Ok(self.target)
    }
}

/// Whether a sealed checkpoint still has its weights.
pub(super) fn has_weights(dir: &Path) -> Result<bool, CheckpointError> {
    Ok(Manifest::read(dir)?.holds(MODEL))
}

/// Removes the weights of a sealed epoch and seals it again without them.
pub(super) fn prune(dir: &Path) -> Result<(), CheckpointError> {
    Ok(Manifest::read(dir)?.prune(dir, &WEIGHTS)?)
}
