//! Where in a run a checkpoint stands, and the meters of the epoch under way.

use crate::stats::largest;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// state.json: where in the run a checkpoint stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainState {
    /// The epoch that is finished or, in a mid-epoch save, under way.
    pub epoch: usize,
    /// Steps done of the epoch under way; 0 in a finished one.
    pub step_in_epoch: usize,
    /// Steps the optimizer has taken in all.
    pub optimizer_step: usize,
    /// The best epoch so far, by validation accuracy.
    pub best: Option<Best>,
    /// The best by accuracy and steady evidence together, where the config asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steadiest: Option<Best>,
    /// Whether the evidence stayed within its noise floor for as long as the config asks; never where it does not ask.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
    /// Training meters of the epoch under way.
    pub meter: Meter,
}

/// The best epoch by validation accuracy; the earliest of several, but the untrained epoch 0 only where it is better than all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Which.
    pub epoch: usize,
    /// Its validation accuracy, 0 to 1.
    pub val_accuracy: f64,
}

/// Sums over the samples of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Meter {
    /// Sum of the losses.
    pub loss_sum: f64,
    /// Right predictions.
    pub correct: usize,
    /// Samples.
    pub count: usize,
}

impl Meter {
    /// Adds a batch: losses `[batch, 1]`, logits `[batch, classes]`, both off the tape.
    pub fn add(&mut self, losses: Tensor<2>, logits: Tensor<2>, labels: &[usize]) {
        self.loss_sum += losses.into_data().iter::<f32>().map(f64::from).sum::<f64>();
        let classes = logits.dims()[1];
        let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
        let right = |(logits, label): &(&[f32], &usize)| {
            logits.iter().all(|logit| logit.is_finite()) && largest(logits) == **label
        };
        self.correct += logits.chunks(classes).zip(labels).filter(right).count();
        self.count += labels.len();
    }

    /// Mean loss; `None` over nothing.
    pub fn loss(&self) -> Option<f64> {
        (self.count > 0).then(|| self.loss_sum / self.count as f64)
    }

    /// Share of right predictions, 0 to 1; `None` over nothing.
    pub fn accuracy(&self) -> Option<f64> {
        (self.count > 0).then(|| self.correct as f64 / self.count as f64)
    }
}

impl TrainState {
    /// The epoch to train next, and how many of its steps are done already.
    pub fn next(&self) -> (usize, usize) {
        if self.step_in_epoch > 0 { (self.epoch, self.step_in_epoch) } else { (self.epoch + 1, 0) }
    }

    /// Whether the best epoch is `patience` epochs or more before the last finished one.
    pub fn is_stalled(&self, patience: Option<usize>) -> bool {
        let last_finished = self.next().0 - 1;
        let since = self.best.map_or(0, |best| last_finished.saturating_sub(best.epoch));
        patience.is_some_and(|patience| since >= patience)
    }

    /// Whether, besides, the evidence has settled.
    pub fn is_stable(&self, epochs: Option<usize>) -> bool {
        self.settled && self.is_stalled(epochs)
    }

    /// The epoch that `@best` means.
    pub fn best(&self) -> Option<Best> {
        self.steadiest.or(self.best)
    }

    /// Takes note of an epoch's validation accuracy.
    pub fn note(&mut self, epoch: usize, val_accuracy: f64) {
        // A trained model that is as good as the untrained one is the better answer to "which is the best".
        let better =
            |best: Best| val_accuracy > best.val_accuracy || (best.epoch == 0 && val_accuracy == best.val_accuracy);
        if self.best.is_none_or(better) {
            self.best = Some(Best { epoch, val_accuracy });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_epoch_is_followed_by_the_next_and_an_interrupted_one_by_itself() {
        assert_eq!(TrainState { epoch: 3, ..TrainState::default() }.next(), (4, 0));
        assert_eq!(TrainState { epoch: 3, step_in_epoch: 7, ..TrainState::default() }.next(), (3, 7));
    }

    #[test]
    fn the_best_epoch_is_the_earliest_of_equals() {
        let mut state = TrainState::default();
        for (epoch, accuracy) in [(0, 0.1), (1, 0.5), (2, 0.5), (3, 0.4)] {
            state.note(epoch, accuracy);
        }
        assert_eq!(state.best, Some(Best { epoch: 1, val_accuracy: 0.5 }));
    }

    #[test]
    fn the_untrained_epoch_is_the_best_only_where_it_is_better() {
        let best = |accuracies: &[f64]| {
            let mut state = TrainState::default();
            accuracies.iter().enumerate().for_each(|(epoch, &accuracy)| state.note(epoch, accuracy));
            state.best.map(|best| best.epoch)
        };
        assert_eq!([best(&[0.5, 0.5, 0.5]), best(&[0.5, 0.4]), best(&[0.5])], [Some(1), Some(0), Some(0)]);
    }

    #[test]
    fn a_run_stalls_when_the_best_epoch_is_too_long_ago() {
        let best = Some(Best { epoch: 2, val_accuracy: 0.5 });
        let state = TrainState { epoch: 4, best, ..TrainState::default() };
        assert_eq!(
            [None, Some(3), Some(2), Some(1)].map(|patience| state.is_stalled(patience)),
            [false, false, true, true]
        );
        // In the middle of epoch 4, epoch 3 is the last finished one.
        assert!(!TrainState { step_in_epoch: 1, ..state }.is_stalled(Some(2)));
    }
}
