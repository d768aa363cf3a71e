//! Insertion and deletion: the score while the image appears, or disappears, in the order of the map.

use std::error::Error;
use std::num::NonZeroUsize;

use super::ask::{Logits, Score};
use super::error::FaithfulnessError;
use super::input::{Baseline, Input};
use super::judged::Judged;
use crate::measure::{Heatmap, MapStatus};

/// What is ranked, and so taken away or put back as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ranking {
    /// Single pixels, by the map interpolated bilinearly to the image's size; of equal ones the first, row by row.
    #[default]
    Pixels,
    /// Whole cells of the map, each with the pixels it covers; of equal ones the first, row by row.
    Cells,
}

/// How insertion and deletion curves are drawn. The default is torch-cam's, on probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurveSettings {
    /// At most how many steps lead from the whole image to none of it; each takes `ceil(n / steps)` of the `n` pixels or
    /// cells, the last what is left. Default: 20.
    pub steps: NonZeroUsize,
    /// What stands where the image does not. Default: zeros.
    pub baseline: Baseline,
    /// Which score the curves are of. Default: the probability.
    pub score: Score,
    /// Whether pixels or cells are ranked. Default: pixels.
    pub ranking: Ranking,
}

impl Default for CurveSettings {
    fn default() -> Self {
        CurveSettings {
            steps: NonZeroUsize::MIN.saturating_add(19),
            baseline: Baseline::default(),
            score: Score::default(),
            ranking: Ranking::default(),
        }
    }
}

/// Both curves of one explanation, in the unit of [`CurveSettings::score`].
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// Share of the image's pixels that changed hands, from 0 to 1, ascending. `[points]`.
    pub fractions: Vec<f64>,
    /// Score with that share of the most relevant pixels put into the baseline. `[points]`.
    pub insertion: Vec<f64>,
    /// Score with that share of the most relevant pixels replaced by the baseline. `[points]`.
    pub deletion: Vec<f64>,
}

impl Curves {
    /// Area under the insertion curve by the trapezoidal rule: for probabilities in [0, 1]. Higher is better.
    pub fn insertion_auc(&self) -> f64 {
        trapezoid(&self.fractions, &self.insertion)
    }

    /// Area under the deletion curve by the trapezoidal rule: for probabilities in [0, 1]. Lower is better.
    pub fn deletion_auc(&self) -> f64 {
        trapezoid(&self.fractions, &self.deletion)
    }
}

/// The curves of one explanation, from about twice as many questions as steps.
///
/// `None` for a map that ranks nothing (constant, dead or not finite) and where the model answered something not finite.
/// torch-cam ranks a constant map row by row.
///
/// # Errors
///
/// When the model cannot answer, or lacks the class.
///
/// # Source
///
/// Petsiuk et al. 2018, "RISE"; torch-cam 0.5.0 `metrics.py`, `DeletionInsertionMetric`.
pub fn insertion_deletion<E: Error + 'static>(
    logits: &mut Logits<'_, E>,
    settings: &CurveSettings,
    judged: &Judged<'_>,
) -> Result<Option<Curves>, FaithfulnessError<E>> {
    let input = judged.input;
    let Some(places) = Places::of(settings.ranking, judged.map, input) else { return Ok(None) };
    let counts = places.counts(settings.steps);
    let baseline = settings.baseline.of(input);
    // Both curves share their ends, so these are asked about once; then deletion and insertion, count by count.
    let make = |question: usize| match question {
        0 => Some(input.clone()),
        1 => Some(baseline.clone()),
        _ => {
            let count = counts[question / 2];
            let deleting = question.is_multiple_of(2);
            Some(input.or(&baseline, |pixel| (places.of_pixel[pixel] < count) != deleting))
        }
    };
    let questions = 2 * (counts.len() - 1);
    let scores = logits.scores(settings.score, judged.class, questions, make)?;
    let Some(scores) = scores.into_iter().collect::<Option<Vec<f64>>>() else { return Ok(None) };
    let (whole, nothing) = (scores[0], scores[1]);
    let between = |first: usize| scores[2..].iter().copied().skip(first).step_by(2);
    let deletion = [whole].into_iter().chain(between(0)).chain([nothing]).collect();
    let insertion = [nothing].into_iter().chain(between(1)).chain([whole]).collect();
    Ok(Some(Curves { fractions: places.fractions(&counts), insertion, deletion }))
}

/// Where each pixel stands in the ranking.
struct Places {
    /// `[pixels]`: the place of each, from 0 for the most relevant; in a ranking of cells the place of its cell.
    of_pixel: Vec<usize>,
    /// Number of places.
    count: usize,
}

impl Places {
    fn of(ranking: Ranking, map: &Heatmap, input: &Input) -> Option<Self> {
        if map.status() != MapStatus::Alive {
            return None;
        }
        let (height, width) = (input.height(), input.width());
        match ranking {
            Ranking::Pixels => {
                let of_pixel = places(&map.resize_bilinear(height, width).ok()?);
                Some(Places { count: of_pixel.len(), of_pixel })
            }
            Ranking::Cells => {
                let of_cell = places(map);
                let cell = |row: usize, col: usize| row * map.rows() / height * map.cols() + col * map.cols() / width;
                let pixels = (0..height * width).map(|pixel| of_cell[cell(pixel / width, pixel % width)]);
                Some(Places { of_pixel: pixels.collect(), count: of_cell.len() })
            }
        }
    }

    /// How many places have changed hands at each point: from none to all.
    fn counts(&self, steps: NonZeroUsize) -> Vec<usize> {
        let step = self.count.div_ceil(steps.get());
        (0..self.count).step_by(step).chain([self.count]).collect()
    }

    /// The share of the pixels that so many places hold.
    fn fractions(&self, counts: &[usize]) -> Vec<f64> {
        let mut held = vec![0_usize; self.count + 1];
        self.of_pixel.iter().for_each(|&place| held[place + 1] += 1);
        for place in 0..self.count {
            held[place + 1] += held[place];
        }
        counts.iter().map(|&count| held[count] as f64 / self.of_pixel.len() as f64).collect()
    }
}

/// The place of each cell, from 0 for the largest value; equal values in index order.
fn places(map: &Heatmap) -> Vec<usize> {
    let mut places = vec![0; map.values().len()];
    let descending = map.cells_by(|left, right| right.total_cmp(&left));
    descending.into_iter().enumerate().for_each(|(place, cell)| places[cell] = place);
    places
}

/// The area under a curve of straight lines.
fn trapezoid(at: &[f64], values: &[f64]) -> f64 {
    at.windows(2).zip(values.windows(2)).map(|(at, values)| (at[1] - at[0]) * (values[0] + values[1]) / 2.0).sum()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ask, grey, linear, map};
    use super::*;

    const LOGIT: CurveSettings = CurveSettings {
        steps: NonZeroUsize::new(4).unwrap(),
        baseline: Baseline::Zeros,
        score: Score::Logit,
        ranking: Ranking::Pixels,
    };

    /// Four pixels of 1; the logit is `4 x0 + 3 x1 + 2 x2 + x3`. Deleting from the first: 10, 6, 3, 1, 0, at 0, 1/4, …, 1:
    /// (10/2 + 6 + 3 + 1 + 0/2) / 4 = 15/4. Inserting from the first: 0, 4, 7, 9, 10: (0/2 + 4 + 7 + 9 + 10/2) / 4 = 25/4.
    /// In the reverse order the two change roles: what deletion loses first, insertion gains last.
    #[test]
    fn a_perfect_and_a_reversed_ranking_of_a_linear_model() {
        let (input, mut model) = (grey(2, 2, &[1.0; 4]), linear(&[4.0, 3.0, 2.0, 1.0]));
        let mut curves = |values: &[f32]| {
            let map = map(2, 2, values);
            let judged = Judged { input: &input, map: &map, class: 0, index: 0 };
            insertion_deletion(&mut ask(&mut model), &LOGIT, &judged).unwrap().unwrap()
        };
        let perfect = curves(&[0.9, 0.5, 0.0, -2.0]);
        assert_eq!(perfect.fractions, [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(perfect.deletion, [10.0, 6.0, 3.0, 1.0, 0.0]);
        assert_eq!(perfect.insertion, [0.0, 4.0, 7.0, 9.0, 10.0]);
        assert_eq!((perfect.deletion_auc(), perfect.insertion_auc()), (3.75, 6.25));
        let reversed = curves(&[0.0, 1.0, 2.0, 3.0]);
        assert_eq!((reversed.deletion_auc(), reversed.insertion_auc()), (6.25, 3.75));
        // Three cells tie: the first of them, row by row, goes first.
        assert_eq!(curves(&[1.0, 1.0, 5.0, 1.0]).deletion, [10.0, 8.0, 4.0, 1.0, 0.0]);
    }

    /// Two cells of four pixels each, logit 1 a pixel. In pixels of 3 a step (8 over 3 steps): 0, 3, 6, 8, and the last
    /// step is the short one. In cells one a step: 0, 4, 8 pixels. Deleting: (8, 5, 2, 0) and (8, 4, 0).
    #[test]
    fn a_step_is_a_share_of_the_pixels_or_of_the_cells() {
        let (input, mut model) = (grey(2, 4, &[1.0; 8]), linear(&[1.0; 8]));
        let map = map(1, 2, &[0.0, 1.0]);
        let judged = Judged { input: &input, map: &map, class: 0, index: 0 };
        let steps = NonZeroUsize::new(3).unwrap();
        let pixels = CurveSettings { steps, ..LOGIT };
        let found = insertion_deletion(&mut ask(&mut model), &pixels, &judged).unwrap().unwrap();
        assert_eq!(found.fractions, [0.0, 0.375, 0.75, 1.0]);
        assert_eq!(found.deletion, [8.0, 5.0, 2.0, 0.0]);
        let cells = CurveSettings { ranking: Ranking::Cells, ..pixels };
        let found = insertion_deletion(&mut ask(&mut model), &cells, &judged).unwrap().unwrap();
        assert_eq!(found.fractions, [0.0, 0.5, 1.0]);
        assert_eq!(found.insertion, [0.0, 4.0, 8.0]);
        assert_eq!(found.deletion_auc(), 4.0);
    }

    /// Of three columns over two cells the middle one belongs to the first: 1 * 2 / 3 = 0.
    #[test]
    fn cells_that_do_not_divide_the_image_have_their_true_share() {
        let input = grey(1, 3, &[1.0; 3]);
        let places = Places::of(Ranking::Cells, &map(1, 2, &[0.0, 1.0]), &input).unwrap();
        assert_eq!(places.of_pixel, [1, 1, 0]);
        assert_eq!(places.fractions(&[0, 1, 2]), [0.0, 1.0 / 3.0, 1.0]);
    }

    #[test]
    fn a_map_that_ranks_nothing_and_a_broken_answer_have_no_curves() {
        let (input, mut model) = (grey(1, 2, &[1.0; 2]), linear(&[1.0; 2]));
        for values in [[0.0, 0.0], [3.0, 3.0], [f32::NAN, 1.0]] {
            let map = map(1, 2, &values);
            let judged = Judged { input: &input, map: &map, class: 0, index: 0 };
            assert_eq!(insertion_deletion(&mut ask(&mut model), &LOGIT, &judged).unwrap(), None);
        }
        let mut broken = linear(&[f32::NAN; 2]);
        let map = map(1, 2, &[0.0, 1.0]);
        let judged = Judged { input: &input, map: &map, class: 0, index: 0 };
        assert_eq!(insertion_deletion(&mut ask(&mut broken), &LOGIT, &judged).unwrap(), None);
    }
}
