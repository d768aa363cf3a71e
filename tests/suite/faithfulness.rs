//! Faithfulness is measured as torch-cam, pytorch-grad-cam, Captum and Quantus measure it: compared with a small file that
//! `scripts/parity/faithfulness.py` wrote. Model, images and maps follow a formula that both sides compute, so that only
//! results are stored.

use driftscope::faithfulness::{
    Baseline, ConfidenceSettings, CurveSettings, DropUnit, Input, Judged, Logits, Maps, MaskScale, Ranking,
    RoadSettings, Score, SensitivitySettings, Similarity, confidence, insertion_deletion, max_sensitivity, road,
    sensitivity,
};
use driftscope::measure::{Heatmap, Normalise};
use serde_json::Value;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::path::Path;

/// Relative to the greatest reference. The libraries keep images, shares of pixels and, in ROAD, scores in float32, of 24
/// bits: 6e-8 each, some ten times more after a difference. The mask's 1e-8 and the score's 1e-7 that torch-cam adds
/// against division by zero cost up to 1e-6 at scores of 0.1.
const TOLERANCE: f64 = 1e-5;
/// As in `faithfulness.py`.
const HEIGHT: usize = 12;
const WIDTH: usize = 20;
const CELL: usize = 4;
const ROWS: usize = HEIGHT / CELL;
const COLS: usize = WIDTH / CELL;
const HIDDEN: usize = 6;
const CLASSES: usize = 5;
const FEATURES: usize = 3 * ROWS * COLS;
const BLACK: [f32; 3] = [-2.0, -1.5, -1.75];
const SIGMA: f64 = 1.5;
const RADIUS: f32 = 0.02;
const DRAWS: u32 = 10;

/// `support::pseudo_random` without a device.
fn pseudo_random(count: usize, salt: u32) -> Vec<f32> {
    let mut state = salt.wrapping_mul(0x9E37_79B9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Means of 4 x 4 pixels, a tanh layer and a linear layer.
struct Model {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Model {
    fn new() -> Self {
        let second = pseudo_random(CLASSES * HIDDEN, 2).into_iter().map(|value| value * 3.0).collect();
        Model { first: pseudo_random(HIDDEN * FEATURES, 1), second }
    }

    fn pooled(image: &Input) -> Vec<f64> {
        let mut pooled = vec![0.0; FEATURES];
        for (at, &value) in image.values().iter().enumerate() {
            let (channel, row, col) = (at / (HEIGHT * WIDTH), at / WIDTH % HEIGHT, at % WIDTH);
            pooled[(channel * ROWS + row / CELL) * COLS + col / CELL] += f64::from(value) / (CELL * CELL) as f64;
        }
        pooled
    }

    fn hidden(&self, pooled: &[f64]) -> Vec<f64> {
        let sum = |weights: &[f32]| weights.iter().zip(pooled).map(|(&w, value)| f64::from(w) * value).sum::<f64>();
        self.first.chunks(FEATURES).map(|weights| sum(weights).tanh()).collect()
    }

    fn logits(&self, image: &Input) -> Vec<f32> {
        let hidden = self.hidden(&Self::pooled(image));
        let sum = |weights: &[f32]| weights.iter().zip(&hidden).map(|(&w, value)| f64::from(w) * value).sum::<f64>();
        self.second.chunks(HIDDEN).map(|weights| sum(weights) as f32).collect()
    }

    /// Gradient times input of the pooled pixels, summed over channels.
    fn explain(&self, image: &Input, class: usize) -> Heatmap {
        let pooled = Self::pooled(image);
        let hidden = self.hidden(&pooled);
        let mut map = vec![0.0; ROWS * COLS];
        for (feature, value) in pooled.iter().enumerate() {
            let through = |unit: usize| {
                let slope = (1.0 - hidden[unit] * hidden[unit]) * f64::from(self.second[class * HIDDEN + unit]);
                slope * f64::from(self.first[unit * FEATURES + feature])
            };
            map[feature % (ROWS * COLS)] += value * (0..HIDDEN).map(through).sum::<f64>();
        }
        Heatmap::new(ROWS, COLS, map.into_iter().map(|value| value as f32).collect()).unwrap()
    }
}

fn image(index: u64) -> Input {
    let values = pseudo_random(3 * HEIGHT * WIDTH, 100 + index as u32);
    Input::new(HEIGHT, WIDTH, values.into_iter().map(|value| value * 2.0).collect()).unwrap()
}

fn class(index: u64) -> usize {
    (2 * index as usize + 1) % CLASSES
}

fn saliency(kind: &str, index: u64) -> Heatmap {
    let (rows, cols, salt) = if kind == "coarse" { (ROWS, COLS, 200) } else { (HEIGHT, WIDTH, 300) };
    let values = pseudo_random(rows * cols, salt + index as u32);
    let rounded = values.into_iter().map(|value| (value * 4096.0).round_ties_even() / 4096.0);
    Heatmap::new(rows, cols, rounded.collect()).unwrap()
}

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/faithfulness.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn cases(golden: &Value, of: &str) -> Vec<Value> {
    let cases = golden[of].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[track_caller]
fn agree(what: &str, found: &[f64], reference: &[f64]) {
    assert_eq!(found.len(), reference.len(), "{what}");
    let scale = reference.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let differences = found.iter().zip(reference).map(|(found, reference)| (found - reference).abs());
    let worst = differences.fold(0.0, |most: f64, value| if value.is_nan() { f64::INFINITY } else { most.max(value) });
    assert!(worst <= TOLERANCE * scale, "{what}: {worst:e} of {scale:e}");
}

/// Asks about the image and the map of a case.
fn with<T>(case: &Value, of: impl FnOnce(&mut Logits<'_, Infallible>, &Judged<'_>) -> T) -> T {
    let model = Model::new();
    let mut ask = |images: &[Input]| Ok(images.iter().map(|image| model.logits(image)).collect());
    let index = case["image"].as_u64().unwrap();
    let (image, map) = (image(index), saliency(case["map"].as_str().unwrap(), index));
    let judged = Judged { input: &image, map: &map, class: class(index), index };
    of(&mut Logits::new(&mut ask, NonZeroUsize::new(8).unwrap()), &judged)
}

#[test]
fn both_sides_ask_the_same_model() {
    for (index, reference) in cases(&golden(), "logits").iter().enumerate() {
        let found: Vec<f64> = Model::new().logits(&image(index as u64)).into_iter().map(f64::from).collect();
        agree("logits", &found, &numbers(reference));
    }
}

#[test]
fn insertion_and_deletion_are_torch_cams() {
    for case in cases(&golden(), "curves") {
        let settings = CurveSettings {
            steps: NonZeroUsize::new(case["steps"].as_u64().unwrap() as usize).unwrap(),
            baseline: match case["baseline"].as_str().unwrap() {
                "zeros" => Baseline::Zeros,
                "black" => Baseline::Colour { normalised: BLACK },
                "mean" => Baseline::Mean,
                _ => Baseline::Blur { sigma: SIGMA },
            },
            score: if case["score"] == "logit" { Score::Logit } else { Score::Probability },
            ranking: if case["ranking"] == "cells" { Ranking::Cells } else { Ranking::Pixels },
        };
        let found = with(&case, |logits, judged| insertion_deletion(logits, &settings, judged)).unwrap().unwrap();
        agree("fractions", &found.fractions, &numbers(&case["fractions"]));
        agree("insertion", &found.insertion, &numbers(&case["insertion"]));
        agree("deletion", &found.deletion, &numbers(&case["deletion"]));
        // Areas are sums of the curves' values, which may cancel: both relative to the greatest of these.
        let area = |area: f64, of: &[f64]| [area, of.iter().fold(0.0, |most, value| value.abs().max(most))];
        for (found, area_name, curve) in [
            (found.insertion_auc(), "insertion_auc", numbers(&case["insertion"])),
            (found.deletion_auc(), "deletion_auc", numbers(&case["deletion"])),
        ] {
            agree(area_name, &area(found, &curve), &area(case[area_name].as_f64().unwrap(), &curve));
        }
    }
}

#[test]
fn road_without_noise_is_pytorch_grad_cams() {
    let settings = RoadSettings { noise: 0.0, ..RoadSettings::default() };
    for case in cases(&golden(), "road") {
        let found = with(&case, |logits, judged| road(logits, &settings, judged)).unwrap().unwrap();
        let of = |order: fn(&driftscope::faithfulness::RoadPoint) -> Option<f64>| -> Vec<f64> {
            found.points.iter().map(|point| order(point).unwrap()).collect()
        };
        agree("road, most relevant first", &of(|point| point.morf), &numbers(&case["morf"]));
        agree("road, least relevant first", &of(|point| point.lerf), &numbers(&case["lerf"]));
        agree("road, combined", &[found.combined().unwrap()], &[case["combined"].as_f64().unwrap()]);
    }
}

#[test]
fn drop_and_increase_are_torch_cams_or_pytorch_grad_cams() {
    let torch_cam = ConfidenceSettings::default();
    let grad_cam = ConfidenceSettings { mask: MaskScale::Image, unit: DropUnit::Absolute, score: Score::Logit };
    for case in cases(&golden(), "confidence") {
        for (settings, drop, increase) in
            [(torch_cam, "avg_drop", "conf_increase"), (grad_cam, "gradcam_drop", "gradcam_increase")]
        {
            let found = with(&case, |logits, judged| confidence(logits, &settings, judged)).unwrap().unwrap();
            agree(drop, &[found.drop.unwrap()], &[case[drop].as_f64().unwrap()]);
            assert_eq!(found.increased(), case[increase].as_f64().unwrap() > 0.5);
        }
    }
}

/// With the same draws as the libraries; then with its own, which give a value of the same size.
#[test]
fn max_sensitivity_is_captums_and_quantuss() {
    let model = Model::new();
    for case in cases(&golden(), "sensitivity") {
        let index = case["image"].as_u64().unwrap();
        let moved = |draw: u32| {
            let noise = pseudo_random(3 * HEIGHT * WIDTH, 1000 + draw).into_iter().map(|value| value * RADIUS);
            let values = image(index).values().iter().zip(noise).map(|(value, noise)| value + noise).collect();
            model.explain(&Input::new(HEIGHT, WIDTH, values).unwrap(), class(index))
        };
        let perturbed: Vec<Heatmap> = (0..DRAWS).map(moved).collect();
        let found = sensitivity(&model.explain(&image(index), class(index)), &perturbed, Normalise::None).unwrap();
        let reference = case["captum"].as_f64().unwrap();
        agree("max-sensitivity, Captum", &[found], &[reference]);
        agree("max-sensitivity, Quantus", &[found], &[case["quantus"].as_f64().unwrap()]);

        let mut ask = |images: &[Input]| -> Result<Vec<Heatmap>, Infallible> {
            Ok(images.iter().map(|image| model.explain(image, class(index))).collect())
        };
        let mut maps = Maps::new(&mut ask, NonZeroUsize::new(4).unwrap());
        let drawn = max_sensitivity(&mut maps, &SensitivitySettings::default(), &image(index), index).unwrap().unwrap();
        assert!((0.5..2.0).contains(&(drawn / reference)), "{drawn} {reference}");
    }
}

#[test]
fn similarities_are_quantuss() {
    for case in cases(&golden(), "similarity") {
        let [one, other] = ["one", "other"].map(|name| saliency("fine", case[name].as_u64().unwrap()));
        let mixed = one.values().iter().zip(other.values()).map(|(one, other)| (one + other) / 2.0).collect();
        let other = Heatmap::new(HEIGHT, WIDTH, mixed).unwrap();
        for (similarity, name) in [
            (Similarity::Spearman, "spearman"),
            (Similarity::SpearmanAbsolute, "spearman_absolute"),
            (Similarity::Ssim, "ssim"),
        ] {
            let found = similarity.between(&one, &other).unwrap();
            agree(name, &[found], &[case[name].as_f64().unwrap()]);
        }
    }
}
