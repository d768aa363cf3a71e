//! The numbers are PyTorch's, timm's, torchvision's and Pillow's, on every device: compared with small files that
//! `scripts/parity/goldens.py` wrote. Weights and inputs follow a formula that both sides compute, so only results are
//! stored. `scripts/parity/run.sh` compares the full sizes with the libraries themselves.

use crate::support::{alone, devices, fast_device, numbers, pseudo_random, relative_difference};
use burn::tensor::{Device, Int, Tensor, TensorData};
use driftscope::config::OptimizerConfig;
use driftscope::explain::{self, Explainer, Explanation, Target};
use driftscope::models::{Mode, Model, ModelName, Taps};
use driftscope::picture::{self, Interpolation, Picture};
use driftscope::probe::cross_entropy;
use driftscope::train::{Optimizer, StepGradients};
use driftscope::weights::{self, HostTensor, StateDict};
use std::io::Write;
use std::path::{Path, PathBuf};

const LOGITS: f32 = 1e-4;
const GRADIENTS: f32 = 1e-3;
const CURVE: f32 = 1e-3;
/// Five times what float32 itself may do to a map of these goldens.
const MAPS: f32 = 1e-4;
const MODELS: [ModelName; 2] = [ModelName::DeitMini, ModelName::ResnetMini];
/// As in `goldens.py`.
const CLASSES: usize = 10;
const SAMPLES: usize = 16;
const STEPS: usize = 10;
const LEARNING_RATE: f64 = 1e-4;
const WEIGHT_DECAY: f64 = 50.0;
/// A first norm of so little variance that its epsilon shows.
const FAINT: [(&str, f32); 3] = [("cls_token", 1.0 / 8.0), ("pos_embed", 1.0 / 8.0), ("bn1.running_var", 1.0 / 1024.0)];

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens")
}

fn golden(name: &str) -> StateDict {
    weights::read(&goldens().join(format!("{name}.safetensors"))).unwrap()
}

/// The index of the batch that the golden chose: no ReLU of it is so near its kink that rounding decides.
fn batch(golden: &StateDict) -> u32 {
    golden["batch"].values[0] as u32
}

/// Each tensor from its place among the sorted names, at a scale that keeps signals alive.
fn formula_model(name: ModelName, device: &Device) -> Model {
    let model = name.init(CLASSES, 0.0, 0, device);
    let mut tensors = weights::state_dict(&model);
    for (index, (name, tensor)) in tensors.iter_mut().enumerate() {
        let length = tensor.values.len();
        let fan_in = (length / tensor.shape[0]) as f32;
        let (middle, scale) = match tensor.shape.len() {
            _ if name.ends_with("running_var") => (1.0, 0.5),
            1 if name.ends_with(".weight") => (1.0, 0.25),
            1 => (0.0, 0.125),
            _ if ["cls_token", "pos_embed"].contains(&name.as_str()) => (0.0, 0.125),
            _ => (0.0, (4.0 / fan_in).sqrt()),
        };
        let draws = numbers(&pseudo_random([length], index as u32 + 1, &Device::flex()));
        let faint = FAINT.into_iter().find(|(faint, _)| faint == name).map_or(1.0, |(_, factor)| factor);
        tensor.values = draws.into_iter().map(|draw| (middle + scale * draw) * faint).collect();
    }
    weights::load_state_dict(model, tensors, Path::new("formula")).unwrap()
}

/// Classes of the two pictures of batch `index`.
fn labels(index: u32) -> [usize; 2] {
    [0, 3].map(|class| (class + index as usize) % CLASSES)
}

/// Mean cross-entropy of batch `index`, two pictures, in training mode.
fn training_loss(model: &Model, index: u32, device: &Device) -> Tensor<1> {
    let device = device.clone().inner();
    let labels = labels(index).map(|label| label as i64).to_vec();
    let targets = Tensor::<2, Int>::from_data(TensorData::new(labels, [2, 1]), &device);
    let logits = model.forward(images(index, &device), Mode::train(0), &mut Taps::none());
    cross_entropy(logits, targets).mean()
}

fn images(index: u32, device: &Device) -> Tensor<4> {
    pseudo_random([2, 3, 96, 96], 1000 + index, device) * 2.0
}

/// The greatest magnitude, then some of the numbers, evenly spread.
fn samples(tensor: &HostTensor) -> Vec<f32> {
    let greatest = tensor.values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let spread = tensor.values.iter().step_by((tensor.values.len() / SAMPLES).max(1)).take(SAMPLES);
    std::iter::once(greatest).chain(spread.copied()).collect()
}

#[test]
fn logits_are_those_of_timm_and_torchvision() {
    let _turn = alone();
    for (device_name, device) in devices() {
        for name in MODELS {
            let (model, golden) = (formula_model(name, &device), golden(name.as_str()));
            let logits = model.forward(images(batch(&golden), &device), Mode::EVAL, &mut Taps::none());
            let difference = relative_difference(&numbers(&logits), &golden["logits"].values);
            assert!(difference < LOGITS, "{device_name}, {name}: {difference}");
        }
    }
}

#[test]
fn every_gradient_and_running_statistic_is_pytorchs() {
    let _turn = alone();
    for (device_name, device) in devices() {
        let device = device.autodiff();
        for name in MODELS {
            let (model, golden) = (formula_model(name, &device), golden(name.as_str()));
            let loss = training_loss(&model, batch(&golden), &device);
            let difference = relative_difference(&numbers(&loss.clone().inner()), &golden["loss"].values);
            assert!(difference < LOGITS, "{device_name}, {name}, loss: {difference}");

            let gradients = weights::gradients(&model, &loss.backward());
            let buffers = weights::state_dict(&model).into_iter().filter(|(key, _)| key.contains("running_"));
            let found: StateDict = (gradients.into_iter().map(|(key, tensor)| (format!("gradient.{key}"), tensor)))
                .chain(buffers.map(|(key, tensor)| (format!("buffer.{key}"), tensor)))
                .collect();
            let expected = golden.iter().filter(|(key, _)| found.contains_key(*key));
            assert_eq!(found.len(), golden.len() - 4, "{name}: all but batch, logits, loss and curve");
            for ((key, found), (_, expected)) in found.iter().zip(expected) {
                let difference = relative_difference(&samples(found), &expected.values);
                assert!(difference < GRADIENTS, "{device_name}, {name}, {key}: {difference}");
            }
        }
    }
}

#[test]
fn ten_steps_of_adamw_follow_pytorchs_loss() {
    let _turn = alone();
    for (device_name, device) in devices() {
        let device = device.autodiff();
        for name in MODELS {
            let mut model = formula_model(name, &device);
            let mut optimizer = Optimizer::new(OptimizerConfig::adamw(WEIGHT_DECAY));
            let curve = golden(name.as_str())["curve"].values.clone();
            assert_eq!(curve.len(), STEPS);
            for (step, expected) in curve.into_iter().enumerate() {
                let loss = training_loss(&model, step as u32 % 3, &device);
                let found = numbers(&loss.clone().inner())[0];
                let difference = (found / expected - 1.0).abs();
                assert!(difference < CURVE, "{device_name}, {name}, step {step}: {found} instead of {expected}");
                let mut gradients = StepGradients::default();
                gradients.add(&model, loss.backward());
                model = optimizer.step(model, &mut gradients, LEARNING_RATE);
            }
        }
    }
}

/// By every method and setting of `explain_*.safetensors`, which `goldens_explain.py` wrote: formulas that
/// `scripts/parity/explain.py` compares with pytorch-grad-cam, Captum and torch-cam.
#[test]
fn maps_are_those_of_the_published_formulas() {
    let _turn = alone();
    for (device_name, device) in devices() {
        for name in MODELS {
            let golden = golden(&format!("explain_{name}"));
            let model = formula_model(name, &device);
            let specs: Vec<&str> = golden.keys().filter_map(|key| key.strip_prefix("maps.")).collect();
            let explainers: Vec<Explainer> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
            let (images, labels) = (images(batch(&golden), &device), labels(batch(&golden)).map(Some));
            let explained = explain::explain(&model, &explainers, images, &labels, &[Target::Label]).unwrap();
            for (spec, of) in specs.iter().zip(&explained.explainers) {
                let explanations = &of.targets[0].explanations;
                let flat = |of: fn(&Explanation) -> Vec<f32>| explanations.iter().flat_map(of).collect::<Vec<f32>>();
                let mut found = flat(|explanation| explanation.map.values().to_vec());
                let expected = &golden[&format!("maps.{spec}")].values;
                if spec.starts_with("eigen-cam") {
                    point_the_same_way(&mut found, expected);
                }
                let difference = relative_difference(&found, expected);
                assert!(difference < MAPS, "{device_name}, {name}, {spec}: {difference}");
                if let Some(expected) = golden.get(&format!("layers.{spec}")) {
                    let layers =
                        flat(|one| one.layers.iter().flatten().flat_map(|map| map.values().to_vec()).collect());
                    assert!(relative_difference(&layers, &expected.values) < MAPS, "{device_name}, {name}, {spec}");
                }
            }
        }
    }
}

/// A principal component points either way, in each of two maps.
fn point_the_same_way(found: &mut [f32], expected: &[f32]) {
    let cells = expected.len() / 2;
    for (found, expected) in found.chunks_mut(cells).zip(expected.chunks(cells)) {
        if found.iter().zip(expected).map(|(found, expected)| found * expected).sum::<f32>() < 0.0 {
            found.iter_mut().for_each(|value| *value = -*value);
        }
    }
}

#[test]
fn real_weights_give_timms_logits() {
    let Some(folder) = std::env::var_os("DRIFTSCOPE_WEIGHTS") else {
        // Straight to the stream: what a passing test prints is not shown.
        let what = "skipped: DRIFTSCOPE_WEIGHTS, the folder of deit_tiny_patch16_224.safetensors, is not set";
        writeln!(std::io::stderr(), "{what}").unwrap();
        return;
    };
    let _turn = alone();
    let device = fast_device();
    let path = Path::new(&folder).join("deit_tiny_patch16_224.safetensors");
    let imported = weights::import(ModelName::DeitTiny.init(1000, 0.0, 0, &device), &path, None, &[]).unwrap();
    assert!(imported.missing.is_empty() && imported.unexpected.is_empty() && imported.new_head.is_none());
    let images = pseudo_random([2, 3, 224, 224], 1000, &device) * 2.0;
    let logits = imported.model.forward(images, Mode::EVAL, &mut Taps::none());
    let difference = relative_difference(&numbers(&logits), &golden("deit_tiny_patch16_224")["logits"].values);
    assert!(difference < LOGITS, "{difference}");
}

/// As rough as pictures get.
fn formula_picture(width: usize, height: usize) -> Picture {
    let byte = |index: usize| {
        let (x, y, channel) = (index / 3 % width, index / 3 / width, index % 3);
        ((37 * x + 91 * y + 53 * channel + x * y % 97) % 256) as u8
    };
    Picture::new(width, height, (0..width * height * 3).map(byte).collect())
}

/// Greatest and mean difference, bytes.
fn difference(found: &Picture, expected: &Picture) -> (u8, f64) {
    assert_eq!((found.width(), found.height()), (expected.width(), expected.height()));
    let differences = found.pixels().iter().zip(expected.pixels()).map(|(&a, &b)| a.abs_diff(b));
    let sum: f64 = differences.clone().map(f64::from).sum();
    (differences.max().unwrap_or(0), sum / found.pixels().len() as f64)
}

#[test]
fn scaling_is_pillows() {
    let scaled = [
        (Interpolation::Bilinear, "bilinear", 31, 24),
        (Interpolation::Bicubic, "bicubic", 31, 24),
        (Interpolation::Bilinear, "bilinear", 17, 60),
        (Interpolation::Bicubic, "bicubic", 64, 50),
        (Interpolation::Bicubic, "bicubic", 90, 17),
    ];
    for (interpolation, name, width, height) in scaled {
        let expected = picture::read(&goldens().join(format!("scaled.{name}.{width}x{height}.png"))).unwrap();
        let found = formula_picture(53, 41).resized(width, height, interpolation);
        let (most, _) = difference(&found, &expected);
        assert!(most <= 1, "{name}, {width}×{height}: {most}");
    }
}

/// JPEG's inverse transform may round and its colours may be interpolated in several ways; everything else is exact,
/// but for the last bit of 16 and of CMYK.
#[test]
fn files_of_every_kind_are_read_as_pillow_reads_them() {
    let expected = ".expected.png";
    let mut count = 0;
    for entry in std::fs::read_dir(goldens().join("pictures")).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.to_str().and_then(|path| path.strip_suffix(expected)) else { continue };
        let (most, mean) = difference(&picture::read(Path::new(name)).unwrap(), &picture::read(&path).unwrap());
        let (most_allowed, mean_allowed) = if name.ends_with(".jpg") { (8, 0.6) } else { (1, 0.6) };
        assert!(most <= most_allowed && mean <= mean_allowed, "{name}: at most {most}, on average {mean}");
        count += 1;
    }
    assert!(count > 10, "the pictures were found");
}
