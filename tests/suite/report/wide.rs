//! A run of nine methods and two targets beside one that ended early, with all numbers that the panel, the dialog, the
//! scatter plot and the confusion matrices show.

use super::runs::{seal, small, texture, write_picture, write_run_file};
use driftscope::fsx;
use driftscope::report::confusion_csv;
use driftscope::store::format::title_of;
use driftscope::store::{Explanations, RunReader, epoch_dir_name};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

pub(super) const IMAGES: usize = 20;
/// The last epoch of the long run; the other ends at 1.
pub(super) const END: usize = 4;
pub(super) const CLASSES: usize = 47;
/// Explainers, and whether they ask about a class.
pub(super) const NINE: [(&str, bool); 9] = [
    ("grad-cam", true),
    ("grad-cam-plus-plus", true),
    ("hires-cam", true),
    ("layer-cam", true),
    ("le-grad", true),
    ("gradient-rollout", true),
    ("generic-relevance", true),
    ("raw-attention", false),
    ("rollout", false),
];
const SIDE: usize = 7;

/// Both runs; the long one first.
pub(super) struct Wide {
    pub(super) readers: [RunReader; 2],
    pub(super) ids: Vec<String>,
    pub(super) classes: Vec<String>,
    _dir: TempDir,
}

/// Six images of the first class, whose name is long and has no space, and one each of others.
pub(super) fn label(image: usize) -> usize {
    image.saturating_sub(5)
}

/// From epoch 3 on, every fourth image is taken for the next class.
pub(super) fn predicted(image: usize, epoch: usize) -> usize {
    (label(image) + usize::from(epoch >= 3 && image % 4 == 3)) % CLASSES
}

/// How far an image's map moved in the step to an epoch, by every view: most to epoch 2.
pub(super) fn step(image: usize, epoch: usize) -> f64 {
    10.0 * image as f64 + if epoch == 2 { 60.0 } else { epoch as f64 }
}

/// Validation images by label and prediction: at epoch e, in the first class 40 - e right and e taken for the third.
pub(super) fn confusion(epoch: usize) -> Vec<Vec<usize>> {
    let mut counts = vec![vec![0; CLASSES]; CLASSES];
    for (class, row) in counts.iter_mut().enumerate() {
        row[class] = 40;
    }
    (counts[0][0], counts[0][2]) = (40 - epoch, epoch);
    counts
}

pub(super) fn wide_runs() -> Wide {
    let dir = tempfile::tempdir().unwrap();
    let mut classes: Vec<String> = (0..CLASSES).map(|class| format!("class {class}, 纹理")).collect();
    classes[0] = "a-class-whose-name-is-long-and-has-no-space-".repeat(3);
    let ids: Vec<String> = (0..IMAGES).map(|image| format!("val/{}/{image:03}.png", label(image))).collect();
    let readers = [("many", END), ("short", 1)].map(|(name, last)| {
        let path = dir.path().join(name);
        write_run_file(&path, name, &classes, &ids, (0..IMAGES).map(label).collect());
        (0..IMAGES).for_each(|image| write_picture(&path, image, &texture(image)));
        for epoch in 0..=last {
            let explainers = if name == "many" { &NINE[..] } else { &NINE[..1] };
            let files: Vec<Explanations> =
                explainers.iter().map(|&(name, asks)| maps(name, asks, epoch, &ids)).collect();
            if name == "many" {
                let folder = path.join(epoch_dir_name(epoch));
                fsx::create_dir_all(&folder).unwrap();
                let table = confusion_csv(&classes, &confusion(epoch));
                fsx::write_atomic(&folder.join("confusion.csv"), table.as_bytes()).unwrap();
            }
            seal(&path, epoch, None, &files);
        }
        RunReader::open(&path).unwrap()
    });
    Wide { readers, ids, classes, _dir: dir }
}

/// A run that was never trained beyond its first epoch.
pub(super) fn one_epoch() -> (RunReader, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let ids = vec!["a".to_string()];
    write_run_file(dir.path(), "one", &["plain".to_string(), "woven".to_string()], &ids, vec![1]);
    write_picture(dir.path(), 0, &texture(0));
    let cells = SIDE * SIDE;
    let file = Explanations {
        image_ids: ids,
        grid: [SIDE, SIDE],
        maps: (0..cells).map(|cell| cell as f32).collect(),
        floor_maps: (0..cells).map(|cell| cell as f32).collect(),
        targets: vec![1],
        predicted: vec![0],
        labels: vec![1],
        logits: vec![1.0, 0.0],
        classes: 2,
        ..small(0, 1, &[])
    };
    seal(dir.path(), 0, None, &[file]);
    (RunReader::open(dir.path()).unwrap(), dir)
}

/// Noise; layer-cam is never negative, and every map of rollout and of le-grad is, at epoch 3.
fn maps(name: &str, asks: bool, epoch: usize, ids: &[String]) -> Explanations {
    let mut generator = ChaCha8Rng::seed_from_u64((100 * name.len() + epoch) as u64);
    let targets = if asks { 2 } else { 1 };
    let negative = epoch == 3 && ["rollout", "le-grad"].contains(&name);
    let mut value = || {
        let value: f32 = generator.random::<f32>() + 0.01;
        if negative {
            -value
        } else if name == "layer-cam" {
            value
        } else {
            value - 0.3
        }
    };
    let maps: Vec<f32> = (0..IMAGES * targets * SIDE * SIDE).map(|_| value()).collect();
    let classes = |image: usize| [label(image), predicted(image, epoch)].into_iter().take(targets);
    let logit = |image: usize, class: usize| if class == predicted(image, epoch) { 3.0 } else { 0.0 };
    Explanations {
        explainer: name.into(),
        title: title_of(name),
        class_specific: asks,
        untrained_head: false,
        image_ids: ids.to_vec(),
        target_kinds: if asks { vec!["label".into(), "prediction".into()] } else { vec!["any".into()] },
        grid: [SIDE, SIDE],
        floor_maps: maps.clone(),
        maps,
        targets: (0..IMAGES).flat_map(classes).map(|class| class as i64).collect(),
        predicted: (0..IMAGES).map(|image| predicted(image, epoch) as i64).collect(),
        labels: (0..IMAGES).map(|image| label(image) as i64).collect(),
        logits: (0..IMAGES).flat_map(|image| (0..CLASSES).map(move |class| logit(image, class))).collect(),
        classes: CLASSES,
        ..small(0, 1, &[])
    }
}

impl Wide {
    /// Cells along a side, by `run/explainer`.
    pub(super) fn grids(&self) -> Value {
        let many = NINE.iter().map(|(name, _)| (format!("many/{name}"), SIDE.into()));
        Value::Object(many.chain([("short/grad-cam".to_string(), SIDE.into())]).collect())
    }

    /// Both runs with matrices: floor 0.9 and chance 0.1 in Spearman's correlation, threshold 0.5 as a distance, so 50 as
    /// moved.
    pub(super) fn with_analyses(&self) -> Vec<(&RunReader, Value)> {
        self.readers.iter().map(|reader| (reader, self.analysis(reader))).collect()
    }

    fn analysis(&self, reader: &RunReader) -> Value {
        let epochs = reader.epochs();
        let mut matrices = vec![];
        let mut drift = vec![];
        for explainer in reader.explainers(0).unwrap() {
            let file = reader.explanations(0, &explainer).unwrap();
            for target in &file.target_kinds {
                let of = json!({"explainer": explainer, "target": target, "measure": "spearman"});
                let pairs: Vec<Value> =
                    epochs.iter().flat_map(|&epoch| (0..epoch).map(move |before| pair(epoch, before))).collect();
                matrices.push(with(
                    &of,
                    json!({"margin": 5.0, "patience": 2, "epochs": epochs, "pairs": pairs,
                    "phases": [], "settled": []}),
                ));
                // In the first class d is 0.38 of its images: moved is 100 (0.38 - 0.1) / 0.8 = 35; the ends are 25 and 50.
                drift.push(with(
                    &of,
                    json!({"against": "previous", "epoch": END, "reference_epoch": END - 1,
                    "group": format!("class:{}", self.classes[0]), "value": 0.62, "interval": [0.5, 0.7], "floor": 0.9,
                    "seed_floor": null, "chance": 0.1, "defined": 6, "undefined": 0, "dead": 0}),
                ));
            }
        }
        json!({"matrices": matrices, "drift": drift})
    }
}

fn pair(epoch: usize, before: usize) -> Value {
    let images: Vec<f64> = (0..IMAGES).map(|image| step(image, epoch)).collect();
    let images = if before + 1 == epoch || before == 0 { json!(images) } else { Value::Null };
    json!({"epoch": epoch, "reference_epoch": before, "moved": step(0, epoch) + 95.0, "interval": null, "value": 0.3,
        "floor": 0.9, "chance": 0.1, "images": images, "images_moved": 10, "threshold": 0.5, "defined": IMAGES,
        "undefined": 0, "dead": 0, "retargeted": 0})
}

fn with(of: &Value, more: Value) -> Value {
    let fields = [of, &more].into_iter().flat_map(|part| part.as_object().unwrap().clone());
    Value::Object(fields.collect::<Map<_, _>>())
}
