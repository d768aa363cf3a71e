//! What there is to learn from: samples with stable ids, in official splits, and the pictures behind them.
//!
//! Knows neither models nor explainers. Sources are DTD in its own layout, a folder a class, and the embedded procedural
//! [`textures`].

mod batch;
pub mod colour;
mod erasing;
mod folder;
#[cfg(test)]
mod golden;
mod loader;
mod mix;
mod panel;
mod picture;
mod policy;
mod resample;
pub mod textures;
mod transform;
mod warp;

pub use batch::{Batch, IMAGENET_MEAN, IMAGENET_STD, normalised};
pub use colour::ColourJitter;
pub use erasing::RandomErasing;
pub use folder::{FolderConfig, find_dtd};
pub use loader::{Batching, Loader, Order};
pub use mix::{Mix, Mixing};
pub use panel::{Panel, perturbed};
pub use picture::{Interpolation, Picture, Window};
pub use policy::Policy;
pub use transform::{Augmentation, Preprocessing};

use crate::fsx::{self, FsError};
use crate::seed::{self, Purpose};
use burn_dataset::{Dataset, DatasetError};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Data that cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] FsError),
    /// A picture that is missing or broken.
    #[error("{path} cannot be read as a picture")]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: image::ImageError,
    },
    /// Nothing to learn from.
    #[error(
        "{path} holds no pictures; expected images/ and labels/ as in DTD, or train/ and val/ with a folder a class, \
         or a folder a class"
    )]
    NoPictures {
        /// The folder.
        path: PathBuf,
    },
    /// A panel's list names what is no validation picture.
    #[error("panel.list: {id} is not in the validation split of {data}")]
    NotInPanel {
        /// What was asked for.
        id: String,
        /// The data set.
        data: String,
    },
    /// DTD was asked for by name and lies nowhere that we know.
    #[error(
        "DTD was not found in {}: download it from {DTD_SITE} and unpack it into one of them, or pass its folder with \
         --data FOLDER, or train on the embedded textures with --data textures",
        list(places)
    )]
    NoDtd {
        /// Where it was looked for.
        places: Vec<PathBuf>,
    },
    /// A class that is not there.
    #[error("{path} has no class '{class}'; it has {found}")]
    NoClass {
        /// The folder.
        path: PathBuf,
        /// What was asked for.
        class: String,
        /// What there is.
        found: String,
    },
    /// A split without pictures.
    #[error("the {split} split of {name} is empty")]
    EmptySplit {
        /// Which.
        split: &'static str,
        /// The data.
        name: String,
    },
    /// A worker stopped before its time.
    #[error("the loader stopped after {delivered} of {expected} batches")]
    LoaderStopped {
        /// Batches that came.
        delivered: usize,
        /// Batches that should have.
        expected: usize,
    },
}

/// Where DTD's authors keep it.
const DTD_SITE: &str = "https://www.robots.ox.ac.uk/~vgg/data/dtd/";

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Which part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Learned from.
    Train,
    /// Evaluated every epoch; the panel is chosen from it.
    Val,
    /// Kept apart.
    Test,
}

impl Split {
    /// All three.
    pub const ALL: [Split; 3] = [Split::Train, Split::Val, Split::Test];

    /// As it is called in files and folders.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Val => "val",
            Split::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Split::ALL.into_iter().find(|split| split.name() == text);
        named.ok_or_else(|| format!("'{text}' is no split; expected train, val or test"))
    }
}

/// One labelled picture, by reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Stable and unique: the same picture has the same id in every run.
    pub id: String,
    /// Index into the class names.
    pub label: usize,
    source: Source,
}

/// Where the pixels come from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Texture { seed: u64 },
    File(PathBuf),
}

impl Sample {
    /// The picture as it is; `size` is the side of one that is drawn.
    ///
    /// # Errors
    ///
    /// [`DataError::Picture`] names the file.
    pub fn picture(&self, size: usize) -> Result<Picture, DataError> {
        match &self.source {
            Source::Texture { seed } => Ok(Picture::new(size, size, textures::draw(self.label, *seed, size).pixels)),
            Source::File(path) => Picture::read(path),
        }
    }

    /// Reads the head of the picture's file, or, `whole`, all of it.
    fn check(&self, whole: bool) -> Result<(), DataError> {
        match &self.source {
            Source::Texture { .. } => Ok(()),
            Source::File(path) if whole => Picture::read(path).map(drop),
            Source::File(path) => Picture::probe(path),
        }
    }

    fn path(&self) -> Option<&PathBuf> {
        match &self.source {
            Source::Texture { .. } => None,
            Source::File(path) => Some(path),
        }
    }
}

/// The samples of one split, in a fixed order.
#[derive(Clone, Debug)]
pub struct Index(Vec<Sample>);

impl Index {
    /// The samples, in order.
    pub fn samples(&self) -> &[Sample] {
        &self.0
    }
}

impl Dataset<Sample> for Index {
    fn get(&self, index: usize) -> Result<Sample, DatasetError> {
        Ok(self.0[index].clone())
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// How many textures to draw, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TexturesConfig {
    /// Training pictures a class.
    pub train_per_class: usize,
    /// Validation pictures a class, and test pictures a class.
    pub val_per_class: usize,
    /// Which textures: another seed is another data set.
    pub seed: u64,
}

/// Where the data comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DataConfig {
    /// Drawn.
    Textures(TexturesConfig),
    /// Read.
    Folder(FolderConfig),
}

/// A data set: class names and its splits.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// As a person would call it.
    pub name: String,
    /// Class names in label order.
    pub classes: Vec<String>,
    splits: [Index; 3],
    /// SHA-256 over class names, splits, ids and labels.
    pub digest: String,
    /// Pictures that could not be read and were left out because the config says so.
    pub skipped: Vec<PathBuf>,
}

impl DataSet {
    /// Finds the data and looks at the head of every picture, so that one that is missing or no picture fails here and
    /// not in the middle of a night. Where bad pictures are to be skipped, every picture is read whole to find them.
    ///
    /// # Errors
    ///
    /// [`DataError`] names the folder or file.
    pub fn open(config: &DataConfig) -> Result<Self, DataError> {
        let (name, classes, splits, skipped) = match config {
            DataConfig::Textures(config) => {
                ("textures".to_string(), texture_classes(), texture_splits(*config), Vec::new())
            }
            DataConfig::Folder(config) => {
                let mut found = folder::find(config)?;
                let skipped = check(&mut found.splits, config.skip_bad_images)?;
                let name = config.root.file_name().map(|name| name.to_string_lossy().into_owned());
                (name.unwrap_or_else(|| "images".to_string()), found.classes, found.splits, skipped)
            }
        };
        let data = Self { digest: digest(&classes, &splits), name, classes, splits, skipped };
        for split in [Split::Train, Split::Val] {
            if data.split(split).samples().is_empty() {
                return Err(DataError::EmptySplit { split: split.name(), name: data.name });
            }
        }
        Ok(data)
    }

    /// One of the splits.
    pub fn split(&self, split: Split) -> &Index {
        let [train, val, test] = &self.splits;
        match split {
            Split::Train => train,
            Split::Val => val,
            Split::Test => test,
        }
    }
}

/// Looks at every picture; one that cannot be read is an error, or is left out and returned.
fn check(splits: &mut [Index; 3], skip: bool) -> Result<Vec<PathBuf>, DataError> {
    if !skip {
        splits.par_iter().flat_map(|split| split.samples()).try_for_each(|sample| sample.check(false))?;
        return Ok(Vec::new());
    }
    let mut skipped = Vec::new();
    for split in splits {
        let good: Vec<bool> = split.samples().par_iter().map(|sample| sample.check(true).is_ok()).collect();
        let (kept, bad): (Vec<_>, Vec<_>) = split.0.drain(..).zip(good).partition(|(_, good)| *good);
        split.0 = kept.into_iter().map(|(sample, _)| sample).collect();
        skipped.extend(bad.iter().filter_map(|(sample, _)| sample.path().cloned()));
    }
    Ok(skipped)
}

fn texture_classes() -> Vec<String> {
    textures::CLASSES.iter().map(|name| name.to_string()).collect()
}

/// Class by class; the seed of a picture depends on (seed, split, class, number) alone.
fn texture_splits(config: TexturesConfig) -> [Index; 3] {
    let per_class = [config.train_per_class, config.val_per_class, config.val_per_class];
    let sample = |split: usize, label: usize, number: usize| Sample {
        id: format!("textures-{}/{}/{}/{number:04}", config.seed, Split::ALL[split].name(), textures::CLASSES[label]),
        label,
        source: Source::Texture {
            seed: seed::derive(config.seed, Purpose::Texture, &[split as u64, label as u64, number as u64]),
        },
    };
    [0, 1, 2].map(|split| {
        let labels = 0..textures::CLASSES.len();
        Index(labels.flat_map(|label| (0..per_class[split]).map(move |number| sample(split, label, number))).collect())
    })
}

fn digest(classes: &[String], splits: &[Index; 3]) -> String {
    let mut text = classes.join("\n");
    for (split, index) in Split::ALL.iter().zip(splits) {
        text.push_str(&format!("\n#{}\n", split.name()));
        for sample in index.samples() {
            text.push_str(&format!("{}\t{}\n", sample.id, sample.label));
        }
    }
    fsx::sha256_hex(text.as_bytes())
}
