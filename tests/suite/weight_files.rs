//! Files of weights as other programs leave them: the numbers are the same however they were saved, no file runs code, and
//! one that is broken is an error.
//!
//! `scripts/parity/checkpoints.py` made `tests/goldens/checkpoints` with PyTorch itself; number i of a tensor is i/8 − 1.

use crate::support::{Random, alone, driftscope, mutated};
use burn::tensor::Device;
use driftscope::models::ModelName;
use driftscope::weights::{self, HostTensor, StateDict};
use std::fs;
use std::path::{Path, PathBuf};

fn checkpoint(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/checkpoints").join(name)
}

fn read(name: &str) -> StateDict {
    weights::read(&checkpoint(name)).unwrap()
}

/// The numbers i/8 − 1 at `places`.
fn eighths(shape: &[usize], places: &[usize]) -> HostTensor {
    HostTensor { shape: shape.to_vec(), values: places.iter().map(|&place| place as f32 / 8.0 - 1.0).collect() }
}

fn plain() -> StateDict {
    let (weight, bias) = (eighths(&[2, 3], &[0, 1, 2, 3, 4, 5]), eighths(&[2], &[0, 1]));
    StateDict::from([("a.weight".to_string(), weight), ("a.bias".to_string(), bias)])
}

/// A counter of whole numbers, settings and an optimizer's state stand beside some of them and are left alone.
#[test]
fn a_checkpoint_gives_its_numbers_however_it_was_saved() {
    for name in ["plain.pth", "legacy.pth", "nested_model.pth", "nested_state_dict.pth"] {
        assert_eq!(read(name), plain(), "{name}");
    }
}

/// A module that was saved whole is its parameters and buffers. A fresh batch norm of PyTorch scales by 1 and shifts by 0, and
/// its running mean and variance begin at 0 and 1; its counter of batches is a whole number and left alone.
#[test]
fn a_module_that_was_saved_whole_gives_the_numbers_of_its_state_dict() {
    let constant = |value: f32| HostTensor { shape: vec![2], values: vec![value; 2] };
    let norm = [("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)];
    let norm = norm.map(|(name, value)| (format!("n.{name}"), constant(value)));
    assert_eq!(read("module.pth"), plain().into_iter().chain(norm).collect::<StateDict>());
}

/// On paper: the nearest float16 to a tenth is 1638/2¹⁴, the nearest bfloat16 205/2¹¹.
#[test]
fn other_precisions_become_float32_exactly() {
    for (name, tenth) in [("half.pth", 1638.0 / 16384.0), ("bfloat16.pth", 205.0 / 2048.0), ("double.pth", 0.1_f32)] {
        let mut found = read(name);
        assert_eq!(found.remove("tenth").unwrap().values, [tenth], "{name}");
        assert_eq!(found, plain(), "{name}");
    }
}

/// Views of a 4×6 matrix, and tensors whose rows do not lie one after another in the file.
#[test]
fn shared_and_strided_storage_is_read_as_pytorch_shows_it() {
    let (shared, all) = (read("shared.pth"), (0..24).collect::<Vec<_>>());
    assert_eq!(shared["whole"], eighths(&[4, 6], &all));
    assert_eq!(shared["same"], eighths(&[24], &all));
    assert_eq!(shared["rows"], eighths(&[2, 6], &all[6..18]));
    assert_eq!(shared["corner"], eighths(&[2, 2], &[16, 17, 22, 23]));
    let strided = read("strided.pth");
    assert_eq!(strided["transposed"], eighths(&[3, 2], &[0, 3, 1, 4, 2, 5]));
    assert_eq!(strided["stepped"], eighths(&[3], &[1, 4, 7]));
    assert_eq!(strided["channels_last"], eighths(&[1, 2, 2, 2], &all[..8]));
    assert_eq!(strided["expanded"], eighths(&[3, 2], &[0, 1, 0, 1, 0, 1]));
    let odd = read("odd_shapes.pth");
    assert_eq!((&odd["scalar"].values[..], &odd["parameter"]), (&[0.5][..], &eighths(&[2], &[0, 1])));
    assert_eq!(odd["empty"].values.len(), 0);
}

/// Unpickled by Python, these files would make one named driftscope-was-here.
#[test]
fn a_malicious_pickle_is_not_run() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["malicious.pth", "malicious_pickle.pth"] {
        fs::copy(checkpoint(name), dir.path().join(name)).unwrap();
        let arguments = ["train", "--model", "deit_mini", "--weights", name, "--run-dir", &format!("run of {name}")];
        let small = ["--set", "data.train_per_class=1", "--set", "data.val_per_class=1", "--epochs", "1"];
        let output = driftscope(dir.path(), &[&arguments[..], &small[..]].concat()).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(name) && !message.contains("panicked"), "{message}");
        assert!(!dir.path().join("driftscope-was-here").exists(), "{name} was run");
    }
}

/// An average and what it is of, in one file: the average is taken and said, and the other by its key.
#[test]
fn of_several_weights_the_average_is_taken_and_a_key_takes_another() {
    let _turn = alone();
    let (name, device) = (ModelName::DeitMini, Device::flex());
    let [raw, average] = [1, 2].map(|seed| weights::state_dict(&name.init(3, 0.0, seed, &device)));
    let prefixed = |prefix: &str, one: &StateDict| -> StateDict {
        one.iter().map(|(key, tensor)| (format!("{prefix}.{key}"), tensor.clone())).collect()
    };
    let both: StateDict = prefixed("net", &raw).into_iter().chain(prefixed("net_ema", &average)).collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("both.safetensors");
    fs::write(&path, weights::encode(&both, &[]).unwrap()).unwrap();
    for (key, expected) in [(None, &average), (Some("net"), &raw), (Some("net_ema"), &average)] {
        let imported = weights::import(name.init(3, 0.0, 9, &device), &path, key, &[]).unwrap();
        assert_eq!(weights::state_dict(&imported.model), *expected, "{key:?}");
        let notes = imported.origin.notes().join("; ");
        assert!(notes.contains("--key net") && notes.contains("cut"), "{notes}");
        assert_eq!(notes.contains("an average"), key != Some("net"), "{notes}");
    }
    let error = weights::import(name.init(3, 0.0, 9, &device), &path, Some("model"), &[]).unwrap_err().to_string();
    assert!(error.contains("'model'") && error.contains("net, net_ema"), "{error}");
}

/// A model of 7 classes into one of 10: all but the head is taken over, and the head keeps what was drawn.
#[test]
fn weights_of_another_number_of_classes_bring_everything_but_the_head() {
    let _turn = alone();
    let (dir, device) = (tempfile::tempdir().unwrap(), Device::flex());
    for (name, head) in [(ModelName::ResnetMini, "fc"), (ModelName::DeitMini, "head")] {
        let seven = weights::state_dict(&name.init(7, 0.0, 1, &device));
        let path = dir.path().join("seven.safetensors");
        fs::write(&path, weights::encode(&seven, &[("format", "pt")]).unwrap()).unwrap();
        let drawn = name.init(10, 0.0, 2, &device);
        let before = weights::state_dict(&drawn);
        let imported = weights::import(drawn, &path, None, &[]).unwrap();
        assert_eq!(imported.new_head, Some([7, 10]), "{name}");
        for (key, tensor) in weights::state_dict(&imported.model) {
            let expected = if key.starts_with(&format!("{head}.")) { &before } else { &seven };
            assert_eq!(tensor, expected[&key], "{name}: {key}");
        }
    }
}

/// A pattern that excuses nothing would hide that it was mistyped. One for a head that is replaced anyway is meant.
#[test]
fn a_pattern_that_excuses_nothing_is_refused_by_name() {
    let (dir, device) = (tempfile::tempdir().unwrap(), Device::flex());
    let name = ModelName::DeitMini;
    let mut seven = weights::state_dict(&name.init(7, 0.0, 1, &device));
    seven.remove("cls_token").unwrap();
    let path = dir.path().join("seven.safetensors");
    fs::write(&path, weights::encode(&seven, &[("format", "pt")]).unwrap()).unwrap();
    let import = |patterns: &[&str]| {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        weights::import(name.init(10, 0.0, 2, &device), &path, None, &patterns)
    };
    assert_eq!(import(&["cls_*", "head.*"]).unwrap().missing, ["cls_token"]);
    let error = import(&["cls_*", "layr4.*"]).unwrap_err().to_string();
    assert!(error.contains("'layr4.*'") && error.contains("seven.safetensors"), "{error}");
    assert!(import(&["cls_*", "blocks.*"]).unwrap_err().to_string().contains("'blocks.*'"), "all of them are there");
}

/// Whatever is wrong with it, a file is read or is an error that names it; a panic would end this test.
#[test]
fn files_with_anything_wrong_are_errors_and_never_panics() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole.safetensors");
    fs::write(&whole, weights::encode(&plain(), &[("format", "pt")]).unwrap()).unwrap();
    let mut random = Random::new(7);
    let (mut refused, names) = (0, ["plain.pth", "legacy.pth", "nested_model.pth", "shared.pth", "module.pth"]);
    for trial in 0..390 {
        let source = if trial % 3 == 0 { whole.clone() } else { checkpoint(names[trial % names.len()]) };
        let ending = source.extension().unwrap().to_str().unwrap();
        let path = dir.path().join(format!("broken.{ending}"));
        fs::write(&path, mutated(&fs::read(&source).unwrap(), &mut random)).unwrap();
        if let Err(error) = weights::read(&path) {
            assert!(error.to_string().contains("broken."), "{trial}: {error}");
            refused += 1;
        }
    }
    assert!(refused > 100, "{refused} of 390 were refused: they are broken");
}
