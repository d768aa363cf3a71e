//! The images that are explained: a run's panel, decoded anew or from the run's own copies, or new ones.

use crate::data::{DataError, Panel, Preprocessing, Sample, perturbed};
use crate::fsx;
use crate::picture::{self, Limits, Normalisation, Picture, PictureError};
use crate::store::{RunReader, StoreError};
use rayon::prelude::*;
use std::path::PathBuf;

/// Why the panel of a run could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    /// A file is missing, or is not what the run wrote.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read as an image.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

/// Images to be explained, as a model takes them, and their imperceptibly perturbed copies.
#[derive(Debug)]
pub struct Images {
    /// SHA-256 that identifies these images; only explanations with equal digests can be compared.
    pub digest: String,
    /// The id of each image.
    pub ids: Vec<String>,
    /// The true class of each, by its index, where it is known.
    pub labels: Vec<Option<usize>>,
    /// The pixels of each image, all of the model's size.
    pub pictures: Vec<Picture>,
    /// What the model takes pixels normalised with.
    pub normalisation: Normalisation,
    /// The perturbed copy of each image: shifted by one pixel, each byte changed by at most 1.
    pub(super) perturbed: Vec<Picture>,
}

impl Images {
    /// Takes images and makes their perturbed copies, drawn from `floor_seed` and each image's id.
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
    /// If an image cannot be read.
    pub fn of_panel(panel: &Panel, preprocessing: &Preprocessing, floor_seed: u64) -> Result<Self, DataError> {
        let prepare = |sample: &Sample| Ok(preprocessing.apply(&sample.picture(preprocessing.resize)?));
        let pictures = panel.samples.par_iter().map(prepare).collect::<Result<_, DataError>>()?;
        let ids = panel.samples.iter().map(|sample| sample.id.clone()).collect();
        let labels = panel.samples.iter().map(|sample| Some(sample.label)).collect();
        Ok(Self::new(panel.digest.clone(), ids, labels, pictures, preprocessing.normalisation, floor_seed))
    }

    /// The panel of a run from the copies that the run keeps, so that the data is not needed.
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

    /// The images at `indices`, in that order.
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
