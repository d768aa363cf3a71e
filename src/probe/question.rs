//! What is asked about every image: by which methods, and about which classes.

use super::images::Images;
use crate::explain::{ExplainError, Explainer, Target};

/// The kind of target of a method that is not class-specific.
pub const ANY_CLASS: &str = "any";

/// What is asked about every image.
#[derive(Clone, Debug)]
pub struct Question {
    /// The methods, with their settings.
    pub explainers: Vec<Explainer>,
    /// The classes of each image that are explained.
    pub targets: Vec<Target>,
    /// The names of the targets, under which maps are stored; as many as `targets`.
    pub target_kinds: Vec<String>,
}

impl Question {
    /// `words` are what a person typed for the targets: `label`, `prediction` or the name of a class, `class:` before it or not.
    ///
    /// # Errors
    ///
    /// If a word is not a target.
    pub fn new(explainers: Vec<Explainer>, words: &[String], classes: &[String]) -> Result<Self, ExplainError> {
        let targets = words.iter().map(|word| Target::parse(word, classes)).collect::<Result<_, _>>()?;
        let target_kinds = words.iter().map(|word| Target::stored(word, classes, &[ANY_CLASS])).collect();
        Ok(Self { explainers, targets, target_kinds })
    }

    /// The same explainers, for one class of each image, which is given as its label.
    pub(super) fn of_given_classes(explainers: Vec<Explainer>) -> Self {
        Self { explainers, targets: vec![Target::Label], target_kinds: Vec::new() }
    }

    /// The name of a target, by its place, as maps of `explainer` are stored under it.
    pub(super) fn kind_for(&self, explainer: &Explainer, target: usize) -> String {
        if explainer.class_specific() { self.target_kinds[target].clone() } else { ANY_CLASS.to_string() }
    }

    /// Checks that every image has what the question needs.
    ///
    /// # Errors
    ///
    /// If the label is to be explained of an image whose class is not known.
    pub(super) fn fits(&self, images: &Images) -> Result<(), ExplainError> {
        let unknown = images.labels.iter().zip(&images.ids).find(|(label, _)| label.is_none());
        match unknown.filter(|_| self.targets.contains(&Target::Label)) {
            Some((_, id)) => Err(ExplainError::UnknownLabel { id: id.clone() }),
            None => Ok(()),
        }
    }
}
