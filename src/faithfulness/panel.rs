//! All criteria over a panel, each beside the same criterion of a random map.

use std::convert::Infallible;
use std::error::Error;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::ask::{Logits, Maps};
use super::confidence::{ConfidenceSettings, confidence};
use super::control::random_map;
use super::criterion::Criterion;
use super::curves::{CurveSettings, insertion_deletion};
use super::error::FaithfulnessError;
use super::input::Input;
use super::judged::Judged;
use super::road::{RoadSettings, road};
use super::sensitivity::{SensitivitySettings, max_sensitivity};
use super::summary::Summary;
use crate::measure::Heatmap;
use crate::stats::Resamples;

/// How every criterion is measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Criteria {
    /// How insertion and deletion are measured.
    pub curves: CurveSettings,
    /// How ROAD is measured.
    pub road: RoadSettings,
    /// How average drop and increase in confidence are measured.
    pub confidence: ConfidenceSettings,
    /// How max-sensitivity is measured.
    pub sensitivity: SensitivitySettings,
    /// Base seed of the random maps.
    pub control_seed: u64,
}

/// One criterion of one explanation, and the same of a random map, both in the criterion's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What was measured.
    #[serde(rename = "measure")]
    pub criterion: Criterion,
    /// The explanation's value.
    pub value: Option<f64>,
    /// The value of a random map on the same grid.
    pub random: Option<f64>,
}

/// One criterion over a panel, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// What was measured.
    #[serde(rename = "measure")]
    pub criterion: Criterion,
    /// The explanations' values.
    pub value: Summary,
    /// The values of the random maps.
    pub random: Summary,
    /// By how much each explanation is better than the random map of its own image; positive is better, whatever the
    /// criterion. The difference is taken image by image, because values differ more between images than between maps.
    pub gain: Summary,
}

impl Estimate {
    /// Whether the explanations beat random maps: `Some(true)` when the whole interval of the gain is above 0,
    /// `Some(false)` when it is not, `None` without an interval.
    pub fn beats_random(&self) -> Option<bool> {
        self.gain.interval.map(|[low, _]| low > 0.0)
    }
}

/// All criteria that ask for logits, of one explanation and of a random map in its place: [`Criterion::ALL`] without
/// max-sensitivity, in that order. About `4 * steps + 4 * percentiles + 8` questions.
///
/// # Errors
///
/// When the model cannot answer, or lacks the class.
pub fn against_random<E: Error + 'static>(
    logits: &mut Logits<'_, E>,
    criteria: &Criteria,
    judged: &Judged<'_>,
) -> Result<Vec<Reading>, FaithfulnessError<E>> {
    let random = random_map(judged.map.grid(), criteria.control_seed, judged.index, 0);
    let values = measured(logits, criteria, judged)?;
    let randoms = measured(logits, criteria, &Judged { map: &random, ..*judged })?;
    let pairs = values.into_iter().zip(randoms);
    Ok(pairs.map(|((criterion, value), (_, random))| Reading { criterion, value, random }).collect())
}

fn measured<E: Error + 'static>(
    logits: &mut Logits<'_, E>,
    criteria: &Criteria,
    judged: &Judged<'_>,
) -> Result<[(Criterion, Option<f64>); 7], FaithfulnessError<E>> {
    let curves = insertion_deletion(logits, &criteria.curves, judged)?;
    let road = road(logits, &criteria.road, judged)?;
    let confidence = confidence(logits, &criteria.confidence, judged)?;
    Ok([
        (Criterion::InsertionAuc, curves.as_ref().map(|curves| curves.insertion_auc())),
        (Criterion::DeletionAuc, curves.as_ref().map(|curves| curves.deletion_auc())),
        (Criterion::RoadMorf, road.as_ref().and_then(|road| road.morf())),
        (Criterion::RoadLerf, road.as_ref().and_then(|road| road.lerf())),
        (Criterion::RoadCombined, road.as_ref().and_then(|road| road.combined())),
        (Criterion::AverageDrop, confidence.and_then(|confidence| confidence.drop)),
        (Criterion::IncreaseInConfidence, confidence.map(|confidence| f64::from(u8::from(confidence.increased())))),
    ])
}

/// Max-sensitivity of one explanation, and that of an explainer that draws a new random map every time it is asked.
///
/// # Errors
///
/// When the image cannot be explained.
pub fn sensitivity_against_random<E: Error + 'static>(
    maps: &mut Maps<'_, E>,
    criteria: &Criteria,
    judged: &Judged<'_>,
) -> Result<Reading, FaithfulnessError<E>> {
    let value = max_sensitivity(maps, &criteria.sensitivity, judged.input, judged.index)?;
    let mut draw = 0;
    let mut scribble = |inputs: &[Input]| -> Result<Vec<Heatmap>, Infallible> {
        let mut one = || {
            draw += 1;
            random_map(judged.map.grid(), criteria.control_seed, judged.index, draw)
        };
        Ok(inputs.iter().map(|_| one()).collect())
    };
    let mut scribbler = Maps::new(&mut scribble, NonZeroUsize::MIN);
    // Nobody else's error: an explainer that cannot fail and answers every image.
    let random = max_sensitivity(&mut scribbler, &criteria.sensitivity, judged.input, judged.index).ok().flatten();
    Ok(Reading { criterion: Criterion::MaxSensitivity, value, random })
}

/// Sums up the readings of a panel, criterion by criterion, in the order of [`Criterion::ALL`]; criteria without a
/// reading are left out. `resamples` are of as many images as there are readings of each criterion.
pub fn estimates(readings: &[Reading], resamples: &Resamples) -> Vec<Estimate> {
    let estimate = |criterion: Criterion| {
        let of = || readings.iter().filter(|reading| reading.criterion == criterion);
        let sign = if criterion.higher_is_better() { 1.0 } else { -1.0 };
        let gain = |reading: &Reading| Some(sign * (reading.value? - reading.random?));
        let summed = |of: Vec<Option<f64>>| Summary::of(&of, resamples);
        of().next().map(|_| Estimate {
            criterion,
            value: summed(of().map(|reading| reading.value).collect()),
            random: summed(of().map(|reading| reading.random).collect()),
            gain: summed(of().map(gain).collect()),
        })
    };
    Criterion::ALL.into_iter().filter_map(estimate).collect()
}

#[cfg(test)]
mod tests {
    use super::super::ask::Score;
    use super::super::testing::{ask, grey, linear, map};
    use super::*;
    use crate::stats::RESAMPLES;

    /// A linear model of 64 pixels that only looks at one cell of four, with an image that is lit there.
    fn readings(values: &[f32]) -> Vec<Reading> {
        let lit = |pixel: usize| pixel / 8 < 4 && pixel % 8 < 4;
        let plane: Vec<f32> = (0..64).map(|pixel| if lit(pixel) { 1.0 } else { 0.1 }).collect();
        let weights: Vec<f32> = (0..64).map(|pixel| if lit(pixel) { 1.0 } else { 0.0 }).collect();
        let (input, map) = (grey(8, 8, &plane), map(2, 2, values));
        let mut criteria = Criteria::default();
        criteria.curves.score = Score::Logit;
        let mut all = Vec::new();
        for index in 0..12 {
            let judged = Judged { input: &input, map: &map, class: 0, index };
            all.extend(against_random(&mut ask(&mut linear(&weights)), &criteria, &judged).unwrap());
            let mut explain = |inputs: &[Input]| -> Result<Vec<Heatmap>, Infallible> {
                Ok(inputs.iter().map(map_of_corner).collect())
            };
            let mut maps = Maps::new(&mut explain, NonZeroUsize::MIN);
            all.push(sensitivity_against_random(&mut maps, &criteria, &judged).unwrap());
        }
        all
    }

    fn map_of_corner(input: &Input) -> Heatmap {
        map(2, 2, &[input.values()[0], 0.0, 0.0, 0.0])
    }

    #[test]
    fn the_right_map_beats_random_ones_in_every_measure_that_can_tell() {
        let found = estimates(&readings(&[1.0, 0.1, 0.0, 0.05]), &Resamples::new(RESAMPLES, 12));
        assert_eq!(found.iter().map(|estimate| estimate.criterion).collect::<Vec<_>>(), Criterion::ALL);
        for estimate in &found {
            // The logit of a positive linear model only falls under a mask.
            let expected = estimate.criterion != Criterion::IncreaseInConfidence;
            assert_eq!(estimate.beats_random(), Some(expected), "{estimate:?}");
            assert_eq!((estimate.value.defined, estimate.value.undefined), (12, 0));
            assert_eq!(serde_json::to_value(estimate.criterion).unwrap(), estimate.criterion.name());
        }
    }

    #[test]
    fn the_wrong_map_does_not_and_a_dead_one_is_undefined() {
        let found = estimates(&readings(&[0.0, 0.1, 1.0, 0.5]), &Resamples::new(RESAMPLES, 12));
        for estimate in found.iter().filter(|estimate| estimate.criterion != Criterion::MaxSensitivity) {
            assert_eq!(estimate.beats_random(), Some(false), "{estimate:?}");
        }
        let found = estimates(&readings(&[0.0; 4]), &Resamples::new(RESAMPLES, 12));
        assert_eq!((found[0].value.undefined, found[0].random.undefined, found[0].gain.undefined), (12, 0, 12));
        assert_eq!(found[0].beats_random(), None);
    }
}
