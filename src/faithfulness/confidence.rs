//! Average drop and increase in confidence: the score on the image as seen through the map.

use std::error::Error;

use super::ask::{Logits, Score};
use super::error::FaithfulnessError;
use super::judged::Judged;
use crate::measure::{Heatmap, Normalise};

/// How a map becomes a mask in [0, 1] at the image's size. Negative values are clipped first: only evidence for the class
/// is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MaskScale {
    /// Min-max at the map's own grid, then interpolated: torch-cam. The mask need not reach 0 and 1.
    #[default]
    Grid,
    /// Min-max again after interpolation: pytorch-grad-cam.
    Image,
}

/// What a loss of score is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DropUnit {
    /// `max(0, before - after) / before`: the paper's and torch-cam's. In [0, 1] for probabilities, undefined unless
    /// `before` is positive.
    #[default]
    Relative,
    /// `max(0, before - after)`: pytorch-grad-cam's.
    Absolute,
}

/// How drop and increase are measured. The default is torch-cam's, on probabilities; pytorch-grad-cam's is
/// [`MaskScale::Image`], [`DropUnit::Absolute`] and, with its usual target, [`Score::Logit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConfidenceSettings {
    /// How the map becomes a mask.
    pub mask: MaskScale,
    /// The unit of the drop.
    pub unit: DropUnit,
    /// Which score counts as confidence.
    pub score: Score,
}

/// The confidence in the explained class, before and after masking, in the unit of [`ConfidenceSettings::score`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence {
    /// The score on the image.
    pub before: f64,
    /// The score on the image times the mask. Masked pixels fade to 0 after normalisation: the data set's mean colour.
    pub after: f64,
    /// The loss of score, in [`ConfidenceSettings::unit`], at least 0; lower is better. Its mean over a panel is the average drop.
    pub drop: Option<f64>,
}

impl Confidence {
    /// Whether the mask made the model surer. The share of a panel for which it did is the increase in confidence.
    pub fn increased(&self) -> bool {
        self.after > self.before
    }
}

/// The confidence for one explanation, from two questions.
///
/// `None` for a map without a mask: not finite, or, with negatives clipped, the same everywhere. torch-cam masks such an
/// image completely. Also where the model's answer is not finite.
///
/// # Errors
///
/// When the model cannot answer, or lacks the class.
///
/// # Source
///
/// Chattopadhay et al. 2018, "Grad-CAM++"; torch-cam 0.5.0 `metrics.py`, `ClassificationMetric` (with
/// `1e-7` added to `before` and `1e-8` to the map's range, left out here); pytorch-grad-cam 1.5.5
/// `metrics/cam_mult_image.py`.
pub fn confidence<E: Error + 'static>(
    logits: &mut Logits<'_, E>,
    settings: &ConfidenceSettings,
    judged: &Judged<'_>,
) -> Result<Option<Confidence>, FaithfulnessError<E>> {
    let input = judged.input;
    let Some(mask) = mask(judged.map, settings.mask, input.height(), input.width()) else { return Ok(None) };
    let make = |question: usize| match question {
        0 => Some(input.clone()),
        _ => Some(input.map(|_, pixel, value| value * mask.values()[pixel])),
    };
    let scores = logits.scores(settings.score, judged.class, 2, make)?;
    let (Some(before), Some(after)) = (scores[0], scores[1]) else { return Ok(None) };
    let lost = (before - after).max(0.0);
    let drop = match settings.unit {
        DropUnit::Relative => (before > 0.0).then(|| lost / before),
        DropUnit::Absolute => Some(lost),
    };
    Ok(Some(Confidence { before, after, drop }))
}

/// The map as a mask at the image's size.
fn mask(map: &Heatmap, scale: MaskScale, height: usize, width: usize) -> Option<Heatmap> {
    let clipped = map.values().iter().map(|value| if value.is_nan() { *value } else { value.max(0.0) }).collect();
    let clipped = Heatmap::new(map.rows(), map.cols(), clipped).ok()?;
    let mask = clipped.normalised(Normalise::MinMax)?.resize_bilinear(height, width).ok()?;
    match scale {
        MaskScale::Grid => Some(mask),
        MaskScale::Image => mask.normalised(Normalise::MinMax),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ask, grey, linear, map};
    use super::*;

    const LOGIT: ConfidenceSettings =
        ConfidenceSettings { mask: MaskScale::Grid, unit: DropUnit::Relative, score: Score::Logit };

    fn measured(settings: &ConfidenceSettings, values: &[f32], weights: &[f32]) -> Option<Confidence> {
        let (input, map) = (grey(1, 4, &[1.0; 4]), map(1, values.len(), values));
        let judged = Judged { input: &input, map: &map, class: 0, index: 0 };
        let mut model = linear(weights);
        confidence(&mut ask(&mut model), settings, &judged).unwrap()
    }

    /// Map -3, 0, 2, 4: the mask is 0, 0, 1/2, 1. Logit of `4 x0 + x2 + 3 x3`: 8, then 1/2 + 3 = 3.5. Lost 4.5 of 8.
    #[test]
    fn the_image_is_seen_through_the_positive_part_of_the_map() {
        let found = measured(&LOGIT, &[-3.0, 0.0, 2.0, 4.0], &[4.0, 0.0, 1.0, 3.0]).unwrap();
        assert_eq!((found.before, found.after, found.drop), (8.0, 3.5, Some(4.5 / 8.0)));
        assert!(!found.increased());
        let absolute = ConfidenceSettings { unit: DropUnit::Absolute, ..LOGIT };
        let found = measured(&absolute, &[-3.0, 0.0, 2.0, 4.0], &[4.0, 0.0, 1.0, 3.0]).unwrap();
        assert_eq!(found.drop, Some(4.5));
    }

    /// The masked pixel spoke against the class: `-x0 + 2 x3` is 1, then 2. An increase is no negative drop.
    #[test]
    fn an_increase_is_no_drop() {
        let found = measured(&LOGIT, &[0.0, 0.0, 0.0, 1.0], &[-1.0, 0.0, 0.0, 2.0]).unwrap();
        assert_eq!((found.before, found.after, found.drop), (1.0, 2.0, Some(0.0)));
        assert!(found.increased());
    }

    /// Two cells on four pixels: 0, 1/4, 3/4, 1. Three cells 0, 2, 0 on four: their peak lies between pixels, so the mask
    /// reaches only 5/8 of it, at centres 5/8 (from 0) and 11/8 of the cells; scaled again it reaches 1.
    #[test]
    fn the_two_libraries_scale_where_they_do() {
        let grid = measured(&LOGIT, &[0.0, 2.0], &[1.0; 4]).unwrap();
        assert_eq!(grid.after, 2.0);
        let scaled_again = ConfidenceSettings { mask: MaskScale::Image, ..LOGIT };
        let weights = [0.0, 1.0, 1.0, 0.0];
        assert_eq!(measured(&LOGIT, &[0.0, 2.0, 0.0], &weights).unwrap().after, 1.25);
        assert_eq!(measured(&scaled_again, &[0.0, 2.0, 0.0], &weights).unwrap().after, 2.0);
    }

    #[test]
    fn no_mask_no_drop_and_a_negative_score_has_no_relative_drop() {
        for values in [[0.0; 4], [2.0; 4], [-1.0, -2.0, -3.0, -4.0], [f32::NAN, 1.0, 0.0, 0.0]] {
            assert_eq!(measured(&LOGIT, &values, &[1.0; 4]), None);
        }
        let found = measured(&LOGIT, &[0.0, 0.0, 0.0, 1.0], &[-1.0; 4]).unwrap();
        assert_eq!((found.before, found.after, found.drop), (-4.0, -1.0, None));
        assert!(found.increased());
    }
}
