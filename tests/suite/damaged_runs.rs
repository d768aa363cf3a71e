//! Runs whose files are not what they were: read, or refused with an error, and never a panic.

use crate::support::{Random, alone, driftscope, mutated, succeed};
use burn::tensor::Device;
use driftscope::drift::{Options, analyse};
use driftscope::report::{PageOptions, html};
use driftscope::run::{Which, reopen};
use driftscope::store::RunReader;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn small_run(dir: &Path) {
    let text = "model = \"resnet_mini\"\nepochs = 2\nbatch_size = 8\n[data]\ntrain_per_class = 1\nval_per_class = 1\n\
                [panel]\nper_class = 1\noverlays = 0\n[optimizer]\nkind = \"sgd\"\n[checkpoints]\nkeep_best = 0\nkeep_last = 1\n";
    fs::write(dir.join("small.toml"), text).unwrap();
    succeed(dir, &["train", "--config", "small.toml", "--run-dir", "run"]);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// One node of parsed JSON becomes something else.
fn changed(value: &mut Value, random: &mut Random) {
    let strange = [
        Value::Null,
        (-1).into(),
        u64::MAX.into(),
        1e308.into(),
        "".into(),
        "../é\n".into(),
        Value::Array(Vec::new()),
        serde_json::json!({"a": [0]}),
        true.into(),
    ];
    let inner: Vec<&mut Value> = match value {
        Value::Object(object) => object.values_mut().collect(),
        Value::Array(array) => array.iter_mut().collect(),
        _ => Vec::new(),
    };
    let count = inner.len();
    match inner.into_iter().nth(if count > 0 { random.below(count) } else { 0 }) {
        Some(inner) if random.below(4) > 0 => changed(inner, random),
        Some(inner) => *inner = strange[random.below(strange.len())].clone(),
        None => *value = strange[random.below(strange.len())].clone(),
    }
}

/// The digest of a changed file, so that what lies behind the check is reached too.
fn seal_again(path: &Path) {
    let Some(epoch) = path.ancestors().find(|folder| folder.join("manifest.json").exists()) else { return };
    let manifest = epoch.join("manifest.json");
    let name = path.strip_prefix(epoch).unwrap().to_str().unwrap();
    let (Ok(text), Ok(bytes)) = (fs::read_to_string(&manifest), fs::read(path)) else { return };
    let Ok(mut value) = serde_json::from_str::<Value>(&text) else { return };
    if let Some(entry) = value.pointer_mut(&format!("/files/{}", name.replace('/', "~1"))) {
        *entry = serde_json::json!({"bytes": bytes.len(), "sha256": driftscope::fsx::sha256_hex(&bytes)});
        fs::write(&manifest, serde_json::to_vec(&value).unwrap()).unwrap();
    }
}

/// All that drift, report and eval do with a run but to print; whether it could be done.
fn looked_at(run: &Path, device: &Device) -> [Result<(), String>; 3] {
    let options = Options { resamples: 20, ..Options::default() };
    let reader = || RunReader::open(run).map_err(|error| error.to_string());
    [
        reader().and_then(|reader| analyse(&reader, &options).map(drop).map_err(|error| error.to_string())),
        reader()
            .and_then(|reader| html(&[reader], &PageOptions::default()).map(drop).map_err(|error| error.to_string())),
        reopen(run, Which::Newest, false, device).map(drop).map_err(|error| error.to_string()),
    ]
}

/// A panic anywhere would end this test, and so would an error without a word.
#[test]
fn a_run_with_anything_wrong_in_it_is_read_or_refused_and_never_a_panic() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    small_run(dir.path());
    let (run, device) = (dir.path().join("run"), Device::flex());
    let every: Vec<PathBuf> = files(&run).into_iter().filter(|path| !path.ends_with("lock")).collect();
    assert!(looked_at(&run, &device).iter().all(Result::is_ok), "whole to begin with");
    let (mut random, mut refused) = (Random::new(11), 0);
    for trial in 0..150 {
        let path = &every[random.below(every.len())];
        let (before, epoch) = (fs::read(path).unwrap(), path.ancestors().nth(1).unwrap());
        let manifest = [epoch, epoch.parent().unwrap()].map(|folder| folder.join("manifest.json"));
        let sealed: Vec<_> =
            manifest.iter().filter(|path| path.exists()).map(|path| (path, fs::read(path).unwrap())).collect();
        let json = path.extension().is_some_and(|ending| ending == "json");
        match random.below(6) {
            0 => fs::remove_file(path).unwrap(),
            1 => fs::write(path, fs::read(&every[random.below(every.len())]).unwrap()).unwrap(),
            2..=4 if json => {
                let mut value = serde_json::from_slice(&before).unwrap();
                changed(&mut value, &mut random);
                fs::write(path, serde_json::to_vec(&value).unwrap()).unwrap();
            }
            _ => fs::write(path, mutated(&before, &mut random)).unwrap(),
        }
        if random.below(2) == 0 {
            seal_again(path);
        }
        for result in looked_at(&run, &device) {
            refused += usize::from(result.as_ref().is_err_and(|error| {
                assert!(!error.is_empty(), "trial {trial}: {}", path.display());
                true
            }));
        }
        fs::write(path, before).unwrap();
        sealed.into_iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    }
    assert!(refused > 50, "{refused} of 450 were refused: many are broken");
    assert!(looked_at(&run, &device).iter().all(Result::is_ok), "whole again");
}

/// As a person meets it: one error that names the file, and nothing written.
#[test]
fn the_commands_name_the_damaged_file() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    small_run(dir.path());
    let maps = "run/epoch-0002/explanations/grad-cam.safetensors";
    for (name, arguments) in [
        (maps, &["drift", "run"][..]),
        (maps, &["report", "run", "--out", "page.html"]),
        (maps, &["eval", "run"]),
        (maps, &["export", "run", "out.safetensors"]),
        ("run/run.json", &["drift", "run"]),
        ("run/run.json", &["eval", "run"]),
        ("run/epoch-0002/metrics.json", &["report", "run", "--out", "page.html"]),
        ("run/epoch-0002/model.safetensors", &["explain", "run", "--out", "seen"]),
        ("run/epoch-0002/manifest.json", &["train", "--resume", "run"]),
    ] {
        let path = dir.path().join(name);
        let before = fs::read(&path).unwrap();
        fs::write(&path, &before[..before.len() / 2]).unwrap();
        let output = driftscope(dir.path(), arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}, {arguments:?}: {message}");
        let file = Path::new(name).file_name().unwrap().to_str().unwrap();
        assert!(message.contains(file) && !message.contains("panicked"), "{name}, {arguments:?}: {message}");
        fs::write(&path, before).unwrap();
    }
    assert!(["page.html", "out.safetensors", "seen"].iter().all(|name| !dir.path().join(name).exists()));
}
