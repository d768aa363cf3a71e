//! More classes and pictures than a screen holds.

use crate::support::{alone, succeed};
use serde_json::Value;
use std::fs;

/// Every class has its own place in figures, tables and the page, and its own logit.
#[test]
fn three_hundred_classes_are_trained_told_apart_and_shown() {
    const CLASSES: usize = 300;
    // 600 to learn from, and a second one to validate on for the first hundred classes: 1,000 images.
    let counts = |split: &str, class: usize| if split == "train" || class < 100 { 2 } else { 1 };
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for split in ["train", "val"] {
        for class in 0..CLASSES {
            let folder = dir.join("pictures").join(split).join(format!("class {class:03}"));
            fs::create_dir_all(&folder).unwrap();
            for number in 0..counts(split, class) {
                let shade = |value: u32| (value as usize + 7 * class + number) as u8;
                let picture =
                    image::RgbImage::from_fn(8, 8, |x, y| image::Rgb([shade(20 * x), shade(20 * y), shade(x * y)]));
                picture.save(folder.join(format!("{number}.png"))).unwrap();
            }
        }
    }
    let settings = "model = \"resnet_mini\"\nepochs = 1\nbatch_size = 64\n[data]\nsource = \"pictures\"\n\
                    [panel]\nper_class = 1\noverlays = 0\n[optimizer]\nkind = \"sgd\"\n";
    fs::write(dir.join("config.toml"), settings).unwrap();
    succeed(dir, &["train", "--config", "config.toml", "--run-dir", "run"]);
    let json = |arguments: &[&str]| -> Value { serde_json::from_slice(&succeed(dir, arguments).stdout).unwrap() };
    let data = json(&["data", "pictures", "--format", "json"]);
    let of = |split: &str| (0..CLASSES).map(|class| counts(split, class)).collect::<Vec<_>>();
    assert_eq!((&data["train"], &data["val"]), (&serde_json::json!(of("train")), &serde_json::json!(of("val"))));
    assert_eq!(of("train").iter().chain(&of("val")).sum::<usize>(), 1000);
    let scores = json(&["eval", "run", "--split", "val", "--format", "json"]);
    assert_eq!((scores["images"].as_u64(), scores["confusion"].as_array().unwrap().len()), (Some(400), CLASSES));
    assert_eq!(
        json(&["drift", "run", "--format", "json", "--resamples", "20"])["images"].as_array().unwrap().len(),
        CLASSES
    );
    succeed(dir, &["report", "run", "--out", "page.html"]);
    assert!(fs::read_to_string(dir.join("page.html")).unwrap().contains("class 299"));
}
