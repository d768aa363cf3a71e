//! Runs that version 0.1.0 wrote stay readable, comparable and resumable: `tests/goldens/old_runs`, where README.md says
//! how they were made.

use crate::support::{alone, driftscope, succeed};
use driftscope::data::{DataSet, Panel};
use driftscope::run::RunRecord;
use driftscope::store::RunReader;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CLASSES: [&str; 3] = ["checks", "columns", "rows"];
/// Where the pictures of `stripes` lay when it was made.
const OLD_DATA: &str = "/data/stripes";

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/old_runs").join(name)
}

fn said_then(run: &str) -> Value {
    serde_json::from_slice(&fs::read(golden(&format!("{run}.json"))).unwrap()).unwrap()
}

/// Unpacks a run into `dir`.
pub(crate) fn unpack(dir: &Path, run: &str) {
    let archive = golden(&format!("{run}.tar.gz"));
    let status = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(dir).status().unwrap();
    assert!(status.success(), "{run}");
}

/// `stripes` with its pictures, which are written anew, and its record as if it had been made here.
fn stripes(dir: &Path) {
    unpack(dir, "stripes");
    let data = dir.join("stripes-data/stripes");
    pictures(&data);
    let record = dir.join("stripes/run.json");
    let text = fs::read_to_string(&record).unwrap();
    assert!(text.contains(OLD_DATA));
    fs::write(record, text.replace(OLD_DATA, data.to_str().unwrap())).unwrap();
}

/// The pictures of `make.py pictures`, byte for byte.
fn pictures(root: &Path) {
    for (split, numbers) in [("train", 0..4), ("val", 4..6), ("test", 6..8)] {
        for (label, name) in CLASSES.iter().enumerate() {
            let folder = root.join(split).join(name);
            fs::create_dir_all(&folder).unwrap();
            for number in numbers.clone() {
                fs::write(folder.join(format!("{number}.bmp")), picture(label, number)).unwrap();
            }
        }
    }
    fs::write(root.join("train/rows/broken.png"), "no picture\n").unwrap();
    fs::write(root.join("panel.txt"), "# one a class\nval/rows/5.bmp\nval/checks/4.bmp\nval/columns/4.bmp\n").unwrap();
}

/// An uncompressed 24-bit BMP, bottom row first, blue first.
fn picture(label: usize, number: usize) -> Vec<u8> {
    const SIZE: [usize; 2] = [40, 32];
    let [width, height] = SIZE;
    let length = 3 * width * height;
    let mut bytes = b"BM".to_vec();
    for number in [54 + length as u32, 0, 54, 40, width as u32, height as u32] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([1, 0, 24, 0]);
    for number in [0, length as u32, 2835, 2835, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    for y in (0..height).rev() {
        for x in 0..width {
            let (row, column) = (y / (4 + number) % 2, x / (4 + number) % 2);
            let light = [row ^ column, column, row][label] * 150 + 20;
            bytes.extend([light, light + 5 * number, light + x + y].map(|value| (value % 256) as u8));
        }
    }
    bytes
}

fn json(dir: &Path, arguments: &[&str]) -> Value {
    serde_json::from_slice(&succeed(dir, arguments).stdout).unwrap()
}

/// Everything that was said then is said now, numbers to `tolerance`; what later versions say besides is their own.
fn assert_said(then: &Value, now: &Value, tolerance: f64, place: &str) {
    match (then, now) {
        (Value::Number(then), Value::Number(now)) => {
            let (then, now) = (then.as_f64().unwrap(), now.as_f64().unwrap());
            assert!((then - now).abs() <= tolerance * then.abs().max(1.0), "{place}: {then} then, {now} now");
        }
        (Value::Array(then), Value::Array(now)) => {
            assert_eq!(then.len(), now.len(), "{place}");
            for (index, (then, now)) in then.iter().zip(now).enumerate() {
                assert_said(then, now, tolerance, &format!("{place}[{index}]"));
            }
        }
        (Value::Object(then), Value::Object(now)) => {
            for (key, then) in then {
                let now = now.get(key).unwrap_or_else(|| panic!("{place} has no {key} now"));
                assert_said(then, now, tolerance, &format!("{place}.{key}"));
            }
        }
        _ => assert_eq!(then, now, "{place}"),
    }
}

/// Figures come from the stored maps alone, in float64: the same on every machine.
#[test]
fn what_an_old_run_showed_is_what_it_shows_now() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    unpack(dir, "textures");
    stripes(dir);
    let runs = json(dir, &["runs", ".", "--format", "json"]);
    let runs = &runs["runs"];
    let listed = |run: usize| (runs[run]["model"].as_str().unwrap(), runs[run]["epochs_done"].as_u64().unwrap());
    assert_eq!([listed(0), listed(1)], [("resnet_mini", 2), ("deit_mini", 2)]);
    for run in ["textures", "stripes"] {
        let mut then = said_then(run);
        // Settled meant that no later step was above its floor; now every two later epochs are still.
        then["drift"].as_object_mut().unwrap().remove("stabilisation").unwrap();
        for warning in then["drift"]["warnings"].as_array_mut().unwrap() {
            *warning = warning.as_str().unwrap().replace("moved by", "drifted by").into();
        }
        assert_said(&then["drift"], &json(dir, &["drift", run, "--format", "json"]), 1e-6, run);
        // The model runs here: on another CPU the last digits of its logits are others.
        assert_said(&then["eval"], &json(dir, &["eval", run, "--format", "json", "--device", "cpu"]), 1e-3, run);
        succeed(dir, &["report", run, "--out", "page.html"]);
        succeed(dir, &["plot", run, "--out", "plot.svg"]);
        succeed(dir, &["animate", run, "--out", "film.gif"]);
        succeed(dir, &["export", run, "out.safetensors"]);
        succeed(dir, &["explain", run, "--methods", "grad-cam", "--out", run.to_uppercase().as_str()]);
    }
    fs::create_dir(dir.join("again")).unwrap();
    unpack(&dir.join("again"), "textures");
    succeed(dir, &["compare", "textures", "again/textures"]);
    succeed(dir, &["drift", "textures", "--floor", "again/textures"]);
}

/// Explanation files of that version have no title: it is that of the method all the same.
#[test]
fn maps_of_an_old_run_have_the_titles_they_had() {
    let dir = tempfile::tempdir().unwrap();
    unpack(dir.path(), "textures");
    let reader = RunReader::open(&dir.path().join("textures")).unwrap();
    for (name, title) in [("grad-cam", "Grad-CAM"), ("rollout", "Attention rollout")] {
        let explanations = reader.explanations(1, name).unwrap();
        assert_eq!((explanations.explainer.as_str(), explanations.title.as_str()), (name, title));
    }
    let bytes = fs::read(dir.path().join("textures/epoch-0001/explanations/rollout.safetensors")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("schema\\\":1") && !text.contains("title"), "the file is of the first schema");
}

/// Which pictures a run explains is a function of data that later versions must not change.
#[test]
fn data_and_panel_have_the_digests_they_had() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    unpack(dir, "textures");
    stripes(dir);
    for run in ["textures", "stripes"] {
        let record = RunRecord::read(&dir.join(run)).unwrap();
        let data = DataSet::open(&record.config.data).unwrap();
        assert_eq!((&data.digest, &data.classes), (&record.data_digest, &record.classes), "{run}");
        assert_eq!(data.skipped.len(), record.skipped.len(), "{run}");
        let panel = &record.config.panel;
        let chosen = match &panel.images {
            Some(ids) => Panel::listed(&data, ids).unwrap(),
            None => Panel::choose(&data, panel.per_class, panel.seed),
        };
        assert_eq!(chosen.digest, record.panel.digest, "{run}");
    }
}

#[test]
fn an_old_run_goes_on_where_it_stopped_and_branches() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    unpack(dir, "textures");
    let before = fs::read(dir.join("textures/epoch-0001/explanations/rollout.safetensors")).unwrap();
    succeed(dir, &["train", "--resume", "textures", "--device", "cpu"]);
    let metrics: Value =
        serde_json::from_slice(&fs::read(dir.join("textures/epoch-0003/metrics.json")).unwrap()).unwrap();
    let (then, now) = (&said_then("textures")["resumed"]["training"], &metrics["training"]);
    for key in ["train_loss", "val_loss", "learning_rate"] {
        let (then, now) = (then[key].as_f64().unwrap(), now[key].as_f64().unwrap());
        assert!((then - now).abs() < 5e-3, "{key}: {then} then, {now} now");
    }
    assert!(before == fs::read(dir.join("textures/epoch-0001/explanations/rollout.safetensors")).unwrap());
    succeed(dir, &["drift", "textures", "--epoch", "3"]);

    stripes(dir);
    succeed(dir, &["train", "--resume", "stripes"]);
    succeed(dir, &["train", "--resume", "stripes@2", "--run-dir", "branch", "--epochs", "3"]);
    assert!(dir.join("branch/epoch-0003/manifest.json").exists());
    let output = driftscope(dir, &["train", "--resume", "stripes@1"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && message.contains("no weights of epoch 1"), "{message}");
}

/// The generator here is that of the script beside the runs.
#[test]
fn the_pictures_are_the_ones_the_old_run_saw() {
    let bytes = picture(2, 6);
    assert_eq!((bytes.len(), &bytes[..2]), (54 + 3 * 40 * 32, &b"BM"[..]));
    // Bottom row, y = 31 and period 10: the fourth stripe, an odd one; light 170, 170 + 30 and 170 + 31.
    assert_eq!(bytes[54..57], [170, 200, 201]);
}
