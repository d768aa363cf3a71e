//! Where data comes from: what a person asks for, and what a run keeps of it.

use crate::picture::{Limits, ReadOptions};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How many textures to draw, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TexturesConfig {
    /// Training images per class.
    pub train_per_class: usize,
    /// Validation images per class, and test images per class.
    pub val_per_class: usize,
    /// Seed that the textures are drawn from: another seed is another data set.
    pub seed: u64,
}

/// Where the data comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DataConfig {
    /// The embedded textures, drawn from a seed.
    Textures(TexturesConfig),
    /// Images read from a folder.
    Folder(FolderConfig),
}

impl DataConfig {
    /// The limits within which images are read; the defaults for textures, which are drawn.
    pub fn limits(&self) -> Limits {
        match self {
            DataConfig::Textures(_) => Limits::default(),
            DataConfig::Folder(config) => config.limits,
        }
    }

    /// Sets the limits; has no effect for textures.
    pub fn set_limits(&mut self, limits: Limits) {
        if let DataConfig::Folder(config) = self {
            config.limits = limits;
        }
    }

    /// Takes over the rules by which `earlier` finds and names images, for a run that is resumed.
    pub fn keep_rules_of(&mut self, earlier: &DataConfig) {
        if let (DataConfig::Folder(config), DataConfig::Folder(earlier)) = (self, earlier) {
            config.rules = earlier.rules;
        }
    }
}

/// Where the images lie and which of them count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderConfig {
    /// The folder that holds `images/` and `labels/`, or `train/`, `val/` and `test/`, or one sub-folder per class. Absolute.
    pub root: PathBuf,
    /// DTD's official split, 1 to 10; elsewhere the seed of the split that is drawn.
    pub split: u64,
    /// Only these classes; empty: all.
    pub classes: Vec<String>,
    /// Whether images that cannot be read are left out instead of being an error.
    pub skip_bad_images: bool,
    /// What reading one image may cost.
    #[serde(default)]
    pub limits: Limits,
    /// The version of the rules by which images are found and named, so that a run always finds the same ones. Version 0 is
    /// that of runs made by driftscope 0.1.0: it searches no folders below a class folder, knows eight file endings,
    /// includes hidden files, and accepts JPEG files that end early.
    #[serde(default)]
    pub rules: u32,
}

impl FolderConfig {
    /// The rules for new runs.
    pub const RULES: u32 = 2;

    /// A folder with default settings.
    pub fn of(root: PathBuf) -> Self {
        Self {
            root,
            split: 1,
            classes: Vec::new(),
            skip_bad_images: false,
            limits: Limits::default(),
            rules: Self::RULES,
        }
    }

    pub(super) fn is_old(&self) -> bool {
        self.rules < Self::RULES
    }

    pub(super) fn read_options(&self) -> ReadOptions {
        ReadOptions { limits: self.limits, lenient: self.is_old() }
    }

    /// Whether the folder is divided into `train/` and `val/`, so that no split is drawn.
    pub fn has_split_folders(&self) -> bool {
        !is_dtd(&self.root) && self.root.join("train").is_dir()
    }
}

/// Whether a folder is laid out as DTD is.
pub(super) fn is_dtd(root: &Path) -> bool {
    root.join("labels").is_dir() && root.join("images").is_dir()
}

/// The layouts of folders that are read, for errors.
pub(super) const EXPECTED: &str =
    "images/ and labels/ as in DTD, or train/ and val/ with one sub-folder per class, or one sub-folder per class";
