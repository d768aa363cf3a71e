//! A pair of epochs on the scale of *moved*: from what was measured image by image to one number, its interval, whether it
//! is still, and which images moved.

use rayon::prelude::*;

use super::distances::{Measured, Values};
use super::matrix::{NotMeasurable, Pair};
use super::moved::Margin;
use crate::measure::Measure;
use crate::stats::{Resamples, Table, middle};
use crate::store::DriftEstimate;

/// Fewer images have no mean worth a number.
const FEWEST_IMAGES: usize = 5;
/// A scale shorter than this share of what a measure can show is none.
const LEAST_CONTRAST: f64 = 0.02;
/// An image moved by chance in one of so many.
const ONE_IN: usize = 20;
/// Fewer floors have no quantile so far out.
const FEWEST_FLOORS: usize = ONE_IN - 1;

/// What pairs are judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ruler<'a> {
    pub(super) measure: Measure,
    pub(super) margin: Margin,
    pub(super) resamples: &'a Resamples,
}

/// A pair, and whether it is still.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) pair: Pair,
    pub(super) still: Still,
    /// Against another seed, where one is known at both epochs.
    pub(super) still_for_seed: Option<Still>,
}

/// Whether a pair of epochs is still: on the panel, and on each panel resampled from it.
#[derive(Clone, Debug)]
pub(super) struct Still {
    panel: bool,
    resampled: Vec<u64>,
}

impl Still {
    /// On the panel.
    pub(super) fn on_panel(&self) -> bool {
        self.panel
    }

    /// On one of the resampled panels.
    pub(super) fn on_resample(&self, panel: usize) -> bool {
        self.resampled[panel / 64] >> (panel % 64) & 1 == 1
    }
}

/// The images of a pair that count, and how far they are above one of the floors, in distances.
struct Span {
    /// Means over the images that count: the measure, its floor and its chance.
    means: Option<[f64; 3]>,
    /// How many count.
    images: usize,
    /// By image, where it counts: distance above the floor.
    above: Values,
    /// By image, where it counts: chance above the floor.
    contrast: Values,
}

/// A span on the scale of *moved*.
struct Scaled {
    moved: Option<f64>,
    interval: Option<[f64; 2]>,
    not_measurable: Option<NotMeasurable>,
    still: Still,
}

/// Whether chance is far enough above a floor to measure by: by 2 % of the largest distance at least, where there is one.
fn is_a_scale(measure: Measure, contrast: f64) -> bool {
    let range = measure.largest_distance();
    contrast > 0.0 && (!range.is_finite() || contrast >= LEAST_CONTRAST * range)
}

/// How far the images of an estimate moved, in its own measure: its value on the scale from its floor, 0, to its chance, 100.
/// None where something of it is undefined, or chance is not far enough above the floor. An estimate has the yardsticks of
/// one epoch, and a [`Pair`] those of both.
pub fn moved_by(estimate: &DriftEstimate) -> Option<f64> {
    let measure: Measure = estimate.measure.parse().ok()?;
    let distances = [estimate.value?, estimate.floor?, estimate.chance?].map(|value| measure.distance(value));
    let [value, floor, chance] = distances;
    is_a_scale(measure, chance - floor).then(|| 100.0 * (value - floor) / (chance - floor))
}

impl Ruler<'_> {
    /// The pairs of an epoch with all earlier ones that it was measured against; `epochs` are all earlier ones.
    pub(super) fn row(&self, epochs: &[Measured], now: &Measured) -> Vec<Judged> {
        let earlier = || epochs.iter().skip(now.from).zip(&now.earlier);
        let spans: Vec<Span> =
            earlier().map(|(one, values)| self.span(values, [&one.floor, &now.floor], [one, now])).collect();
        let from_seed: Vec<Option<Span>> = earlier()
            .map(|(one, values)| Some(self.span(values, [one.seed.as_ref()?, now.seed.as_ref()?], [one, now])))
            .collect();
        let scaled = self.scaled(&spans.iter().collect::<Vec<_>>());
        let seeds: Vec<&Span> = from_seed.iter().flatten().collect();
        let mut scaled_seeds = self.scaled(&seeds).into_iter();
        let mut row = Vec::new();
        for ((place, (one, values)), (scaled, span)) in earlier().enumerate().zip(scaled.into_iter().zip(spans)) {
            let mut pair = self.pair(one, now, values, &span, &scaled);
            let is_first_or_previous = [0, epochs.len() - 1].contains(&(now.from + place));
            if is_first_or_previous {
                self.by_image(&mut pair, now, values, &span);
            }
            let seed = from_seed[place].as_ref().and_then(|span| Some((span, scaled_seeds.next()?)));
            pair.seed_floor = seed.as_ref().and_then(|(span, _)| Some(span.means?[1]));
            pair.moved_from_seed = seed.as_ref().and_then(|(_, scaled)| scaled.moved);
            row.push(Judged { pair, still: scaled.still, still_for_seed: seed.map(|(_, scaled)| scaled.still) });
        }
        row
    }

    /// Whether an epoch, `now`, and an earlier one are still, on the panel alone.
    pub(super) fn is_still(&self, one: &Measured, now: &Measured, values: &Values) -> bool {
        self.on_scale(&self.span(values, [&one.floor, &now.floor], [one, now]), &[]).still.on_panel()
    }

    /// A difference of two values of the measure as a difference of distances.
    fn apart(&self, value: f64, floor: f64) -> f64 {
        if self.measure.higher_is_more_similar() { floor - value } else { value - floor }
    }

    /// The images where everything is defined: the value, both epochs' floors and both epochs' chances.
    fn span(&self, values: &Values, floors: [&Values; 2], epochs: [&Measured; 2]) -> Span {
        let mean = |both: [&Values; 2], image: usize| Some((both[0][image]? + both[1][image]?) / 2.0);
        let chances = epochs.map(|epoch| &epoch.chance);
        let counts = |image: usize| Some([values[image]?, mean(floors, image)?, mean(chances, image)?]);
        let of_images: Vec<Option<[f64; 3]>> = (0..values.len()).map(counts).collect();
        let images = of_images.iter().flatten().count();
        let sums = of_images.iter().flatten().fold([0.0; 3], |sums, one| std::array::from_fn(|at| sums[at] + one[at]));
        let above = |one: &Option<[f64; 3]>| one.map(|[value, floor, _]| self.apart(value, floor));
        let contrast = |one: &Option<[f64; 3]>| one.map(|[_, floor, chance]| self.apart(chance, floor));
        Span {
            means: (images > 0).then(|| sums.map(|sum| sum / images as f64)),
            images,
            above: of_images.iter().map(above).collect(),
            contrast: of_images.iter().map(contrast).collect(),
        }
    }

    /// Spans on the scale, each on the panel and on the same resampled ones. On a resampled panel, too, *moved* is a ratio
    /// of means over the same images, so their number cancels.
    fn scaled(&self, spans: &[&Span]) -> Vec<Scaled> {
        let Some(first) = spans.first() else { return Vec::new() };
        let value = |image: usize, column: usize| {
            let span = spans[column / 2];
            if column.is_multiple_of(2) { span.above[image] } else { span.contrast[image] }
        };
        let sums = self.resamples.sums(&Table::of(first.above.len(), 2 * spans.len(), value));
        let of_span = |(place, span): (usize, &&Span)| {
            let resampled: Vec<[f64; 2]> = sums.iter().map(|sums| [sums[2 * place], sums[2 * place + 1]]).collect();
            self.on_scale(span, &resampled)
        };
        spans.par_iter().enumerate().map(of_span).collect()
    }

    /// One span on the scale; `resampled` are the sums of distance and chance above the floor of each resampled panel.
    fn on_scale(&self, span: &Span, resampled: &[[f64; 2]]) -> Scaled {
        let measured = span.means.map(|[value, floor, chance]| (self.apart(value, floor), self.apart(chance, floor)));
        let (above, contrast) = measured.unwrap_or_default();
        let mut contrasts: Vec<f64> = resampled.iter().map(|[_, contrast]| *contrast).collect();
        let least = middle(&mut contrasts).map_or(contrast, |[low, _]| low);
        let not_measurable = if span.images < FEWEST_IMAGES {
            Some(NotMeasurable::FewImages)
        } else if contrast <= 0.0 || least <= 0.0 {
            Some(NotMeasurable::ChanceWithinFloor)
        } else if !is_a_scale(self.measure, contrast) {
            Some(NotMeasurable::SmallContrast)
        } else {
            None
        };
        let moved = not_measurable.is_none().then(|| 100.0 * above / contrast);
        // A resampled panel without a scale has no value; at most one in forty has none where the panel has one.
        let mut ratios: Vec<f64> =
            resampled.iter().filter(|sums| sums[1] > 0.0).map(|[above, contrast]| 100.0 * above / contrast).collect();
        let within = |[above, contrast]: [f64; 2]| contrast > 0.0 && 100.0 * above <= self.margin.moved() * contrast;
        let mut bits = vec![0; resampled.len().div_ceil(64)];
        for (panel, &sums) in resampled.iter().enumerate() {
            bits[panel / 64] |= u64::from(moved.is_some() && within(sums)) << (panel % 64);
        }
        let still = Still { panel: moved.is_some_and(|moved| moved <= self.margin.moved()), resampled: bits };
        Scaled { interval: moved.and_then(|_| middle(&mut ratios)), moved, not_measurable, still }
    }

    /// The pair of an epoch, `now`, and an earlier one.
    fn pair(&self, one: &Measured, now: &Measured, values: &Values, span: &Span, scaled: &Scaled) -> Pair {
        let both = |differ: fn(&Measured, &Measured, usize) -> bool| {
            (0..values.len()).filter(|&image| differ(one, now, image)).count()
        };
        let mean = |at: usize| span.means.map(|means| means[at]);
        Pair {
            epoch: now.epoch,
            reference_epoch: one.epoch,
            value: mean(0),
            floor: mean(1),
            chance: mean(2),
            seed_floor: None,
            moved: scaled.moved,
            interval: scaled.interval,
            moved_from_seed: None,
            not_measurable: scaled.not_measurable,
            images: Vec::new(),
            image_floors: Vec::new(),
            images_moved: self.threshold(&now.floor).map(|threshold| self.beyond(values, threshold)),
            threshold: None,
            defined: span.images,
            undefined: values.len() - span.images,
            dead: both(|one, now, image| one.dead[image] || now.dead[image]),
            retargeted: both(|one, now, image| one.classes[image] != now.classes[image]),
        }
    }

    /// Adds what the images of a pair did, on its scale.
    fn by_image(&self, pair: &mut Pair, now: &Measured, values: &Values, span: &Span) {
        let counted = |image: usize| values[image].filter(|_| span.above[image].is_some());
        let images = (0..values.len()).map(|image| pair.moved_of(counted(image)?)).collect();
        let floors = now.floor.iter().map(|floor| pair.moved_of((*floor)?)).collect();
        let threshold = self.threshold(&now.floor).and_then(|threshold| pair.moved_of(threshold));
        (pair.images, pair.image_floors, pair.threshold) = (images, floors, threshold);
    }

    /// The value that 95 % of images stay nearer than under noise alone.
    ///
    /// # Source
    ///
    /// Split conformal prediction, Vovk, Gammerman & Shafer 2005: of `n` exchangeable scores and one more, the further one
    /// exceeds the ⌈(1 - α)(n + 1)⌉-th smallest with probability α at most.
    fn threshold(&self, floors: &Values) -> Option<f64> {
        let mut floors: Vec<f64> = floors.iter().flatten().copied().collect();
        (floors.len() >= FEWEST_FLOORS).then_some(())?;
        floors.sort_by(|one, other| self.apart(*one, 0.0).total_cmp(&self.apart(*other, 0.0)));
        let place = ((ONE_IN - 1) * (floors.len() + 1)).div_ceil(ONE_IN);
        floors.get(place - 1).copied()
    }

    /// How many images are farther than that.
    fn beyond(&self, values: &Values, threshold: f64) -> usize {
        values.iter().flatten().filter(|&&value| self.apart(value, threshold) > 0.0).count()
    }
}

#[cfg(test)]
mod tests;
