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
    /// The file.
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
    /// A file or folder that the operating system does not give.
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
        /// Images in all.
        all: usize,
    },
    /// A folder without images in class folders.
    #[error("{} has no images in class folders; what lies there: {found}. Expected {}", shown(path), EXPECTED)]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// What it holds instead.
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
    /// Data that can be counted but not learned from.
    #[error("{}: {problem}", shown(path))]
    NotTrainable {
        /// The folder.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// Images that are other files than they were when the data was opened.
    #[error(
        "{count} image(s) of the {split} split changed since the data was opened, the first: {}; put them back, or start \
         again with a new run",
        shown(first)
    )]
    Changed {
        /// Which split.
        split: &'static str,
        /// The first of them.
        first: PathBuf,
        /// How many.
        count: usize,
    },
    /// A panel's list names what is no validation image.
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
        /// The folders it was looked for in.
        places: Vec<PathBuf>,
    },
    /// A class that is not there.
    #[error("{} has no class '{class}'; it has {found}", shown(path))]
    NoClass {
        /// The folder.
        path: PathBuf,
        /// What was asked for.
        class: String,
        /// What there is.
        found: String,
    },
    /// A number of a split for folders that are split already.
    #[error(
        "data.split (--split) is {split}, but {} has train/ and val/ folders, which are taken as they are; leave it out",
        shown(path)
    )]
    SplitOfFolders {
        /// The folder.
        path: PathBuf,
        /// What was asked for.
        split: u64,
    },
    /// A data set that does not give what it holds.
    #[error("image {index} of the data set cannot be had: {source}")]
    Dataset {
        /// Which, from 0.
        index: usize,
        /// What the data set says.
        source: DatasetError,
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

impl DataError {
    pub(super) fn layout(path: &Path, problem: String) -> Self {
        DataError::Layout { path: path.to_path_buf(), problem }
    }
}

/// Where DTD's authors keep it.
const DTD_SITE: &str = "https://www.robots.ox.ac.uk/~vgg/data/dtd/";

/// Bad images that an error lists.
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
