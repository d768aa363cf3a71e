//! Asking a model in batches, and reading a score off its logits.

use std::error::Error;
use std::num::NonZeroUsize;

use super::error::FaithfulnessError;
use super::input::Input;
use crate::measure::Heatmap;
use rayon::prelude::*;

/// Answers a batch of images: one `T` an image, in order.
pub(super) type Ask<'a, T, E> = dyn FnMut(&[Input]) -> Result<Vec<T>, E> + 'a;

/// What answers questions about images, and about how many at a time.
///
/// At most one batch of images is in memory: `batch * 3 * height * width * 4` bytes.
pub struct Asked<'a, T, E> {
    ask: &'a mut Ask<'a, T, E>,
    batch: NonZeroUsize,
}

/// Answers with the logits of all classes, before the softmax.
pub type Logits<'a, E> = Asked<'a, Vec<f32>, E>;

/// Answers with a heat map: raw, of the class that the judged map explains and on its grid. Whoever builds the closure fixes
/// the class.
pub type Maps<'a, E> = Asked<'a, Heatmap, E>;

impl<'a, T, E: Error + 'static> Asked<'a, T, E> {
    /// Asks `ask`, never about more than `batch` images at once. Images must not influence one another's answers: a model
    /// has to evaluate, not train.
    pub fn new(ask: &'a mut Ask<'a, T, E>, batch: NonZeroUsize) -> Self {
        Asked { ask, batch }
    }

    /// One answer for each of `count` images, which are made, in parallel, just before they are needed. An image that
    /// cannot be made is not asked about.
    pub(super) fn answers(
        &mut self,
        count: usize,
        make: impl Fn(usize) -> Option<Input> + Sync,
    ) -> Result<Vec<Option<T>>, FaithfulnessError<E>> {
        let mut all: Vec<Option<T>> = (0..count).map(|_| None).collect();
        for start in (0..count).step_by(self.batch.get()) {
            let end = count.min(start.saturating_add(self.batch.get()));
            let numbered = |index| make(index).map(|input| (index, input));
            let (indices, inputs): (Vec<usize>, Vec<Input>) =
                (start..end).into_par_iter().filter_map(numbered).collect::<Vec<_>>().into_iter().unzip();
            if inputs.is_empty() {
                continue;
            }
            let answers = (self.ask)(&inputs).map_err(FaithfulnessError::Model)?;
            if answers.len() != inputs.len() {
                return Err(FaithfulnessError::Answers { asked: inputs.len(), answered: answers.len() });
            }
            indices.into_iter().zip(answers).for_each(|(index, answer)| all[index] = Some(answer));
        }
        Ok(all)
    }
}

impl<E: Error + 'static> Logits<'_, E> {
    /// The score of one class on each image; `None` for an image that cannot be made, and where [`Score::of`] is.
    pub(super) fn scores(
        &mut self,
        score: Score,
        class: usize,
        count: usize,
        make: impl Fn(usize) -> Option<Input> + Sync,
    ) -> Result<Vec<Option<f64>>, FaithfulnessError<E>> {
        let of = |logits: Option<Vec<f32>>| {
            let Some(logits) = logits else { return Ok(None) };
            if class >= logits.len() {
                return Err(FaithfulnessError::Class { class, classes: logits.len() });
            }
            Ok(score.of(&logits, class))
        };
        self.answers(count, make)?.into_iter().map(of).collect()
    }
}

/// What is read off the logits as the model's score for a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Score {
    /// The class's softmax probability, in [0, 1]. It also rises when the logits of other classes fall.
    #[default]
    Probability,
    /// The class's raw logit, unbounded.
    Logit,
}

impl Score {
    /// The score of a class, counted from 0, computed in f64. `None` when the model has no such class, when the logit of the class is
    /// not finite, and for a probability when any logit is not.
    pub fn of(self, logits: &[f32], class: usize) -> Option<f64> {
        let own = f64::from(*logits.get(class)?);
        match self {
            Score::Logit => own.is_finite().then_some(own),
            Score::Probability => {
                // Relative to its own logit; an overflow to infinity is a probability of 0.
                let relative = logits.iter().map(|&logit| (f64::from(logit) - own).exp());
                logits.iter().all(|logit| logit.is_finite()).then(|| 1.0 / relative.sum::<f64>())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn no_question_is_larger_than_a_batch_and_the_answers_keep_their_order() {
        let mut sizes = Vec::new();
        let mut ask = |inputs: &[Input]| -> Result<Vec<Vec<f32>>, Infallible> {
            sizes.push(inputs.len());
            Ok(inputs.iter().map(|input| vec![input.values()[0], 0.0]).collect())
        };
        let mut logits = Logits::new(&mut ask, NonZeroUsize::new(3).unwrap());
        // The fifth of seven cannot be made.
        let make = |index| (index != 4).then(|| Input::new(1, 1, vec![index as f32; 3]).unwrap());
        let scores = logits.scores(Score::Logit, 0, 7, make).unwrap();
        let expected = [Some(0.0), Some(1.0), Some(2.0), Some(3.0), None, Some(5.0), Some(6.0)];
        assert_eq!(scores, expected);
        assert!(matches!(
            logits.scores(Score::Logit, 2, 1, make),
            Err(FaithfulnessError::Class { class: 2, classes: 2 })
        ));
        assert_eq!(sizes, [3, 2, 1, 1]);
    }

    #[test]
    fn an_answer_too_few_is_an_error_and_so_is_none() {
        let mut ask = |_: &[Input]| -> Result<Vec<Vec<f32>>, std::fmt::Error> { Ok(vec![]) };
        let make = |_| Some(Input::new(1, 1, vec![0.0; 3]).unwrap());
        let error = Logits::new(&mut ask, NonZeroUsize::MIN).answers(1, make).unwrap_err();
        assert_eq!(error.to_string(), "asked about 1 images, answered for 0");
        let mut ask = |_: &[Input]| -> Result<Vec<Vec<f32>>, std::fmt::Error> { Err(std::fmt::Error) };
        let error = Logits::new(&mut ask, NonZeroUsize::MIN).answers(1, make).unwrap_err();
        assert!(matches!(error, FaithfulnessError::Model(_)));
    }

    /// Logits ln 1, ln 3: probabilities 1/4 and 3/4.
    #[test]
    fn a_probability_is_the_softmax_and_survives_any_finite_logits() {
        let probability = Score::Probability.of(&[0.0, 3f32.ln()], 1).unwrap();
        assert!((probability - 0.75).abs() < 1e-7, "{probability}");
        assert_eq!(Score::Probability.of(&[f32::MAX, f32::MIN], 0), Some(1.0));
        assert_eq!(Score::Probability.of(&[f32::MAX, f32::MIN], 1), Some(0.0));
        assert_eq!(Score::Probability.of(&[0.0, f32::NAN], 0), None);
        assert_eq!(Score::Logit.of(&[0.0, f32::NAN], 0), Some(0.0));
        assert_eq!(Score::Logit.of(&[0.0, f32::INFINITY], 1), None);
        assert_eq!(Score::Logit.of(&[0.0], 1), None);
    }
}
