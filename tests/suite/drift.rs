//! Drift, planted and found: a head that is swapped between two epochs, and a checkpoint beside its copy. And the commands
//! that say so. (That maps which have nothing in common are at chance is a test of `src/drift`.)

use crate::support::{alone, driftscope, fast_device, minis, succeed};
use burn::tensor::Device;
use driftscope::data::textures;
use driftscope::drift::{Against, Options, analyse};
use driftscope::explain::Explainer;
use driftscope::measure::Measure;
use driftscope::models::{Group, Model, ModelName};
use driftscope::picture::{Normalisation, Picture};
use driftscope::probe::{Images, Part, Question, causes, look};
use driftscope::store::{Explanations, Manifest, RunReader, epoch_dir_name, panel_image_name};
use driftscope::weights::{load_state_dict, state_dict};
use serde_json::json;
use std::fs;
use std::path::Path;

const CLASSES: usize = 10;

fn class_names() -> Vec<String> {
    textures::CLASSES.iter().map(|class| class.to_string()).collect()
}

/// Two pictures a class, drawn with the textures' own generator.
fn images(side: usize) -> Images {
    let picture = |index: usize| Picture::new(side, side, textures::draw(index / 2, index as u64, side).pixels);
    let pictures: Vec<Picture> = (0..2 * CLASSES).map(picture).collect();
    let ids = (0..pictures.len()).map(|index| format!("texture {index}")).collect();
    let labels = (0..pictures.len()).map(|index| Some(index / 2)).collect();
    Images::new("textures".to_string(), ids, labels, pictures, Normalisation::IMAGENET, 0)
}

fn question(methods: &[&str]) -> Question {
    let explainers: Vec<Explainer> = methods.iter().map(|method| method.parse().unwrap()).collect();
    Question::new(explainers, &["label".to_string()], &class_names()).unwrap()
}

/// A run directory of these epochs, from 1 on, as training would leave one.
fn write_run(dir: &Path, images: &Images, epochs: &[Vec<Explanations>], accuracy: f64) {
    let labels: Vec<usize> = images.labels.iter().map(|label| label.unwrap()).collect();
    let panel = json!({ "digest": images.digest, "ids": images.ids, "labels": labels });
    let run =
        json!({ "name": dir.file_name().unwrap().to_str(), "model": "mini", "classes": class_names(), "panel": panel });
    fs::create_dir_all(dir.join("panel")).unwrap();
    fs::write(dir.join("run.json"), run.to_string()).unwrap();
    for (index, picture) in images.pictures.iter().enumerate() {
        let (width, height) = (picture.width() as u32, picture.height() as u32);
        let image = image::RgbImage::from_raw(width, height, picture.pixels().to_vec()).unwrap();
        image.save(dir.join(panel_image_name(index))).unwrap();
    }
    for (index, seen) in epochs.iter().enumerate() {
        let epoch = dir.join(epoch_dir_name(index + 1));
        fs::create_dir_all(epoch.join("explanations")).unwrap();
        for one in seen {
            fs::write(epoch.join(format!("explanations/{}.safetensors", one.explainer)), one.encode().unwrap())
                .unwrap();
        }
        let training = json!({ "val_loss": 1.0, "val_accuracy": accuracy, "seconds": 1.0,
            "train_loss": 1.0, "train_accuracy": accuracy, "learning_rate": 0.001 });
        fs::write(epoch.join("metrics.json"), json!({ "epoch": index + 1, "training": training }).to_string()).unwrap();
        Manifest::seal_dir(&epoch).unwrap();
    }
}

/// The model with the head of another.
fn with_head(model: &Model, other: &Model) -> Model {
    let mut tensors = state_dict(model);
    let head = other.parameters().into_iter().filter(|parameter| parameter.group == Group::Head);
    let drawn = state_dict(other);
    tensors.extend(head.map(|parameter| (parameter.name.clone(), drawn[&parameter.name].clone())));
    load_state_dict(model.clone(), tensors, Path::new("planted")).unwrap()
}

fn mini(device: &Device) -> (ModelName, Model) {
    minis(device).remove(0)
}

#[test]
fn a_head_swapped_at_epoch_3_is_found_at_epoch_3_and_put_down_to_the_head() {
    let _turn = alone();
    let device = fast_device();
    let (name, model) = mini(&device);
    let swapped = with_head(&model, &name.init(CLASSES, 0.0, 2, &device));
    let (images, question) = (images(name.spec().image_size()), question(&["grad-cam"]));
    let epochs: Vec<Vec<Explanations>> = [&model, &model, &swapped, &swapped, &swapped]
        .map(|model| look(&images, &question, model, &device, false, |_| ()).unwrap())
        .into();
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("planted");
    write_run(&run, &images, &epochs, 0.5);

    let analysis = analyse(&RunReader::open(&run).unwrap(), &Options::default()).unwrap();
    let step = |epoch: usize, measure: Measure| {
        let found = analysis.drift.iter().find(|figure| {
            let place = (figure.epoch, figure.measure.as_str(), figure.against, figure.group.as_str());
            place == (epoch, measure.name(), Against::Previous, "all")
        });
        measure.distance(found.unwrap().value.unwrap())
    };
    for measure in [Measure::TopIou20, Measure::Spearman, Measure::JensenShannon, Measure::Ssim, Measure::Cosine] {
        // Between a checkpoint and its copy the maps are the same bytes.
        assert_eq!([2, 4, 5].map(|epoch| step(epoch, measure)), [0.0; 3], "{measure:?}");
        assert!(step(3, measure) > 0.05, "{measure:?}: {}", step(3, measure));
    }
    let settled = analysis.settled.iter().find(|one| one.measure == "spearman").unwrap();
    assert_eq!(settled.epoch, Some(3), "nothing moves after epoch 3");
    assert!(analysis.warnings.iter().any(|warning| warning.contains("epoch 3")), "{:?}", analysis.warnings);

    let cause = causes(&images, &question, [&model, &swapped], &device, |_, _| ()).unwrap().remove(0);
    let head = cause.contributions.iter().find(|one| one.part == Part::Head).unwrap();
    assert!((head.share.mean.unwrap() - 1.0).abs() < 1e-12, "{head:?}");
}

#[test]
fn drift_compare_animate_and_plot_are_commands() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let device = fast_device();
    let images = images(96);
    for (name, model) in minis(&device) {
        let methods: &[&str] =
            if name.spec().has_attention() { &["grad-cam", "rollout:per_head=true"] } else { &["grad-cam"] };
        let swapped = with_head(&model, &name.init(CLASSES, 0.0, 2, &device));
        let epochs = [&model, &swapped, &swapped]
            .map(|model| look(&images, &question(methods), model, &device, false, |_| ()).unwrap());
        write_run(&dir.join(name.as_str()), &images, &epochs, 0.5);
    }
    let text = |arguments: &[&str]| String::from_utf8(succeed(dir, arguments).stdout).unwrap();
    let rows = |text: &str| text.lines().count();

    // Two epochs with an earlier one, two references, three measures.
    let csv = text(&["drift", "resnet_mini", "--measures", "top20-iou,spearman,ssim", "--format", "csv"]);
    assert_eq!(rows(&csv), 1 + 2 * 2 * 3, "{csv}");
    assert!(csv.starts_with("explainer,target,measure,"));
    let grouped = text(&["drift", "resnet_mini", "--measures", "spearman", "--groups", "--format", "csv"]);
    assert!(grouped.contains("class:banded") && rows(&grouped) > 1 + 2 * 2 * CLASSES, "{grouped}");
    let images = text(&["drift", "resnet_mini", "--measures", "spearman", "--images", "--format", "csv"]);
    assert_eq!(rows(&images), 1 + 2 * 2 * 20);
    assert!(text(&["drift", "deit_mini", "--spread"]).contains("attention-distance"));
    let whole: serde_json::Value = serde_json::from_str(&text(&["drift", "deit_mini", "--format", "json"])).unwrap();
    assert!(whole["layers"].as_array().is_some_and(|layers| !layers.is_empty()), "per head");

    // Three epochs are three pairs.
    let matrix = text(&["drift", "resnet_mini", "--matrix", "--format", "csv"]);
    assert!(
        rows(&matrix) == 1 + 3 && matrix.starts_with("explainer,target,measure,epoch,reference_epoch,moved,low,high,")
    );
    let pairs: serde_json::Value =
        serde_json::from_str(&text(&["drift", "resnet_mini", "--matrix", "--format", "json"])).unwrap();
    assert_eq!(pairs["matrices"][0]["pairs"].as_array().map(Vec::len), Some(3), "{pairs}");
    // The maps of the second and the third epoch are the same.
    let triangle = text(&["drift", "resnet_mini", "--matrix", "--margin", "3"]);
    let last = triangle.lines().find(|line| line.trim_start().starts_with("3 ")).unwrap();
    assert!(last.ends_with("·") && triangle.contains("more than 3 apart"), "{triangle}");

    let gate = |limit: &str| driftscope(dir, &["drift", "resnet_mini", "--fail-above", limit]).output().unwrap();
    assert_eq!(gate("spearman=2").status.code(), Some(0), "no correlation is farther from 1 than 2");
    let failed = gate("spearman=0.001");
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("epoch 2 against epoch 1"));

    let short = text(&["compare", "resnet_mini", "deit_mini"]);
    assert!(short.lines().all(|line| line.chars().count() <= 80) && short.contains("since first"), "{short}");
    assert!(text(&["compare", "resnet_mini", "deit_mini", "--all"]).contains("spread-difference"));
    let both = text(&["compare", "resnet_mini", "deit_mini", "--format", "csv"]);
    for what in ["accuracy,", "drift,", "agreement,", "spread-difference,"] {
        assert!(both.lines().any(|line| line.starts_with(what)), "{what} {both}");
    }

    for (arguments, magic) in [
        (vec!["animate", "resnet_mini", "deit_mini", "--image", "texture 3", "--out", "a.gif"], &b"GIF89a"[..]),
        (vec!["animate", "deit_mini", "--image", "3", "--out", "a.png"], b"\x89PNG"),
        (vec!["animate", "deit_mini", "--image", "3", "--out", "a.svg"], b"<svg"),
        (vec!["plot", "deit_mini", "--out", "p.png"], b"\x89PNG"),
        (vec!["plot", "deit_mini", "--out", "p.svg"], b"<"),
        (vec!["plot", "deit_mini", "--matrix", "--out", "m.png"], b"\x89PNG"),
        (vec!["plot", "deit_mini", "--measures", "ssim", "--against", "best", "--out", "b.svg"], b"<"),
    ] {
        succeed(dir, &arguments);
        assert!(fs::read(dir.join(arguments.last().unwrap())).unwrap().starts_with(magic), "{arguments:?}");
    }
    let gif = image::codecs::gif::GifDecoder::new(std::io::BufReader::new(fs::File::open(dir.join("a.gif")).unwrap()))
        .unwrap();
    assert_eq!(image::AnimationDecoder::into_frames(gif).count(), 3, "a frame an epoch");

    for (arguments, parts) in [
        (vec!["drift", "resnet_mini", "--measures", "iou"], vec!["--measures", "iou", "top20-iou"]),
        (vec!["drift", "resnet_mini", "--epoch", "9"], vec!["--epoch 9", "1, 2, 3"]),
        (vec!["drift", "resnet_mini", "--against", "9"], vec!["epoch 9", "1, 2, 3"]),
        (vec!["animate", "resnet_mini", "--image", "banana"], vec!["banana", "texture 0"]),
        (vec!["plot", "resnet_mini", "--out", "p.bmp"], vec!["p.bmp", ".svg"]),
        (vec!["animate", "resnet_mini", "--out", "a.bmp"], vec!["a.bmp", ".gif or .png or .svg"]),
    ] {
        let output = driftscope(dir, &arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && parts.iter().all(|part| error.contains(part)), "{arguments:?}: {error}");
    }
}
