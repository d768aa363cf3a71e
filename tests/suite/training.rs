//! What a step of training may touch, and by how much.

use crate::support::{alone, driftscope, fast_device, minis, succeed};
use burn::module::Param;
use burn::tensor::Tensor;
use burn_train::Interrupter;
use driftscope::config::file::Settings;
use driftscope::config::{OptimizerConfig, OptimizerKind};
use driftscope::data::DataSet;
use driftscope::device::DeviceChoice;
use driftscope::models::{Model, NamedVisitor, Parameter};
use driftscope::progress::Progress;
use driftscope::run::{NextStep, RunDir, RunRecord};
use driftscope::train::{Ending, Optimizer, Ready, Setup, StepGradients, fit};
use driftscope::weights::{self, StateDict};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const TINY: &str =
    "epochs = 1\nbatch_size = 8\nseed = 1\nexplainers = []\n[data]\ntrain_per_class = 2\nval_per_class = 1\n";

/// Names of what differs between the ends of two epochs of a run.
fn changed(run: &Path, epochs: [usize; 2]) -> Vec<String> {
    let read = |epoch: usize| {
        let path = run.join(format!("epoch-{epoch:04}/model.safetensors"));
        weights::decode(&fs::read(&path).unwrap(), &path).unwrap().0
    };
    let [before, after] = epochs.map(read);
    let differs = |name: &&String| before[*name] != after[*name];
    before.keys().filter(differs).cloned().collect()
}

/// The run of [`TINY`] and `more` with one of the minis; what its first epoch changed.
fn changed_by(model: &str, more: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.toml"), format!("model = \"{model}\"\n{TINY}{more}")).unwrap();
    succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", "run"]);
    changed(&dir.path().join("run"), [0, 1])
}

/// Batch norm's running statistics, which no gradient reaches, stand still as well.
#[test]
fn with_the_head_alone_in_training_nothing_below_it_moves() {
    let _turn = alone();
    assert_eq!(changed_by("resnet_mini", "[freeze]\nhead_only_epochs = 1\n"), ["fc.bias", "fc.weight"]);
    assert_eq!(changed_by("deit_mini", "[freeze]\nhead_only_epochs = 1\n"), ["head.bias", "head.weight"]);
}

#[test]
fn frozen_batch_norm_stands_still_and_the_rest_learns() {
    let _turn = alone();
    let norm = |name: &String| name.contains("bn") || name.contains("downsample.1");
    let free = changed_by("resnet_mini", "");
    assert!(free.iter().any(|name| name.ends_with("running_var")) && free.iter().any(norm), "{free:?}");
    let frozen = changed_by("resnet_mini", "[freeze]\nbatch_norm = true\n");
    assert!(!frozen.iter().any(norm), "{frozen:?}");
    let rest: Vec<&String> = free.iter().filter(|name| !norm(name)).collect();
    assert_eq!(frozen.iter().collect::<Vec<_>>(), rest);
}

fn sum_of_parameters(model: &Model) -> Tensor<1> {
    struct Sum(Vec<Tensor<1>>);
    impl NamedVisitor for Sum {
        fn visit<const D: usize>(&mut self, _: Parameter, value: &Param<Tensor<D>>) {
            self.0.push(value.val().sum());
        }
    }
    let mut sum = Sum(Vec::new());
    model.visit_named(&mut sum);
    Tensor::cat(sum.0, 0).sum()
}

/// The state of a model after one step of plain gradient descent on the sum of all its parameters, whose gradient is one
/// everywhere, at a learning rate of one.
fn stepped(model: Model, layer_decay: f64) -> (StateDict, StateDict) {
    let before = weights::state_dict(&model);
    let method = OptimizerKind::Sgd { momentum: 0.0, nesterov: false };
    let config = OptimizerConfig { method, weight_decay: 0.0, layer_decay, ..OptimizerConfig::adamw(0.0) };
    let mut gradients = StepGradients::default();
    gradients.add(&model, sum_of_parameters(&model).backward());
    let model = Optimizer::new(config).step(model, &mut gradients, 1.0);
    (before, weights::state_dict(&model))
}

/// On paper: with a decay of a half, deit_mini's head (depth 5 of 5) moves by 1, its last block and final norm by 1/2, its
/// first block by 1/16 and its stem by 1/32.
#[test]
fn layer_decay_slows_each_block_by_its_depth() {
    let (device, _) = "flex".parse::<DeviceChoice>().unwrap().open().unwrap();
    let (_, model) = minis(&device.autodiff()).remove(1);
    let (before, after) = stepped(model, 0.5);
    for (name, share) in [
        ("head.weight", 1.0),
        ("norm.weight", 0.5),
        ("blocks.3.mlp.fc2.bias", 0.5),
        ("blocks.0.attn.qkv.weight", 1.0 / 16.0),
        ("patch_embed.proj.bias", 1.0 / 32.0),
        ("pos_embed", 1.0 / 32.0),
    ] {
        let moved = before[name].values.iter().zip(&after[name].values).map(|(before, after)| before - after);
        // Float32 keeps 24 bits of weights below 4.
        moved.for_each(|moved| assert!((moved - share).abs() < 1e-6, "{name} moved by {moved}"));
    }
}

/// Fifty epochs of fifty steps: the signal always comes in time. Between two epochs there is nothing to save.
#[test]
fn a_signal_saves_what_was_done_of_the_epoch_and_says_where_the_run_goes_on() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let config = format!("model = \"resnet_mini\"\n{TINY}").replace("epochs = 1", "epochs = 50");
    fs::write(dir.path().join("config.toml"), config.replace("train_per_class = 2", "train_per_class = 40")).unwrap();
    for signal in ["-INT", "-TERM"] {
        let path = dir.path().join(format!("run{signal}"));
        let arguments = ["train", "--config", "config.toml", "--run-dir", path.to_str().unwrap()];
        let mut command = driftscope(dir.path(), &arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while !path.join("epoch-0001/manifest.json").exists() {
            assert!(child.try_wait().unwrap().is_none(), "ended before its first epoch");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal}: {said}");

        let (run, _) = RunDir::open(&path).unwrap();
        let NextStep { epoch, steps_done } = run.newest().unwrap().unwrap().saved.position.next();
        assert!(
            epoch < 50 && said.contains(&format!("stopped at epoch {epoch}, step {steps_done};")),
            "{signal}: {said}"
        );
        assert_eq!(path.join("interrupted/manifest.json").exists(), steps_done > 0, "{signal}");
    }
}

/// An image that is whole when the run begins and damaged when its turn comes.
#[test]
fn an_image_that_cannot_be_read_any_more_ends_training_and_leaves_nothing_half_written() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    for (split, count) in [("train", 4), ("val", 1)] {
        for class in ["a", "b"] {
            let folder = dir.path().join("images").join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            for number in 0..count {
                let shade = if class == "a" { 40 * number } else { 255 - 40 * number };
                let pixel = |x: u32, y: u32| image::Rgb([shade, (7 * x) as u8, (5 * y) as u8]);
                image::RgbImage::from_fn(32, 32, pixel).save(folder.join(format!("{number}.png"))).unwrap();
            }
        }
    }
    let text = "model = \"deit_mini\"\nepochs = 2\nbatch_size = 2\nexplainers = []\n[panel]\nper_class = 1\n";
    fs::write(dir.path().join("config.toml"), text).unwrap();
    let mut settings = Settings::read(&dir.path().join("config.toml")).unwrap();
    settings.set("data.source", dir.path().join("images").to_str().unwrap()).unwrap();
    let config = settings.resolve().unwrap();
    let data = DataSet::quick(&config.data).unwrap();
    let setup = Setup { config, data, device: fast_device(), tensorboard: false };
    let (never, progress) = (Interrupter::new(), Progress::new());
    let begun = |name: &str| {
        let path = dir.path().join(name);
        let record = RunRecord::new(&path, setup.config.clone(), settings.clone(), &setup.data, "cpu".to_string());
        RunDir::create(&path, &record.unwrap(), &setup.data).unwrap()
    };
    let train = |run: &RunDir| {
        let ready = Ready::new(&setup, run.newest().unwrap(), &progress).unwrap();
        fit(run, &setup, ready, &never, &progress)
    };
    train(&begun("whole")).unwrap();

    let image = dir.path().join("images/train/b/2.png");
    let bytes = fs::read(&image).unwrap();
    fs::write(&image, &bytes[..bytes.len() / 2]).unwrap();
    let run = begun("run");
    let message = train(&run).unwrap_err().to_string();
    assert!(message.contains("train/b/2.png") && message.contains("cannot be read"), "{message}");
    let mut names: Vec<String> = fs::read_dir(run.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["epoch-0000", "lock", "metrics.csv", "metrics.jsonl", "panel", "run.json"]);

    // Put back, it is learned from as if nothing had happened.
    fs::write(&image, bytes).unwrap();
    assert!(matches!(train(&run).unwrap(), Ending::Finished { last: 2, .. }));
    let model = |run: &str| fs::read(dir.path().join(run).join("epoch-0002/model.safetensors")).unwrap();
    assert!(model("run") == model("whole"));
}

/// A limit on the size of files stands for a full disk: the optimizer's moments, which epoch 0 has none of, do not fit.
#[test]
fn a_full_disk_ends_the_run_with_the_file_named_and_the_last_epoch_whole() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config.toml"), format!("model = \"resnet_mini\"\n{TINY}")).unwrap();
    succeed(dir.path(), &["train", "--config", "config.toml", "--run-dir", "whole"]);
    let model = fs::metadata(dir.path().join("whole/epoch-0001/model.safetensors")).unwrap().len();
    let optimizer = fs::metadata(dir.path().join("whole/epoch-0001/optimizer.safetensors")).unwrap().len();
    assert!(optimizer > model + 4096, "{model} and {optimizer} bytes");

    let binary = env!("CARGO_BIN_EXE_driftscope");
    let limit = model / 512 + 4; // of 512 bytes each, as sh counts them
    let limited = format!("trap '' XFSZ; ulimit -f {limit}; exec {binary} train --config config.toml --run-dir run");
    let output = Command::new("sh").args(["-c", &limited]).current_dir(dir.path()).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("optimizer.safetensors") && !message.contains("panicked"), "{message}");
    assert!(!dir.path().join("run/epoch-0001").exists());

    succeed(dir.path(), &["train", "--resume", "run"]);
    let bytes = |run: &str| fs::read(dir.path().join(run).join("epoch-0001/model.safetensors")).unwrap();
    assert!(bytes("run") == bytes("whole"));
}

/// Event files are a mirror of the sealed epochs: scalars and figures by tag; a resumed run goes on in a file of its own.
#[test]
fn tensorboard_gets_curves_and_figures_while_the_run_goes_on() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let text = TINY.replace("explainers = []\n", "") + "[panel]\nper_class = 1\noverlays = 1\n";
    fs::write(dir.path().join("config.toml"), format!("model = \"resnet_mini\"\n{text}")).unwrap();
    let train = |more: &[&str]| succeed(dir.path(), &[&["train", "--config", "config.toml"], more].concat());
    let files = |run: &str| -> Vec<Vec<u8>> {
        let folder = dir.path().join(run).join("tensorboard");
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
    };
    let holds = |file: &[u8], tag: &str| file.windows(tag.len()).any(|window| window == tag.as_bytes());

    train(&["--run-dir", "without"]);
    assert!(files("without").is_empty());
    train(&["--run-dir", "with", "--tensorboard"]);
    let written = files("with");
    assert_eq!(written.len(), 1);
    for tag in ["loss/val", "accuracy/train", "learning rate", "evidence/textures-"] {
        assert!(holds(&written[0], tag), "{tag}");
    }

    // A fork goes on from epoch 0 and drifts against nothing yet; in place nothing is left to do, so nothing is added.
    succeed(dir.path(), &["train", "--resume", "with@0", "--run-dir", "fork", "--tensorboard", "--epochs", "2"]);
    let forked = files("fork");
    assert_eq!(forked.len(), 1);
    assert!(holds(&forked[0], "drift/grad-cam/label/spearman to previous"), "epoch 2 against epoch 1");
    assert!(dir.path().join("fork/epoch-0002/manifest.json").exists());
}

/// At a learning rate that changes no float32 worth mentioning the evidence is still and the accuracy where it was, so a run
/// that may stop then does; and not before so many epochs have shown it. Resumed, from its end or from before, it says the same.
#[test]
fn a_run_stops_when_accuracy_and_evidence_stand_still() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let text = TINY.replace("explainers = []\n", "").replace("epochs = 1", "epochs = 6") + "[panel]\nper_class = 1\n";
    // Frozen statistics too: they would move with the data.
    let text = format!("model = \"resnet_mini\"\n{text}[freeze]\nbatch_norm = true\n");
    fs::write(dir.path().join("config.toml"), text).unwrap();
    let arguments = ["train", "--config", "config.toml", "--run-dir", "run", "--lr", "1e-9", "--stop-when-stable", "2"];
    let progress = String::from_utf8(succeed(dir.path(), &arguments).stderr).unwrap();
    let sealed = |epoch: usize| dir.path().join(format!("run/epoch-{epoch:04}/manifest.json")).exists();
    // Epoch 1 is the first that is evidence, and two epochs must follow it.
    assert_eq!([3, 4].map(sealed), [true, false], "{progress}");
    assert!(progress.contains("stopped early after epoch 3"), "{progress}");

    let state = || fs::read(dir.path().join("run/epoch-0003/state.json")).unwrap();
    let before = state();
    for from in ["run", "run@2"] {
        let progress = String::from_utf8(succeed(dir.path(), &["train", "--resume", from]).stderr).unwrap();
        assert!(progress.contains("stopped early after epoch 3"), "{from}: {progress}");
        assert_eq!([3, 4].map(sealed), [true, false], "{from}: {progress}");
        assert!(state() == before, "{from}: another position, or another answer, than in one go");
    }
}
