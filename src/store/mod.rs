//! What a run keeps on disk: the names in its folder, sealed directories, the explanation files' schema, and a reader.
//!
//! Only sealed epochs are seen, that is directories `epoch-NNNN` holding a `manifest.json`, and nothing is read from them
//! whose digest is not the manifest's. Nothing here knows how a map was made or what is measured on it.

pub mod format;
pub mod layout;
mod reader;
pub mod records;
mod sealed;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use format::{AttentionDistance, Explanations, LayerMaps, UNKNOWN_CLASS};
pub use layout::{EXPLANATIONS_DIR, EXPLANATIONS_EXTENSION, PANEL_DIR, epoch_dir_name, panel_image_name, sealed_epoch};
pub use reader::RunReader;
pub use records::{ALL_IMAGES, Against, DriftFigure, EpochMetrics, PanelInfo, RunInfo, TrainingMetrics};
pub use sealed::{Manifest, Seal};

use crate::fsx::{self, FsError};

/// Version of run.json, state.json and manifest.json. Readers refuse a newer one.
pub const SCHEMA: u32 = 1;

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
    #[error("{path} cannot be read as {expected}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
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
    /// A file that is not what was sealed.
    #[error("{path} is not what was sealed: expected {expected}, found {found}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Size and digest in the manifest.
        expected: String,
        /// Size and digest on disk.
        found: String,
    },
    /// A file that its directory's manifest does not know.
    #[error("{path} is not among the files that were sealed there")]
    NotSealed {
        /// The file.
        path: PathBuf,
    },
    /// Explanations of other pictures than the run's panel.
    #[error("{path} explains other pictures than the panel of {run}")]
    ForeignPanel {
        /// The file.
        path: PathBuf,
        /// The run's name.
        run: String,
    },
    /// A value that cannot be written as JSON.
    #[error("{path} cannot be encoded")]
    EncodeJson {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
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

/// A JSON file with a `schema`, which is looked at first: a newer file may have other fields. A file that does not say is of
/// the first.
///
/// # Errors
///
/// [`StoreError::NewerSchema`]; or the file cannot be read, or is something else than `expected` says.
pub fn read_versioned<T: DeserializeOwned>(path: &Path, expected: &'static str) -> Result<T, StoreError> {
    #[derive(Deserialize)]
    struct Version {
        #[serde(default)]
        schema: u64,
    }
    let json = |source| StoreError::Json { path: path.to_path_buf(), expected, source };
    let text = fsx::read_to_string(path)?;
    let Version { schema } = serde_json::from_str(&text).map_err(json)?;
    if schema > u64::from(SCHEMA) {
        let (path, expected) = (path.to_path_buf(), u64::from(SCHEMA));
        return Err(StoreError::NewerSchema { path, expected, found: schema });
    }
    serde_json::from_str(&text).map_err(json)
}

/// A value as JSON with a line's end; `path` is only named in errors.
///
/// # Errors
///
/// When the value has no JSON.
pub fn json<T: Serialize>(value: &T, path: &Path) -> Result<Vec<u8>, StoreError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|source| StoreError::EncodeJson { path: path.to_path_buf(), source })?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const RUN: &str = r#"{"name": "r", "model": "resnet50", "classes": ["a", "b"], "seed": 7,
        "panel": {"digest": "0123", "ids": ["x", "y"], "labels": [0, 1], "seed": 3}}"#;

    /// A run of which each epoch holds the given explanations; its panel is that of the first of them.
    pub(crate) fn write_run(dir: &Path, epochs: &[(usize, Vec<Explanations>)]) -> RunReader {
        let ids = epochs.iter().flat_map(|(_, explanations)| explanations).next().map(|one| one.image_ids.clone());
        let ids = serde_json::to_string(&ids.unwrap_or_else(|| vec!["x".into(), "y".into()])).unwrap();
        fsx::write_atomic(&dir.join("run.json"), RUN.replacen(r#"["x", "y"]"#, &ids, 1).as_bytes()).unwrap();
        for (epoch, explanations) in epochs {
            let epoch_dir = dir.join(epoch_dir_name(*epoch));
            fsx::create_dir_all(&epoch_dir.join("explanations")).unwrap();
            for one in explanations {
                let file = epoch_dir.join("explanations").join(format!("{}.safetensors", one.explainer));
                fsx::write_atomic(&file, &one.encode().unwrap()).unwrap();
            }
            Manifest::seal_dir(&epoch_dir).unwrap();
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
    fn maps_that_are_not_what_was_sealed_are_no_evidence() {
        let dir = tempfile::tempdir().unwrap();
        let cam = Explanations { maps: vec![1.0, 2.0, 3.0, 4.0], ..format::tests::sample() };
        let run = write_run(dir.path(), &[(1, vec![cam.clone()])]);
        let path = dir.path().join("epoch-0001/explanations/grad-cam.safetensors");
        let other = Explanations { maps: vec![1.0, 2.0, 3.0, 5.0], ..cam.clone() };
        fsx::write_atomic(&path, &other.encode().unwrap()).unwrap();
        let error = run.explanations(1, "grad-cam").unwrap_err().to_string();
        assert!(error.contains("grad-cam.safetensors") && error.contains("SHA-256"), "{error}");
        // A file that nobody sealed is not there.
        fsx::write_atomic(&path.with_file_name("mine.safetensors"), &cam.encode().unwrap()).unwrap();
        assert_eq!(run.explainers(1).unwrap(), ["grad-cam"]);
    }

    #[test]
    fn maps_of_other_pictures_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let cam = Explanations { maps: vec![1.0, 2.0, 3.0, 4.0], ..format::tests::sample() };
        let mut other = cam.clone();
        other.image_ids.reverse();
        let run = write_run(dir.path(), &[(1, vec![cam]), (2, vec![other])]);
        assert!(run.explanations(1, "grad-cam").is_ok());
        assert!(matches!(run.explanations(2, "grad-cam"), Err(StoreError::ForeignPanel { .. })));
    }

    #[test]
    fn a_run_of_a_newer_schema_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        // With fields that this version does not know, and without some that it wants.
        let newer = "{\"schema\": 99, \"title\": 3}";
        fsx::write_atomic(&dir.path().join("run.json"), newer.as_bytes()).unwrap();
        assert!(matches!(RunReader::open(dir.path()), Err(StoreError::NewerSchema { found: 99, .. })));
    }

    #[test]
    fn a_panel_picture_that_changed_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let digest = fsx::sha256_hex(b"a picture");
        let with_digests = RUN.replacen("\"seed\": 3", &format!("\"pictures\": [\"{digest}\", \"{digest}\"]"), 1);
        fsx::write_atomic(&dir.path().join("run.json"), with_digests.as_bytes()).unwrap();
        fsx::create_dir_all(&dir.path().join("panel")).unwrap();
        fsx::write_atomic(&dir.path().join("panel/000.png"), b"a picture").unwrap();
        fsx::write_atomic(&dir.path().join("panel/001.png"), b"another").unwrap();
        let run = RunReader::open(dir.path()).unwrap();
        assert_eq!(run.panel_image(0).unwrap(), b"a picture");
        assert!(run.panel_image(1).unwrap_err().to_string().contains("001.png"));
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
        Manifest::seal_dir(path.parent().unwrap()).unwrap();
        let read = run.metrics(1).unwrap().training.unwrap();
        assert!(read.val_loss.is_nan());
        assert_eq!((read.val_accuracy, read.train_loss, read.train_accuracy), (0.75, Some(0.1), None));
    }
}
