//! One labelled image by reference, and the images of a split in order.

use super::error::DataError;
use super::textures;
use crate::picture::{self, Picture, ReadOptions};
use burn_dataset::{Dataset, DatasetError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One labelled image, by reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Stable and unique: the same image has the same id in every run.
    pub id: String,
    /// Index into the class names.
    pub label: usize,
    pub(super) source: Source,
}

/// Where the pixels come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Texture { seed: u64 },
    File { path: PathBuf, options: ReadOptions },
}

impl Sample {
    /// Its pixels as they are; `size` is the side of an image that is drawn.
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

    /// The file of the image; `None` for a texture, which is drawn.
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::Texture { .. } => None,
            Source::File { path, .. } => Some(path),
        }
    }
}

/// The samples of one split, in a fixed order; cheap to clone.
#[derive(Clone, Debug)]
pub struct Index(Arc<[Sample]>);

impl Index {
    pub(super) fn new(samples: Vec<Sample>) -> Self {
        Self(samples.into())
    }

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

/// The bytes that an image was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDigest {
    /// The image's id, as in [`Sample::id`].
    pub id: String,
    /// SHA-256 of its file, 64 lower-case hexadecimal digits.
    pub sha256: String,
}
