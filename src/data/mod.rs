//! What there is to learn from: samples with stable ids, in official splits, and the pictures behind them.
//!
//! Knows neither models nor explainers. Sources are DTD in its own layout, a folder a class, and the embedded procedural
//! [`textures`].
//!
//! Two rules hold here. Nothing is left out without being counted and said. What was opened is what is learned from: the
//! bytes of every file are in a digest of their own, beside that of names and labels.

mod batch;
mod catalogue;
pub mod colour;
mod erasing;
mod error;
mod folder;
#[cfg(test)]
mod golden;
mod loader;
mod mix;
mod panel;
mod policy;
mod set;
pub mod textures;
mod transform;
mod warp;

pub use batch::{Batch, normalised};
pub use colour::ColourJitter;
pub use erasing::RandomErasing;
pub use error::DataError;
pub use folder::{FolderConfig, find_dtd};
pub use loader::{Batching, Loader, Order};
pub use mix::{Mix, Mixing};
pub use panel::{Panel, perturbed};
pub use policy::Policy;
pub use set::{DataSet, Skipped, Watcher};
pub use transform::{Augmentation, Preprocessing};

use crate::picture::{self, Limits, Picture, ReadOptions};
use crate::seed::{self, Purpose};
use burn_dataset::{Dataset, DatasetError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

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
    File { path: PathBuf, options: ReadOptions },
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
            Source::File { path, options } => Ok(picture::read_as(path, options)?),
        }
    }

    /// Its file; none where it is drawn.
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::Texture { .. } => None,
            Source::File { path, .. } => Some(path),
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

impl DataConfig {
    /// The limits within which its pictures are read; the usual ones where they are drawn.
    pub fn limits(&self) -> Limits {
        match self {
            DataConfig::Textures(_) => Limits::default(),
            DataConfig::Folder(config) => config.limits,
        }
    }

    /// Sets them, where pictures are read.
    pub fn set_limits(&mut self, limits: Limits) {
        if let DataConfig::Folder(config) = self {
            config.limits = limits;
        }
    }

    /// Finds and names pictures as `earlier` did: for a run that goes on.
    pub fn keep_rules_of(&mut self, earlier: &DataConfig) {
        if let (DataConfig::Folder(config), DataConfig::Folder(earlier)) = (self, earlier) {
            config.rules = earlier.rules;
        }
    }
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
