//! The images that are explained: a run's panel, decoded anew or from the run's own copies, or new ones.

use crate::data::{DataError, Panel, Preprocessing, Sample, perturbed};
use crate::fsx;
use crate::picture::{self, Limits, Normalisation, Picture, PictureError};
use crate::store::{RunReader, StoreError};
use rayon::prelude::*;
use std::path::PathBuf;

/// The panel of a run that cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    /// A file that is missing, or is not what the run wrote.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file that is no picture.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

/// Images to be explained, as a model takes them, and their imperceptibly perturbed copies.
#[derive(Debug)]
pub struct Images {
    /// SHA-256 that tells these images from others; only explanations of one digest compare.
    pub digest: String,
    /// A name for each.
    pub ids: Vec<String>,
    /// The true class of each, by its index, where it is known.
    pub labels: Vec<Option<usize>>,
    /// All of one size.
    pub pictures: Vec<Picture>,
    /// What the model takes pixels normalised with.
    pub normalisation: Normalisation,
    /// The same, moved by at most a pixel and changed by at most one step of 255.
    pub(super) perturbed: Vec<Picture>,
}

impl Images {
    /// Makes the perturbed copies, which `floor_seed` draws by each image's id.
    pub fn new(
        digest: String,
        ids: Vec<String>,
        labels: Vec<Option<usize>>,
        pictures: Vec<Picture>,
        normalisation: Normalisation,
        floor_seed: u64,
    ) -> Self {
        let perturbed = pictures.par_iter().zip(&ids).map(|(picture, id)| perturbed(picture, id, floor_seed)).collect();
        Self { digest, ids, labels, pictures, normalisation, perturbed }
    }

    /// A panel, decoded as in evaluation.
    ///
    /// # Errors
    ///
    /// Where a picture cannot be read.
    pub fn of_panel(panel: &Panel, preprocessing: &Preprocessing, floor_seed: u64) -> Result<Self, DataError> {
        let prepare = |sample: &Sample| Ok(preprocessing.apply(&sample.picture(preprocessing.resize)?));
        let pictures = panel.samples.par_iter().map(prepare).collect::<Result<_, DataError>>()?;
        let ids = panel.samples.iter().map(|sample| sample.id.clone()).collect();
        let labels = panel.samples.iter().map(|sample| Some(sample.label)).collect();
        Ok(Self::new(panel.digest.clone(), ids, labels, pictures, preprocessing.normalisation, floor_seed))
    }

    /// The panel of a run from the copies that the run keeps, so that its data need not be there.
    ///
    /// # Errors
    ///
    /// Where a copy cannot be read, or is not what the run wrote.
    pub fn of_run(run: &RunReader, normalisation: Normalisation, floor_seed: u64) -> Result<Self, ImagesError> {
        let panel = &run.info().panel;
        let read = |index: usize| -> Result<Picture, ImagesError> {
            Ok(picture::of_bytes(&run.panel_image(index)?, &run.panel_image_path(index), Limits::default())?)
        };
        let pictures = (0..panel.ids.len()).into_par_iter().map(read).collect::<Result<_, _>>()?;
        let labels = panel.labels.iter().copied().map(Some).collect();
        Ok(Self::new(panel.digest.clone(), panel.ids.clone(), labels, pictures, normalisation, floor_seed))
    }

    /// New images, of unknown classes, decoded as in evaluation. They are called by their paths.
    ///
    /// # Errors
    ///
    /// Where one cannot be read.
    pub fn of_files(
        files: &[PathBuf],
        preprocessing: &Preprocessing,
        limits: Limits,
        floor_seed: u64,
    ) -> Result<Self, PictureError> {
        let read = |path: &PathBuf| Ok(preprocessing.apply(&picture::read_within(path, limits)?));
        let pictures: Vec<Picture> = files.par_iter().map(read).collect::<Result<_, PictureError>>()?;
        let all: Vec<u8> = pictures.iter().flat_map(|picture| picture.pixels().iter().copied()).collect();
        let ids = files.iter().map(|path| path.display().to_string()).collect();
        let (digest, labels) = (fsx::sha256_hex(&all), vec![None; files.len()]);
        Ok(Self::new(digest, ids, labels, pictures, preprocessing.normalisation, floor_seed))
    }

    /// Those at `indices`, in that order.
    pub fn only(&self, indices: &[usize]) -> Self {
        let pick = |pictures: &[Picture]| indices.iter().map(|&index| pictures[index].clone()).collect();
        Self {
            digest: self.digest.clone(),
            ids: indices.iter().map(|&index| self.ids[index].clone()).collect(),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            pictures: pick(&self.pictures),
            normalisation: self.normalisation,
            perturbed: pick(&self.perturbed),
        }
    }

    /// The images, to be explained for their own labels.
    pub(super) fn shown(&self) -> Shown<'_> {
        self.for_classes(&self.labels)
    }

    /// Their perturbed copies, to be explained for the images' labels.
    pub(super) fn shown_perturbed(&self) -> Shown<'_> {
        Shown { pictures: &self.perturbed, ..self.shown() }
    }

    /// The images, to be explained for `labels` instead of their own.
    pub(super) fn for_classes<'a>(&'a self, labels: &'a [Option<usize>]) -> Shown<'a> {
        Shown { pictures: &self.pictures, labels, normalisation: self.normalisation }
    }
}

/// Pictures of one size, their classes by index where they are known, and what the model takes pixels normalised with.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) pictures: &'a [Picture],
    pub(super) labels: &'a [Option<usize>],
    pub(super) normalisation: Normalisation,
}
