//! What a run keeps on disk about its evidence: the explanation files' schema, and a reader of a run's directory.
//!
//! Only sealed epochs are seen, that is directories `epoch-NNNN` holding a `manifest.json`. Nothing here knows how a map
//! was made or what is measured on it.

pub mod format;
pub mod records;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub use format::{AttentionDistance, Explanations, LayerMaps, UNKNOWN_CLASS};
pub use records::{ALL_IMAGES, Against, DriftFigure, EpochMetrics, PanelInfo, RunInfo, TrainingMetrics};

use crate::fsx::{self, FsError};

/// The file that makes a directory a run.
const RUN_FILE: &str = "run.json";
/// The file that makes a directory a sealed epoch.
const MANIFEST_FILE: &str = "manifest.json";
/// Losses and drift figures of one epoch.
const METRICS_FILE: &str = "metrics.json";
/// Where an epoch keeps one file an explainer.
pub const EXPLANATIONS_DIR: &str = "explanations";
/// What explanation files end in.
pub const EXPLANATIONS_EXTENSION: &str = "safetensors";

/// Why a run, or a file of it, could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The directory is no run.
    #[error("{path} does not exist; expected a run's directory, which holds run.json")]
    NotARun {
        /// The `run.json` that is missing.
        path: PathBuf,
    },
    /// A JSON file, or the JSON inside an explanation file, is not what it should be.
    #[error("{path}: not the JSON that was expected")]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// Not a safetensors file, a truncated one, or one without a tensor the schema asks for.
    #[error("{path}: not a whole explanation file")]
    Container {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// A safetensors file, but not of explanations.
    #[error("{path}: not an explanation file, its metadata has no key '{key}'")]
    NoMetadata {
        /// The file.
        path: PathBuf,
        /// The key that is missing.
        key: &'static str,
    },
    /// Written by a newer driftscope.
    #[error("{path}: schema {found}, but this driftscope reads schema {expected} at most")]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The newest schema this version reads.
        expected: u64,
        /// The schema of the file.
        found: u64,
    },
    /// A tensor of another type than the schema asks for.
    #[error("{path}: tensor {tensor} is {found:?}, expected {expected:?}")]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: &'static str,
        /// The type of the schema.
        expected: safetensors::Dtype,
        /// The type in the file.
        found: safetensors::Dtype,
    },
    /// A tensor of another shape than the file's own metadata asks for.
    #[error("{path}: tensor {tensor} is {found:?}, expected {expected:?}")]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: &'static str,
        /// The shape that follows from the metadata.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// Explanations whose fields do not fit one another cannot be written.
    #[error("explanations cannot be written: tensor {tensor}")]
    Encode {
        /// The tensor whose length is wrong.
        tensor: &'static str,
        /// Expected shape and found bytes.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// The metadata of explanations cannot be written as JSON.
    #[error("the metadata of explanations cannot be written as JSON")]
    EncodeHeader(#[source] serde_json::Error),
}

/// Where a run keeps the panel's pictures.
pub const PANEL_DIR: &str = "panel";

/// Where the panel's image `index` lies in a run: `panel/007.png`.
pub fn panel_image_name(index: usize) -> String {
    format!("{PANEL_DIR}/{index:03}.png")
}

/// The name of an epoch's directory: `epoch-0003`.
pub fn epoch_dir_name(epoch: usize) -> String {
    format!("epoch-{epoch:04}")
}

/// A run's directory, read.
#[derive(Clone, Debug)]
pub struct RunReader {
    dir: PathBuf,
    info: RunInfo,
    epochs: Vec<usize>,
}

impl RunReader {
    /// Opens a run. Epochs sealed later are not seen.
    ///
    /// # Errors
    ///
    /// When there is no `run.json`, it is not one, or the directory cannot be listed.
    pub fn open(dir: &Path) -> Result<RunReader, StoreError> {
        let path = dir.join(RUN_FILE);
        let info = match read_json(&path) {
            Err(StoreError::Fs(error)) if error.is_not_found() => return Err(StoreError::NotARun { path }),
            read => read?,
        };
        let mut epochs: Vec<usize> = fsx::list_dir(dir)?.iter().filter_map(|entry| sealed_epoch(entry)).collect();
        epochs.sort_unstable();
        Ok(RunReader { dir: dir.to_path_buf(), info, epochs })
    }

    /// What `run.json` says.
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// The run's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The sealed epochs, ascending.
    pub fn epochs(&self) -> &[usize] {
        &self.epochs
    }

    /// The explainers an epoch holds maps of, sorted; empty where nothing was explained.
    ///
    /// # Errors
    ///
    /// When the directory exists and cannot be listed.
    pub fn explainers(&self, epoch: usize) -> Result<Vec<String>, StoreError> {
        let files = match fsx::list_dir(&self.epoch_dir(epoch).join(EXPLANATIONS_DIR)) {
            Err(error) if error.is_not_found() => Vec::new(),
            listed => listed?,
        };
        let explanations =
            files.iter().filter(|file| file.extension().is_some_and(|end| end == EXPLANATIONS_EXTENSION));
        let names = explanations.filter_map(|file| file.file_stem()?.to_str().map(str::to_string));
        let mut names: Vec<String> = names.collect();
        names.sort();
        Ok(names)
    }

    /// What one explainer saw at one epoch.
    ///
    /// # Errors
    ///
    /// When there is no such file or it is not a whole explanation file of a schema this version reads.
    pub fn explanations(&self, epoch: usize, explainer: &str) -> Result<Explanations, StoreError> {
        let name = format!("{explainer}.{EXPLANATIONS_EXTENSION}");
        let path = self.epoch_dir(epoch).join(EXPLANATIONS_DIR).join(name);
        Explanations::decode(&fsx::read(&path)?, &path)
    }

    /// The metrics of one epoch.
    ///
    /// # Errors
    ///
    /// When `metrics.json` is missing or is not one.
    pub fn metrics(&self, epoch: usize) -> Result<EpochMetrics, StoreError> {
        read_json(&self.epoch_dir(epoch).join(METRICS_FILE))
    }

    /// Where the panel's image `index` lies as the model saw it; counted from zero in panel order.
    pub fn panel_image_path(&self, index: usize) -> PathBuf {
        self.dir.join(panel_image_name(index))
    }

    /// An epoch's directory.
    pub fn epoch_dir(&self, epoch: usize) -> PathBuf {
        self.dir.join(epoch_dir_name(epoch))
    }
}

/// The epoch of a directory `epoch-NNNN` with a manifest; none for anything else, `epoch-0003.partial` included.
pub fn sealed_epoch(path: &Path) -> Option<usize> {
    let name = path.file_name()?.to_str()?;
    let epoch = name.strip_prefix("epoch-")?.parse().ok()?;
    (epoch_dir_name(epoch) == name && path.join(MANIFEST_FILE).is_file()).then_some(epoch)
}

/// A JSON file as `T`.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    let text = fsx::read_to_string(path)?;
    serde_json::from_str(&text).map_err(|source| StoreError::Json { path: path.to_path_buf(), source })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const RUN: &str = r#"{"name": "r", "model": "resnet50", "classes": ["a", "b"], "seed": 7,
        "panel": {"digest": "0123", "ids": ["x", "y"], "labels": [0, 1], "seed": 3}}"#;

    /// A run of which each epoch holds the given explanations.
    pub(crate) fn write_run(dir: &Path, epochs: &[(usize, Vec<Explanations>)]) -> RunReader {
        fsx::write_atomic(&dir.join("run.json"), RUN.as_bytes()).unwrap();
        for (epoch, explanations) in epochs {
            let epoch_dir = dir.join(epoch_dir_name(*epoch));
            fsx::create_dir_all(&epoch_dir.join("explanations")).unwrap();
            for one in explanations {
                let file = epoch_dir.join("explanations").join(format!("{}.safetensors", one.explainer));
                fsx::write_atomic(&file, &one.encode().unwrap()).unwrap();
            }
            fsx::write_atomic(&epoch_dir.join("manifest.json"), b"{}").unwrap();
        }
        RunReader::open(dir).unwrap()
    }

    #[test]
    fn only_sealed_epochs_count_and_they_are_in_numeric_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["epoch-0003.partial", "epoch-0004", "epoch-5", "epoch-last", "interrupted"] {
            fsx::create_dir_all(&dir.path().join(name)).unwrap();
        }
        fsx::write_atomic(&dir.path().join("epoch-0003.partial/manifest.json"), b"{}").unwrap();
        fsx::write_atomic(&dir.path().join("epoch-5/manifest.json"), b"{}").unwrap();
        let run = write_run(dir.path(), &[(10_000, vec![]), (9999, vec![]), (0, vec![])]);
        assert_eq!(run.epochs(), [0, 9999, 10_000]);
    }

    #[test]
    fn a_directory_without_a_run_file_is_refused_by_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let error = RunReader::open(dir.path()).unwrap_err();
        let expected = dir.path().join("run.json");
        assert!(matches!(&error, StoreError::NotARun { path } if *path == expected), "{error:?}");
        assert!(error.to_string().contains("expected a run's directory"));
    }

    #[test]
    fn a_broken_run_file_is_not_a_missing_one() {
        let dir = tempfile::tempdir().unwrap();
        fsx::write_atomic(&dir.path().join("run.json"), b"{\"name\": 3}").unwrap();
        assert!(matches!(RunReader::open(dir.path()), Err(StoreError::Json { .. })));
    }

    #[test]
    fn explanations_are_found_by_epoch_and_explainer() {
        let dir = tempfile::tempdir().unwrap();
        let cam = Explanations { maps: vec![1.0, 2.0, 3.0, 4.0], ..format::tests::sample() };
        let rollout = Explanations { explainer: "attention-rollout".into(), ..cam.clone() };
        let run = write_run(dir.path(), &[(1, vec![cam.clone(), rollout])]);
        assert_eq!(run.explainers(1).unwrap(), ["attention-rollout", "grad-cam"]);
        assert_eq!(run.explanations(1, "grad-cam").unwrap(), cam);
        assert!(run.explainers(2).unwrap().is_empty());
        assert!(matches!(run.explanations(2, "grad-cam"), Err(StoreError::Fs(error)) if error.is_not_found()));
        assert_eq!(run.info().panel.labels, [0, 1]);
        assert_eq!(run.panel_image_path(7), dir.path().join("panel/007.png"));
    }

    #[test]
    fn metrics_are_read_back_and_a_diverged_loss_is_not_a_number() {
        let dir = tempfile::tempdir().unwrap();
        let run = write_run(dir.path(), &[(1, vec![])]);
        let training = TrainingMetrics {
            train_loss: Some(0.1),
            train_accuracy: None,
            val_loss: f64::NAN,
            val_accuracy: 0.75,
            val_top5: Some(1.0),
            val_class_accuracy: vec![Some(0.5), None],
            learning_rate: Some(1e-3),
            seconds: 2.5,
        };
        let metrics = EpochMetrics { epoch: 1, training: Some(training), drift: vec![] };
        let path = dir.path().join("epoch-0001/metrics.json");
        fsx::write_atomic(&path, &serde_json::to_vec(&metrics).unwrap()).unwrap();
        let read = run.metrics(1).unwrap().training.unwrap();
        assert!(read.val_loss.is_nan());
        assert_eq!((read.val_accuracy, read.train_loss, read.train_accuracy), (0.75, Some(0.1), None));
    }
}
