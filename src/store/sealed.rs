//! Sealed directories: built under another name, with a manifest of sizes and digests written last, then renamed.
//!
//! The rule of this room: *nothing is computed from bytes whose digest is not the manifest's.* Whoever reads a file of a
//! sealed directory reads it through [`Manifest::file`].

use super::StoreError;
use super::json::{SCHEMA, json, read_versioned};
use super::layout::{self, MANIFEST_FILE};
use crate::fsx;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The size and digest of a file, as the manifest lists them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seal {
    bytes: u64,
    sha256: String,
}

impl Seal {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: fsx::sha256_hex(bytes) }
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, SHA-256 {}", self.bytes, self.sha256)
    }
}

/// `manifest.json`: every file of a directory, by its path below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    schema: u32,
    files: BTreeMap<String, Seal>,
    /// Files that were sealed here and removed since to save space.
    #[serde(default)]
    pruned: Vec<String>,
}

impl Manifest {
    fn new(files: BTreeMap<String, Seal>) -> Self {
        Self { schema: SCHEMA, files, pruned: Vec::new() }
    }

    /// The manifest of a directory.
    ///
    /// # Errors
    ///
    /// Where there is none, it cannot be read, or it is of a newer schema.
    pub fn read(dir: &Path) -> Result<Self, StoreError> {
        read_versioned(&dir.join(MANIFEST_FILE), "a manifest")
    }

    /// Seals a directory as it is, with its sub-folders: for runs that are made by hand, as in tests.
    ///
    /// # Errors
    ///
    /// Where a file cannot be read, or the manifest not be written.
    pub fn seal_dir(dir: &Path) -> Result<Self, StoreError> {
        let (mut files, mut folders) = (BTreeMap::new(), vec![dir.to_path_buf()]);
        while let Some(folder) = folders.pop() {
            for path in fsx::list_dir(&folder)? {
                let name = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().into_owned();
                match fsx::kind(&path)? {
                    Some(fsx::Kind::Dir) => folders.push(path),
                    _ if name == MANIFEST_FILE => {}
                    _ => drop(files.insert(name, Seal::of(&fsx::read(&path)?))),
                }
            }
        }
        let manifest = Self::new(files);
        manifest.write(dir)?;
        Ok(manifest)
    }

    fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(MANIFEST_FILE);
        Ok(fsx::write_atomic(&path, &json(self, &path)?)?)
    }

    /// The paths of the sealed files below the directory, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Whether this file was sealed and has not been pruned since.
    pub fn holds(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// A file's bytes, if they are those that were sealed.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotSealed`] if the manifest does not list the file, [`StoreError::Damaged`] if it is missing, truncated
    /// or altered.
    pub fn file(&self, dir: &Path, name: &str) -> Result<Vec<u8>, StoreError> {
        let path = dir.join(name);
        let Some(expected) = self.files.get(name) else { return Err(StoreError::NotSealed { path }) };
        let damaged =
            |path: PathBuf, found: String| StoreError::Damaged { path, expected: expected.to_string(), found };
        let bytes = match fsx::read(&path) {
            Err(error) if error.is_not_found() => return Err(damaged(path, "no file".to_string())),
            read => read?,
        };
        let found = Seal::of(&bytes);
        if found == *expected { Ok(bytes) } else { Err(damaged(path, found.to_string())) }
    }

    /// Removes those of `names` that are sealed in `dir`, and seals it again without them. The manifest comes first: killed in
    /// between, the directory is whole with files too many, which the next pruning removes. A directory that is a link lies
    /// elsewhere and is left alone.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn prune(mut self, dir: &Path, names: &[&str]) -> Result<(), StoreError> {
        if fsx::kind(dir)? != Some(fsx::Kind::Dir) {
            return Ok(());
        }
        let sealed: Vec<&str> = names.iter().copied().filter(|name| self.holds(name)).collect();
        if !sealed.is_empty() {
            for name in sealed {
                self.files.remove(name);
                self.pruned.push(name.to_string());
            }
            self.write(dir)?;
        }
        // Only what was asked for: a damaged manifest may name anything.
        for name in names.iter().filter(|name| self.pruned.iter().any(|pruned| pruned == *name)) {
            let path = dir.join(name);
            if fsx::kind(&path)? == Some(fsx::Kind::File) {
                fsx::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// A directory that is being built under a temporary name, until [`SealedDir::seal`] gives it its final name. If it is
/// dropped before that, it is removed when the same directory is begun again.
#[derive(Debug)]
pub struct SealedDir {
    partial: PathBuf,
    target: PathBuf,
    files: BTreeMap<String, Seal>,
}

impl SealedDir {
    /// Begins one that will be called `name` in the run's folder; what is left of an earlier attempt is removed.
    ///
    /// # Errors
    ///
    /// Where something foreign lies in its place, or the disk refuses.
    pub fn begin(run: &Path, name: &str) -> Result<Self, StoreError> {
        let partial = run.join(layout::partial_dir_name(name));
        layout::remove_checkpoint(&partial)?;
        fsx::create_dir_all(&partial)?;
        Ok(Self { partial, target: run.join(name), files: BTreeMap::new() })
    }

    /// The path where it is being built.
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// Adds a file; `name` may hold folders.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.partial.join(name);
        if let Some(parent) = path.parent() {
            fsx::create_dir_all(parent)?;
        }
        fsx::write_atomic(&path, bytes)?;
        self.files.insert(name.to_string(), Seal::of(bytes));
        Ok(())
    }

    /// Adds a value as JSON.
    ///
    /// # Errors
    ///
    /// When the value has no JSON, or the disk refuses.
    pub fn write_json<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), StoreError> {
        let bytes = json(value, &self.partial.join(name))?;
        self.write(name, &bytes)
    }

    /// Writes the manifest, waits until the disk has everything, and gives the directory its name.
    ///
    /// # Errors
    ///
    /// When the disk refuses, or something else has that name.
    pub fn seal(self) -> Result<(), StoreError> {
        Manifest::new(self.files).write(&self.partial)?;
        fsx::sync_dir(&self.partial)?;
        Ok(fsx::rename_dir(&self.partial, &self.target)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fsx::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
            fsx::write_atomic(&dir.path().join(name), text.as_bytes()).unwrap();
        }
        Manifest::seal_dir(dir.path()).unwrap();
        dir
    }

    #[test]
    fn a_file_is_read_only_as_it_was_sealed() {
        let dir = sealed(&[("metrics.json", "{}"), ("explanations/rollout.safetensors", "maps")]);
        let manifest = Manifest::read(dir.path()).unwrap();
        assert_eq!(manifest.names().collect::<Vec<_>>(), ["explanations/rollout.safetensors", "metrics.json"]);
        assert_eq!(manifest.file(dir.path(), "metrics.json").unwrap(), b"{}");

        fsx::write_atomic(&dir.path().join("explanations/rollout.safetensors"), b"mapz").unwrap();
        let error = manifest.file(dir.path(), "explanations/rollout.safetensors").unwrap_err().to_string();
        assert!(error.contains("rollout.safetensors") && error.contains("4 bytes"), "{error}");
        fsx::remove_file(&dir.path().join("metrics.json")).unwrap();
        let error = manifest.file(dir.path(), "metrics.json").unwrap_err().to_string();
        assert!(error.contains("found no file"), "{error}");
        fsx::write_atomic(&dir.path().join("stranger"), b"").unwrap();
        assert!(matches!(manifest.file(dir.path(), "stranger"), Err(StoreError::NotSealed { .. })));
    }

    #[test]
    fn pruning_removes_what_it_is_asked_to_and_nothing_that_a_manifest_names() {
        let dir = sealed(&[("model.safetensors", "weights"), ("metrics.json", "{}"), ("mine.txt", "mine")]);
        let mut manifest = Manifest::read(dir.path()).unwrap();
        manifest.pruned = vec!["mine.txt".to_string(), "../mine.txt".to_string()];
        manifest.prune(dir.path(), &["model.safetensors", "ema.safetensors"]).unwrap();
        assert!(!dir.path().join("model.safetensors").exists());
        assert!(dir.path().join("mine.txt").exists());
        let manifest = Manifest::read(dir.path()).unwrap();
        assert_eq!(manifest.names().collect::<Vec<_>>(), ["metrics.json", "mine.txt"]);
        manifest.names().for_each(|name| drop(manifest.file(dir.path(), name).unwrap()));
    }

    #[test]
    fn a_directory_has_its_name_when_all_of_it_is_there() {
        let run = tempfile::tempdir().unwrap();
        let epoch = run.path().join("epoch-0003");
        let mut building = SealedDir::begin(run.path(), "epoch-0003").unwrap();
        building.write("metrics.json", b"{}").unwrap();
        drop(building);
        assert!(!epoch.exists(), "dropped before it was sealed");
        let mut building = SealedDir::begin(run.path(), "epoch-0003").unwrap();
        building.write("explanations/rollout.safetensors", b"maps").unwrap();
        building.seal().unwrap();
        let manifest = Manifest::read(&epoch).unwrap();
        assert_eq!(manifest.names().collect::<Vec<_>>(), ["explanations/rollout.safetensors"]);
        assert_eq!(fsx::list_dir(run.path()).unwrap(), [epoch], "nothing is left of the first attempt");
    }
}
