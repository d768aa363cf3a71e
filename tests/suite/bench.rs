//! `driftscope bench`: every part of a run is timed, and what is printed has the shape that it promises. No time is asserted.

use crate::support::{alone, refused, succeed};
use serde_json::Value;
use std::fs;

/// The least work: one row of calls a measurement.
const QUICK: [&str; 6] = ["--seconds", "0", "--batch-size", "2", "--device", "auto"];

#[test]
fn every_part_of_a_run_is_timed_and_nothing_is_written() {
    let _turn = alone();
    for (model, methods) in [("resnet_mini", 1), ("deit_mini", 2)] {
        let dir = tempfile::tempdir().unwrap();
        let output = succeed(dir.path(), &[&["bench", "--model", model, "--format", "json"], &QUICK[..]].concat());
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&answer["schema"], &answer["model"], &answer["batch_size"]), (&1.into(), &model.into(), &2.into()));
        for limit in ["products_flop_per_second", "copies_byte_per_second"] {
            assert!(answer["limits"][limit].as_f64().unwrap() > 0.0, "{limit}");
        }
        let parts = answer["parts"].as_array().unwrap();
        let names: Vec<&str> = parts.iter().map(|part| part["name"].as_str().unwrap()).collect();
        assert_eq!(names[..4], ["images, first time", "images, again", "forward pass", "training step"]);
        assert_eq!(names.len(), 4 + methods + 1, "each default method, and drift: {names:?}");
        assert!(names.last().unwrap().starts_with("drift"));
        assert!(parts.iter().all(|part| part["images_per_second"].as_f64().unwrap() > 0.0));
        // The products of a step are three times those of a forward pass.
        let limit = |part: usize| parts[part]["limit"].as_f64();
        assert!((limit(2).unwrap() / limit(3).unwrap() - 3.0).abs() < 1e-9);
        assert!(limit(0).is_none() && limit(4).is_none());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is written");
    }
}

#[test]
fn a_table_fits_a_terminal_and_csv_a_data_frame() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let printed = |format: &str| {
        let arguments = [&["bench", "--model", "deit_mini", "--format", format], &QUICK[..]].concat();
        String::from_utf8(succeed(dir.path(), &arguments).stdout).unwrap()
    };
    let table = printed("table");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains("deit_mini, batches of 2, on ") && table.contains("GFLOP/s"), "{table}");
    let csv = printed("csv");
    assert_eq!(csv.lines().next(), Some("part,images_per_second,limit,percent_of_limit"));
    assert!(csv.lines().any(|line| line.starts_with("training step,")), "{csv}");
}

#[test]
fn what_can_never_be_right_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    refused(dir.path(), &["bench", "--model", "vgg"], 2, &["--model"]);
    refused(dir.path(), &["bench", "--seconds=-1"], 2, &["--seconds"]);
    refused(dir.path(), &["bench", "--data", "nowhere"], 1, &["nowhere"]);
}
