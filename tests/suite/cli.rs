//! The command line as a person meets it: data on stdout, one clear error on stderr, exit codes that mean something.

use crate::support::{alone, driftscope, succeed};
use std::fs;
use std::path::Path;

fn small_run(dir: &Path, model: &str) {
    let text = format!(
        "model = \"{model}\"\nepochs = 2\nbatch_size = 8\n[data]\ntrain_per_class = 2\nval_per_class = 2\n\
         [panel]\nper_class = 1\noverlays = 1\n"
    );
    fs::write(dir.join("small.toml"), text).unwrap();
    let output = succeed(dir, &["train", "--config", "small.toml", "--run-dir", "run"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "run\n", "stdout is the run's directory and nothing else");
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(progress.contains("epoch 2/2") && progress.contains("val loss"), "{progress}");
}

/// Fails with `code` and one error line that holds every part; never with a panic.
fn refuse(dir: &Path, arguments: &[&str], code: i32, parts: &[&str]) {
    let output = driftscope(dir, arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert!(!message.contains("panicked"), "{message}");
    for part in parts {
        assert!(message.contains(part), "{arguments:?}: '{part}' is missing from: {message}");
    }
}

#[test]
fn wrong_input_is_one_error_that_names_it() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    fs::write(path.join("typo.toml"), "model = \"deit_mini\"\nepoch = 3\n").unwrap();
    fs::write(path.join("bad.toml"), "model = \"deit_mini\"\nepochs = 0\nbatch_size = 0\n").unwrap();
    refuse(path, &["train", "--model", "vgg"], 1, &["vgg", "resnet50", "deit_mini"]);
    refuse(path, &["train", "--model", "deit_mini", "--device", "gpu"], 2, &["gpu", "cuda:N"]);
    refuse(path, &["train", "--model", "deit_mini", "--device", "cuda:99"], 1, &["cuda:99"]);
    refuse(path, &["train", "--config", "absent.toml"], 1, &["absent.toml"]);
    refuse(path, &["train", "--config", "typo.toml"], 1, &["typo.toml", "epoch", "line 2"]);
    refuse(path, &["train", "--config", "bad.toml"], 1, &["epochs", "batch_size"]);
    refuse(path, &["train", "--resume", "nowhere"], 1, &["nowhere", "run.json"]);
    refuse(path, &["train"], 2, &["--model"]);
    refuse(path, &["drift", "nowhere"], 1, &["nowhere", "run.json"]);
    refuse(path, &["report", "nowhere"], 1, &["nowhere", "run.json"]);
    let left: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing is left behind: {left:?}");
}

#[test]
fn a_run_can_be_inspected_and_is_never_overwritten() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    small_run(dir.path(), "deit_mini");
    refuse(
        dir.path(),
        &["train", "--config", "small.toml", "--run-dir", "run"],
        1,
        &["already holds a run", "--resume"],
    );

    let table = succeed(dir.path(), &["drift", "run"]).stdout;
    let table = String::from_utf8(table).unwrap();
    for part in ["rollout", "grad-cam", "top20-iou", "spearman", "js-divergence", "floor", "chance"] {
        assert!(table.contains(part), "{part} is missing from:\n{table}");
    }
    let json = succeed(dir.path(), &["drift", "run", "--format", "json"]).stdout;
    let figures: Vec<driftscope::drift::DriftFigure> = serde_json::from_slice(&json).unwrap();
    let csv = succeed(dir.path(), &["drift", "run", "--format", "csv"]).stdout;
    assert_eq!(String::from_utf8(csv).unwrap().lines().count(), figures.len() + 1);

    // What training wrote into each epoch is what is computed again from the stored maps.
    let mut written = Vec::new();
    for epoch in ["epoch-0000", "epoch-0001", "epoch-0002"] {
        let metrics = fs::read(dir.path().join("run").join(epoch).join("metrics.json")).unwrap();
        let metrics: driftscope::store::EpochMetrics = serde_json::from_slice(&metrics).unwrap();
        written.extend(metrics.drift);
    }
    assert_eq!(written, figures);
    assert!(figures.iter().all(|figure| figure.value.is_some()), "a trained mini has evidence");

    let out = succeed(dir.path(), &["report", "run", "--out", "page.html"]).stdout;
    assert_eq!(String::from_utf8(out).unwrap(), "page.html\n");
    let page = fs::read_to_string(dir.path().join("page.html")).unwrap();
    for part in ["data:image/png;base64,", "\"rollout\"", "type=\"range\""] {
        assert!(page.contains(part), "{part} is missing from the page");
    }
    for token in ["/*DATA*/", "/*CSS*/", "/*JS*/", "http://", "https://"] {
        let namespace = page.replace("http://www.w3.org/", "");
        assert!(!namespace.contains(token), "the page holds {token}");
    }
}

#[test]
fn a_finished_run_resumes_to_nothing_more_to_do() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    small_run(dir.path(), "resnet_mini");
    let before = fs::read(dir.path().join("run/metrics.jsonl")).unwrap();
    succeed(dir.path(), &["train", "--resume", "run"]);
    assert_eq!(fs::read(dir.path().join("run/metrics.jsonl")).unwrap(), before);
}
