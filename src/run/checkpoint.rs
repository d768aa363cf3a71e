//! A checkpoint: what training can continue from, in the files of one sealed directory.

use super::error::RunError;
use super::folder::RunDir;
use super::position::Position;
use crate::fsx;
use crate::store::layout::{EMA_FILE, INTERRUPTED, INTERRUPTED_OLD, MODEL_FILE, OPTIMIZER_FILE, STATE_FILE};
use crate::store::{Manifest, SealedDir, StoreError, epoch_dir_name, layout};
use crate::weights::{self, StateDict};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files that only training needs: parameters, their average, and the optimizer's memory. Retention removes them.
const WEIGHTS: [&str; 3] = [MODEL_FILE, EMA_FILE, OPTIMIZER_FILE];

/// The content of a checkpoint, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// Where in the run it stands.
    pub position: Position,
    /// Parameters and buffers of the model.
    pub model: StateDict,
    /// Their moving average, where the run keeps one.
    pub ema: Option<StateDict>,
    /// The optimizer's state: moments or momentum.
    pub optimizer: StateDict,
}

impl Saved {
    /// Adds all of it to a directory that is being built.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn write(&self, into: &mut SealedDir) -> Result<(), RunError> {
        let all =
            [(MODEL_FILE, Some(&self.model)), (EMA_FILE, self.ema.as_ref()), (OPTIMIZER_FILE, Some(&self.optimizer))];
        for (name, tensors) in all {
            let Some(tensors) = tensors else { continue };
            let path = into.path().join(name);
            let bytes = weights::encode(tensors, &[("format", "pt")])
                .map_err(|source| RunError::Encode { path, source: Box::new(source) })?;
            into.write(name, &bytes)?;
        }
        Ok(into.write_json(STATE_FILE, &self.position)?)
    }

    /// The first tensor of the weights, or of their average, that holds an infinite number or NaN; and that number.
    pub fn not_finite(&self) -> Option<(String, f64)> {
        let average = self.ema.iter().flatten().map(|tensor| ("average", tensor));
        let all = self.model.iter().map(|tensor| ("weight", tensor)).chain(average);
        all.into_iter().find_map(|(what, (name, tensor))| {
            let value = tensor.values.iter().find(|value| !value.is_finite())?;
            Some((format!("{what} {name}"), f64::from(*value)))
        })
    }
}

/// A checkpoint of a run that was read back.
#[derive(Debug)]
pub struct Checkpoint {
    /// The directory of the checkpoint.
    pub dir: PathBuf,
    /// The content of the checkpoint.
    pub saved: Saved,
}

impl Checkpoint {
    /// Reads everything that training needs, and each file once: what is checked is what is used.
    pub(super) fn read(dir: PathBuf) -> Result<Self, RunError> {
        let manifest = Manifest::read(&dir)?;
        let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for name in manifest.names() {
            let bytes = manifest.file(&dir, name)?;
            if name == STATE_FILE || WEIGHTS.contains(&name) {
                files.insert(name, bytes);
            }
        }
        let bytes = |name: &str| files.get(name).ok_or_else(|| StoreError::NotSealed { path: dir.join(name) });
        let tensors =
            |name: &str| -> Result<StateDict, RunError> { Ok(weights::decode(bytes(name)?, &dir.join(name))?.0) };
        let saved = Saved {
            ema: manifest.holds(EMA_FILE).then(|| tensors(EMA_FILE)).transpose()?,
            position: Position::decode(bytes(STATE_FILE)?, &dir.join(STATE_FILE))?,
            model: tensors(MODEL_FILE)?,
            optimizer: tensors(OPTIMIZER_FILE)?,
        };
        Ok(Self { dir, saved })
    }

    /// The files of parameters, average and optimizer, whether they are there or not.
    pub fn paths(&self) -> [PathBuf; 3] {
        WEIGHTS.map(|name| self.dir.join(name))
    }
}

/// Whether a sealed checkpoint still has its weights.
pub(super) fn has_weights(dir: &Path) -> Result<bool, RunError> {
    Ok(Manifest::read(dir)?.holds(MODEL_FILE))
}

impl RunDir {
    /// Begins an epoch's directory.
    ///
    /// # Errors
    ///
    /// Where something foreign lies in its place, or the disk refuses.
    pub fn begin_epoch(&self, epoch: usize) -> Result<SealedDir, RunError> {
        Ok(SealedDir::begin(self.path(), &epoch_dir_name(epoch))?)
    }

    /// Removes the weights of a sealed epoch, whose evidence stays.
    ///
    /// # Errors
    ///
    /// Where its manifest cannot be read, or the disk refuses.
    pub fn prune(&self, epoch: usize) -> Result<(), RunError> {
        let dir = self.path().join(epoch_dir_name(epoch));
        Ok(Manifest::read(&dir)?.prune(&dir, &WEIGHTS)?)
    }

    /// Saves in mid-epoch. The save before it is whole until the new one is.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn save_interrupted(&self, saved: &Saved) -> Result<(), RunError> {
        let mut building = SealedDir::begin(self.path(), INTERRUPTED)?;
        saved.write(&mut building)?;
        let (current, old) = (self.path().join(INTERRUPTED), self.path().join(INTERRUPTED_OLD));
        if current.exists() {
            layout::remove_checkpoint(&old)?;
            fsx::rename_dir(&current, &old)?;
        }
        building.seal()?;
        Ok(layout::remove_checkpoint(&old)?)
    }
}
