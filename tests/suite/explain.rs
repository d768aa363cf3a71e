//! `driftscope explain` and `driftscope cause`, as a person meets them.

use crate::support::{alone, driftscope, succeed};
use driftscope::store::{Explanations, RunReader};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Two classes' worth of training on a panel of ten; both minis share it.
fn train(dir: &Path, model: &str) {
    let text = format!(
        "model = \"{model}\"\nepochs = 1\nbatch_size = 8\n\
         [data]\ntrain_per_class = 1\nval_per_class = 1\n[panel]\nper_class = 1\n"
    );
    fs::write(dir.join("config.toml"), text).unwrap();
    succeed(dir, &["train", "--config", "config.toml", "--run-dir", model]);
}

fn refused(dir: &Path, arguments: &[&str], parts: &[&str]) {
    let output = driftscope(dir, arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(error.matches("error:").count(), 1, "{arguments:?}: {error}");
    assert!(parts.iter().all(|part| error.contains(part)), "{arguments:?}: {error}");
}

fn summary(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn a_checkpoint_is_explained_after_training_as_it_was_during_it() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    train(dir, "deit_mini");
    train(dir, "resnet_mini");

    // The panel by the run's own methods, from the run alone: the bytes that training kept.
    succeed(dir, &["explain", "deit_mini@1", "--methods", "grad-cam,rollout", "--out", "again"]);
    for name in ["grad-cam", "rollout"] {
        let kept = fs::read(dir.join(format!("deit_mini/epoch-0001/explanations/{name}.safetensors"))).unwrap();
        assert!(kept == fs::read(dir.join(format!("again/deit_mini@1/{name}.safetensors"))).unwrap(), "{name}");
    }

    // Both models side by side: a figure a picture, a row a run.
    let listed = succeed(dir, &["explain", "resnet_mini", "deit_mini@0", "--out", "both", "--format", "csv"]).stdout;
    assert_eq!(String::from_utf8_lossy(&listed).lines().count(), 1 + 2 * 10);
    let both = summary(&dir.join("both"));
    let names = |run: usize| -> Vec<String> {
        let explainers = both["runs"][run]["explainers"].as_array().unwrap();
        explainers.iter().map(|one| one["explainer"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(
        (names(0), names(1)),
        (vec!["grad-cam".into()], ["raw-attention", "rollout", "grad-cam"].map(String::from).into())
    );
    assert_eq!(both["runs"][1]["explainers"][2]["untrained_head"], true);
    for figure in both["figures"].as_array().unwrap() {
        let picture = image::open(dir.join("both").join(figure.as_str().unwrap())).unwrap();
        assert!(picture.width() > 4 * 192 && picture.height() > 2 * 192, "{figure}: two rows of up to four tiles");
    }

    // The same figures as drawings: their pictures are in them, and every tile's title is text.
    let arguments = ["explain", "deit_mini@1", "--methods", "grad-cam", "--figures", "svg", "--out", "drawn"];
    succeed(dir, &arguments);
    let drawn = summary(&dir.join("drawn"));
    for figure in drawn["figures"].as_array().unwrap() {
        let name = figure.as_str().unwrap();
        let svg = fs::read_to_string(dir.join("drawn").join(name)).unwrap();
        assert!(name.ends_with(".svg") && svg.starts_with("<svg") && svg.contains(">Grad-CAM</text>"), "{name}");
        assert_eq!(svg.matches("data:image/png;base64,").count(), 3, "{name}: the image, the map, its colour bar");
    }

    // A picture of one's own: no label, so its prediction is explained.
    let own = dir.join("deit_mini/panel/003.png");
    fs::copy(own, dir.join("mine.png")).unwrap();
    succeed(dir, &["explain", "resnet_mini", "mine.png", "--methods", "all", "--out", "mine"]);
    let mine = summary(&dir.join("mine"));
    let (image, run) = (&mine["runs"][0]["images"][0], RunReader::open(&dir.join("resnet_mini")).unwrap());
    assert_eq!((&image["id"], &image["label"]), (&Value::from("mine.png"), &Value::Null));
    let path = dir.join("mine/resnet_mini@1/hires-cam.safetensors");
    let seen = Explanations::decode(&fs::read(&path).unwrap(), &path).unwrap();
    assert_eq!((seen.targets[0], seen.labels[0]), (seen.predicted[0], -1));
    assert_eq!(seen.target_kinds, ["prediction"]);
    let kept = run.explanations(1, "grad-cam").unwrap();
    let difference = seen.logits.iter().zip(&kept.logits[3 * 10..]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference < 1e-4, "the same picture: {difference}");
}

#[test]
fn what_cannot_be_explained_is_refused_by_name() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    train(dir, "resnet_mini");
    fs::write(dir.join("broken.png"), "no picture").unwrap();
    for (arguments, parts) in [
        (vec!["explain", "nowhere"], vec!["nowhere", "neither a run nor an image file"]),
        (vec!["explain", "broken.png"], vec!["no run among the arguments"]),
        (vec!["explain", "resnet_mini", "broken.png"], vec!["broken.png"]),
        (vec!["explain", "resnet_mini", "--methods", "tea-leaves"], vec!["tea-leaves", "grad-cam"]),
        (vec!["explain", "resnet_mini", "--methods", "rollout"], vec!["--methods", "resnet_mini", "grad-cam"]),
        (vec!["explain", "resnet_mini", "--methods", "grad-cam,rollout"], vec!["--methods", "rollout"]),
        (vec!["explain", "resnet_mini", "--targets", "tartan"], vec!["tartan", "banded"]),
        (vec!["explain", "resnet_mini", "--figures", "pdf"], vec!["--figures", "pdf", "png or svg"]),
        (vec!["explain", "resnet_mini@7"], vec!["epoch 7", "0, 1"]),
        (vec!["cause", "resnet_mini", "--to", "0"], vec!["--to 0", "no earlier epoch"]),
    ] {
        refused(dir, &arguments, &parts);
    }
    assert!(!dir.join("explained").exists(), "nothing is half written");
}

#[test]
fn faithfulness_and_cause_are_tables_for_a_dataframe() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    train(dir, "resnet_mini");
    let csv = |arguments: &[&str]| {
        let text = String::from_utf8(succeed(dir, arguments).stdout).unwrap();
        let rows: Vec<Vec<String>> = text.lines().map(|line| line.split(',').map(str::to_string).collect()).collect();
        rows
    };
    let judged = csv(&["explain", "resnet_mini", "resnet_mini/panel/000.png", "--faithfulness", "--format", "csv"]);
    let (header, rows) = judged.split_first().unwrap();
    assert_eq!(header[..6], ["run", "method", "target", "measure", "better", "value"].map(String::from));
    let value = |measure: &str| -> f64 {
        let row = rows.iter().find(|row| row[3] == measure).unwrap_or_else(|| panic!("no {measure}"));
        row[5].parse().unwrap()
    };
    for (measure, range) in [("insertion-auc", 0.0..=1.0), ("deletion-auc", 0.0..=1.0), ("average-drop", 0.0..=1.0)] {
        assert!(range.contains(&value(measure)), "{measure}: {}", value(measure));
    }

    let causes = csv(&["cause", "resnet_mini", "--format", "csv"]);
    let shares: Vec<f64> = causes[1..].iter().map(|row| row[6].parse().unwrap()).collect();
    assert_eq!(
        causes[1..].iter().map(|row| row[2].as_str()).collect::<Vec<_>>(),
        ["head", "batch-norm-statistics", "backbone"]
    );
    // Printed with four digits.
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 2e-4, "{shares:?}");
}
