//! Why a model gave no usable answer.

use std::error::Error;

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
    #[error("class {class} is explained, and the model has {classes} classes")]
    Class {
        /// The class asked for, from 0.
        class: usize,
        /// Logits that came back for an image.
        classes: usize,
    },
}
