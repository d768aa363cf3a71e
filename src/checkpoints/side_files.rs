//! What stands beside the weights in a folder of Hugging Face or timm: `config.json`, `preprocessor_config.json`,
//! `trainer_state.json`.
//!
//! # Source
//!
//! transformers 5.24.0 `configuration_utils.py`, `image_processing_utils.py`, `trainer_callback.py`; timm 1.0.22 `models/_hub.py`.

use super::error::CheckpointError;
use super::facts::{Counting, Facts, Preprocessing, in_order};
use crate::fsx;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The longest side file that is read, in bytes.
const LONGEST: u64 = 64 << 20;

/// What the side files of a folder say.
///
/// # Errors
///
/// Where one is there that cannot be read or is no JSON.
pub(super) fn read(folder: &Path) -> Result<Facts, CheckpointError> {
    let mut facts = Facts::default();
    if let Some(config) = json(&folder.join("config.json"))? {
        from_config(&config, &mut facts);
    }
    if let Some(processor) = json(&folder.join("preprocessor_config.json"))? {
        facts.preprocessing = Some(from_processor(&processor));
    }
    if let Some(state) = json(&folder.join("trainer_state.json"))? {
        from_trainer(&state, &mut facts);
    }
    Ok(facts)
}

fn json(path: &Path) -> Result<Option<Value>, CheckpointError> {
    if !fsx::is_there(path) {
        return Ok(None);
    }
    let broken = |what: String| CheckpointError::Broken { path: path.to_path_buf(), container: "JSON file", what };
    let length = fsx::metadata(path)?.len();
    if length > LONGEST {
        return Err(broken(format!("it has {length} bytes where at most {LONGEST} are expected")));
    }
    serde_json::from_slice(&fsx::read(path)?).map(Some).map_err(|error| broken(error.to_string()))
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_string)
}

fn three(value: &Value) -> Option<[f64; 3]> {
    <[f64; 3]>::try_from(value.as_array()?.iter().filter_map(Value::as_f64).collect::<Vec<_>>()).ok()
}

fn whole(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}

fn from_config(config: &Value, facts: &mut Facts) {
    facts.architecture = text(config, "architecture").or_else(|| text(config, "model_type"));
    facts.producer = Some(if config["architecture"].is_string() { "timm" } else { "transformers" }.to_string());
    facts.epsilon = config["layer_norm_eps"].as_f64();
    let listed = |value: &Value| -> Option<Vec<String>> {
        value.as_array()?.iter().map(|name| name.as_str().map(str::to_string)).collect()
    };
    let numbered = |value: &Value| {
        let name = |(index, name): (&String, &Value)| Some((index.parse().ok()?, name.as_str()?.to_string()));
        in_order(value.as_object()?.iter().map(name).collect::<Option<BTreeMap<usize, String>>>()?)
    };
    // transformers fills in LABEL_0, LABEL_1, … where nobody named the classes.
    let named = |names: &Vec<String>| !names.iter().enumerate().all(|(index, name)| *name == format!("LABEL_{index}"));
    facts.classes = listed(&config["label_names"])
        .or_else(|| numbered(&config["label_names"]))
        .or_else(|| numbered(&config["id2label"]).filter(named))
        .filter(|names| !names.is_empty());
    let tag = &config["pretrained_cfg"];
    if three(&tag["mean"]).is_some() {
        facts.preprocessing = Some(Preprocessing {
            size: whole(&tag["input_size"][2]),
            resize: None,
            crop: tag["crop_pct"].as_f64(),
            squash: tag["crop_mode"] == "squash",
            interpolation: text(tag, "interpolation"),
            mean: three(&tag["mean"]),
            deviation: three(&tag["std"]),
            source: "config.json".to_string(),
        });
    }
}

fn from_processor(processor: &Value) -> Preprocessing {
    let size = &processor["size"];
    let side = whole(&size["height"]).or(whole(&size["shortest_edge"])).or(whole(size));
    let kind = text(processor, "image_processor_type").or_else(|| text(processor, "feature_extractor_type"));
    let kind = kind.unwrap_or_default();
    let crop = &processor["crop_size"];
    let cropped = whole(&crop["height"]).or(whole(crop)).filter(|_| processor["do_center_crop"] != false);
    // A ResNet's processor scales the short side to size / crop_pct and cuts, but squashes from 384 on.
    let share =
        processor["crop_pct"].as_f64().filter(|_| kind.contains("ConvNext") && side.is_some_and(|side| side < 384));
    let interpolation = processor["resample"].as_u64().and_then(|number| match number {
        0 => Some("nearest"),
        1 => Some("lanczos"),
        2 => Some("bilinear"),
        3 => Some("bicubic"),
        _ => None,
    });
    Preprocessing {
        size: cropped.or(side),
        resize: side.filter(|_| cropped.is_some()),
        crop: share,
        squash: share.is_none() && whole(&size["shortest_edge"]).is_none(),
        interpolation: interpolation.map(str::to_string),
        mean: three(&processor["image_mean"]),
        deviation: three(&processor["image_std"]),
        source: "preprocessor_config.json".to_string(),
    }
}

fn from_trainer(state: &Value, facts: &mut Facts) {
    facts.producer = Some("transformers Trainer".to_string());
    facts.epoch = state["epoch"].as_f64();
    // After the first pass the epoch is 1.0: how many passes were made.
    facts.counting = facts.epoch.map(|_| Counting::FromOne);
    facts.step = state["global_step"].as_u64();
    let here =
        state["log_history"].as_array().into_iter().flatten().filter(|line| line["step"] == state["global_step"]);
    for (key, value) in here.filter_map(Value::as_object).flatten() {
        if let Some(number) = value.as_f64().filter(|_| !matches!(key.as_str(), "epoch" | "step")) {
            facts.metrics.insert(key.clone(), number);
        }
    }
}
