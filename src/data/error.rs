//! What can be wrong with data, in words for a person.

use super::source::EXPECTED;
use crate::fsx::{FsError, one_line, shown};
use crate::picture::PictureError;
use burn_dataset::DatasetError;
use std::fmt;
use std::path::{Path, PathBuf};

/// An image that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file of the image.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", shown(&self.path), one_line(&self.reason))
    }
}

/// Data that cannot be used as asked.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file or folder could not be read.
    #[error(transparent)]
    Disk(#[from] FsError),
    /// An image that is missing or broken.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// Images that are missing or broken, found before anything was begun.
    #[error("{} of {all} images cannot be read (leave them out with --skip-bad-images):\n{}", bad.len(), listed(bad))]
    BadImages {
        /// Each with what is wrong with it.
        bad: Vec<Skipped>,
        /// How many images there are, readable or not.
        all: usize,
    },
    /// A folder without images in class folders.
    #[error("{} has no images in class folders; what lies there: {found}. Expected {}", shown(path), EXPECTED)]
    NoImages {
        /// The folder of the data set.
        path: PathBuf,
        /// What it holds instead, in words.
        found: String,
    },
    /// A folder or a list that is not laid out as it should be.
    #[error("{}: {problem}", shown(path))]
    Layout {
        /// The folder or the list.
        path: PathBuf,
        /// What is wrong, and what is expected.
        problem: String,
    },
    /// Data that can be counted but not trained on.
    #[error("{}: {problem}", shown(path))]
    NotTrainable {
        /// The folder of the data set.
        path: PathBuf,
        /// Why it cannot be trained on, and what to do.
        problem: String,
    },
    /// Files of images changed since the data was opened.
    #[error(
        "{count} image(s) of the {split} split changed since the data was opened, the first: {}; put them back, or start \
         again with a new run",
        shown(first)
    )]
    Changed {
        /// The split whose images changed.
        split: &'static str,
        /// The first of them.
        first: PathBuf,
        /// How many images of the split changed.
        count: usize,
    },
    /// A panel's list names an image that is not in the validation split.
    #[error("panel.list: {id} is not in the validation split of {data}")]
    NotInPanel {
        /// The id in the list.
        id: String,
        /// The name of the data set.
        data: String,
    },
    /// DTD was asked for by name and is in none of its usual places.
    #[error(
        "DTD was not found in {}: download it from {DTD_SITE} and unpack it into one of them, or pass its folder with \
         --data FOLDER, or train on the embedded textures with --data textures",
        list(places)
    )]
    NoDtd {
        /// The folders it was looked for in.
        places: Vec<PathBuf>,
    },
    /// A class was asked for that the data does not have.
    #[error("{} has no class '{class}'; it has {found}", shown(path))]
    NoClass {
        /// The folder of the data set.
        path: PathBuf,
        /// The class that was asked for.
        class: String,
        /// The classes that it has, in words.
        found: String,
    },
    /// A split was chosen for a folder that is divided into `train/` and `val/` already.
    #[error(
        "data.split (--split) is {split}, but {} has train/ and val/ folders, which are taken as they are; leave it out",
        shown(path)
    )]
    SplitOfFolders {
        /// The folder of the data set.
        path: PathBuf,
        /// The split that was asked for.
        split: u64,
    },
    /// An image of the data set could not be read.
    #[error("image {index} of the data set cannot be read: {source}")]
    Dataset {
        /// The place of the image in the split, from 0.
        index: usize,
        /// What the data set reported.
        source: DatasetError,
    },
    /// A worker of the loader stopped before the last batch.
    #[error("the loader stopped after {delivered} of {expected} batches")]
    LoaderStopped {
        /// Batches that were delivered.
        delivered: usize,
        /// Batches that the pass has.
        expected: usize,
    },
}

impl DataError {
    pub(super) fn layout(path: &Path, problem: String) -> Self {
        DataError::Layout { path: path.to_path_buf(), problem }
    }
}

/// The page of DTD's authors, with the download.
const DTD_SITE: &str = "https://www.robots.ox.ac.uk/~vgg/data/dtd/";

/// How many unreadable images an error lists.
const LISTED: usize = 20;

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(", ")
}

fn listed(bad: &[Skipped]) -> String {
    let mut lines: Vec<String> = bad.iter().take(LISTED).map(|one| format!("  {one}")).collect();
    if bad.len() > LISTED {
        lines.push(format!("  … and {} more", bad.len() - LISTED));
    }
    lines.join("\n")
}
