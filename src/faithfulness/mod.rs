//! Whether an explanation says what the model did: measures that ask the model again about changed images.
//!
//! Plain data code. A model is a question that can be asked through a closure: [`Logits`] answers a batch of images with
//! logits, [`Maps`] explains a batch again. So nothing here knows a model, a device or a file. Questions go out in
//! batches of bounded size, and no more than one batch of images exists at a time.
//!
//! | measure | asks | better | function |
//! |---|---|---|---|
//! | insertion and deletion AUC | does the score follow the ranking of the pixels? | higher, lower | [`insertion_deletion`] |
//! | ROAD | the same, without leaving the world of plausible images | higher (combined) | [`road`] |
//! | average drop, increase in confidence | is what the map shows enough? | lower, higher | [`confidence`] |
//! | max-sensitivity | does the map hold still when the image hardly moves? | lower | [`max_sensitivity`] |
//! | parameter randomisation | does the map depend on what was learnt? | less alike | [`randomisation`] |
//!
//! None of these numbers means much alone: [`against_random`] measures a random map of the same grid beside each, and
//! [`figures`] says with an interval whether the explanation beats it. Whatever is not defined is `None`, never NaN and
//! never a zero that means "unknown".

mod ask;
mod confidence;
mod curves;
mod image;
mod impute;
mod multigrid;
mod panel;
mod randomisation;
mod road;
mod sensitivity;
mod similarity;
mod summary;
#[cfg(test)]
mod testing;

pub use ask::{Asked, Logits, Maps, Score};
pub use confidence::{Confidence, ConfidenceSettings, DropUnit, MaskScale, confidence};
pub use curves::{CurveSettings, Curves, Ranking, insertion_deletion};
pub use image::{Baseline, CHANNELS, Image, ImageError};
pub use impute::impute;
pub use panel::{Figure, Measure, Reading, Settings, against_random, figures, random_map, sensitivity_against_random};
pub use randomisation::{Randomisation, RandomisationError, Stage, StageSimilarity, randomisation};
pub use road::{Road, RoadPoint, RoadSettings, Ties, road};
pub use sensitivity::{SensitivitySettings, max_sensitivity, sensitivity};
pub use similarity::{Similarity, ssim};
pub use summary::{Bootstrap, Summary};

use std::error::Error;

use crate::measure::Heatmap;

/// The question could not be asked, or the answer does not fit it. `E` is the error of whoever answers.
#[derive(Debug, thiserror::Error)]
pub enum FaithfulnessError<E: Error + 'static> {
    /// No answer.
    #[error("the model could not answer")]
    Model(#[source] E),
    /// Not one answer an image.
    #[error("asked about {asked} images, answered for {answered}")]
    Answers {
        /// Images in the question.
        asked: usize,
        /// Answers that came back.
        answered: usize,
    },
    /// A class that the model does not have.
    #[error("class {target} is explained, and the model has {classes} classes")]
    Target {
        /// The class asked for, from 0.
        target: usize,
        /// Logits that came back for an image.
        classes: usize,
    },
}

/// One explanation to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// What was explained, normalised as the model takes it.
    pub image: &'a Image,
    /// The explanation: raw, signed, at any grid.
    pub map: &'a Heatmap,
    /// The class that it explains, from 0.
    pub target: usize,
    /// Its place in the panel. Every sample draws its own random numbers, whatever the order of the questions.
    pub index: u64,
}
