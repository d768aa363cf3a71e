//! Files of weights as they are found in the world: what they are is said, what does not fit is listed, and none panics.

use crate::support::{driftscope, fast_device};
use driftscope::models::{Model, ModelName};
use driftscope::weights::{HostTensor, StateDict, encode, import, read, state_dict};
use std::fs;
use std::path::Path;

fn model() -> Model {
    ModelName::DeitMini.init(10, 0.0, 1, &fast_device())
}

/// What is said of a file that holds these bytes.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    let error = import(model(), &path, None, &[]).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    let message = format!("{error} {source}");
    assert!(message.contains(name), "{message}");
    message
}

#[test]
fn a_prefix_is_cut_and_said_and_what_does_not_fit_is_named() {
    let own = state_dict(&model());
    let prefixed: StateDict = own.iter().map(|(name, one)| (format!("module.{name}"), one.clone())).collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    fs::write(&path, encode(&prefixed, &[]).unwrap()).unwrap();
    let imported = import(model(), &path, None, &[]).unwrap();
    assert_eq!(state_dict(&imported.model), own);
    assert_eq!(imported.origin.notes(), ["'module.' cut from the beginning of every name"]);
    let other = state_dict(&ModelName::ResnetMini.init(10, 0.0, 1, &fast_device()));
    let message = refusal("r.safetensors", &encode(&other, &[]).unwrap());
    for part in
        [" missing (", " unexpected (bn1.bias", "holds a ResNet of bottleneck blocks [1, 1, 1, 1]", "10 classes"]
    {
        assert!(message.contains(part), "{part} is missing from: {message}");
    }
}

#[test]
fn a_number_that_is_none_is_refused_with_its_tensor() {
    let mut tensors = state_dict(&model());
    for (name, at, value) in [("norm.bias", 3, f32::NAN), ("norm.bias", 4, f32::INFINITY), ("head.bias", 0, f32::NAN)] {
        tensors.get_mut(name).unwrap().values[at] = value;
    }
    let count = tensors["head.bias"].values.len();
    let message = refusal("w.safetensors", &encode(&tensors, &[]).unwrap());
    assert!(message.contains(&format!("head.bias holds 1 of {count} numbers")), "{message}");
    assert!(message.contains("1 other tensor"), "{message}");
}

#[test]
fn the_content_decides_and_not_the_name() {
    let bytes = encode(&state_dict(&model()), &[]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for name in ["w.ckpt", "w.pth.tar", "weights", "w.pth"] {
        fs::write(dir.path().join(name), &bytes).unwrap();
        import(model(), &dir.path().join(name), None, &[]).unwrap();
    }
    let archive = checkpoint(&[1.0, 2.0, 3.0]);
    for name in ["p.pth.tar", "p.ckpt", "p.safetensors", "p"] {
        fs::write(dir.path().join(name), &archive).unwrap();
        assert_eq!(read(&dir.path().join(name)).unwrap()["w"].values, [1.0, 2.0, 3.0]);
    }
    assert!(refusal("w.pth", b"version https://git-lfs.github.com/spec/v1\n").contains("git lfs pull"));
    assert!(refusal("w.safetensors", b"<html>").contains("HTML"));
    assert!(refusal("w.npz", &zip(&[("a.npy", b"\x93NUMPY")])).contains("NumPy arrays (.npz)"));
    assert!(refusal("w.zip", &zip(&[("a.txt", b"text")])).contains("a ZIP archive without a pickle"));
}

/// `torch.save({"w": torch.tensor(values)})`, written out by hand: a pickle that builds the tensor over storage 0, and the
/// storage, in a ZIP archive.
fn checkpoint(values: &[f32]) -> Vec<u8> {
    let count = values.len() as u8;
    let mut pickle =
        b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n".to_vec();
    pickle.extend(b"X\x01\0\0\x000X\x03\0\0\0cpu");
    pickle.extend([b'K', count, b't', b'Q', b'K', 0, b'K', count, 0x85, b'K', 1, 0x85, 0x89]);
    pickle.extend(b"ccollections\nOrderedDict\n)RtRs.");
    let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    zip(&[("a/data.pkl", &pickle), ("a/byteorder", b"little"), ("a/data/0", &data), ("a/version", b"3\n")])
}

/// A ZIP archive of files that are stored as they are. A checksum of 0 is one that was never computed.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let (length, offset) = (bytes.len() as u32, archive.len() as u32);
        let mut fields = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // version, flags, method, time, date
        fields.extend(0_u32.to_le_bytes());
        fields.extend([length, length].iter().flat_map(|length| length.to_le_bytes()));
        fields.extend([name.len() as u16, 0].iter().flat_map(|length| length.to_le_bytes()));
        archive.extend(b"PK\x03\x04");
        archive.extend(&fields);
        archive.extend(name.as_bytes());
        archive.extend(*bytes);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&fields);
        directory.extend([0; 10]); // comment, disk, attributes
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (count, length, offset) = (files.len() as u16, directory.len() as u32, archive.len() as u32);
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([count, count].iter().flat_map(|count| count.to_le_bytes()));
    archive.extend([length, offset].iter().flat_map(|number| number.to_le_bytes()));
    archive.extend([0; 2]);
    archive
}

/// Numbers that look random and are the same everywhere.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

/// Reads a file of each of these damaged copies: an error or tensors that are what they claim, never a panic.
fn mutated(path: &Path, whole: &[u8], rounds: usize, seed: u64) {
    let mut state = seed;
    for _ in 0..rounds {
        let mut bytes = whole.to_vec();
        match random(&mut state) % 4 {
            0 => bytes.truncate(random(&mut state) % whole.len()),
            1 => {
                let at = random(&mut state) % whole.len();
                bytes[at..].iter_mut().take(8).for_each(|byte| *byte = 0xFF);
            }
            _ => {
                for _ in 0..=random(&mut state) % 4 {
                    let at = random(&mut state) % whole.len();
                    bytes[at] = random(&mut state) as u8;
                }
            }
        }
        fs::write(path, &bytes).unwrap();
        match read(path) {
            Ok(tensors) => {
                for tensor in tensors.values() {
                    assert_eq!(tensor.values.len(), tensor.shape.iter().product::<usize>());
                }
            }
            Err(error) => assert!(error.to_string().contains(&path.display().to_string()), "{error}"),
        }
    }
}

#[test]
fn damaged_files_of_weights_are_errors_that_name_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let tensor = |length: usize| HostTensor { shape: vec![length], values: vec![1.5; length] };
    let tensors: StateDict = (1..6).map(|length| (format!("layer.{length}"), tensor(length))).collect();
    mutated(&dir.path().join("w.safetensors"), &encode(&tensors, &[("format", "pt")]).unwrap(), 3000, 1);
    mutated(&dir.path().join("w.pth"), &checkpoint(&[1.0, 2.0, 3.0]), 3000, 2);
}

#[test]
fn a_header_that_claims_more_than_there_is_allocates_nothing() {
    let header = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &[0; 16]].concat();
    let of = |shape: &str, from: u64, to: u64| {
        format!("{{\"w\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":[{from},{to}]}}}}")
    };
    for bytes in [
        u64::MAX.to_le_bytes().to_vec(),
        [&u64::MAX.to_le_bytes()[..], b"{}"].concat(),
        [&99_999_999_u64.to_le_bytes()[..], b"{}"].concat(),
        header(&of("[4294967296, 4294967296, 4294967296]", 0, 16)),
        header(&of("[18446744073709551615]", 0, 16)),
        header(&of("[4]", 8, 16)),
        header(&of("[4]", 16, 0)),
        header(&of("[1000000000000]", 0, 4_000_000_000_000)),
        header(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},\"b\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        ),
    ] {
        refusal("w.safetensors", &bytes);
    }
    // A storage of one number, seen as a tensor of 2^31 by a step of 0.
    let mut pickle =
        b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n".to_vec();
    pickle.extend(b"X\x01\0\0\x000X\x03\0\0\0cpuK\x01tQK\0\x8a\x05\0\0\0\x80\0\x85K\0\x85\x89");
    pickle.extend(b"ccollections\nOrderedDict\n)RtRs.");
    let message = refusal("w.pth", &zip(&[("a/data.pkl", &pickle), ("a/data/0", &[0; 4])]));
    assert!(message.contains("claims a shape of [2147483648]"), "{message}");
}

#[test]
fn weights_that_are_not_there_are_named_by_the_repository_of_the_model() {
    let dir = tempfile::tempdir().unwrap();
    for spec in ModelName::ALL.map(ModelName::spec) {
        let Some(repository) = spec.repository else { continue };
        let arguments = ["train", "--model", spec.name, "--data", "textures", "--run-dir", "run"];
        let output = driftscope(dir.path(), &arguments).env("HF_HUB_CACHE", dir.path()).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        let url = format!("https://huggingface.co/{repository}/resolve/main/model.safetensors");
        assert!(output.status.code() == Some(1) && message.contains(&url), "{message}");
    }
}

#[test]
fn a_cache_that_cannot_be_read_is_not_one_that_lacks_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let said = |cache: &Path| {
        let arguments = ["train", "--model", "deit_tiny", "--data", "textures", "--run-dir", "run"];
        let output = driftscope(dir.path(), &arguments).env("HF_HUB_CACHE", cache).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(!dir.path().join("run").exists());
        String::from_utf8(output.stderr).unwrap()
    };
    let cache = dir.path().join("cache");
    let message = said(&cache);
    assert!(message.contains("download https://"), "{message}");
    let repository = cache.join("models--timm--deit_tiny_patch16_224.fb_in1k");
    fs::create_dir_all(&repository).unwrap();
    fs::write(repository.join("snapshots"), "a file where a folder should be").unwrap();
    let message = said(&cache);
    assert!(message.contains("cannot list") && !message.contains("download"), "{message}");
}
