//! Where the pretrained weights of a named model lie, if somebody has downloaded them.

use super::error::{FileError, WeightsError};
use crate::fsx;
use crate::models::ModelName;
use std::env;
use std::path::PathBuf;

/// The file that timm's repositories keep weights in.
const FILE: &str = "model.safetensors";

/// The model's timm file in the Hugging Face cache: `$HF_HUB_CACHE`, `$HF_HOME/hub` or `~/.cache/huggingface/hub`.
///
/// # Errors
///
/// Where it is not there: which file to download, and how to pass it.
pub fn pretrained(model: ModelName) -> Result<PathBuf, WeightsError> {
    let name = model.to_string();
    let Some(repository) = model.spec().repository else { return Err(WeightsError::NeverPretrained { model: name }) };
    let cache = cache();
    let snapshots = cache.join(format!("models--{}", repository.replace('/', "--"))).join("snapshots");
    let url = format!("https://huggingface.co/{repository}/resolve/main/{FILE}");
    let folders = match fsx::list_dir(&snapshots) {
        Err(error) if error.is_not_found() => Vec::new(),
        listed => listed.map_err(FileError::from)?,
    };
    // The cache links into its own store: a link that leads nowhere is a download that broke off, and reading says so.
    let mut found = Vec::new();
    for path in folders.into_iter().map(|folder| folder.join(FILE)) {
        if fsx::kind(&path).map_err(FileError::from)?.is_some() {
            found.push(path);
        }
    }
    let whole = found.iter().rfind(|path| path.is_file()).or(found.last());
    whole.cloned().ok_or(WeightsError::NotInCache { model: name, url, cache })
}

fn cache() -> PathBuf {
    let variable = |name| env::var_os(name).map(PathBuf::from);
    let home = || variable("HOME").unwrap_or_default();
    let hub = || variable("HF_HOME").unwrap_or_else(|| home().join(".cache/huggingface")).join("hub");
    variable("HF_HUB_CACHE").unwrap_or_else(hub)
}
