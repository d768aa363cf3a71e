//! A run of a newer driftscope is refused by the number of its version, by every command that reads it, before anything else
//! in it is doubted. Metrics and positions have no version of their own: that of the manifest beside them counts.

use crate::support::{alone, driftscope, succeed};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const TINY: &str = "model = \"deit_mini\"\nepochs = 1\nbatch_size = 8\n[data]\ntrain_per_class = 1\n\
                    val_per_class = 1\n[panel]\nper_class = 1\noverlays = 0\n";

/// Every command that reads a run, the last epoch of it included.
const READING: [&[&str]; 12] = [
    &["train", "--resume", "run"],
    &["train", "--resume", "run", "--run-dir", "branch", "--epochs", "2"],
    &["eval", "run"],
    &["explain", "run", "--out", "seen"],
    &["export", "run", "weights.safetensors"],
    &["drift", "run"],
    &["cause", "run"],
    &["compare", "run", "run"],
    &["plot", "run", "--out", "plot.svg"],
    &["animate", "run", "--out", "film.gif"],
    &["report", "run", "--out", "page.html"],
    &["runs", "."],
];

/// The file as a driftscope of schema 99 might write it: one field is something else, and one is new.
fn newer(path: &Path, field: &str) -> Vec<u8> {
    let before = fs::read(path).unwrap();
    let mut value: Value = serde_json::from_slice(&before).unwrap();
    value["schema"] = 99.into();
    value[field] = json!([{ "not": "what it was" }]);
    value["more"] = true.into();
    fs::write(path, value.to_string()).unwrap();
    before
}

fn refused(dir: &Path, arguments: &[&str], file: &str) {
    let output = driftscope(dir, arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{arguments:?}: {message}");
    let expected = format!("{file}: schema 99, but this driftscope reads schema 1 at most");
    assert!(message.contains(&expected), "{arguments:?}: {message}");
}

#[test]
fn every_command_refuses_a_newer_run_by_its_number() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("tiny.toml"), TINY).unwrap();
    succeed(dir, &["train", "--config", "tiny.toml", "--run-dir", "run"]);

    let begin = |place: &'static str| ["train", "--config", "tiny.toml", "--run-dir", place];
    let record = dir.join("run/run.json");
    let before = newer(&record, "classes");
    READING.iter().for_each(|arguments| refused(dir, arguments, "run/run.json"));
    refused(dir, &begin("run"), "run/run.json");
    fs::write(&record, before).unwrap();

    let manifest = dir.join("run/epoch-0001/manifest.json");
    let before = newer(&manifest, "files");
    READING.iter().for_each(|arguments| refused(dir, arguments, "run/epoch-0001/manifest.json"));
    fs::write(&manifest, before).unwrap();

    fs::create_dir(dir.join("half")).unwrap();
    let note = json!({ "schema": 99, "from": ["nowhere"] }).to_string();
    fs::write(dir.join("half/branching.json"), &note).unwrap();
    refused(dir, &begin("half"), "half/branching.json");
    refused(dir, &["train", "--resume", "run", "--run-dir", "half", "--epochs", "2"], "half/branching.json");
    assert_eq!(fs::read_to_string(dir.join("half/branching.json")).unwrap(), note);

    for made in ["branch", "seen", "weights.safetensors", "plot.svg", "film.gif", "page.html"] {
        assert!(!dir.join(made).exists(), "{made}");
    }
    // Only the versions were wrong.
    READING.iter().for_each(|arguments| drop(succeed(dir, arguments)));
}
