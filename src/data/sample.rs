//! One labelled image by reference, and the images of a split in order.

use super::augment::Preprocessing;
use super::cache::{Cache, Kept};
use super::catalogue::Stamp;
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
    pub(super) known: Known,
}

/// What is known of an image beside which it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The file as it was when it was found to be whole.
    pub(super) judged: Option<Stamp>,
    /// Its pixels, where they are kept.
    pub(super) kept: Option<Arc<Kept>>,
}

/// Samples are compared by which image they are.
impl PartialEq for Known {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Known {}

/// Where the pixels come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Texture { seed: u64 },
    File { path: PathBuf, options: ReadOptions },
}

impl Sample {
    pub(super) fn new(id: String, label: usize, source: Source) -> Self {
        Self { id, label, source, known: Known::default() }
    }

    /// Its pixels as they are; `size` is the side of an image that is drawn.
    ///
    /// # Errors
    ///
    /// [`DataError::Picture`] names the file.
    pub fn picture(&self, size: usize) -> Result<Picture, DataError> {
        match &self.source {
            Source::Texture { seed } => Ok(Picture::new(size, size, textures::draw(self.label, *seed, size).pixels)),
            Source::File { path, options } => {
                let is_whole = self.known.judged.is_some_and(|judged| Stamp::of(path) == Some(judged));
                Ok(picture::read_as(path, options, is_whole)?)
            }
        }
    }

    /// The same, kept for the next time where the data set keeps pixels and there is room.
    pub(super) fn kept_picture(&self, size: usize) -> Result<Arc<Picture>, DataError> {
        let kept = self.known.kept.as_ref();
        let fits = |picture: &Arc<Picture>| self.path().is_some() || picture.width() == size;
        if let Some(picture) = kept.and_then(|kept| kept.picture()).filter(fits) {
            return Ok(picture);
        }
        let picture = Arc::new(self.picture(size)?);
        kept.iter().for_each(|kept| kept.keep_picture(&picture));
        Ok(picture)
    }

    /// Writes what evaluation makes of it, channels first: `planes` is `[3, size, size]`. That is kept in the same way.
    pub(super) fn write_evaluated(&self, preprocessing: &Preprocessing, planes: &mut [u8]) -> Result<(), DataError> {
        let kept = self.known.kept.as_ref();
        if let Some(known) = kept.and_then(|kept| kept.evaluated(preprocessing)) {
            planes.copy_from_slice(known);
            return Ok(());
        }
        preprocessing.apply(&self.picture(preprocessing.resize)?).write_planes(planes);
        kept.iter().for_each(|kept| kept.keep_evaluated(preprocessing, planes));
        Ok(())
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

    /// The same samples, each with a place for its pixels.
    pub(super) fn keeping(&self, cache: &Arc<Cache>) -> Self {
        let keeping = |sample: &Sample| {
            let kept = Some(Arc::new(Kept::new(cache.clone())));
            Sample { known: Known { kept, ..sample.known.clone() }, ..sample.clone() }
        };
        Self(self.0.iter().map(keeping).collect())
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
