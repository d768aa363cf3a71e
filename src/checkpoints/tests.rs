//! Small checkpoints of every producer and container, whole and damaged. `scripts/parity/foreign_goldens.py` made them with
//! PyTorch, and `scripts/parity/foreign_checkpoints.py` compares with what the producers themselves write.

use super::architecture::Architecture;
use super::bytes::Source;
use super::checkpoint::{Checkpoint, Taken};
use super::container::look;
use super::error::CheckpointError;
use super::facts::Counting;
use super::layout::Trait;
use super::recognise::format;
use std::fs;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/foreign").join(name)
}

fn open(name: &str) -> Checkpoint {
    Checkpoint::open(&golden(name)).unwrap()
}

/// The numbers of a golden, under `key`.
fn taken(name: &str, key: Option<&str>) -> Vec<Taken> {
    let checkpoint = open(name);
    let found = checkpoint.choose(key).unwrap();
    assert!(found.architecture().is_ok(), "{name}");
    found.read().unwrap()
}

fn refused(name: &str, key: Option<&str>) -> String {
    let checkpoint = match Checkpoint::open(&golden(name)) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return error.to_string(),
    };
    let found = checkpoint.choose(key);
    found.and_then(|found| found.architecture().and_then(|_| found.read())).unwrap_err().to_string()
}

#[test]
fn every_container_and_every_producers_names_give_the_same_numbers() {
    let (raw, average) = (taken("vit.safetensors", None), taken("vit_average.safetensors", None));
    for name in [
        "module.pth",
        "legacy.pth",
        "dump.pkl",
        "arrays.pkl",
        "oldest.pth",
        "shared.pth",
        "wrapper.pth",
        "strangers.pth",
        "teacher.pth",
        "trainer",
        "transformers5",
    ] {
        assert_eq!(taken(name, None), raw, "{name}");
    }
    for (name, key) in [
        ("timm.pth.tar", "state_dict"),
        ("torchvision.pth", "model"),
        ("lightning.ckpt", "current_model_state"),
        ("mmengine.pth", "ema_state_dict"),
    ] {
        assert_eq!(taken(name, Some(key)), raw, "{name}");
        assert_eq!(taken(name, None), average, "{name}");
        assert!(open(name).choose(None).unwrap().is_average() && !open(name).choose(Some(key)).unwrap().is_average());
    }
    assert_eq!(taken("swa.pth", None), average);
    assert_eq!(taken("examples.pth.tar", None), taken("resnet.safetensors", None));
}

#[test]
fn what_was_taken_can_be_said() {
    let checkpoint = open("teacher.pth");
    assert_eq!(checkpoint.keys(), ["state_dict.student", "state_dict.teacher"]);
    assert_eq!(taken("teacher.pth", Some("state_dict.teacher")), taken("vit_average.safetensors", None));
    let found = checkpoint.choose(None).unwrap();
    assert_eq!((found.key(), found.prefix(), found.names_of()), ("state_dict.student", "student.", Some("timm")));
    let checkpoint = open("legacy.pth");
    assert_eq!(checkpoint.choose(None).unwrap().prefix(), "module._orig_mod.");
    let checkpoint = open("lightning.ckpt");
    assert_eq!(checkpoint.choose(None).unwrap().dropped(), ["criterion.weight"]);
    let checkpoint = open("shared.pth");
    assert_eq!(checkpoint.keys(), ["best"], "one set of weights under two names");
    assert!(checkpoint.choose(Some("state_dict")).is_ok());
    let expected = Architecture::Vit {
        features: 6,
        depth: 1,
        patch: 4,
        image: 8,
        distilled: false,
        second_head: false,
        traits: Vec::<Trait>::new(),
        classes: 3,
    };
    assert_eq!(checkpoint.choose(None).unwrap().architecture().unwrap(), expected);
}

#[test]
fn what_is_beside_the_weights_is_kept() {
    let names = ["banded", "dotted", "knitted"].map(str::to_string);
    let facts = |name: &str| open(name).facts().clone();
    let timm = facts("timm.pth.tar");
    assert_eq!(
        (timm.producer.as_deref(), timm.epoch, timm.counting),
        (Some("timm"), Some(2.0), Some(Counting::FromZero))
    );
    assert_eq!((timm.metrics["metric"], timm.architecture.as_deref()), (71.5, Some("vit")));
    let images = timm.preprocessing.unwrap();
    assert_eq!(
        (images.size, images.crop, images.mean, images.deviation),
        (Some(8), Some(0.9), Some([0.5; 3]), Some([0.25; 3]))
    );
    let examples = facts("examples.pth.tar");
    assert_eq!((examples.counting, examples.metrics["best_acc1"]), (Some(Counting::Next), 71.5));
    let torchvision = facts("torchvision.pth").preprocessing.unwrap();
    assert_eq!((torchvision.size, torchvision.resize, torchvision.mean.unwrap()[0]), (Some(224), Some(256), 0.485));
    let mm = facts("mmengine.pth");
    assert_eq!(
        (mm.epoch, mm.counting, mm.step, mm.classes),
        (Some(3.0), Some(Counting::FromOne), Some(30), Some(names.to_vec()))
    );
    let lightning = facts("lightning.ckpt");
    assert_eq!(
        (lightning.producer.as_deref(), lightning.epoch, lightning.step),
        (Some("Lightning"), Some(4.0), Some(50))
    );
    let trainer = facts("trainer");
    assert_eq!((trainer.epoch, trainer.step, trainer.metrics["eval_accuracy"]), (Some(2.0), Some(20), 0.75));
    assert_eq!((trainer.classes, trainer.epsilon), (Some(names.to_vec()), Some(1e-12)));
    let images = trainer.preprocessing.unwrap();
    assert_eq!((images.squash, images.interpolation.as_deref()), (true, Some("bilinear")));
    let strangers = facts("strangers.pth");
    assert_eq!((strangers.epoch, strangers.counting), (Some(6.0), Some(Counting::Unknown)));
    assert_eq!((strangers.metrics["best_acc"], strangers.metrics["loss"]), (0.5, 0.25));
    assert_eq!(strangers.classes, Some(names.to_vec()));
}

#[test]
fn what_is_not_read_is_refused_by_name_and_with_a_way_out() {
    for (name, key, parts) in [
        ("two.pth", None, &["more than one", "--key student", "--key other"][..]),
        ("two.pth", Some("model"), &["under the key 'model'", "student, other"]),
        ("headless.pth", None, &["no head"]),
        ("two_layers.pth", None, &["classifier.0.weight", "one linear map"]),
        ("quantised.pth", None, &["head.weight", "quantised"]),
        ("swin.pth", None, &["Swin"]),
        ("trainer/config.json", None, &["JSON"]),
        ("", None, &["a folder without model.safetensors"]),
    ] {
        let message = refused(name, key);
        assert!(parts.iter().all(|part| message.contains(part)) && message.lines().count() == 1, "{name}: {message}");
        assert!(message.contains(name), "{message}");
    }
}

/// Opens bytes and reads whatever is in them; how many sets of weights could be read.
fn survive(bytes: Vec<u8>) -> Result<usize, CheckpointError> {
    let path = Path::new("broken.pth");
    let Some(format) = format(&bytes[..bytes.len().min(512)]) else { return Ok(0) };
    let contents = look(format, Source::memory(bytes)).map_err(|fault| fault.of(path, format.container()))?;
    let checkpoint = Checkpoint::of(path, contents);
    let mut read = 0;
    for key in checkpoint.keys() {
        let found = checkpoint.choose(Some(&key))?;
        let _ = found.architecture();
        let taken = found.read()?;
        assert!(taken.iter().all(|one| one.values.len() == one.shape.iter().product::<usize>()));
        read += 1;
    }
    Ok(read)
}

/// Cut at every byte, and every byte changed: an error of one line, or tensors that are what they claim. A panic would end this.
#[test]
fn damage_at_any_byte_is_survived() {
    // All bytes of one of each container; of larger ones every eleventh.
    for (name, step) in [
        ("legacy.pth", 1),
        ("arrays.pkl", 1),
        ("vit.safetensors", 1),
        ("swa.pth", 1),
        ("oldest.pth", 11),
        ("dump.pkl", 11),
        ("strangers.pth", 11),
        ("module.pth", 11),
    ] {
        let whole = fs::read(golden(name)).unwrap();
        assert!(survive(whole.clone()).unwrap() > 0, "{name}");
        let mut refused = 0;
        for at in (0..whole.len()).step_by(step) {
            let one_line = |bytes: Vec<u8>| match survive(bytes) {
                Ok(_) => 0,
                Err(error) => {
                    assert_eq!(error.to_string().lines().count(), 1, "{name} at {at}: {error}");
                    1
                }
            };
            refused += one_line(whole[..at].to_vec());
            let mut flipped = whole.clone();
            flipped[at] ^= if at % 2 == 0 { 0xff } else { 1 << (at / 2 % 8) };
            refused += one_line(flipped);
        }
        assert!(refused > whole.len() / step / 2, "{name}: {refused} of {} were refused", 2 * whole.len() / step);
    }
}

/// A byte of a tensor in an archive: its checksum tells.
#[test]
fn a_changed_number_in_an_archive_is_found_by_its_checksum() {
    let mut bytes = fs::read(golden("swa.pth")).unwrap();
    let number = fs::read(golden("vit_average.safetensors")).unwrap();
    let needle = &number[number.len() - 8..];
    let at = bytes.windows(8).position(|window| window == needle).unwrap();
    bytes[at] ^= 1;
    let message = survive(bytes).unwrap_err().to_string();
    assert!(message.contains("checksum") && message.contains("data/"), "{message}");
}

/// Shapes and headers that claim what no file holds.
#[test]
fn claims_beyond_the_file_are_refused_before_memory_is_taken() {
    let header = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &[0; 16]].concat();
    let one = |shape: &str, from: u64, to: u64| {
        header(&format!("{{\"w\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":[{from},{to}]}}}}"))
    };
    for (bytes, part) in [
        (one("[4294967296,4294967296,4294967296]", 0, 16), "a shape of"),
        (one("[4]", 8, 16), "expected from 0 on"),
        (one("[4]", 16, 0), "expected from 0 on"),
        (one("[1000000000000]", 0, 4_000_000_000_000), "cut off"),
        (one("[2]", 0, 8), "and 16 are there"),
        ([&99_999_999_u64.to_le_bytes()[..], b"{}"].concat(), "header claims 99999999 bytes"),
        (header("{\"a\":1}"), "header is not as it should be"),
        (header("{\"a\":{\"dtype\":\"Q7\",\"shape\":[4],\"data_offsets\":[0,16]}}"), "type Q7"),
    ] {
        let message = survive(bytes).unwrap_err().to_string();
        assert!(message.contains(part), "{part}: {message}");
    }
}
