//! A run put together by hand, read back.

use super::*;
use crate::fsx;
use std::path::Path;

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

/// The training half of an epoch that is known for its validation accuracy alone.
pub(crate) fn of_accuracy(val_accuracy: f64) -> TrainingMetrics {
    TrainingMetrics {
        train_loss: None,
        train_accuracy: None,
        val_loss: 1.0,
        val_accuracy,
        val_top5: None,
        val_class_accuracy: Vec::new(),
        learning_rate: None,
        precision: None,
        seconds: 1.0,
    }
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
        precision: Some("bf16".to_string()),
        seconds: 2.5,
    };
    let metrics = EpochMetrics { epoch: 1, training: Some(training), drift: vec![], randomised: vec![] };
    let path = dir.path().join("epoch-0001/metrics.json");
    fsx::write_atomic(&path, &serde_json::to_vec(&metrics).unwrap()).unwrap();
    Manifest::seal_dir(path.parent().unwrap()).unwrap();
    let read = run.metrics(1).unwrap().training.unwrap();
    assert!(read.val_loss.is_nan());
    assert_eq!((read.val_accuracy, read.train_loss, read.train_accuracy), (0.75, Some(0.1), None));
}
