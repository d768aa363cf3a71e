//! A run that was killed or interrupted and resumed ends in the same bytes as one that was not.

use crate::support::{alone, driftscope, fast_device, succeed};
use burn_train::Interrupter;
use driftscope::data::DataSet;
use driftscope::progress::Progress;
use driftscope::run::{RunDir, RunRecord};
use driftscope::store::Manifest;
use driftscope::train::{Ending, Ready, Setup, Stop, fit};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

const MODELS: [&str; 2] = ["resnet_mini", "deit_mini"];

/// Epochs under [`config`].
const EPOCHS: usize = 4;
/// Steps an epoch: ten classes of eight images in steps of two batches of nine, so four of eighteen and a last one of eight.
const STEPS: usize = 5;

/// Small enough for seconds, with everything on that draws random numbers or keeps state.
fn config(dir: &Path, model: &str) {
    let drop_path = if model == "deit_mini" { "drop_path = 0.1\n" } else { "" };
    let text = format!(
        "model = \"{model}\"\nepochs = {EPOCHS}\nbatch_size = 9\naccumulate = 2\nseed = 3\n{drop_path}\
         label_smoothing = 0.1\n\
         [data]\ntrain_per_class = 8\nval_per_class = 2\n[panel]\nper_class = 1\noverlays = 2\n\
         [augmentation]\ncolour_jitter = [0.4, 0.4, 0.4, 0.1]\npolicy = {{ kind = \"trivial-augment-wide\" }}\n\
         erasing = 0.25\nmixup = 0.2\ncutmix = 1.0\n\
         [optimizer]\nclip_norm = 1.0\n[ema]\ndecay = 0.9\n[freeze]\nhead_only_epochs = 1\n\
         [checkpoints]\nkeep_best = 0\nkeep_last = 2\n"
    );
    fs::write(dir.join("config.toml"), text).unwrap();
}

fn start(dir: &Path, run: &str) -> Child {
    let arguments = ["train", "--config", "config.toml", "--run-dir", run];
    driftscope(dir, &arguments).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// Every file of every sealed epoch. Times are taken out of metrics.json, and its digest out of the manifest.
fn sealed_files(run: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![run.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.parent() != Some(run) {
                files.insert(path.strip_prefix(run).unwrap().to_path_buf(), without_times(&path));
            }
        }
    }
    files
}

fn without_times(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let pointer = match path.file_name().unwrap().to_str().unwrap() {
        "metrics.json" => "/training/seconds",
        "manifest.json" => "/files/metrics.json", // the digest of what holds the time
        _ => return bytes,
    };
    let mut value: Value = serde_json::from_slice(&bytes).unwrap();
    *value.pointer_mut(pointer).unwrap_or_else(|| panic!("{} has no {pointer}", path.display())) = Value::Null;
    serde_json::to_vec(&value).unwrap()
}

fn assert_same_run(expected: &Path, found: &Path) {
    let (expected, found) = (sealed_files(expected), sealed_files(found));
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    // Five epochs with state, metrics, confusion, explanations, overlays and manifest, and the weights of the last two.
    assert!(expected.len() > 5 * 6 + 2 * 3, "{} files", expected.len());
    assert!(expected.keys().filter(|path| path.ends_with("ema.safetensors")).count() == 2);
    for (path, bytes) in &expected {
        assert!(*bytes == found[path], "{} differs", path.display());
    }
}

/// Lets a process take one step and stops it before the next.
struct AfterOneStep {
    interrupter: Interrupter,
    asked: AtomicUsize,
}

impl Stop for AfterOneStep {
    fn should_stop(&self) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed) > 0 {
            self.interrupter.stop(Some("one step was taken"));
        }
        self.interrupter.should_stop()
    }
}

/// Every step of the run begins with what the one before it saved.
#[test]
fn interrupted_before_every_step_a_run_saves_and_resumes_exactly() {
    let _turn = alone();
    for model in MODELS {
        let dir = tempfile::tempdir().unwrap();
        config(dir.path(), model);
        succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", "whole"]);
        // The same run before its first epoch.
        let path = dir.path().join("stopped");
        fs::create_dir(&path).unwrap();
        fs::copy(dir.path().join("whole/run.json"), path.join("run.json")).unwrap();
        let config = RunRecord::read(&path).unwrap().config;
        let data = DataSet::open(&config.data).unwrap();
        let setup = Setup { config, data, device: fast_device(), tensorboard: false };

        let (mut stops, progress) = (Vec::new(), Progress::new());
        loop {
            let (run, _) = RunDir::open(&path).unwrap();
            let ready = Ready::new(&setup, run.newest().unwrap(), &progress).unwrap();
            let stop = AfterOneStep { interrupter: Interrupter::new(), asked: AtomicUsize::new(0) };
            match fit(&run, &setup, ready, &stop, &progress).unwrap() {
                Ending::Interrupted { epoch, step } => stops.push((epoch, step)),
                Ending::Finished { last, .. } => {
                    assert_eq!(last, EPOCHS);
                    break;
                }
            }
        }
        // Between two epochs there is nothing to save; before the first step of the first there is no run to resume.
        let every = (1..=EPOCHS).flat_map(|epoch| (0..STEPS).map(move |step| (epoch, step)));
        assert_eq!(stops, every.skip(1).collect::<Vec<_>>(), "{model}");
        assert!(!path.join("interrupted").exists(), "superseded by the next sealed epoch");
        assert_same_run(&dir.path().join("whole"), &path);
    }
}

#[test]
fn what_is_kept_in_memory_changes_no_byte_of_a_run() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    config(dir.path(), MODELS[0]);
    for (run, cache) in [("kept", "auto"), ("partly", "1M"), ("anew", "off")] {
        succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", run, "--cache", cache]);
    }
    assert_same_run(&dir.path().join("anew"), &dir.path().join("kept"));
    assert_same_run(&dir.path().join("anew"), &dir.path().join("partly"));
}

#[test]
fn a_damaged_checkpoint_is_named_and_refused() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    config(dir.path(), "resnet_mini");
    succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", "run"]);
    let newest = fs::read_dir(dir.path().join("run")).unwrap().map(|entry| entry.unwrap().path());
    let newest = newest.filter(|path| path.join("manifest.json").exists()).max().unwrap();
    let model = newest.join("model.safetensors");
    let bytes = fs::read(&model).unwrap();
    fs::write(&model, &bytes[..bytes.len() - 1]).unwrap();

    let output = driftscope(dir.path(), &["train", "--resume", "run"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("model.safetensors") && message.contains("SHA-256"), "{message}");
    assert!(!message.contains("panicked"), "{message}");

    // The message offers the epoch before it, and taking the offer finishes the run and loses nothing.
    let epoch: usize = newest.file_name().unwrap().to_str().unwrap()["epoch-".len()..].parse().unwrap();
    let offer = format!("run@{}", epoch - 1);
    assert!(message.contains(&format!("--resume {offer}")), "{message}");
    succeed(dir.path(), &["train", "--resume", &offer]);
    assert!(dir.path().join("run/epoch-0004/manifest.json").exists());
    let damaged = format!("run/superseded-1/epoch-{epoch:04}/model.safetensors");
    assert!(dir.path().join(damaged).exists());
}

/// Runs of every length from none to several epochs, killed with no warning; each goes on where it can.
#[test]
fn killed_at_thirty_random_moments_a_run_always_resumes_and_ends_in_the_same_bytes() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    config(dir.path(), "deit_mini");
    succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", "whole"]);
    let mut state = 12_345_u64;
    let (mut kills, mut round) = (0, 0);
    while kills < 30 {
        let run = format!("killed-{round}");
        round += 1;
        assert!(round <= 30, "runs end before they can be killed");
        let mut child = start(dir.path(), &run);
        loop {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sleep(Duration::from_millis(150 + (state >> 33) % 1_500));
            if child.try_wait().unwrap().is_some_and(|status| status.success()) {
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            // Killed before it had a run.json it is no run yet, and the first command makes it.
            let begun = dir.path().join(&run).join("run.json").exists();
            child = if begun {
                let resume = ["train", "--resume", &run];
                driftscope(dir.path(), &resume).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
            } else {
                start(dir.path(), &run)
            };
        }
        assert_same_run(&dir.path().join("whole"), &dir.path().join(&run));
    }
}

/// A process can be killed after it has sealed the last epoch and before it has cleaned up behind it.
#[test]
fn killed_after_the_last_epoch_was_sealed_the_rest_is_done_on_resuming() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    config(dir.path(), "resnet_mini");
    succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", "run"]);
    let run = dir.path().join("run");
    let before = sealed_files(&run);
    fs::remove_file(run.join("metrics.csv")).unwrap();
    fs::write(run.join("epoch-0002/optimizer.safetensors"), "to be pruned").unwrap();
    fs::write(run.join("epoch-0002/.manifest.json.7.tmp"), "half a file").unwrap();
    fs::create_dir(run.join("interrupted")).unwrap();
    let state = "{\"epoch\":4,\"step_in_epoch\":2,\"optimizer_step\":17,\"best\":null,\
                 \"meter\":{\"loss_sum\":1.0,\"correct\":1,\"count\":32}}";
    fs::write(run.join("interrupted/state.json"), state).unwrap();
    Manifest::seal_dir(&run.join("interrupted")).unwrap();

    succeed(dir.path(), &["train", "--resume", "run"]);
    assert!(sealed_files(&run) == before, "{:?}", sealed_files(&run).keys());
    assert_eq!(fs::read_to_string(run.join("metrics.csv")).unwrap().lines().count(), 1 + 5);
}

#[test]
fn a_run_branches_off_another_and_refuses_what_does_not_fit() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    config(dir.path(), "deit_mini");
    succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", "run"]);
    let refused = |arguments: &[&str], parts: &[&str]| {
        let output = driftscope(dir.path(), arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        parts.iter().for_each(|part| assert!(message.contains(part), "{arguments:?}: no '{part}' in {message}"));
    };
    refused(&["train", "--resume", "run", "--lr", "0.5"], &["schedule.learning_rate", "0.001 there, 0.5 here"]);
    refused(&["train", "--resume", "run", "--model", "resnet_mini", "--run-dir", "new"], &["model", "resnet_mini"]);
    refused(&["train", "--resume", "run@1"], &["no weights of epoch 1", "3, 4"]);
    refused(&["train", "--resume", "run", "--run-dir", "run"], &["run"]);

    // The same settings from epoch 3 on end in the same bytes, others in others; the old run stays as it was.
    let before = sealed_files(&dir.path().join("run"));
    succeed(dir.path(), &["train", "--resume", "run@3", "--run-dir", "same"]);
    assert_same_run(&dir.path().join("run"), &dir.path().join("same"));
    succeed(dir.path(), &["train", "--resume", "run@3", "--run-dir", "other", "--set", "schedule.decay=constant"]);
    let model = |run: &str| fs::read(dir.path().join(run).join("epoch-0004/model.safetensors")).unwrap();
    assert!(model("other") != model("run"));
    assert!(sealed_files(&dir.path().join("run")) == before);
}

#[test]
fn a_second_process_on_one_run_is_refused() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    config(dir.path(), "resnet_mini");
    succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", "run"]);
    let (held, _) = RunDir::open(&dir.path().join("run")).unwrap();
    let output = driftscope(dir.path(), &["train", "--resume", "run"]).output().unwrap();
    drop(held);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("in use by another driftscope process"), "{message}");
    succeed(dir.path(), &["train", "--resume", "run"]);
}
