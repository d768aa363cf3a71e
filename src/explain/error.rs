//! Why an explanation cannot be made.

use crate::measure::HeatmapError;
use crate::models::{Tap, UnknownTap};
use std::ops::{Bound, RangeBounds};

/// An explanation could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The model does not have what the method reads.
    #[error("{explainer} reads {needs}, which this model does not have")]
    NotForThisModel {
        /// The method's name, such as `grad-cam`.
        explainer: &'static str,
        /// What it reads.
        needs: &'static str,
    },
    /// A layer that the model does not have.
    #[error("{explainer}: {setting} is {layer}, but this model has {available:?}")]
    NoLayer {
        /// The method's name, such as `grad-cam`.
        explainer: &'static str,
        /// The name of the setting.
        setting: &'static str,
        /// The layer asked for.
        layer: usize,
        /// The layers that the model has.
        available: Vec<usize>,
    },
    /// A setting out of its range.
    #[error("{explainer}: {setting} is {found}, expected {expected}")]
    OutOfRange {
        /// The method's name, such as `grad-cam`.
        explainer: &'static str,
        /// The name of the setting.
        setting: &'static str,
        /// The value that was given.
        found: f64,
        /// The range, in words.
        expected: String,
    },
    /// An image is to be explained for its label, which is not known.
    #[error(
        "{id}: its true class is not known, so it cannot be explained for its label; expected prediction or a class"
    )]
    UnknownLabel {
        /// The image's id.
        id: String,
    },
    /// An image of a batch is to be explained for its label, and none was given.
    #[error("image {image} of the batch has no label, so it cannot be explained for its label")]
    NoLabel {
        /// Its place in the batch, from 0.
        image: usize,
    },
    /// A tap that the model does not have.
    #[error(transparent)]
    UnknownTap(#[from] UnknownTap),
    /// A tap that was asked for was not passed, or nothing differentiated depends on it.
    #[error("{tap} has no {what}: the target does not depend on it")]
    Disconnected {
        /// The tap that gave nothing.
        tap: Tap,
        /// What is missing: `"value"` or `"gradient"`.
        what: &'static str,
    },
    /// The target logit does not depend on the input.
    #[error("the target logit does not depend on the input")]
    NoInputGradient,
    /// A word that is neither label nor prediction nor the name of a class.
    #[error("'{found}' cannot be explained; expected label, prediction or a class: {}", classes.join(", "))]
    UnknownTarget {
        /// The word that was typed.
        found: String,
        /// The classes there are.
        classes: Vec<String>,
    },
    /// Numbers that do not fill the grid.
    #[error(transparent)]
    Heatmap(#[from] HeatmapError),
}

/// Refuses a setting that is outside `range` or not a number.
pub(super) fn within(
    explainer: &'static str,
    setting: &'static str,
    found: f64,
    range: impl RangeBounds<f64>,
) -> Result<(), ExplainError> {
    if range.contains(&found) {
        return Ok(());
    }
    let expected = match (range.start_bound(), range.end_bound()) {
        (Bound::Included(least), Bound::Included(greatest)) => format!("{least} to {greatest}"),
        (Bound::Included(least), Bound::Excluded(below)) => format!("at least {least} and less than {below}"),
        (least, greatest) => format!("{least:?} to {greatest:?}"),
    };
    Err(ExplainError::OutOfRange { explainer, setting, found, expected })
}

impl ExplainError {
    /// Whether a method, its settings or a target that was asked for is wrong, as against what a model answered.
    pub fn is_about_settings(&self) -> bool {
        use ExplainError::{NoLayer, NotForThisModel, OutOfRange, UnknownTarget};
        matches!(self, NotForThisModel { .. } | NoLayer { .. } | OutOfRange { .. } | UnknownTarget { .. })
    }
}
