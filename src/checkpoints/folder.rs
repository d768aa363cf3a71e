//! Folders of weights: Hugging Face's, timm's, accelerate's and the Trainer's.
//!
//! # Source
//!
//! transformers 5.24.0 `modeling_utils.py`: `model.safetensors`, its index, `pytorch_model.bin`, its index, in this order.

use super::error::CheckpointError;
use super::facts::Facts;
use super::side_files;
use crate::fsx;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The files that weights are in, in the order of preference.
const FILES: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];
/// The longest index that is read, in bytes, and the most files that it may name.
const LONGEST_INDEX: u64 = 64 << 20;
const MOST_SHARDS: usize = 1000;

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The files of a folder's weights.
///
/// # Errors
///
/// Where it holds none, or something that is not read, which is named with the way out.
pub(super) fn weights(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    for name in FILES {
        let file = folder.join(name);
        if fsx::is_there(&file) {
            return Ok(vec![file]);
        }
        let index = folder.join(format!("{name}.index.json"));
        if fsx::is_there(&index) {
            return shards(folder, &index);
        }
    }
    let has = |name: &str| fsx::is_there(&folder.join(name));
    let what = if has(".metadata") {
        "a distributed checkpoint: convert it with \
         `python -m torch.distributed.checkpoint.format_utils dcp_to_torch DIR weights.pth`"
    } else if has("adapter_config.json") {
        "a LoRA adapter without its model: merge them with merge_and_unload() and save the model"
    } else if has("latest") || has("zero_to_fp32.py") {
        "a DeepSpeed checkpoint: convert it with its own zero_to_fp32.py"
    } else {
        "a folder without model.safetensors or pytorch_model.bin: name the file in it"
    };
    Err(CheckpointError::NotWeights { path: folder.to_path_buf(), found: what.to_string() })
}

/// The files that an index names; each is in the folder itself.
fn shards(folder: &Path, index: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let broken =
        |what: String| CheckpointError::Broken { path: index.to_path_buf(), container: "index of weights", what };
    let length = fsx::metadata(index)?.len();
    if length > LONGEST_INDEX {
        return Err(broken(format!("it has {length} bytes where at most {LONGEST_INDEX} are expected")));
    }
    let index: Index = serde_json::from_slice(&fsx::read(index)?).map_err(|error| broken(error.to_string()))?;
    let names: BTreeSet<String> = index.weight_map.into_values().collect();
    if names.is_empty() || names.len() > MOST_SHARDS {
        return Err(broken(format!("it names {} files, expected 1 to {MOST_SHARDS}", names.len())));
    }
    if let Some(name) = names.iter().find(|name| Path::new(name).file_name() != Some(name.as_ref())) {
        return Err(broken(format!("'{}' is no file in its folder", name.escape_debug())));
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Adds what the side files say to what the weights themselves do.
pub(super) fn side_facts(folder: &Path, facts: &mut Facts) -> Result<(), CheckpointError> {
    let beside = side_files::read(folder)?;
    let own = std::mem::replace(facts, beside);
    facts.producer = facts.producer.take().or(own.producer);
    facts.classes = facts.classes.take().or(own.classes);
    facts.architecture = facts.architecture.take().or(own.architecture);
    facts.preprocessing = facts.preprocessing.take().or(own.preprocessing);
    if facts.epoch.is_none() {
        (facts.epoch, facts.counting) = (own.epoch, own.counting);
    }
    facts.step = facts.step.or(own.step);
    facts.metrics.extend(own.metrics);
    Ok(())
}
