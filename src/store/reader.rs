//! Reading a run: only sealed epochs count, and of those only files that are still as they were sealed.

use super::json::read_versioned;
use super::layout::{
    CONFUSION_FILE, METRICS_FILE, RUN_FILE, epoch_dir_name, epoch_of_name, explainer_of_name, explanations_name,
    panel_image_name, sealed_epoch,
};
use super::{EpochMetrics, Explanations, Manifest, RunInfo, StoreError};
use crate::fsx;
use serde_json::Value;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

/// A run's folder, opened for reading.
#[derive(Clone, Debug)]
pub struct RunReader {
    dir: PathBuf,
    info: RunInfo,
    epochs: Vec<usize>,
    /// Of each of `epochs`, read when it is first asked for.
    manifests: Vec<OnceLock<Manifest>>,
}

impl RunReader {
    /// Opens a run. Epochs that are sealed later are not included.
    ///
    /// # Errors
    ///
    /// When there is no `run.json`, it is not one or of a newer schema, or the directory cannot be listed.
    pub fn open(dir: &Path) -> Result<RunReader, StoreError> {
        let path = dir.join(RUN_FILE);
        let info: RunInfo = match read_versioned(&path, "a run's record") {
            Err(StoreError::Fs(error)) if error.is_not_found() => return Err(StoreError::NotARun { path }),
            read => read?,
        };
        let mut epochs: Vec<usize> = fsx::list_dir(dir)?.iter().filter_map(|entry| sealed_epoch(entry)).collect();
        epochs.sort_unstable();
        let manifests = epochs.iter().map(|_| OnceLock::new()).collect();
        Ok(RunReader { dir: dir.to_path_buf(), info, epochs, manifests })
    }

    /// The name, model, classes and panel in `run.json`.
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// All that `run.json` says, settings among it.
    ///
    /// # Errors
    ///
    /// When it cannot be read any more, or is no JSON.
    pub fn record(&self) -> Result<Value, StoreError> {
        read_versioned(&self.dir.join(RUN_FILE), "a run's record")
    }

    /// When `run.json` was written, in seconds since 1970; none where the system does not say.
    pub fn written(&self) -> Option<u64> {
        let modified = std::fs::metadata(self.dir.join(RUN_FILE)).and_then(|about| about.modified()).ok()?;
        modified.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
    }

    /// The run's folder, as it was given.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The sealed epochs, ascending.
    pub fn epochs(&self) -> &[usize] {
        &self.epochs
    }

    /// Epochs whose directory lies there without a manifest, ascending: nothing is read from them.
    ///
    /// # Errors
    ///
    /// When the run's directory cannot be listed.
    pub fn unsealed(&self) -> Result<Vec<usize>, StoreError> {
        let name = |path: &PathBuf| epoch_of_name(path.file_name()?.to_str()?);
        let mut there: Vec<usize> = fsx::list_dir(&self.dir)?.iter().filter_map(name).collect();
        there.retain(|epoch| !self.epochs.contains(epoch));
        there.sort_unstable();
        Ok(there)
    }

    /// The explainers that an epoch has maps of, sorted by name; empty if nothing was explained.
    ///
    /// # Errors
    ///
    /// When the epoch's manifest cannot be read.
    pub fn explainers(&self, epoch: usize) -> Result<Vec<String>, StoreError> {
        let manifest = match self.manifest(epoch) {
            Err(StoreError::Fs(error)) if error.is_not_found() => return Ok(Vec::new()),
            read => read?,
        };
        Ok(manifest.names().filter_map(explainer_of_name).map(str::to_string).collect())
    }

    /// The maps of one explainer at one epoch, with targets and logits.
    ///
    /// # Errors
    ///
    /// When there is no such file, it is not what was sealed, it is not an explanation file of a schema this version reads, or
    /// it explains other images than the run's panel.
    pub fn explanations(&self, epoch: usize, explainer: &str) -> Result<Explanations, StoreError> {
        let name = explanations_name(explainer);
        let path = self.epoch_dir(epoch).join(&name);
        let explanations = Explanations::decode(&self.sealed_file(epoch, &name)?, &path)?;
        if explanations.image_ids != self.info.panel.ids {
            return Err(StoreError::ForeignPanel { path, run: self.info.name.clone() });
        }
        Ok(explanations)
    }

    /// The metrics of one epoch.
    ///
    /// # Errors
    ///
    /// When `metrics.json` is missing, is not what was sealed, or is no such file.
    pub fn metrics(&self, epoch: usize) -> Result<EpochMetrics, StoreError> {
        let path = self.epoch_dir(epoch).join(METRICS_FILE);
        serde_json::from_slice(&self.sealed_file(epoch, METRICS_FILE)?).map_err(|source| StoreError::Json {
            path,
            expected: "an epoch's metrics",
            source,
        })
    }

    /// The table of an epoch's validation images by label and prediction, as CSV; none where the epoch has none.
    ///
    /// # Errors
    ///
    /// When the manifest cannot be read, or the table is not what was sealed.
    pub fn confusion(&self, epoch: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let there = self.manifest(epoch)?.holds(CONFUSION_FILE);
        there.then(|| self.sealed_file(epoch, CONFUSION_FILE)).transpose()
    }

    /// Bytes of a file of an epoch, as they were sealed.
    fn sealed_file(&self, epoch: usize, name: &str) -> Result<Vec<u8>, StoreError> {
        self.manifest(epoch)?.file(&self.epoch_dir(epoch), name)
    }

    /// The manifest of an epoch; what was read once is kept, because every file of the epoch is asked of it.
    fn manifest(&self, epoch: usize) -> Result<Cow<'_, Manifest>, StoreError> {
        let read = || Manifest::read(&self.epoch_dir(epoch));
        let Ok(place) = self.epochs.binary_search(&epoch) else { return Ok(Cow::Owned(read()?)) };
        let kept = &self.manifests[place];
        match kept.get() {
            Some(manifest) => Ok(Cow::Borrowed(manifest)),
            None => {
                let manifest = read()?;
                Ok(Cow::Borrowed(kept.get_or_init(|| manifest)))
            }
        }
    }

    /// The file of the panel's image `index` as the model saw it, a PNG; counted from zero in panel order.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or its digest is not the one in run.json. Runs of before driftscope kept that digest are
    /// read as they are.
    pub fn panel_image(&self, index: usize) -> Result<Vec<u8>, StoreError> {
        let path = self.panel_image_path(index);
        let bytes = fsx::read(&path)?;
        match self.info.panel.pictures.get(index) {
            Some(expected) if fsx::sha256_hex(&bytes) != *expected => Err(StoreError::Damaged {
                path,
                expected: format!("SHA-256 {expected}"),
                found: format!("SHA-256 {}", fsx::sha256_hex(&bytes)),
            }),
            _ => Ok(bytes),
        }
    }

    /// Where the panel's image `index` lies.
    pub fn panel_image_path(&self, index: usize) -> PathBuf {
        self.dir.join(panel_image_name(index))
    }

    /// The path of an epoch's directory.
    pub fn epoch_dir(&self, epoch: usize) -> PathBuf {
        self.dir.join(epoch_dir_name(epoch))
    }
}
