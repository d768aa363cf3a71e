//! Pictures in folders: DTD's own layout with its official splits, or a folder a class.

use super::{DataError, Index, Sample, Source, Split};
use crate::fsx;
use crate::seed::{self, Purpose};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where the pictures lie and which of them count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderConfig {
    /// The folder that holds `images/` and `labels/`, or `train/`, `val/` and `test/`, or a folder a class.
    pub root: PathBuf,
    /// DTD's official split, 1 to 10; elsewhere the seed of the split that is made.
    pub split: u64,
    /// Only these classes; empty: all.
    pub classes: Vec<String>,
    /// Whether pictures that cannot be read are left out instead of being an error.
    pub skip_bad_images: bool,
}

/// DTD in its usual places: `$DRIFTSCOPE_DTD`, then `dtd`, `data/dtd` and `data/dtd/dtd` (torchvision's) here and at
/// home.
///
/// # Errors
///
/// [`DataError::NoDtd`] lists where it was looked for.
pub fn find_dtd() -> Result<PathBuf, DataError> {
    let named = std::env::var_os("DRIFTSCOPE_DTD").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let below = |root: PathBuf| ["dtd", "data/dtd", "data/dtd/dtd"].map(|place| root.join(place));
    let usual = [Some(PathBuf::new()), home].into_iter().flatten().flat_map(below);
    let places: Vec<PathBuf> = named.into_iter().chain(usual).collect();
    let found = places.iter().find(|place| is_dtd(place)).cloned();
    found.ok_or(DataError::NoDtd { places })
}

fn is_dtd(root: &Path) -> bool {
    root.join("labels").is_dir() && root.join("images").is_dir()
}

/// Shares of a class that go to training and to validation where no split is given; the rest is for testing.
const SHARES: [f64; 2] = [0.8, 0.1];
/// What we take for a picture.
const EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp"];

/// Class names and the three splits.
pub(super) struct Found {
    pub(super) classes: Vec<String>,
    pub(super) splits: [Index; 3],
}

/// Reads whichever layout is there.
///
/// # Errors
///
/// [`DataError`] where there is none, or a class or a split of it is missing.
pub(super) fn find(config: &FolderConfig) -> Result<Found, DataError> {
    let root = &config.root;
    if is_dtd(root) {
        return dtd(config);
    }
    if root.join("train").is_dir() {
        return split_folders(config);
    }
    class_folders(config)
}

/// DTD: `labels/train1.txt` lists `class/picture.jpg` below `images/`.
fn dtd(config: &FolderConfig) -> Result<Found, DataError> {
    let list = |split: Split| -> Result<Vec<String>, DataError> {
        let path = config.root.join("labels").join(format!("{}{}.txt", split.name(), config.split));
        let text = fsx::read_to_string(&path)?;
        Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_string).collect())
    };
    let lists = [list(Split::Train)?, list(Split::Val)?, list(Split::Test)?];
    let class = |line: &String| line.split('/').next().unwrap_or_default().to_string();
    let classes = choose_classes(config, lists[0].iter().map(class).collect())?;
    let index = |lines: Vec<String>| {
        let sample = |line: String| {
            let label = classes.binary_search(&class(&line)).ok()?;
            let source = Source::File(config.root.join("images").join(&line));
            Some(Sample { id: line, label, source })
        };
        Index(lines.into_iter().filter_map(sample).collect())
    };
    let splits = lists.map(index);
    Ok(Found { classes, splits })
}

/// `train/class/…`, `val/class/…`, and `test/class/…` if there is one.
fn split_folders(config: &FolderConfig) -> Result<Found, DataError> {
    let classes = choose_classes(config, folder_names(&config.root.join("train"))?)?;
    let index = |split: Split| -> Result<Index, DataError> {
        let folder = config.root.join(split.name());
        if split == Split::Test && !folder.is_dir() {
            return Ok(Index(Vec::new()));
        }
        let mut samples = Vec::new();
        for (label, class) in classes.iter().enumerate() {
            samples.extend(pictures(&config.root, &folder.join(class), label)?);
        }
        Ok(Index(samples))
    };
    let splits = [index(Split::Train)?, index(Split::Val)?, index(Split::Test)?];
    Ok(Found { classes, splits })
}

/// `class/…`, split class by class in an order drawn from the split's number.
fn class_folders(config: &FolderConfig) -> Result<Found, DataError> {
    let classes = choose_classes(config, folder_names(&config.root)?)?;
    let mut splits = [Vec::new(), Vec::new(), Vec::new()];
    for (label, class) in classes.iter().enumerate() {
        let mut samples = pictures(&config.root, &config.root.join(class), label)?;
        samples.shuffle(&mut seed::generator(config.split, Purpose::Split, &[label as u64]));
        let [train, val] = SHARES.map(|share| (share * samples.len() as f64).round() as usize);
        let mut rest = samples.split_off(train.min(samples.len()));
        let test = rest.split_off(val.min(rest.len()));
        for (all, mut part) in splits.iter_mut().zip([samples, rest, test]) {
            part.sort_by(|one, other| one.id.cmp(&other.id));
            all.extend(part);
        }
    }
    Ok(Found { classes, splits: splits.map(Index) })
}

/// All classes in alphabetical order, or those that were asked for.
fn choose_classes(config: &FolderConfig, found: BTreeSet<String>) -> Result<Vec<String>, DataError> {
    if found.is_empty() {
        return Err(DataError::NoPictures { path: config.root.clone() });
    }
    if config.classes.is_empty() {
        return Ok(found.into_iter().collect());
    }
    let wanted: BTreeSet<String> = config.classes.iter().cloned().collect();
    match wanted.iter().find(|class| !found.contains(*class)) {
        Some(missing) => Err(DataError::NoClass {
            path: config.root.clone(),
            class: missing.clone(),
            found: found.into_iter().collect::<Vec<_>>().join(", "),
        }),
        None => Ok(wanted.into_iter().collect()),
    }
}

fn folder_names(folder: &Path) -> Result<BTreeSet<String>, DataError> {
    let folders = fsx::list_dir(folder)?.into_iter().filter(|path| path.is_dir());
    let name = |path: PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(folders.filter_map(name).filter(|name| !name.starts_with('.')).collect())
}

/// The pictures of a folder, by name. Their ids are their paths below `root`.
fn pictures(root: &Path, folder: &Path, label: usize) -> Result<Vec<Sample>, DataError> {
    let extension = |path: &Path| path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let is_picture = |path: &PathBuf| extension(path).is_some_and(|ending| EXTENSIONS.contains(&ending.as_str()));
    let sample = |path: PathBuf| {
        let id = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        Sample { id, label, source: Source::File(path) }
    };
    let samples: Vec<Sample> = fsx::list_dir(folder)?.into_iter().filter(is_picture).map(sample).collect();
    if samples.is_empty() {
        return Err(DataError::NoPictures { path: folder.to_path_buf() });
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn touch(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }

    fn found(root: &Path, classes: &[&str]) -> Result<Found, DataError> {
        let classes = classes.iter().map(|name| name.to_string()).collect();
        find(&FolderConfig { root: root.to_path_buf(), split: 1, classes, skip_bad_images: false })
    }

    fn ids(index: &Index) -> Vec<(&str, usize)> {
        index.samples().iter().map(|sample| (sample.id.as_str(), sample.label)).collect()
    }

    #[test]
    fn dtd_follows_its_official_lists() {
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), &["images/a/a_1.jpg", "labels/x"]);
        for (name, text) in [("train", "b/b_1.jpg\na/a_1.jpg\n"), ("val", "a/a_2.jpg\n"), ("test", "b/b_2.jpg\n\n")] {
            fs::write(dir.path().join(format!("labels/{name}1.txt")), text).unwrap();
        }
        let all = found(dir.path(), &[]).unwrap();
        assert_eq!(all.classes, ["a", "b"]);
        assert_eq!(ids(&all.splits[0]), [("b/b_1.jpg", 1), ("a/a_1.jpg", 0)]);
        assert_eq!(ids(&all.splits[2]), [("b/b_2.jpg", 1)]);
        let one = found(dir.path(), &["b"]).unwrap();
        assert_eq!((ids(&one.splits[0]), ids(&one.splits[1])), (vec![("b/b_1.jpg", 0)], vec![]));
        let error = found(dir.path(), &["c"]).err().unwrap().to_string();
        assert!(error.contains("'c'") && error.contains("a, b"), "{error}");
    }

    #[test]
    fn a_folder_a_class_is_split_the_same_way_every_time() {
        let dir = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..20).map(|n| format!("{}/{n:02}.png", ["x", "y"][n % 2])).collect();
        touch(dir.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
        touch(dir.path(), &["x/notes.txt"]);
        let (one, two) = (found(dir.path(), &[]).unwrap(), found(dir.path(), &[]).unwrap());
        assert_eq!(one.splits.each_ref().map(|split| split.samples().len()), [16, 2, 2]);
        for (a, b) in one.splits.iter().zip(&two.splits) {
            assert_eq!(ids(a), ids(b));
        }
    }

    #[test]
    fn split_folders_are_taken_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), &["train/x/1.JPG", "train/y/2.png", "val/x/3.png", "val/y/4.png"]);
        let all = found(dir.path(), &[]).unwrap();
        assert_eq!(ids(&all.splits[0]), [("train/x/1.JPG", 0), ("train/y/2.png", 1)]);
        assert!(all.splits[2].samples().is_empty());
    }

    #[test]
    fn an_empty_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(found(dir.path(), &[]).err().unwrap().to_string().contains(&dir.path().display().to_string()));
    }
}
