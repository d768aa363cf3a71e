//! The names in a run's folder: what driftscope makes there, and so all that it ever removes, moves or replaces.
//!
//! The rule of this room: *driftscope removes only what it made, by exact name, in its own folder, and follows no link.*
//! A name that is not here is somebody else's.

use crate::fsx::{self, FsError};
use std::ffi::OsStr;
use std::path::Path;

/// The file that makes a directory a run.
pub const RUN_FILE: &str = "run.json";
/// An empty file that is locked by the process that trains.
pub const LOCK_FILE: &str = "lock";
/// The file that makes a directory a sealed epoch.
pub const MANIFEST_FILE: &str = "manifest.json";
/// A checkpoint's parameters and buffers.
pub const MODEL_FILE: &str = "model.safetensors";
/// A checkpoint's moving average of the parameters and buffers.
pub const EMA_FILE: &str = "ema.safetensors";
/// A checkpoint's optimizer state: moments or momentum.
pub const OPTIMIZER_FILE: &str = "optimizer.safetensors";
/// Where in the run a checkpoint stands.
pub const STATE_FILE: &str = "state.json";
/// Losses and drift of one epoch.
pub const METRICS_FILE: &str = "metrics.json";
/// The confusion matrix of one epoch's validation images.
pub const CONFUSION_FILE: &str = "confusion.csv";
/// The metrics of all sealed epochs, one JSON object per line.
pub const HISTORY_FILE: &str = "metrics.jsonl";
/// The losses and accuracies of all sealed epochs as a table.
pub const HISTORY_TABLE: &str = "metrics.csv";
/// The digest of every image file that the run is trained on, as `sha256sum` prints it.
pub const PICTURES_FILE: &str = "pictures.sha256";
/// Exists while a branch is being copied from another run.
pub const BRANCHING_FILE: &str = "branching.json";
/// The folder with the panel's images, as PNG.
pub const PANEL_DIR: &str = "panel";
/// The folder of an epoch with its maps, one file per explainer.
pub const EXPLANATIONS_DIR: &str = "explanations";
/// The ending of explanation files.
pub const EXPLANATIONS_EXTENSION: &str = "safetensors";
/// The folder of an epoch with figures of a few panel images.
pub const OVERLAYS_DIR: &str = "overlays";
/// The folder with event files for TensorBoard.
pub const TENSORBOARD_DIR: &str = "tensorboard";
/// A save in mid-epoch.
pub const INTERRUPTED: &str = "interrupted";
/// The previous save in mid-epoch, while a new one replaces it.
pub const INTERRUPTED_OLD: &str = "interrupted.old";
/// Prefix of the folders with epochs that a run had when it was resumed from an earlier one; a number follows.
pub const SUPERSEDED: &str = "superseded-";

/// Begins the name of an epoch's directory.
const EPOCH: &str = "epoch-";
/// Ends the name of a directory that is being built.
const PARTIAL: &str = ".partial";
/// Files of the run itself.
const RUN_FILES: [&str; 6] = [RUN_FILE, LOCK_FILE, HISTORY_FILE, HISTORY_TABLE, PICTURES_FILE, BRANCHING_FILE];
/// Files of a checkpoint, beside its folders of explanations and overlays.
const CHECKPOINT_FILES: [&str; 7] =
    [MODEL_FILE, EMA_FILE, OPTIMIZER_FILE, STATE_FILE, METRICS_FILE, CONFUSION_FILE, MANIFEST_FILE];

/// Where the panel's image `index` lies in a run: `panel/007.png`.
pub fn panel_image_name(index: usize) -> String {
    format!("{PANEL_DIR}/{index:03}.png")
}

/// Where an explainer's maps lie in an epoch: `explanations/grad-cam.safetensors`.
pub fn explanations_name(explainer: &str) -> String {
    format!("{EXPLANATIONS_DIR}/{explainer}.{EXPLANATIONS_EXTENSION}")
}

/// The explainer whose maps lie under this name in an epoch; none for any other file.
pub fn explainer_of_name(name: &str) -> Option<&str> {
    let file = name.strip_prefix(EXPLANATIONS_DIR)?.strip_prefix('/')?;
    file.strip_suffix(EXPLANATIONS_EXTENSION)?.strip_suffix('.')
}

/// Where the figure of the panel's image `index` lies in an epoch: `overlays/007.png`.
pub fn overlay_name(index: usize) -> String {
    format!("{OVERLAYS_DIR}/{index:03}.png")
}

/// The name of an epoch's directory: `epoch-0003`.
pub fn epoch_dir_name(epoch: usize) -> String {
    format!("{EPOCH}{epoch:04}")
}

/// The epoch whose directory is called so; none for anything else, `epoch-0003.partial` included.
pub fn epoch_of_name(name: &str) -> Option<usize> {
    let epoch = name.strip_prefix(EPOCH)?.parse().ok()?;
    (epoch_dir_name(epoch) == name).then_some(epoch)
}

/// The epoch of a directory `epoch-NNNN` with a manifest.
pub fn sealed_epoch(path: &Path) -> Option<usize> {
    let epoch = epoch_of_name(path.file_name()?.to_str()?)?;
    path.join(MANIFEST_FILE).is_file().then_some(epoch)
}

/// Whether this is the place of a save in mid-epoch.
pub fn is_interrupted(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == INTERRUPTED || name == INTERRUPTED_OLD)
}

/// The directory in which one called `name` is built.
pub fn partial_dir_name(name: &str) -> String {
    format!("{name}{PARTIAL}")
}

/// Whether a directory of the run is built under this name.
pub fn is_partial_dir(name: &str) -> bool {
    let whole = name.strip_suffix(PARTIAL);
    whole.is_some_and(|whole| epoch_of_name(whole).is_some() || whole == INTERRUPTED || whole == PANEL_DIR)
}

/// Whether this is a file of the run itself.
pub fn is_run_file(name: &str) -> bool {
    RUN_FILES.contains(&name)
}

/// Whether this is a file on its way to one of the run's own files.
pub fn is_temporary_run_file(name: &str) -> bool {
    fsx::temporary_of(name).is_some_and(is_run_file)
}

/// Whether a run uses this name in its own folder, for something finished or being built. Output never goes there.
pub fn is_a_runs_own(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let whole = name.strip_suffix(PARTIAL).unwrap_or(&name);
    let numbered = |prefix: &str| {
        let number = whole.strip_prefix(prefix);
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let known = is_run_file(whole) || [PANEL_DIR, TENSORBOARD_DIR].contains(&whole) || name.starts_with(INTERRUPTED);
    known || numbered(EPOCH) || numbered(SUPERSEDED)
}

/// Whether this is the folder of a run: it has a `run.json` that driftscope wrote.
pub fn is_run_dir(path: &Path) -> bool {
    own_json(&path.join(RUN_FILE), &["driftscope", "schema", "model"]).is_some()
}

/// Whether this is the folder of a branch that was not copied completely.
pub fn is_branching_dir(path: &Path) -> bool {
    own_json(&path.join(BRANCHING_FILE), &["schema", "from"]).is_some()
}

/// The content of a JSON file that has all these keys; `None` for any other file.
pub fn own_json(path: &Path, keys: &[&str]) -> Option<serde_json::Value> {
    let bytes = if path.is_file() { fsx::read(path).ok()? } else { return None };
    let value: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    keys.iter().all(|key| value.get(key).is_some()).then_some(value)
}

/// Whether this is an event file that driftscope wrote.
pub fn is_event_file(name: &str) -> bool {
    name.starts_with("events.out.tfevents.") && name.contains(".driftscope")
}

/// Whether driftscope makes this below a checkpoint's directory, whole or in parts.
pub fn is_of_checkpoint(below: &Path) -> bool {
    match words(below).as_deref() {
        Some([EXPLANATIONS_DIR | OVERLAYS_DIR]) => true,
        Some([file]) => CHECKPOINT_FILES.contains(&finished(file)),
        Some([EXPLANATIONS_DIR, file]) => finished(file).ends_with(".safetensors"),
        Some([OVERLAYS_DIR, file]) => is_numbered_png(finished(file)),
        _ => false,
    }
}

/// Whether driftscope makes this below the panel's directory.
pub fn is_of_panel(below: &Path) -> bool {
    matches!(words(below).as_deref(), Some([file]) if is_numbered_png(finished(file)))
}

/// Removes a checkpoint's directory, whole or in parts. Its manifest goes first: killed in between, what is left is no
/// checkpoint.
///
/// # Errors
///
/// Where something foreign lies in it: then nothing is removed.
pub fn remove_checkpoint(dir: &Path) -> Result<(), FsError> {
    // What is foreign is found before the manifest goes.
    fsx::check_own_dir(dir, &is_of_checkpoint)?;
    let manifest = dir.join(MANIFEST_FILE);
    if fsx::kind(&manifest)?.is_some() {
        fsx::remove_file(&manifest)?;
    }
    fsx::remove_own_dir(dir, &is_of_checkpoint)
}

/// Removes the panel's directory, whole or in parts.
///
/// # Errors
///
/// Where something foreign lies in it: then nothing is removed.
pub fn remove_panel(dir: &Path) -> Result<(), FsError> {
    fsx::remove_own_dir(dir, &is_of_panel)
}

/// The parts of a path, where all of them are UTF-8: whatever is not is not ours.
fn words(path: &Path) -> Option<Vec<&str>> {
    path.components().map(|part| part.as_os_str().to_str()).collect()
}

/// The name that a file has when it is finished.
fn finished(name: &str) -> &str {
    fsx::temporary_of(name).unwrap_or(name)
}

/// Whether this is a name such as `000.png`.
fn is_numbered_png(name: &str) -> bool {
    let Some(digits) = name.strip_suffix(".png") else { return false };
    digits.parse::<usize>().is_ok_and(|number| format!("{number:03}") == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_make_is_known_by_exact_names() {
        for name in ["epoch-0003.partial", "epoch-12345.partial", "interrupted.partial", "panel.partial"] {
            assert!(is_partial_dir(name), "{name}");
        }
        for name in ["download.partial", "epoch-3.partial", "epoch-0003", "epoch-x.partial", "my-epoch-0003.partial"] {
            assert!(!is_partial_dir(name), "{name}");
        }
        for name in ["model.safetensors", ".state.json.17.tmp", "explanations/rollout.safetensors", "overlays/003.png"]
        {
            assert!(is_of_checkpoint(Path::new(name)), "{name}");
        }
        for name in ["notes.tmp", "model.pth", "explanations/notes.txt", "overlays/cat.png", "overlays/3.png", "a/b/c"]
        {
            assert!(!is_of_checkpoint(Path::new(name)), "{name}");
        }
        assert!(is_of_panel(Path::new("000.png")) && is_of_panel(Path::new("1234.png")));
        assert!(!is_of_panel(Path::new("mine.txt")) && !is_of_panel(Path::new("0123.png")));
        assert!(is_temporary_run_file(".metrics.jsonl.9.tmp") && !is_temporary_run_file(".thesis.9.tmp"));
    }

    #[test]
    fn none_of_our_names_is_taken_for_output() {
        let others = ["epoch-0003", "epoch-0003.partial", "superseded-1", PANEL_DIR, INTERRUPTED, INTERRUPTED_OLD];
        for name in RUN_FILES.into_iter().chain(others).chain([TENSORBOARD_DIR, "panel.partial", "epoch-3"]) {
            assert!(is_a_runs_own(name.as_ref()), "{name}");
        }
        for name in ["report.html", "epoch-", "epoch-best", "superseded-x", "my-panel"] {
            assert!(!is_a_runs_own(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn maps_are_named_after_their_explainer() {
        let name = explanations_name("rollout-fusion-max");
        assert_eq!(explainer_of_name(&name), Some("rollout-fusion-max"));
        for name in ["explanations/notes.txt", "explanations/safetensors", "grad-cam.safetensors", MODEL_FILE] {
            assert_eq!(explainer_of_name(name), None, "{name}");
        }
    }
}
