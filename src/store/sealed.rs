//! Directories whose content is known to the byte: a manifest with sizes and digests, written last.
//!
//! The rule of this room: *nothing is computed from bytes whose digest is not the manifest's.* Whoever reads a file of a
//! sealed directory reads it through [`Manifest::file`].

use super::layout::MANIFEST_FILE;
use super::{SCHEMA, StoreError, read_versioned};
use crate::fsx;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A file's entry in the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    bytes: u64,
    sha256: String,
}

impl Seal {
    /// That of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
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
    /// One of these files.
    pub fn new(files: BTreeMap<String, Seal>) -> Self {
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

    /// Seals a directory as it lies there, folders and all: for runs that were put together by hand.
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

    /// Writes it into `dir`, whole or not at all.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let path = dir.join(MANIFEST_FILE);
        Ok(fsx::write_atomic(&path, &super::json(self, &path)?)?)
    }

    /// The files, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Whether this file was sealed and not removed since.
    pub fn holds(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// A file's bytes, if they are those that were sealed.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotSealed`] where the manifest does not know the file, [`StoreError::Damaged`] where it is missing,
    /// cut or altered.
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

    /// Checks every file.
    ///
    /// # Errors
    ///
    /// As [`Manifest::file`], for the first that is not what was sealed.
    pub fn verify(&self, dir: &Path) -> Result<(), StoreError> {
        self.names().try_for_each(|name| self.file(dir, name).map(drop))
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
        manifest.verify(dir.path()).unwrap();

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
        Manifest::read(dir.path()).unwrap().verify(dir.path()).unwrap();
    }
}
