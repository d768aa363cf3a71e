//! Where the pretrained weights of a named model lie, if somebody has downloaded them.

use super::WeightsError;
use crate::models::ModelName;
use std::env;
use std::path::PathBuf;

/// The file that timm's repositories keep weights in.
const FILE: &str = "model.safetensors";

/// The timm repository on the Hugging Face hub whose weights bare `timm.create_model(name, pretrained=True)` takes.
fn repository(model: ModelName) -> Option<&'static str> {
    match model {
        ModelName::Resnet50 => Some("timm/resnet50.a1_in1k"),
        ModelName::DeitTiny => Some("timm/deit_tiny_patch16_224.fb_in1k"),
        ModelName::ResnetMini | ModelName::DeitMini => None,
    }
}

/// Whether anybody has pretrained this size.
pub fn is_pretrained(model: ModelName) -> bool {
    repository(model).is_some()
}

/// The model's timm file in the Hugging Face cache: `$HF_HUB_CACHE`, `$HF_HOME/hub` or `~/.cache/huggingface/hub`.
///
/// # Errors
///
/// Where it is not there: which file to download, and how to pass it.
pub fn pretrained(model: ModelName) -> Result<PathBuf, WeightsError> {
    let name = model.to_string();
    let Some(repository) = repository(model) else { return Err(WeightsError::NeverPretrained { model: name }) };
    let cache = cache();
    let snapshots = cache.join(format!("models--{}", repository.replace('/', "--"))).join("snapshots");
    let mut found: Vec<PathBuf> = std::fs::read_dir(&snapshots)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path().join(FILE))).collect())
        .unwrap_or_default();
    found.retain(|path| path.is_file());
    found.sort();
    let url = format!("https://huggingface.co/{repository}/resolve/main/{FILE}");
    found.pop().ok_or(WeightsError::NotInCache { model: name, url, cache })
}

fn cache() -> PathBuf {
    let variable = |name| env::var_os(name).map(PathBuf::from);
    let home = || variable("HOME").unwrap_or_default();
    let hub = || variable("HF_HOME").unwrap_or_else(|| home().join(".cache/huggingface")).join("hub");
    variable("HF_HUB_CACHE").unwrap_or_else(hub)
}
