//! ROAD: remove and debias. The logit after the most, or the least, relevant pixels were imputed from the others.

use std::error::Error;

use super::ask::{Logits, Score};
use super::error::FaithfulnessError;
use super::impute::impute;
use super::input::Input;
use super::judged::Judged;
use crate::measure::{Heatmap, MapStatus};
use crate::seed::{Purpose, generator, standard_normal};

/// Which of several pixels of equal relevance are removed, where a percentile falls among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ties {
    /// All of them, as pytorch-grad-cam does: more may be removed than was asked for, all of a map that is mostly zero.
    #[default]
    Together,
    /// Row by row until the percentile is met: always as many as without ties.
    InOrder,
}

/// How ROAD is measured. The default is pytorch-grad-cam's.
#[derive(Clone, Debug, PartialEq)]
pub struct RoadSettings {
    /// Percentiles of relevance, in [0, 100]: at `p` the share `1 - p/100` is removed. Default: 10, 20, …, 90.
    pub percentiles: Vec<f64>,
    /// Standard deviation of the noise added to imputed values, in normalised units; 0 for none. Default: 0.01.
    pub noise: f32,
    /// Base seed of that noise.
    pub seed: u64,
    /// Which of equally relevant pixels are removed. Default: all together.
    pub ties: Ties,
    /// Which score changes are of. Default: the raw logit.
    pub score: Score,
}

impl Default for RoadSettings {
    fn default() -> Self {
        RoadSettings {
            percentiles: (1..10).map(|tenth| f64::from(tenth) * 10.0).collect(),
            noise: 0.01,
            seed: 0,
            ties: Ties::Together,
            score: Score::Logit,
        }
    }
}

/// ROAD at one percentile, in the unit of [`RoadSettings::score`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoadPoint {
    /// The percentile of relevance, in [0, 100].
    pub percentile: f64,
    /// Change of the score, after minus before, with the most relevant pixels imputed.
    pub morf: Option<f64>,
    /// The same with the least relevant pixels imputed.
    pub lerf: Option<f64>,
    /// The shares of the pixels that were removed for `morf` and for `lerf`: different only where pixels are equally
    /// relevant.
    pub removed: [f64; 2],
}

/// ROAD of one explanation. Means over percentiles are `None` as soon as one point is.
#[derive(Clone, Debug, PartialEq)]
pub struct Road {
    /// In the order of [`RoadSettings::percentiles`].
    pub points: Vec<RoadPoint>,
}

impl Road {
    /// Most relevant first: the mean change of the score. Lower is better.
    pub fn morf(&self) -> Option<f64> {
        self.mean(|point| point.morf)
    }

    /// Least relevant first: the mean change of the score. Higher is better.
    pub fn lerf(&self) -> Option<f64> {
        self.mean(|point| point.lerf)
    }

    /// `(lerf - morf) / 2`: by how much it matters more to lose what the map calls relevant. Higher is better, 0 is no
    /// better than the reverse of the map.
    pub fn combined(&self) -> Option<f64> {
        Some((self.lerf()? - self.morf()?) / 2.0)
    }

    fn mean(&self, of: impl Fn(&RoadPoint) -> Option<f64>) -> Option<f64> {
        let values = self.points.iter().map(of).collect::<Option<Vec<f64>>>()?;
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// ROAD of one explanation, from one question for the image and two a percentile.
///
/// `None` for a map that ranks nothing (constant, dead or not finite) and where the model's answer to the image itself is
/// not finite. A point is `None` where ties leave no pixel to impute from, where pytorch-grad-cam solves a singular
/// system, and at a percentile outside [0, 100].
///
/// # Errors
///
/// When the model cannot answer, or lacks the class.
///
/// # Source
///
/// Rong et al. 2022, "A Consistent and Efficient Evaluation Strategy for Attribution Methods"; pytorch-grad-cam 1.5.5
/// `metrics/road.py` (`ROADCombined`) and `metrics/perturbation_confidence.py`. That ranks a map which its CAM methods
/// have clipped at zero and scaled to [0, 1]; here the raw map is ranked, so cells against the class are told apart. The
/// two agree on a map without negative values.
pub fn road<E: Error + 'static>(
    logits: &mut Logits<'_, E>,
    settings: &RoadSettings,
    judged: &Judged<'_>,
) -> Result<Option<Road>, FaithfulnessError<E>> {
    let input = judged.input;
    let map = judged.map.resize_bilinear(input.height(), input.width());
    let Some(removal) = map.ok().and_then(|map| Removal::of(&map, settings.ties)) else { return Ok(None) };
    let percentiles = &settings.percentiles;
    // First the image, then most and least relevant first at each percentile. The flags of one question at a time.
    let make = |question: usize| {
        let Some(removed) = question.checked_sub(1) else { return Some(input.clone()) };
        let known: Vec<bool> =
            removal.removed(percentiles[removed / 2], removed % 2)?.into_iter().map(|removed| !removed).collect();
        let imputed = impute(input, &known)?;
        let draws = [judged.index, removed as u64];
        Some(noisy(imputed, &known, settings.noise, settings.seed, &draws))
    };
    let scores = logits.scores(settings.score, judged.class, 1 + 2 * percentiles.len(), make)?;
    let Some(before) = scores[0] else { return Ok(None) };
    let change = |question: usize| scores[question].map(|after| after - before);
    let point = |(index, &percentile): (usize, &f64)| RoadPoint {
        percentile,
        morf: change(1 + 2 * index),
        lerf: change(2 + 2 * index),
        removed: [0, 1].map(|order| removal.share(percentile, order)),
    };
    Ok(Some(Road { points: percentiles.iter().enumerate().map(point).collect() }))
}

/// Noise on the imputed pixels, so that nothing can tell them by their smoothness. Channel by channel, row by row.
fn noisy(input: Input, known: &[bool], magnitude: f32, seed: u64, draws: &[u64]) -> Input {
    if magnitude == 0.0 {
        return input;
    }
    let mut generator = generator(seed, Purpose::Impute, draws);
    input.map(|_, pixel, value| {
        if known[pixel] {
            return value;
        }
        value + magnitude * standard_normal(&mut generator) as f32
    })
}

/// Which pixels go, for any percentile: from the most relevant (order 0) or from the least relevant one (order 1).
struct Removal {
    /// The map at the image's size.
    values: Vec<f32>,
    /// `[2][pixels]`: all pixels from the one that goes first to the one that goes last.
    orders: [Vec<usize>; 2],
    ties: Ties,
}

impl Removal {
    fn of(map: &Heatmap, ties: Ties) -> Option<Self> {
        let descending = map.cells_by(|left, right| right.total_cmp(&left));
        let ascending = map.cells_by(|left, right| left.total_cmp(&right));
        let ranks = map.status() == MapStatus::Alive;
        ranks.then(|| Removal { values: map.values().to_vec(), orders: [descending, ascending], ties })
    }

    /// How many pixels go.
    ///
    /// numpy's linear percentile of `n` values lies at or below the value in place `ceil((n-1) p / 100)` from below and
    /// above the one before, so "not below the percentile" is that value and all after it. The least relevant go by the
    /// percentile of the negated map.
    fn count(&self, percentile: f64, order: usize) -> Option<usize> {
        let pixels = self.values.len();
        if !(0.0..=100.0).contains(&percentile) {
            return None;
        }
        let count = pixels - ((pixels - 1) as f64 * percentile / 100.0).ceil() as usize;
        if self.ties == Ties::InOrder {
            return Some(count);
        }
        let order = &self.orders[order];
        let last = self.values[order[count - 1]];
        Some(count + order[count..].iter().take_while(|&&pixel| self.values[pixel] == last).count())
    }

    /// Whether each pixel goes.
    fn removed(&self, percentile: f64, order: usize) -> Option<Vec<bool>> {
        let mut removed = vec![false; self.values.len()];
        self.orders[order][..self.count(percentile, order)?].iter().for_each(|&pixel| removed[pixel] = true);
        Some(removed)
    }

    /// The share of the pixels that goes; 0 where no percentile is asked for.
    fn share(&self, percentile: f64, order: usize) -> f64 {
        self.count(percentile, order).unwrap_or(0) as f64 / self.values.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::testing::{ask, grey, linear, map};
    use super::*;

    fn quiet(percentiles: &[f64]) -> RoadSettings {
        RoadSettings { percentiles: percentiles.to_vec(), noise: 0.0, ..RoadSettings::default() }
    }

    fn of(values: &[f32], ties: Ties) -> Removal {
        Removal::of(&map(1, values.len(), values), ties).unwrap()
    }

    /// Five values 0, …, 4: the 50th percentile is 2, so 2, 3, 4 go; the 60th is 2.4, so 3 and 4 go. From below the
    /// negated map's: 2, 1, 0 and 1, 0.
    #[test]
    fn a_percentile_removes_what_is_not_below_it() {
        let removal = of(&[3.0, 0.0, 4.0, 1.0, 2.0], Ties::Together);
        let removed = |percentile, order| removal.removed(percentile, order).unwrap();
        assert_eq!(removed(50.0, 0), [true, false, true, false, true]);
        assert_eq!(removed(60.0, 0), [true, false, true, false, false]);
        assert_eq!(removed(50.0, 1), [false, true, false, true, true]);
        assert_eq!(removed(60.0, 1), [false, true, false, true, false]);
        assert_eq!(removal.share(60.0, 0), 0.4);
        assert_eq!(removal.removed(101.0, 0), None);
        assert_eq!(removal.removed(f64::NAN, 0), None);
    }

    /// Of 0, 0, 0, 0, 5 the 25th percentile is 0, in place 1 from below: without ties four would go. Together all go.
    #[test]
    fn ties_go_together_or_in_order() {
        let values = [0.0, 0.0, 5.0, 0.0, 0.0];
        assert_eq!(of(&values, Ties::Together).removed(25.0, 0).unwrap(), [true; 5]);
        assert_eq!(of(&values, Ties::InOrder).removed(25.0, 0).unwrap(), [true, true, true, true, false]);
        assert_eq!(of(&values, Ties::InOrder).removed(50.0, 1).unwrap(), [true, true, false, true, false]);
    }

    /// A row 1, 5, 3, 1 and the logit `x1`, at percentile 70: of four values place ceil(2.1) = 3, so one pixel goes. The
    /// most relevant is pixel 1, imputed as (1 + 3) / 2 = 2: 2 - 5 = -3. The least relevant is pixel 3, imputed as 3: no
    /// change. Combined (0 + 3) / 2.
    #[test]
    fn road_of_a_row_that_is_solved_on_paper() {
        let (input, map) = (grey(1, 4, &[1.0, 5.0, 3.0, 1.0]), map(1, 4, &[0.2, 0.9, 0.1, -0.5]));
        let judged = Judged { input: &input, map: &map, class: 0, index: 0 };
        let mut model = linear(&[0.0, 1.0, 0.0, 0.0]);
        let found = road(&mut ask(&mut model), &quiet(&[70.0]), &judged).unwrap().unwrap();
        let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-6;
        assert!(near(found.morf(), -3.0) && near(found.lerf(), 0.0) && near(found.combined(), 1.5), "{found:?}");
        assert_eq!(found.points[0].removed, [0.25, 0.25]);
    }

    #[test]
    fn a_constant_image_loses_nothing_whatever_the_map_says() {
        let (input, map) = (grey(4, 4, &[0.7; 16]), map(2, 2, &[0.1, 0.4, -0.3, 0.2]));
        let judged = Judged { input: &input, map: &map, class: 0, index: 0 };
        let mut model = linear(&[1.0; 16]);
        let found = road(&mut ask(&mut model), &quiet(&[10.0, 50.0, 90.0]), &judged).unwrap().unwrap();
        assert!(found.combined().unwrap().abs() < 1e-5 && found.morf().unwrap().abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn where_ties_leave_nothing_the_point_and_the_means_are_undefined() {
        let (input, map) = (grey(1, 5, &[1.0; 5]), map(1, 5, &[0.0, 0.0, 5.0, 0.0, 0.0]));
        let judged = Judged { input: &input, map: &map, class: 0, index: 0 };
        let mut model = linear(&[1.0; 5]);
        let mut settings = quiet(&[25.0, 90.0]);
        let found = road(&mut ask(&mut model), &settings, &judged).unwrap().unwrap();
        assert_eq!((found.points[0].morf, found.points[0].removed[0]), (None, 1.0));
        assert!(found.points[1].morf.is_some());
        assert_eq!((found.morf(), found.combined()), (None, None));
        settings.ties = Ties::InOrder;
        assert!(road(&mut ask(&mut model), &settings, &judged).unwrap().unwrap().combined().is_some());
        let dead = Judged { map: &super::super::testing::map(1, 5, &[0.0; 5]), ..judged };
        assert_eq!(road(&mut ask(&mut model), &settings, &dead).unwrap(), None);
    }

    /// The images asked about differ from those without noise by it alone, on imputed pixels only, the same every time
    /// and others for another seed or sample.
    #[test]
    fn noise_is_on_imputed_pixels_and_named_by_seed_and_sample() {
        let plane: Vec<f32> = (0..64).map(|pixel| (pixel % 7) as f32).collect();
        let (input, map) = (grey(8, 8, &plane), map(8, 8, &plane));
        let asked = |noise: f32, seed: u64, index: u64| {
            let mut inputs = Vec::new();
            let mut model = |batch: &[Input]| -> Result<Vec<Vec<f32>>, Infallible> {
                inputs.extend(batch.to_vec());
                Ok(vec![vec![0.0]; batch.len()])
            };
            let settings = RoadSettings { percentiles: vec![50.0], noise, seed, ..RoadSettings::default() };
            let judged = Judged { input: &input, map: &map, class: 0, index };
            road(&mut ask(&mut model), &settings, &judged).unwrap();
            inputs
        };
        let (quiet, loud) = (asked(0.0, 1, 0), asked(0.01, 1, 0));
        assert_eq!(loud, asked(0.01, 1, 0));
        assert_ne!(loud, asked(0.01, 2, 0));
        assert_ne!(loud, asked(0.01, 1, 1));
        let noise: Vec<f32> = loud[1].values().iter().zip(quiet[1].values()).map(|(a, b)| a - b).collect();
        let changed: Vec<f32> = noise.iter().copied().filter(|&noise| noise != 0.0).collect();
        // Values 3, 4, 5, 6 are not below the median of 3: 9 pixels each, in three channels.
        assert_eq!(changed.len(), 3 * 36);
        let deviation = (changed.iter().map(|noise| noise * noise).sum::<f32>() / changed.len() as f32).sqrt();
        assert!((0.007..0.013).contains(&deviation), "{deviation}");
    }
}
