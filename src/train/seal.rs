//! How an epoch becomes whole at once: built aside, its manifest last, then renamed.

use super::checkpoint::{CheckpointError, Saved};
use crate::fsx;
use crate::weights;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Version of run.json, state.json and manifest.json. Readers refuse a newer one.
pub(super) const SCHEMA: u32 = 1;
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const STATE: &str = "state.json";
pub(super) const MODEL: &str = "model.safetensors";
pub(super) const EMA: &str = "ema.safetensors";
pub(super) const OPTIMIZER: &str = "optimizer.safetensors";
/// What retention removes: only training needs it.
const WEIGHTS: [&str; 3] = [MODEL, EMA, OPTIMIZER];

/// A checkpoint under construction. Dropped unsealed, it is as if it had never been.
#[derive(Debug)]
pub struct Unsealed {
    partial: PathBuf,
    target: PathBuf,
    files: BTreeMap<String, Sealed>,
}

/// A file's entry in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sealed {
    bytes: u64,
    sha256: String,
}

impl Sealed {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: fsx::sha256_hex(bytes) }
    }
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    schema: u32,
    files: BTreeMap<String, Sealed>,
    /// Files that were sealed here and removed since to save space.
    #[serde(default)]
    pruned: Vec<String>,
}

impl Unsealed {
    pub(super) fn begin(run: &Path, name: String) -> Result<Self, CheckpointError> {
        let partial = run.join(format!("{name}.partial"));
        remove_if_there(&partial)?;
        fsx::create_dir_all(&partial)?;
        Ok(Self { partial, target: run.join(name), files: BTreeMap::new() })
    }

    /// Adds a file; `name` may hold folders.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), CheckpointError> {
        let path = self.partial.join(name);
        if let Some(parent) = path.parent() {
            fsx::create_dir_all(parent)?;
        }
        fsx::write_atomic(&path, bytes)?;
        self.files.insert(name.to_string(), Sealed::of(bytes));
        Ok(())
    }

    /// Adds a value as JSON.
    pub fn write_json<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), CheckpointError> {
        let bytes = json(value, &self.partial.join(name))?;
        self.write(name, &bytes)
    }

    /// Adds what resuming needs.
    pub(super) fn write_checkpoint(&mut self, saved: &Saved) -> Result<(), CheckpointError> {
        let tensors = [(MODEL, Some(&saved.model)), (EMA, saved.ema.as_ref()), (OPTIMIZER, Some(&saved.optimizer))];
        for (name, tensors) in tensors {
            let Some(tensors) = tensors else { continue };
            let path = self.partial.join(name);
            let bytes = weights::encode(tensors, &[("format", "pt")])
                .map_err(|source| CheckpointError::Encode { path, source: Box::new(source) })?;
            self.write(name, &bytes)?;
        }
        self.write_json(STATE, &saved.state)
    }

    /// Writes the manifest and gives the directory its name.
    pub fn seal(mut self) -> Result<PathBuf, CheckpointError> {
        let manifest = Manifest { schema: SCHEMA, files: std::mem::take(&mut self.files), pruned: Vec::new() };
        fsx::write_atomic(&self.partial.join(MANIFEST), &json(&manifest, &self.partial.join(MANIFEST))?)?;
        fsx::sync_dir(&self.partial)?;
        fsx::rename_dir(&self.partial, &self.target)?;
        Ok(self.target)
    }
}

/// Every file of a sealed checkpoint against its manifest.
pub(super) fn verify(dir: &Path) -> Result<(), CheckpointError> {
    for (name, expected) in &manifest(dir)?.files {
        let path = dir.join(name);
        let describe = |sealed: &Sealed| format!("{} bytes, SHA-256 {}", sealed.bytes, sealed.sha256);
        if !path.exists() {
            return Err(CheckpointError::Damaged { path, expected: describe(expected), found: "no file".to_string() });
        }
        let found = Sealed::of(&fsx::read(&path)?);
        if found != *expected {
            return Err(CheckpointError::Damaged { path, expected: describe(expected), found: describe(&found) });
        }
    }
    Ok(())
}

/// Whether a sealed checkpoint still has its weights.
pub(super) fn has_weights(dir: &Path) -> Result<bool, CheckpointError> {
    Ok(manifest(dir)?.files.contains_key(MODEL))
}

/// Removes the weights of a sealed epoch and seals it again without them. The manifest comes first: killed in between, the
/// epoch is whole with files too many, which the next pruning removes.
pub(super) fn prune(dir: &Path) -> Result<(), CheckpointError> {
    let mut manifest = manifest(dir)?;
    let sealed: Vec<&str> = WEIGHTS.into_iter().filter(|name| manifest.files.contains_key(*name)).collect();
    if !sealed.is_empty() {
        for name in sealed {
            manifest.files.remove(name);
            manifest.pruned.push(name.to_string());
        }
        let path = dir.join(MANIFEST);
        fsx::write_atomic(&path, &json(&manifest, &path)?)?;
    }
    for name in &manifest.pruned {
        let path = dir.join(name);
        if path.exists() {
            fsx::remove_file(&path)?;
        }
    }
    Ok(())
}

fn manifest(dir: &Path) -> Result<Manifest, CheckpointError> {
    let path = dir.join(MANIFEST);
    let manifest: Manifest = read_json(&path, "a manifest")?;
    if manifest.schema > SCHEMA {
        return Err(CheckpointError::Newer { path, found: manifest.schema });
    }
    Ok(manifest)
}

pub(super) fn remove_if_there(path: &Path) -> Result<(), CheckpointError> {
    if path.exists() { Ok(fsx::remove_dir_all(path)?) } else { Ok(()) }
}

pub(super) fn json<T: Serialize>(value: &T, path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|source| CheckpointError::Encode { path: path.to_path_buf(), source: Box::new(source) })?;
    bytes.push(b'\n');
    Ok(bytes)
}

pub(super) fn read_json<T: for<'de> Deserialize<'de>>(
    path: &Path,
    expected: &'static str,
) -> Result<T, CheckpointError> {
    let text = fsx::read_to_string(path)?;
    serde_json::from_str(&text).map_err(|source| CheckpointError::Json { path: path.to_path_buf(), expected, source })
}
