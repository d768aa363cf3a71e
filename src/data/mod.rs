//! What there is to learn from: samples with stable ids, in official splits, and the pictures behind them.
//!
//! Knows neither models nor explainers. The only source so far is the embedded procedural set, [`textures`].

mod batch;
mod loader;
mod panel;
pub mod textures;
mod transform;

pub use batch::{Batch, IMAGENET_MEAN, IMAGENET_STD, normalised};
pub use loader::{Loader, LoaderError, Order};
pub use panel::{Panel, perturbed};
pub use transform::{Augmentation, Picture};

use crate::fsx;
use crate::seed::{self, Purpose};
use burn_dataset::{Dataset, DatasetError};
use serde::{Deserialize, Serialize};

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
}

impl Sample {
    /// The picture, square, `size` pixels a side.
    pub fn picture(&self, size: usize) -> Picture {
        match self.source {
            Source::Texture { seed } => Picture::new(size, textures::draw(self.label, seed, size).pixels),
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
    /// Validation pictures a class.
    pub val_per_class: usize,
    /// Which textures: another seed is another data set.
    pub seed: u64,
}

/// A data set: class names and its splits.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// As a person types it.
    pub name: String,
    /// Class names in label order.
    pub classes: Vec<String>,
    /// What is learned from.
    pub train: Index,
    /// What is evaluated every epoch, and what the panel is chosen from.
    pub val: Index,
    /// SHA-256 over class names, splits, ids and labels.
    pub digest: String,
}

impl DataSet {
    /// The embedded procedural textures.
    pub fn textures(config: TexturesConfig) -> Self {
        let classes: Vec<String> = textures::CLASSES.iter().map(|name| name.to_string()).collect();
        let train = texture_split(config.seed, "train", 0, config.train_per_class);
        let val = texture_split(config.seed, "val", 1, config.val_per_class);
        let digest = digest(&classes, &[("train", &train), ("val", &val)]);
        Self { name: "textures".to_string(), classes, train, val, digest }
    }
}

/// Class by class; the seed of a picture depends on (seed, split, class, number) alone.
fn texture_split(seed: u64, split: &str, split_index: u64, per_class: usize) -> Index {
    let sample = |label: usize, number: usize| Sample {
        id: format!("textures-{seed}/{split}/{}/{number:04}", textures::CLASSES[label]),
        label,
        source: Source::Texture {
            seed: seed::derive(seed, Purpose::Texture, &[split_index, label as u64, number as u64]),
        },
    };
    let labels = 0..textures::CLASSES.len();
    Index(labels.flat_map(|label| (0..per_class).map(move |number| sample(label, number))).collect())
}

fn digest(classes: &[String], splits: &[(&str, &Index)]) -> String {
    let mut text = classes.join("\n");
    for (name, index) in splits {
        text.push_str(&format!("\n#{name}\n"));
        for sample in index.samples() {
            text.push_str(&format!("{}\t{}\n", sample.id, sample.label));
        }
    }
    fsx::sha256_hex(text.as_bytes())
}
