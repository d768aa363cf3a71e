//! Every number of a config file at its extremes: refused by its name, or taken and harmless; never a panic.

use super::file::Settings;
use super::keys::{KEYS, Kind};
use super::*;
use crate::data::DataConfig;
use crate::data::{DataSet, Panel};
use crate::explain::Explainer;
use crate::models::ModelName;
use crate::picture::Picture;
use crate::seed::{self, Purpose};

/// What each number is set to, besides the ends of its own range.
const NUMBERS: [&str; 18] = [
    "inf",
    "-inf",
    "nan",
    "-1",
    "-1.5",
    "0",
    "0.0",
    "0.5",
    "1",
    "2",
    "1e308",
    "-1e308",
    "5e-324",
    "1e-300",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
];

/// What takes its place beside numbers.
const NO_NUMBERS: [&str; 5] = ["true", "x", "[]", "[1]", "{ a = 1 }"];

/// Settings beside which the key does something.
fn company(key: &str) -> &'static [&'static str] {
    match key {
        "augmentation.erasing_area" | "augmentation.erasing_ratio" => &["augmentation.erasing=1"],
        "optimizer.momentum" => &["optimizer.kind=sgd"],
        "schedule.step_epochs" | "schedule.step_factor" => &["schedule.decay=step"],
        "augmentation.policy.operations" => {
            &["augmentation.policy={ kind = \"rand-augment\", operations = 1, magnitude = 1 }"]
        }
        "augmentation.policy.magnitude" => {
            &["augmentation.policy={ kind = \"rand-augment\", operations = 1, magnitude = 1 }"]
        }
        "data.split" | "data.max_megapixels" | "data.max_decoder_mib" => &["data.source=nowhere"],
        _ => &[],
    }
}

fn values(key: &str, kind: Kind) -> Vec<String> {
    let mut numbers: Vec<String> = NUMBERS.map(str::to_string).to_vec();
    match kind {
        Kind::Whole(least, greatest) => {
            let ends = [least, greatest, greatest.saturating_add(1)];
            numbers.extend(ends.map(|end| end.to_string()));
        }
        Kind::Number(least, greatest) | Kind::ZeroOr(least, greatest) => {
            numbers.extend([least, greatest, least / 2.0, greatest * 1.001].map(|end| format!("{end:e}")));
        }
        Kind::Range(least, greatest) => {
            numbers.extend([least, greatest].map(|end| format!("{end:e}")));
            let pair = |one: &String| numbers.iter().map(|other| format!("[{one}, {other}]")).collect::<Vec<_>>();
            numbers = numbers.iter().flat_map(pair).collect();
        }
        Kind::Numbers(count) => {
            let mut lists = Vec::new();
            for place in 0..count {
                let part = KEYS.iter().find(|(name, _)| *name == format!("{key}[{place}]")).unwrap();
                for number in values(part.0, part.1) {
                    let list = (0..count).map(|at| if at == place { number.as_str() } else { "0.1" });
                    lists.push(format!("[{}]", list.collect::<Vec<_>>().join(", ")));
                }
            }
            numbers = lists;
        }
        _ => return Vec::new(),
    }
    numbers.into_iter().chain(NO_NUMBERS.map(str::to_string)).collect()
}

/// What a run does with the numbers before anything is learned.
fn begin(config: &RunConfig) {
    if let DataConfig::Textures(textures) = &config.data
        && textures.train_per_class.max(textures.val_per_class) <= 2
    {
        let data = DataSet::open(&config.data).unwrap();
        Panel::choose(&data, config.panel.per_class, config.panel.seed);
    }
    let picture = Picture::new(40, 30, (0..40 * 30 * 3).map(|byte| (byte % 251) as u8).collect());
    for draw in 0..4 {
        let mut generator = seed::generator(config.seed, Purpose::Augment, &[draw]);
        let picture = config.augmentation.apply(&picture, &config.preprocessing, &mut generator);
        let (size, mut planes) = (config.preprocessing.size, Vec::new());
        (0..2).for_each(|_| picture.append_planes(&mut planes));
        if let Some(mix) = config.mixing.apply(&mut planes, &[0, 1], size, &mut generator) {
            assert!((0.0..=1.0).contains(&mix.share), "{}", mix.share);
        }
    }
    assert!(config.batch_size.checked_mul(config.accumulate).is_some());
    assert!(config.epochs.checked_mul(100_000_000).is_some(), "with as many steps an epoch as images");
}

#[test]
fn every_number_is_refused_by_name_or_harmless() {
    let (mut taken, mut refused) = (0, 0);
    for &(key, kind) in KEYS.iter().filter(|(key, _)| !key.contains('[')) {
        for value in values(key, kind) {
            let mut settings = Settings::default();
            for text in ["model=deit_mini", "data.source=textures", "data.train_per_class=1", "data.val_per_class=1"] {
                settings.set_text(text).unwrap();
            }
            if company(key) == ["data.source=nowhere"] {
                ["data.train_per_class=", "data.val_per_class="]
                    .iter()
                    .for_each(|text| settings.set_text(text).unwrap());
            }
            company(key).iter().for_each(|text| settings.set_text(text).unwrap());
            let text = format!("{key}={value}");
            settings.set_text(&text).unwrap();
            match settings.resolve() {
                Ok(config) => {
                    assert!(!value.contains("inf") && !value.contains("nan"), "{text} is taken");
                    begin(&config);
                    taken += 1;
                }
                Err(error) => {
                    let message = error.to_string();
                    assert!(message.contains(key) && message.contains("expected"), "{text}: {message}");
                    refused += 1;
                }
            }
        }
    }
    assert!(taken > 150 && refused > 1000, "{taken} taken, {refused} refused");
}

#[test]
fn every_setting_of_an_explainer_is_refused_by_name_at_its_extremes() {
    let taps = ModelName::DeitMini.taps();
    let huge = usize::MAX.to_string();
    for (method, setting, values) in [
        ("rollout", "discard", &["1", "-0.1", "1e308"][..]),
        ("rollout", "residual", &["1.1", "-0.1", "1e308"]),
        ("rollout", "start_block", &["4", "99", huge.as_str()]),
        ("gradient-rollout", "discard", &["1", "-0.1"]),
        ("raw-attention", "block", &["4", huge.as_str()]),
        ("grad-cam", "layer", &["4", huge.as_str()]),
        ("eigen-cam", "layer", &["4", huge.as_str()]),
        ("smooth-grad", "samples", &["0", "10001", huge.as_str()]),
        ("smooth-grad", "noise", &["-1", "101", "1e308"]),
        ("integrated-gradients", "steps", &["0", "10001", huge.as_str()]),
        ("occlusion", "window", &["0", "13", huge.as_str()]),
    ] {
        for value in values {
            let text = format!("{method}:{setting}={value}");
            let explainer: Explainer = text.parse().unwrap();
            let error = explainer.site(&taps).unwrap_err().to_string();
            assert!(error.contains(method) && error.contains(setting), "{text}: {error}");
            assert!(explainer.fits(&taps).is_err(), "{text} is no question of the model");
        }
        for value in ["-1", "nan", "inf", "x", "1e999"] {
            let text = format!("{method}:{setting}={value}");
            let parsed = text.parse::<Explainer>();
            assert!(parsed.is_err() || parsed.unwrap().site(&taps).is_err(), "{text}");
        }
    }
    assert!(!"rollout".parse::<Explainer>().unwrap().fits(&ModelName::ResnetMini.taps()).unwrap());
}
