//! The command line as a person meets it: data on stdout, one clear error on stderr, exit codes that mean something.

use crate::support::{alone, driftscope, fast_device, succeed};
use driftscope::models::ModelName;
use driftscope::weights;
use serde_json::Value;
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
    refuse(path, &["train", "--model", "vgg"], 2, &["vgg", "resnet50", "deit_mini"]);
    refuse(path, &["train", "--model", "deit_mini", "--device", "gpu"], 2, &["gpu", "cuda:N"]);
    refuse(path, &["train", "--model", "deit_mini", "--device", "cuda:99"], 1, &["cuda:99"]);
    refuse(path, &["train", "--config", "absent.toml"], 1, &["absent.toml"]);
    refuse(path, &["train", "--config", "typo.toml"], 2, &["typo.toml", "epoch", "line 2"]);
    refuse(path, &["train", "--config", "bad.toml"], 2, &["epochs", "batch_size"]);
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

    let table = succeed(dir.path(), &["drift", "run", "--all"]).stdout;
    let table = String::from_utf8(table).unwrap();
    for part in ["rollout", "grad-cam", "top20-iou", "spearman", "js-divergence", "floor", "chance"] {
        assert!(table.contains(part), "{part} is missing from:\n{table}");
    }
    // The answer alone fits a terminal.
    let answer = String::from_utf8(succeed(dir.path(), &["drift", "run"]).stdout).unwrap();
    assert!(table.starts_with(answer.split("More: ").next().unwrap()), "{answer}");
    assert!(answer.lines().all(|line| line.chars().count() <= 80), "{answer}");
    let live = ["--measures", "top20-iou,spearman,js-divergence"];
    let json = succeed(dir.path(), &[&["drift", "run", "--format", "json"], &live[..]].concat()).stdout;
    let figures = serde_json::from_slice::<driftscope::drift::Analysis>(&json).unwrap().drift;
    let csv = succeed(dir.path(), &[&["drift", "run", "--format", "csv"], &live[..]].concat()).stdout;
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

#[test]
fn a_run_is_evaluated_exported_and_listed() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    small_run(dir.path(), "resnet_mini");
    let stdout = |arguments: &[&str]| String::from_utf8(succeed(dir.path(), arguments).stdout).unwrap();

    let scores: Value = serde_json::from_str(&stdout(&["eval", "run@best", "--format", "json"])).unwrap();
    let confusion = scores["confusion"].as_array().unwrap();
    let counts = confusion.iter().flat_map(|row| row.as_array().unwrap()).map(|count| count.as_u64().unwrap());
    assert_eq!((counts.sum::<u64>(), scores["images"].as_u64()), (20, Some(20)), "two test textures a class");
    let right: u64 = (0..10).map(|class| confusion[class][class].as_u64().unwrap()).sum();
    assert_eq!(scores["top1"].as_f64().unwrap(), right as f64 / 20.0);
    assert!(scores["top5"].as_f64() >= scores["top1"].as_f64());
    assert_eq!(stdout(&["eval", "run", "--format", "csv"]).lines().count(), 1 + 10 + 1);

    // Validation by `eval` is the validation of training.
    let val: Value = serde_json::from_str(&stdout(&["eval", "run", "--split", "val", "--format", "json"])).unwrap();
    let metrics = fs::read(dir.path().join("run/epoch-0002/metrics.json")).unwrap();
    let metrics: Value = serde_json::from_slice(&metrics).unwrap();
    assert_eq!(val["loss"], metrics["training"]["val_loss"]);
    assert_eq!(val["class_accuracy"], metrics["training"]["val_class_accuracy"]);

    // What is exported is what was trained, under names that load strictly, and the same bytes every time.
    assert_eq!(stdout(&["export", "run@1", "one.safetensors"]), "one.safetensors\n");
    stdout(&["export", "run@1", "two.safetensors"]);
    let [one, two] = ["one", "two"].map(|name| fs::read(dir.path().join(format!("{name}.safetensors"))).unwrap());
    assert!(one == two);
    let path = dir.path().join("one.safetensors");
    let (exported, metadata) = weights::decode(&one, &path).unwrap();
    let sealed = dir.path().join("run/epoch-0001/model.safetensors");
    assert_eq!(exported, weights::decode(&fs::read(&sealed).unwrap(), &sealed).unwrap().0);
    assert_eq!((metadata["format"].as_str(), metadata["model"].as_str()), ("pt", "resnet_mini"));
    let model = ModelName::ResnetMini.init(10, 0.0, 9, &fast_device());
    let imported = weights::import(model, &path, None, &[]).unwrap();
    assert!(imported.missing.is_empty() && imported.unexpected.is_empty() && imported.new_head.is_none());
    stdout(&["export", "run", "half.safetensors", "--precision", "bfloat16"]);
    assert!(fs::metadata(dir.path().join("half.safetensors")).unwrap().len() < one.len() as u64 * 6 / 10);

    let runs: Value = serde_json::from_str(&stdout(&["runs", ".", "--format", "json"])).unwrap();
    assert_eq!(
        (runs["runs"][0]["epochs_done"].as_u64(), runs["runs"][0]["model"].as_str()),
        (Some(2), Some("resnet_mini"))
    );
    let data: Value = serde_json::from_str(&stdout(&["data", "textures", "--format", "json"])).unwrap();
    assert_eq!(data["train"], serde_json::json!(vec![200; 10]));
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&["completions", shell]).contains("driftscope"), "{shell}");
    }
    refuse(dir.path(), &["eval", "run@7"], 1, &["no weights of epoch 7", "0, 1, 2"]);
    refuse(dir.path(), &["export", "run@first", "x.safetensors"], 2, &["@first", "@best"]);
    refuse(dir.path(), &["data", "nowhere"], 1, &["nowhere"]);
}

/// A run that keeps a moving average shows the average, and with `--raw` the weights themselves.
#[test]
fn raw_takes_the_weights_and_not_their_average() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let small = ["--set", "data.train_per_class=2", "--set", "data.val_per_class=2", "--set", "batch_size=4"];
    let train = ["train", "--model", "resnet_mini", "--epochs", "1", "--run-dir", "run", "--set", "ema.decay=0.9"];
    succeed(dir.path(), &[&train[..], &small[..], &["--set", "panel.per_class=1"]].concat());
    let tensors = |path: &str| {
        let path = dir.path().join(path);
        weights::decode(&fs::read(&path).unwrap(), &path).unwrap().0
    };
    succeed(dir.path(), &["export", "run", "average.safetensors"]);
    succeed(dir.path(), &["export", "run", "raw.safetensors", "--raw"]);
    let [average, raw] = ["average", "raw"].map(|name| tensors(&format!("{name}.safetensors")));
    assert_eq!(average, tensors("run/epoch-0001/ema.safetensors"));
    assert_eq!(raw, tensors("run/epoch-0001/model.safetensors"));
    assert_ne!(average, raw);

    let json = |arguments: &[&str]| -> Value {
        let output = succeed(dir.path(), &[arguments, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let eval = |more: &[&str]| json(&[&["eval", "run", "--split", "val"], more].concat())["loss"].as_f64().unwrap();
    let metrics = fs::read(dir.path().join("run/epoch-0001/metrics.json")).unwrap();
    let metrics: Value = serde_json::from_slice(&metrics).unwrap();
    assert_eq!(eval(&[]), metrics["training"]["val_loss"].as_f64().unwrap(), "training evaluated the average");
    assert_ne!(eval(&["--raw"]), eval(&[]));
    let cause = |more: &[&str]| json(&[&["cause", "run", "--methods", "grad-cam"], more].concat());
    assert_ne!(cause(&["--raw"]), cause(&[]));
    let maps = |out: &str, more: &[&str]| {
        succeed(dir.path(), &[&["explain", "run", "--methods", "grad-cam", "--out", out], more].concat());
        let mut found = Vec::new();
        let mut folders = vec![dir.path().join(out)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                match entry.extension().and_then(|end| end.to_str()) {
                    Some("safetensors") => found.push(fs::read(entry).unwrap()),
                    _ if entry.is_dir() => folders.push(entry),
                    _ => {}
                }
            }
        }
        assert_eq!(found.len(), 1, "one method");
        found.remove(0)
    };
    assert_eq!(
        maps("of-average", &[]),
        fs::read(dir.path().join("run/epoch-0001/explanations/grad-cam.safetensors")).unwrap()
    );
    assert_ne!(maps("of-raw", &["--raw"]), maps("of-average", &[]));
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_epoch() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let arguments =
        ["train", "--model", "deit_mini", "--run-dir", "run", "--lr", "1e30", "--set", "schedule.warmup_epochs=0"];
    let small = ["--set", "data.train_per_class=2", "--set", "data.val_per_class=1", "--set", "batch_size=4"];
    let output = driftscope(dir.path(), &[&arguments[..], &small[..]].concat()).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("became") && message.contains("at epoch 1, step"), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    assert!(dir.path().join("run/epoch-0000/manifest.json").exists());
    assert!(!dir.path().join("run/epoch-0001").exists());
}

#[test]
fn a_picture_that_cannot_be_read_stops_a_run_before_it_starts_or_is_skipped_and_listed() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    for split in ["train", "val"] {
        for class in ["a", "b"] {
            let folder = dir.path().join("pictures").join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            for name in ["1.png", "2.png"] {
                image::RgbImage::from_fn(100, 100, |x, y| image::Rgb([x as u8, y as u8, 7]))
                    .save(folder.join(name))
                    .unwrap();
            }
        }
    }
    fs::write(dir.path().join("pictures/train/b/2.png"), "no picture").unwrap();
    let train = ["train", "--model", "deit_mini", "--data", "pictures", "--epochs", "1", "--run-dir", "run"];
    refuse(dir.path(), &train, 1, &["pictures/train/b/2.png"]);
    assert!(!dir.path().join("run").exists(), "nothing is left behind");
    let output = succeed(dir.path(), &[&train[..], &["--skip-bad-images"]].concat());
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(progress.contains("pictures/train/b/2.png") && progress.contains("1 image(s) skipped"), "{progress}");
}
