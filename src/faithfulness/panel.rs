//! All measures of a panel, each beside the same measure of a random map.

use std::convert::Infallible;
use std::error::Error;
use std::num::NonZeroUsize;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{
    Bootstrap, ConfidenceSettings, CurveSettings, FaithfulnessError, Image, Logits, Maps, RoadSettings, Sample,
    SensitivitySettings, Summary, confidence, insertion_deletion, max_sensitivity, road,
};
use crate::measure::Heatmap;
use crate::seed::{Purpose, generator};

/// A measure of faithfulness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Area under the insertion curve, in the unit of its score.
    InsertionAuc,
    /// Area under the deletion curve, in the unit of its score.
    DeletionAuc,
    /// ROAD, most relevant first: change of the score.
    RoadMorf,
    /// ROAD, least relevant first: change of the score.
    RoadLerf,
    /// Half of ROAD least relevant first minus most relevant first: change of the score.
    RoadCombined,
    /// Loss of score under the mask; its mean is the average drop.
    AverageDrop,
    /// 1 where the mask raised the score and 0 otherwise; its mean is a share.
    IncreaseInConfidence,
    /// Largest relative change of the map.
    MaxSensitivity,
}

impl Measure {
    /// Every measure, in the order of all reports.
    pub const ALL: [Measure; 8] = [
        Measure::InsertionAuc,
        Measure::DeletionAuc,
        Measure::RoadMorf,
        Measure::RoadLerf,
        Measure::RoadCombined,
        Measure::AverageDrop,
        Measure::IncreaseInConfidence,
        Measure::MaxSensitivity,
    ];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Measure::InsertionAuc => "insertion-auc",
            Measure::DeletionAuc => "deletion-auc",
            Measure::RoadMorf => "road-morf",
            Measure::RoadLerf => "road-lerf",
            Measure::RoadCombined => "road-combined",
            Measure::AverageDrop => "average-drop",
            Measure::IncreaseInConfidence => "increase-in-confidence",
            Measure::MaxSensitivity => "max-sensitivity",
        }
    }

    /// The name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Measure::InsertionAuc => "Insertion AUC",
            Measure::DeletionAuc => "Deletion AUC",
            Measure::RoadMorf => "ROAD, most relevant first",
            Measure::RoadLerf => "ROAD, least relevant first",
            Measure::RoadCombined => "ROAD, combined",
            Measure::AverageDrop => "Average drop",
            Measure::IncreaseInConfidence => "Increase in confidence",
            Measure::MaxSensitivity => "Max-sensitivity",
        }
    }

    /// Whether a larger value speaks for the explanation.
    pub const fn higher_is_better(self) -> bool {
        use Measure::{IncreaseInConfidence, InsertionAuc, RoadCombined, RoadLerf};
        matches!(self, InsertionAuc | RoadLerf | RoadCombined | IncreaseInConfidence)
    }
}

/// How everything is measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Insertion and deletion.
    pub curves: CurveSettings,
    /// ROAD.
    pub road: RoadSettings,
    /// Average drop and increase in confidence.
    pub confidence: ConfidenceSettings,
    /// Max-sensitivity.
    pub sensitivity: SensitivitySettings,
    /// Base seed of the random maps.
    pub control_seed: u64,
}

/// One measure of one sample, and the same of a random map. In the measure's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Which.
    pub measure: Measure,
    /// Of the explanation.
    pub value: Option<f64>,
    /// Of a random map at the same grid.
    pub random: Option<f64>,
}

/// One measure over a panel. In the measure's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Which.
    pub measure: Measure,
    /// Of the explanations.
    pub value: Summary,
    /// Of the random maps.
    pub random: Summary,
    /// By how much each explanation is better than the random map of its own image; positive is better whatever the
    /// measure. Images differ more than maps do, so this says what the two above do not.
    pub gain: Summary,
}

impl Figure {
    /// Whether the explanations beat random maps: `Some(true)` when the whole interval of the gain is above 0,
    /// `Some(false)` when it is not, `None` without an interval.
    pub fn beats_random(&self) -> Option<bool> {
        self.gain.interval.map(|[low, _]| low > 0.0)
    }
}

/// All measures that ask for logits, of one sample and of a random map in its place: [`Measure::ALL`] without
/// max-sensitivity, in that order. About `4 * steps + 4 * percentiles + 8` questions.
///
/// # Errors
///
/// When the model cannot answer, or lacks the class.
pub fn against_random<E: Error + 'static>(
    logits: &mut Logits<'_, E>,
    settings: &Settings,
    sample: &Sample<'_>,
) -> Result<Vec<Reading>, FaithfulnessError<E>> {
    let random = random_map(sample.map.grid(), settings.control_seed, sample.index, 0);
    let values = measured(logits, settings, sample)?;
    let randoms = measured(logits, settings, &Sample { map: &random, ..*sample })?;
    let pairs = values.into_iter().zip(randoms);
    Ok(pairs.map(|((measure, value), (_, random))| Reading { measure, value, random }).collect())
}

fn measured<E: Error + 'static>(
    logits: &mut Logits<'_, E>,
    settings: &Settings,
    sample: &Sample<'_>,
) -> Result<[(Measure, Option<f64>); 7], FaithfulnessError<E>> {
    let curves = insertion_deletion(logits, &settings.curves, sample)?;
    let road = road(logits, &settings.road, sample)?;
    let confidence = confidence(logits, &settings.confidence, sample)?;
    Ok([
        (Measure::InsertionAuc, curves.as_ref().map(|curves| curves.insertion_auc())),
        (Measure::DeletionAuc, curves.as_ref().map(|curves| curves.deletion_auc())),
        (Measure::RoadMorf, road.as_ref().and_then(|road| road.morf())),
        (Measure::RoadLerf, road.as_ref().and_then(|road| road.lerf())),
        (Measure::RoadCombined, road.as_ref().and_then(|road| road.combined())),
        (Measure::AverageDrop, confidence.and_then(|confidence| confidence.drop)),
        (Measure::IncreaseInConfidence, confidence.map(|confidence| f64::from(u8::from(confidence.increased())))),
    ])
}

/// Max-sensitivity of one sample, and that of an explainer that draws a new random map every time it is asked.
///
/// # Errors
///
/// When the image cannot be explained.
pub fn sensitivity_against_random<E: Error + 'static>(
    maps: &mut Maps<'_, E>,
    settings: &Settings,
    sample: &Sample<'_>,
) -> Result<Reading, FaithfulnessError<E>> {
    let value = max_sensitivity(maps, &settings.sensitivity, sample.image, sample.index)?;
    let mut draw = 0;
    let mut scribble = |images: &[Image]| -> Result<Vec<Heatmap>, Infallible> {
        let mut one = || {
            draw += 1;
            random_map(sample.map.grid(), settings.control_seed, sample.index, draw)
        };
        Ok(images.iter().map(|_| one()).collect())
    };
    let mut scribbler = Maps::new(&mut scribble, NonZeroUsize::MIN);
    // Nobody else's error: an explainer that cannot fail and answers every image.
    let random = max_sensitivity(&mut scribbler, &settings.sensitivity, sample.image, sample.index).ok().flatten();
    Ok(Reading { measure: Measure::MaxSensitivity, value, random })
}

/// Sums up the readings of a panel, measure by measure, in the order of [`Measure::ALL`]; measures without a reading are
/// left out.
pub fn figures(readings: &[Reading], bootstrap: &Bootstrap) -> Vec<Figure> {
    let figure = |measure: Measure| {
        let of = || readings.iter().filter(|reading| reading.measure == measure);
        let sign = if measure.higher_is_better() { 1.0 } else { -1.0 };
        let gain = |reading: &Reading| Some(sign * (reading.value? - reading.random?));
        let summed = |of: Vec<Option<f64>>| Summary::of(&of, bootstrap);
        of().next().map(|_| Figure {
            measure,
            value: summed(of().map(|reading| reading.value).collect()),
            random: summed(of().map(|reading| reading.random).collect()),
            gain: summed(of().map(gain).collect()),
        })
    };
    Measure::ALL.into_iter().filter_map(figure).collect()
}

/// A map of independent uniform cells in [0, 1), named by seed, sample and draw.
///
/// # Panics
///
/// When the grid has no cells.
pub fn random_map(grid: [usize; 2], seed: u64, sample: u64, draw: u64) -> Heatmap {
    let [rows, cols] = grid;
    let mut generator = generator(seed, Purpose::Control, &[1, sample, draw]);
    let values = (0..rows * cols).map(|_| generator.random::<f32>()).collect();
    Heatmap::new(rows, cols, values).unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ask, linear, map};
    use super::*;
    use crate::faithfulness::{Score, testing::grey};

    /// A linear model of 64 pixels that only looks at one cell of four, with an image that is lit there.
    fn readings(values: &[f32]) -> Vec<Reading> {
        let lit = |pixel: usize| pixel / 8 < 4 && pixel % 8 < 4;
        let plane: Vec<f32> = (0..64).map(|pixel| if lit(pixel) { 1.0 } else { 0.1 }).collect();
        let weights: Vec<f32> = (0..64).map(|pixel| if lit(pixel) { 1.0 } else { 0.0 }).collect();
        let (image, map) = (grey(8, 8, &plane), map(2, 2, values));
        let mut settings = Settings::default();
        settings.curves.score = Score::Logit;
        let mut all = Vec::new();
        for index in 0..12 {
            let sample = Sample { image: &image, map: &map, target: 0, index };
            all.extend(against_random(&mut ask(&mut linear(&weights)), &settings, &sample).unwrap());
            let mut explain = |images: &[Image]| -> Result<Vec<Heatmap>, Infallible> {
                Ok(images.iter().map(map_of_corner).collect())
            };
            let mut maps = Maps::new(&mut explain, NonZeroUsize::MIN);
            all.push(sensitivity_against_random(&mut maps, &settings, &sample).unwrap());
        }
        all
    }

    fn map_of_corner(image: &Image) -> Heatmap {
        map(2, 2, &[image.values()[0], 0.0, 0.0, 0.0])
    }

    #[test]
    fn the_right_map_beats_random_ones_in_every_measure_that_can_tell() {
        let found = figures(&readings(&[1.0, 0.1, 0.0, 0.05]), &Bootstrap::default());
        assert_eq!(found.iter().map(|figure| figure.measure).collect::<Vec<_>>(), Measure::ALL);
        for figure in &found {
            // The logit of a positive linear model only falls under a mask.
            let expected = figure.measure != Measure::IncreaseInConfidence;
            assert_eq!(figure.beats_random(), Some(expected), "{figure:?}");
            assert_eq!((figure.value.defined, figure.value.undefined), (12, 0));
            assert_eq!(serde_json::to_value(figure.measure).unwrap(), figure.measure.name());
        }
    }

    #[test]
    fn the_wrong_map_does_not_and_a_dead_one_is_undefined() {
        let found = figures(&readings(&[0.0, 0.1, 1.0, 0.5]), &Bootstrap::default());
        for figure in found.iter().filter(|figure| figure.measure != Measure::MaxSensitivity) {
            assert_eq!(figure.beats_random(), Some(false), "{figure:?}");
        }
        let found = figures(&readings(&[0.0; 4]), &Bootstrap::default());
        assert_eq!((found[0].value.undefined, found[0].random.undefined, found[0].gain.undefined), (12, 0, 12));
        assert_eq!(found[0].beats_random(), None);
    }

    #[test]
    fn a_random_map_is_named_by_all_that_it_is_for() {
        let one = random_map([3, 4], 1, 2, 3);
        assert_eq!(one, random_map([3, 4], 1, 2, 3));
        assert_eq!(one.grid(), [3, 4]);
        for other in [random_map([3, 4], 0, 2, 3), random_map([3, 4], 1, 0, 3), random_map([3, 4], 1, 2, 0)] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn settings_are_complete_without_a_word() {
        assert_eq!(serde_json::from_str::<Settings>("{}").unwrap(), Settings::default());
        assert!(serde_json::from_str::<Settings>(r#"{"rode": {}}"#).is_err());
    }
}
