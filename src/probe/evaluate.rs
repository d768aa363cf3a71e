//! Loss, accuracy and confusion over a split, with the model off the tape.

use crate::data::{Batching, DataError, Index, Loader, Order};
use crate::models::{Mode, Model, Taps};
use crate::ops;
use crate::precision::Precision;
use crate::stats::largest;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};

/// Cross-entropy of each image, nats: `[batch, classes]` logits and `[batch, 1]` labels to `[batch, 1]`.
pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<2, Int>) -> Tensor<2> {
    log_softmax(logits, 1).gather(1, labels).neg()
}

/// Loss, accuracy and confusion of a model over a split.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Sum of the losses, nats.
    loss_sum: f64,
    /// Images whose label is among the five greatest logits.
    in_top5: usize,
    /// `[label][prediction]`: how many images of the one were taken for the other.
    pub confusion: Vec<Vec<usize>>,
    /// `[label]`: how many images have no prediction, because a logit of theirs is infinite or not a number. They count as
    /// images, and as neither right nor among the five greatest.
    pub undefined: Vec<usize>,
}

impl Evaluation {
    /// An evaluation without images yet.
    pub fn new(classes: usize) -> Self {
        Self { loss_sum: 0.0, in_top5: 0, confusion: vec![vec![0; classes]; classes], undefined: vec![0; classes] }
    }

    /// Adds a batch: `losses` `[batch]`, `logits` `[batch · classes]`.
    fn add(&mut self, losses: &[f32], logits: &[f32], labels: &[usize]) {
        self.loss_sum += losses.iter().copied().map(f64::from).sum::<f64>();
        for (logits, &label) in logits.chunks(self.confusion.len().max(1)).zip(labels) {
            if logits.iter().all(|logit| logit.is_finite()) {
                self.confusion[label][largest(logits)] += 1;
                self.in_top5 += usize::from(rank(logits, label) < 5);
            } else {
                self.undefined[label] += 1;
            }
        }
    }

    /// How many images were evaluated.
    pub fn count(&self) -> usize {
        self.confusion.iter().flatten().sum::<usize>() + self.undefined.iter().sum::<usize>()
    }

    /// How many images of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        self.confusion
            .iter()
            .zip(&self.undefined)
            .map(|(row, undefined)| row.iter().sum::<usize>() + undefined)
            .collect()
    }

    /// Mean loss, nats; `None` over nothing.
    pub fn loss(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.loss_sum / self.count() as f64)
    }

    /// Share of right predictions, 0 to 1; `None` over nothing.
    pub fn accuracy(&self) -> Option<f64> {
        let right: usize = (0..self.confusion.len()).map(|class| self.confusion[class][class]).sum();
        share(right, self.count())
    }

    /// Share of images whose label is among the five greatest logits, 0 to 1; `None` over nothing.
    pub fn top5(&self) -> Option<f64> {
        share(self.in_top5, self.count())
    }

    /// Share of right predictions among the images of each class (its recall), 0 to 1; `None` for a class without
    /// images.
    pub fn class_accuracies(&self) -> Vec<Option<f64>> {
        let accuracy = |(class, count): (usize, usize)| share(self.confusion[class][class], count);
        self.class_counts().into_iter().enumerate().map(accuracy).collect()
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// How many come before `index` when sorted from the largest down; the first of equals first.
fn rank(numbers: &[f32], index: usize) -> usize {
    let before =
        |(other, value): &(usize, &f32)| **value > numbers[index] || (**value == numbers[index] && *other < index);
    numbers.iter().enumerate().filter(before).count()
}

/// Evaluates `model` (from [`Model::valid`]) on every image of `index`, in order and in `precision`. `done` is called with the
/// number of images done so far.
///
/// # Errors
///
/// Where an image cannot be read.
pub fn evaluate(
    model: &Model,
    classes: usize,
    index: &Index,
    batching: Batching,
    precision: Precision,
    device: &Device,
    mut done: impl FnMut(usize),
) -> Result<Evaluation, DataError> {
    let mut evaluation = Evaluation::new(classes);
    let _products = ops::begin(precision);
    for batch in Loader::start(index.clone(), Order::Fixed, batching, 0) {
        let batch = batch?;
        let logits = model.forward(batch.images(device), Mode::eval(precision), &mut Taps::none());
        let losses = cross_entropy(logits.clone(), batch.targets(device));
        evaluation.add(&numbers(losses), &numbers(logits), &batch.labels);
        done(evaluation.count());
    }
    Ok(evaluation)
}

fn numbers(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On paper, seven classes. Sample 0 (label 0): largest is class 0, right. Sample 1 (label 6): largest is class 0,
    /// and six come before class 6. Sample 2 (label 6): class 1 leads, class 6 is fifth.
    #[test]
    fn counts_are_those_of_three_samples_by_hand() {
        let mut evaluation = Evaluation::new(7);
        let logits = [
            [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
            [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
            [1.0, 9.0, 8.0, 7.0, 6.0, 2.0, 5.0],
        ];
        evaluation.add(&[0.5, 2.0, 1.0], logits.as_flattened(), &[0, 6, 6]);
        assert_eq!((evaluation.count(), evaluation.confusion[6][0], evaluation.confusion[6][1]), (3, 1, 1));
        assert_eq!(evaluation.loss(), Some(3.5 / 3.0));
        assert_eq!(evaluation.accuracy(), Some(1.0 / 3.0));
        assert_eq!(evaluation.top5(), Some(2.0 / 3.0));
        let mut accuracies = vec![None; 7];
        (accuracies[0], accuracies[6]) = (Some(1.0), Some(0.0));
        assert_eq!(evaluation.class_accuracies(), accuracies);
    }

    #[test]
    fn nothing_has_no_accuracy() {
        let nothing = Evaluation::new(3);
        assert_eq!((nothing.loss(), nothing.accuracy(), nothing.top5()), (None, None, None));
    }

    /// On paper: two samples of class 0 and one of class 1; the first has a prediction, and it is right.
    #[test]
    fn a_sample_whose_logits_are_no_numbers_is_neither_right_nor_in_the_top_five() {
        let mut evaluation = Evaluation::new(2);
        let logits = [[2.0, 1.0], [f32::NAN, f32::NAN], [0.0, f32::INFINITY]];
        evaluation.add(&[0.3, f32::NAN, f32::NAN], logits.as_flattened(), &[0, 0, 1]);
        assert_eq!((evaluation.count(), &evaluation.undefined), (3, &vec![1, 1]));
        assert_eq!((evaluation.accuracy(), evaluation.top5()), (Some(1.0 / 3.0), Some(1.0 / 3.0)));
        assert_eq!(evaluation.class_accuracies(), [Some(0.5), Some(0.0)]);
        assert!(evaluation.loss().is_some_and(f64::is_nan));
    }
}
