//! Training in bfloat16: what it changes, what it leaves alone, and where it is refused.

#![cfg(feature = "libtorch")]

use crate::support::{alone, driftscope, minis, numbers, pseudo_random, succeed};
use burn::module::Param;
use burn::tensor::{Device, Gradients, Tensor};
use driftscope::device::DeviceChoice;
use driftscope::models::{Mode, Model, NamedVisitor, Parameter, Taps};
use driftscope::ops;
use driftscope::precision::Precision;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn cpu() -> Device {
    DeviceChoice::Cpu.open().unwrap().0
}

/// Logits of a training pass and the gradient of every parameter, of a scalar that weighs every logit differently.
fn pass(model: &Model, precision: Precision, device: &Device) -> (Vec<f32>, BTreeMap<String, Vec<f32>>) {
    struct Collect(Gradients, BTreeMap<String, Vec<f32>>);
    impl NamedVisitor for Collect {
        fn visit<const D: usize>(&mut self, at: Parameter, value: &Param<Tensor<D>>) {
            if let Some(gradient) = value.val().grad(&self.0) {
                assert_eq!(gradient.dtype(), value.val().dtype(), "{}", at.name);
                self.1.insert(at.name, numbers(&gradient));
            }
        }
    }
    let images = pseudo_random([4, 3, 96, 96], 5, device);
    let mode = Mode { precision, ..Mode::train(0) };
    let logits = model.forward(images, mode, &mut Taps::none());
    let gradients = (logits.clone() * pseudo_random(logits.dims(), 7, device)).sum().backward();
    let mut collect = Collect(gradients, BTreeMap::new());
    model.visit_named(&mut collect);
    (numbers(&logits.inner()), collect.1)
}

/// The cosine of the angle between two vectors.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Each of the few dozen products on the way rounds its inputs by at most 2⁻⁹, in directions of their own: a per cent or two in
/// all, so gradients of the whole point the same way. A product that was left out, or a cast of a parameter that is not undone,
/// would turn them.
#[test]
fn in_bf16_a_model_answers_and_learns_nearly_the_same_and_its_gradients_are_float32() {
    let _turn = alone();
    let device = cpu();
    for (name, model) in minis(&device.clone().autodiff()) {
        let [(exact, expected), (rounded, found)] =
            [Precision::F32, Precision::Bf16].map(|precision| pass(&model, precision, &device));
        assert!(cosine(&exact, &rounded) > 0.999, "{name}: logits, {}", cosine(&exact, &rounded));
        assert_ne!(exact, rounded, "{name}: nothing was rounded");
        assert!(expected.keys().eq(found.keys()), "{name}");
        let all = |gradients: &BTreeMap<String, Vec<f32>>| gradients.values().flatten().copied().collect::<Vec<f32>>();
        assert!(cosine(&all(&expected), &all(&found)) > 0.995, "{name}: {}", cosine(&all(&expected), &all(&found)));
    }
}

/// `tf32` is a switch of a GPU and changes no byte elsewhere.
#[test]
fn on_a_cpu_tf32_is_float32() {
    let _turn = alone();
    let device = cpu();
    for (name, model) in minis(&device.clone().autodiff()) {
        let exact = pass(&model, Precision::F32, &device);
        let products = ops::begin(Precision::Tf32);
        assert_eq!(pass(&model, Precision::Tf32, &device), exact, "{name}");
        drop(products);
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn config(dir: &Path) {
    let text = "model = \"deit_mini\"\nepochs = 2\nbatch_size = 8\nseed = 1\n[data]\ntrain_per_class = 2\nval_per_class = 1\n\
                [panel]\nper_class = 1\noverlays = 0\n";
    fs::write(dir.join("config.toml"), text).unwrap();
}

/// The precision is a setting like any other: kept by the run, in every epoch, and by whoever resumes; a branch may have another.
/// A run that is resumed ends in the same bytes.
#[test]
fn a_run_records_its_precision_and_keeps_it() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    config(dir.path());
    let train = |more: &[&str]| {
        succeed(dir.path(), &[&["train", "--config", "config.toml", "--device", "cpu"][..], more].concat())
    };
    train(&["--precision", "bf16", "--run-dir", "a"]);
    train(&["--precision", "bf16", "--run-dir", "b"]);
    train(&["--run-dir", "exact"]);
    let at = |path: &str| dir.path().join(path);
    assert_eq!(json(&at("a/run.json"))["config"]["precision"], "bf16");
    assert_eq!(json(&at("exact/run.json"))["config"]["precision"], "f32");
    let recorded = |run: &str| json(&at(&format!("{run}/epoch-0002/metrics.json")))["training"]["precision"].clone();
    assert_eq!((recorded("a"), recorded("exact")), ("bf16".into(), "f32".into()));

    let model = |run: &str| fs::read(at(&format!("{run}/epoch-0002/model.safetensors"))).unwrap();
    assert_ne!(model("a"), model("exact"), "nothing was rounded");
    fs::remove_file(at("config.toml")).unwrap();
    succeed(dir.path(), &["train", "--resume", "b@1", "--device", "cpu"]);
    assert_eq!(model("b"), model("a"));
    assert_eq!(json(&at("b/run.json"))["config"]["precision"], "bf16");

    // Others than the run's only in a branch.
    let refused = driftscope(dir.path(), &["train", "--resume", "b@1", "--precision", "f32"]).output().unwrap();
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && message.contains("precision: \"bf16\" there, \"f32\" here"), "{message}");
    succeed(dir.path(), &["train", "--resume", "b@1", "--precision", "f32", "--run-dir", "branch", "--device", "cpu"]);
    assert_eq!(recorded("branch"), "f32");

    // What an epoch says of its accuracy is what is found again, in the run's precision unless another is asked for.
    let eval = |run: &str, more: &[&str]| -> Value {
        let asked = [&["eval", run, "--split", "val", "--device", "cpu", "--format", "json"][..], more].concat();
        serde_json::from_slice(&succeed(dir.path(), &asked).stdout).unwrap()
    };
    let of_epoch = json(&at("a/epoch-0002/metrics.json"))["training"]["val_loss"].clone();
    assert_eq!(eval("a", &[])["loss"], of_epoch);
    assert_eq!(eval("a", &[])["precision"], "bf16");
    assert_ne!(eval("a", &["--precision", "f32"])["loss"], of_epoch);
}

#[test]
fn a_precision_that_the_device_has_not_is_refused_before_anything_is_written() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    config(dir.path());
    for (device, precision, expected) in [
        ("flex", "bf16", "flex computes in f32 only"),
        ("cpu", "tf32", "only a GPU has it"),
        ("flex", "tf32", "only a GPU has it"),
        ("cpu", "fp8", "fp8"),
    ] {
        let arguments =
            ["train", "--config", "config.toml", "--device", device, "--precision", precision, "--run-dir", "run"];
        let output = driftscope(dir.path(), &arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{device} {precision}: {message}");
        assert!(message.contains(expected), "{device} {precision}: {message}");
        assert!(!dir.path().join("run").exists());
    }
}
