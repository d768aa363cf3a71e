//! Small runs on disk whose every map, prediction and figure is known.

use crate::support::succeed;
use driftscope::fsx;
use driftscope::store::format::title_of;
use driftscope::store::{
    EpochMetrics, Explanations, Manifest, RunReader, TrainingMetrics, epoch_dir_name, panel_image_name,
};
use image::{ImageFormat, Rgb, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::io::Cursor;
use std::path::Path;
use tempfile::TempDir;

pub(super) const CNN: &str = "resnet";
pub(super) const VIT: &str = "deit";
/// A class that would like to be more than a name.
pub(super) const EVIL: &str = "</script><img src=x onerror=\"window.pwned=true\">";
/// The last epoch.
pub(super) const LAST: usize = 3;
/// Side of the pictures: an odd multiple of both grids, so that a cell's centre is a pixel's centre.
pub(super) const SIDE: u32 = 105;
/// The explainers, in the order the page shows them: run, name, side of the grid.
const VIEWS: [(usize, &str, usize); 3] = [(0, "grad-cam", 5), (1, "grad-cam", 7), (1, "rollout", 7)];
const IMAGES: usize = 6;

/// Two runs of one panel.
pub(super) struct Runs {
    pub(super) readers: [RunReader; 2],
    pub(super) ids: Vec<String>,
    pub(super) classes: Vec<String>,
    _dir: TempDir,
}

/// The class of an image: two images a class.
pub(super) fn label(image: usize) -> usize {
    image / 2
}

/// Image 0 and 1 are always right. The first run learns image 2 at the last epoch; the second never learns image 5.
pub(super) fn predicted(run: usize, image: usize, epoch: usize) -> usize {
    let right = match (run, image) {
        (_, 0 | 1) => true,
        (0, 2) => epoch == LAST,
        (1, 5) => false,
        _ => epoch > 0,
    };
    if right { label(image) } else { (label(image) + 1) % 3 }
}

/// How far the panel's maps moved between two epochs, by a view; none where that is not measurable.
pub(super) fn moved(view: usize, epoch: usize, reference: usize) -> Option<f64> {
    match (view, epoch, reference) {
        (2, 3, 2) => None,
        (_, 3, 2) => Some(3.0),
        (_, 3, 1) => Some(130.0),
        _ => Some(40.0 + 20.0 * view as f64),
    }
}

/// How far the map of an image moved, by a view: a different order for every view and epoch.
pub(super) fn drift(view: usize, image: usize, epoch: usize) -> f64 {
    ((image * (2 * view + 1) + 3 * view + epoch) % 7) as f64 / 10.0 + image as f64 / 1000.0
}

impl Runs {
    /// The explanations of a run's explainer at an epoch, from disk.
    pub(super) fn explanations(&self, run: &str, explainer: &str, epoch: usize) -> (&str, Explanations) {
        let reader = self.readers.iter().find(|reader| reader.info().name == run).unwrap();
        (&reader.info().name, reader.explanations(epoch, explainer).unwrap())
    }

    /// Cells along a side, by `run/explainer`.
    pub(super) fn grids(&self) -> Value {
        let pairs = VIEWS.map(|(run, name, side)| (format!("{}/{name}", [CNN, VIT][run]), side.into()));
        Value::Object(pairs.into_iter().collect())
    }

    pub(super) fn picture(&self, id: &str) -> RgbImage {
        let index = self.ids.iter().position(|one| one == id).unwrap();
        image::open(self.readers[0].panel_image_path(index)).unwrap().to_rgb8()
    }

    /// Both runs with every part an analysis can have.
    pub(super) fn with_analyses(&self) -> Vec<(&RunReader, Value)> {
        self.readers.iter().enumerate().map(|(run, reader)| (reader, self.analysis(run))).collect()
    }

    fn analysis(&self, run: usize) -> Value {
        let (mut figures, mut paths, mut spread, mut matrices) = (vec![], vec![], vec![], vec![]);
        let mut groups: Vec<String> = self.classes.iter().map(|name| format!("class:{name}")).collect();
        groups.extend(["all", "stays-right", "becomes-right"].map(String::from));
        for (view, &(_, explainer, _)) in VIEWS.iter().enumerate().filter(|(_, (of, ..))| *of == run) {
            let of = json!({"explainer": explainer, "target": "label", "measure": "top20-iou"});
            for epoch in 2..=LAST {
                for against in ["previous", "first"] {
                    let at = json!({"against": against, "epoch": epoch, "reference_epoch": 1});
                    for group in &groups {
                        let value = json!({"group": group, "value": 0.6, "interval": [0.5, 0.7], "floor": 0.9,
                            "seed_floor": 0.5, "chance": 0.2, "defined": IMAGES, "undefined": 0, "dead": 0});
                        figures.push(merged(&[&of, &at, &value]));
                    }
                }
                paths.push(merged(&[&of, &json!({"epoch": epoch, "path": epoch, "net": 0.8})]));
                let spread_at = json!({"explainer": explainer, "target": "label", "descriptor": "entropy"});
                spread.push(merged(&[&spread_at, &json!({"epoch": epoch, "value": 3.5, "interval": [3.0, 4.0]})]));
            }
            matrices.push(matrix(view, explainer));
        }
        let agreement = json!([{"measure": "top20-iou", "one": "grad-cam/label", "other": "rollout/label", "epoch": 2,
            "against": "previous", "value": 0.3, "interval": [0.1, 0.5]}]);
        let layers = json!([{"explainer": "rollout", "measure": "top20-iou", "layer": 0, "head": 1, "epoch": 2,
            "against": "previous", "value": 0.4}]);
        let warnings = if run == 0 { json!([]) } else { json!(["one image is blank"]) };
        let (agreement, layers) = if run == 0 { (json!([]), json!([])) } else { (agreement, layers) };
        json!({"drift": figures, "paths": paths, "matrices": matrices,
            "spread": spread, "agreement": agreement, "layers": layers, "warnings": warnings, "answer": self.answer(run)})
    }

    /// Three sentences with something of each kind in them, and a warning.
    fn answer(&self, run: usize) -> Value {
        let text = |text: &str| json!({"text": text});
        json!({
            "sentences": [
                [{"text": "Grad-CAM", "method": "grad-cam"}, text(": the evidence settled at "),
                    {"text": "epoch 2", "epoch": 2}, text(" (95 % interval 1 to 2, margin 5).")],
                [text("Its largest step was to "), {"text": "epoch 1", "epoch": 1},
                    text(", while the accuracy went from 0 % to 25 %.")],
                [text("Since then image "), {"text": "4", "image": 4}, text(" of class "),
                    {"text": self.classes[1], "class": self.classes[1]}, text(" moved most.")],
            ],
            "warnings": if run == 0 { json!([]) } else { json!([[text("The accuracy is at chance level.")]]) },
        })
    }
}

/// The matrix of a view over epochs 1 to 3, with what is known of each pair by [`moved`] and of its images by [`drift`].
fn matrix(view: usize, explainer: &str) -> Value {
    let pairs = [(2, 1), (3, 1), (3, 2)].map(|(epoch, reference)| {
        let moved = moved(view, epoch, reference);
        let images: Vec<f64> = (0..IMAGES).map(|image| 100.0 * drift(view, image, epoch)).collect();
        json!({"epoch": epoch, "reference_epoch": reference, "value": 0.6, "floor": 0.9, "chance": 0.2, "seed_floor": 0.55,
            "moved": moved, "interval": moved.map(|moved| [moved - 4.0, moved + 4.0]), "images": images,
            "images_moved": 4, "threshold": 0.3, "defined": IMAGES, "dead": 0, "retargeted": 0,
            "not_measurable": if moved.is_none() { json!("chance-at-floor") } else { Value::Null }})
    });
    let settled = |floor: &str, epoch: Option<usize>| json!({"against_floor": floor, "epoch": epoch, "steps": 1, "interval": [1, null], "not_yet": 0.1});
    json!({"explainer": explainer, "target": "label", "measure": "top20-iou", "margin": 5.0, "patience": 1,
        "epochs": [1, 2, 3], "pairs": pairs, "phases": [{"from": 2, "to": 3}],
        "settled": [settled("noise", Some(2)), settled("seed", None)]})
}

fn merged(parts: &[&Value]) -> Value {
    Value::Object(parts.iter().flat_map(|part| part.as_object().unwrap().clone()).collect())
}

/// The demo's two runs by its own recipes, with a picture a class and two epochs. Side of the pictures, and cells along a side
/// by `run/explainer`.
pub(super) fn demo_runs() -> (Runs, u32, Value) {
    let dir = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readers = ["resnet_mini", "deit_mini"].map(|model| {
        let config = root.join(format!("configs/textures_{model}.toml"));
        let small = ["epochs=2", "data.train_per_class=2", "data.val_per_class=2", "panel.per_class=1"];
        let mut arguments = vec!["train", "--run-dir", model, "--config", config.to_str().unwrap()];
        arguments.extend(small.iter().flat_map(|setting| ["--set", setting]));
        succeed(dir.path(), &arguments);
        RunReader::open(&dir.path().join(model)).unwrap()
    });
    let mut grids = serde_json::Map::new();
    for reader in &readers {
        for explainer in reader.explainers(0).unwrap() {
            let [rows, _] = reader.explanations(0, &explainer).unwrap().grid;
            grids.insert(format!("{}/{explainer}", reader.info().name), rows.into());
        }
    }
    let side = image::open(readers[0].panel_image_path(0)).unwrap().width();
    let (ids, classes) = (readers[0].info().panel.ids.clone(), readers[0].info().classes.clone());
    (Runs { readers, ids, classes, _dir: dir }, side, Value::Object(grids))
}

/// A CNN and a ViT on six images of three classes, four epochs. At epoch 2 image 3 is dead, image 4 not finite, and image
/// 5 only evidence against its class, in one view each.
pub(super) fn two_runs() -> Runs {
    let dir = tempfile::tempdir().unwrap();
    let classes = vec!["plain".to_string(), EVIL.to_string(), "woven & \"bold\"".to_string()];
    let ids: Vec<String> = (0..IMAGES).map(|image| format!("val/\"><b>{}/00{image}.png", label(image))).collect();
    let readers = [CNN, VIT].map(|name| {
        let run = [CNN, VIT].iter().position(|one| *one == name).unwrap();
        let path = dir.path().join(name);
        write_run_file(&path, name, &classes, &ids, (0..IMAGES).map(label).collect());
        (0..IMAGES).for_each(|image| write_picture(&path, image, &texture(image)));
        for epoch in 0..=LAST {
            let metrics = TrainingMetrics {
                train_loss: (epoch > 0).then_some(1.0 / epoch as f64),
                train_accuracy: (epoch > 0).then_some(0.5),
                val_loss: 1.1,
                val_accuracy: epoch as f64 / 4.0,
                val_top5: None,
                val_class_accuracy: vec![Some(0.25), None, Some(1.0)],
                learning_rate: None,
                precision: None,
                seconds: 1.0,
            };
            let views = VIEWS.iter().enumerate().filter(|(_, (of, ..))| *of == run);
            let files: Vec<Explanations> = views.map(|(view, _)| small(view, epoch, &ids)).collect();
            seal(&path, epoch, Some(metrics), &files);
        }
        RunReader::open(&path).unwrap()
    });
    Runs { readers, ids, classes, _dir: dir }
}

/// One view's explanations at an epoch: signed noise around a bright spot, stronger with every epoch.
pub(super) fn small(view: usize, epoch: usize, ids: &[String]) -> Explanations {
    let (run, explainer, side) = VIEWS[view];
    let mut generator = ChaCha8Rng::seed_from_u64((10 * view + epoch) as u64);
    let cells = side * side;
    let mut maps: Vec<f32> = (0..IMAGES * cells).map(|_| (generator.random::<f32>() - 0.2) * 0.01).collect();
    for image in 0..IMAGES {
        maps[image * cells + (image + epoch) % cells] = 0.02 * (1 + epoch) as f32;
    }
    // In one image the strongest evidence is against the class.
    maps[cells - 1] = -0.05 * (1 + epoch) as f32;
    let bad = 3 + view;
    if epoch == 2 {
        let map = &mut maps[bad * cells..][..cells];
        match view {
            0 => map.fill(0.0),
            1 => map[4] = f32::NAN,
            _ => map.iter_mut().for_each(|value| *value = -value.abs() - 0.001),
        }
    }
    let predicted: Vec<i64> = (0..IMAGES).map(|image| predicted(run, image, epoch) as i64).collect();
    let logit = |class: i64, of: i64| if class == of { 2.0 } else { 0.0 };
    Explanations {
        explainer: explainer.into(),
        title: title_of(explainer),
        settings: json!({}),
        tap: "layer4".into(),
        class_specific: explainer == "grad-cam",
        untrained_head: epoch == 0,
        panel_digest: "0123".into(),
        image_ids: ids.to_vec(),
        target_kinds: vec!["label".into()],
        grid: [side, side],
        floor_maps: maps.clone(),
        maps,
        layer_maps: None,
        attention_distance: None,
        completeness_gap: None,
        targets: (0..IMAGES).map(|image| label(image) as i64).collect(),
        logits: predicted.iter().flat_map(|&of| [0, 1, 2].map(|class| logit(class, of))).collect(),
        predicted,
        labels: (0..IMAGES).map(|image| label(image) as i64).collect(),
        classes: 3,
    }
}

/// Stripes with a grain, another colour for every image.
pub(super) fn texture(image: usize) -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let stripe = if ((x + y * image as u32) / 9).is_multiple_of(2) { 60 } else { 180 };
        let grain = (x * 31 + y * 17 + x * y) % 40;
        Rgb([stripe + grain, 250 - stripe - grain / 2, 30 + 35 * image as u32].map(|value| value as u8))
    })
}

/// A run of 200 pictures and 3 methods of noise, and an analysis with every figure there can be.
pub(super) struct Large {
    pub(super) reader: RunReader,
    pub(super) analysis: Value,
    _dir: TempDir,
}

pub(super) fn large_run() -> Large {
    const PANEL: usize = 200;
    const CELLS: usize = 196;
    let dir = tempfile::tempdir().unwrap();
    let mut generator = ChaCha8Rng::seed_from_u64(7);
    let classes: Vec<String> = (0..47).map(|class| format!("texture number {class}")).collect();
    let ids: Vec<String> = (0..PANEL).map(|image| format!("val/some/longer/path/{image:05}.jpg")).collect();
    write_run_file(dir.path(), "large", &classes, &ids, (0..PANEL).map(|image| image % 47).collect());
    for image in 0..PANEL {
        let noise: Vec<u8> = (0..224 * 224 * 3).map(|_| generator.random()).collect();
        write_picture(dir.path(), image, &RgbImage::from_raw(224, 224, noise).unwrap());
    }
    for epoch in 1..=10 {
        let files = ["grad-cam", "layer-cam", "rollout"].map(|explainer| {
            let maps: Vec<f32> = (0..PANEL * CELLS).map(|_| generator.random()).collect();
            Explanations {
                explainer: explainer.into(),
                title: title_of(explainer),
                image_ids: ids.clone(),
                grid: [14, 14],
                floor_maps: maps.clone(),
                maps,
                targets: vec![0; PANEL],
                predicted: vec![0; PANEL],
                labels: (0..PANEL).map(|image| image as i64 % 47).collect(),
                logits: (0..PANEL * 47).map(|_| generator.random()).collect(),
                classes: 47,
                ..small(0, 1, &[])
            }
        });
        seal(dir.path(), epoch, None, &files);
    }
    let reader = RunReader::open(dir.path()).unwrap();
    Large { reader, analysis: large_analysis(&classes, PANEL, &mut generator), _dir: dir }
}

fn large_analysis(classes: &[String], panel: usize, generator: &mut ChaCha8Rng) -> Value {
    let (mut figures, mut image_drift) = (vec![], vec![]);
    let mut groups: Vec<String> = classes.iter().map(|name| format!("class:{name}")).collect();
    groups.extend(["all", "stays-right", "becomes-right", "becomes-wrong", "stays-wrong"].map(String::from));
    for explainer in ["grad-cam", "layer-cam", "rollout"] {
        for measure in (0..22).map(|index| format!("measure-{index}")) {
            for (against, epoch) in (2..=10).flat_map(|epoch| [("previous", epoch), ("first", epoch)]) {
                let of = json!({"explainer": explainer, "target": "label", "measure": measure, "against": against,
                    "epoch": epoch, "reference_epoch": 1});
                let values: Vec<f64> = (0..panel).map(|_| generator.random()).collect();
                image_drift.push(merged(&[&of, &json!({"values": values})]));
                for group in &groups {
                    let mut number = || generator.random::<f64>();
                    let value = json!({"group": group, "value": number(), "interval": [number(), number()],
                        "floor": number(), "seed_floor": number(), "chance": number(), "defined": 4, "undefined": 0,
                        "dead": 0});
                    figures.push(merged(&[&of, &value]));
                }
            }
        }
    }
    json!({"drift": figures, "image_drift": image_drift})
}

pub(super) fn write_run_file(path: &Path, name: &str, classes: &[String], ids: &[String], labels: Vec<usize>) {
    let panel = json!({"digest": "0123", "ids": ids, "labels": labels, "seed": 0});
    let config = json!({"model": name, "seed": 0, "schedule": {"learning_rate": 0.1}, "ema": null});
    let run = json!({"name": name, "model": name, "classes": classes, "device": "cpu", "begun": 1_700_000_000, "config": config, "panel": panel});
    fsx::create_dir_all(&path.join("panel")).unwrap();
    fsx::write_atomic(&path.join("run.json"), run.to_string().as_bytes()).unwrap();
}

pub(super) fn write_picture(run: &Path, image: usize, picture: &RgbImage) {
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).unwrap();
    fsx::write_atomic(&run.join(panel_image_name(image)), &png.into_inner()).unwrap();
}

/// An epoch's directory with its manifest, which makes it count.
pub(super) fn seal(run: &Path, epoch: usize, training: Option<TrainingMetrics>, files: &[Explanations]) {
    let dir = run.join(epoch_dir_name(epoch));
    fsx::create_dir_all(&dir.join("explanations")).unwrap();
    for file in files {
        let path = dir.join("explanations").join(format!("{}.safetensors", file.explainer));
        fsx::write_atomic(&path, &file.encode().unwrap()).unwrap();
    }
    let metrics = serde_json::to_vec(&EpochMetrics { epoch, training, drift: vec![], randomised: vec![] }).unwrap();
    fsx::write_atomic(&dir.join("metrics.json"), &metrics).unwrap();
    Manifest::seal_dir(&dir).unwrap();
}
