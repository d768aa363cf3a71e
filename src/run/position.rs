//! Where in a run a checkpoint stands, and the sums of the epoch under way.

use super::error::RunError;
use crate::stats::largest;
use crate::store::layout::STATE_FILE;
use crate::store::{Manifest, Scored, StoreError};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// `state.json`: where in its run a checkpoint stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The epoch that is finished or, in a mid-epoch save, under way.
    pub epoch: usize,
    /// Steps done of the epoch under way; 0 in a finished one.
    pub step_in_epoch: usize,
    /// Steps the optimizer has taken in all.
    pub optimizer_step: usize,
    /// The best epoch so far, by validation accuracy.
    pub best: Option<Scored>,
    /// The best epoch by accuracy and by how little its maps drifted, if the config asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steadiest: Option<Scored>,
    /// Whether drift stayed within its noise floor for as many epochs as the config asks for; false if it does not ask.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
    /// Training loss and accuracy of the epoch under way, as sums.
    pub meter: Meter,
}

/// Sums over the training images of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Meter {
    /// Sum of the losses, nats.
    pub loss_sum: f64,
    /// Images whose greatest logit is that of their label.
    pub correct: usize,
    /// Number of images.
    pub count: usize,
}

impl Meter {
    /// Adds a batch: `losses` `[batch]`, `logits` `[batch, classes]` row by row, and each image's label.
    pub fn add(&mut self, losses: &[f32], logits: &[f32], labels: &[usize]) {
        self.loss_sum += losses.iter().copied().map(f64::from).sum::<f64>();
        let classes = logits.len() / labels.len().max(1);
        let right = |(logits, label): &(&[f32], &usize)| {
            logits.iter().all(|logit| logit.is_finite()) && largest(logits) == **label
        };
        self.correct += logits.chunks(classes.max(1)).zip(labels).filter(right).count();
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

/// The epoch and step at which training continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextStep {
    /// The epoch to train.
    pub epoch: usize,
    /// How many of its steps are done already.
    pub steps_done: usize,
}

impl Position {
    /// Reads the position of a sealed checkpoint.
    pub(super) fn read(checkpoint: &Path) -> Result<Self, RunError> {
        let bytes = Manifest::read(checkpoint)?.file(checkpoint, STATE_FILE)?;
        Self::decode(&bytes, &checkpoint.join(STATE_FILE))
    }

    /// From the bytes of `state.json`; `path` is only named in errors.
    pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<Self, RunError> {
        let json = |source| StoreError::Json { path: path.to_path_buf(), expected: "a checkpoint's state", source };
        Ok(serde_json::from_slice(bytes).map_err(json)?)
    }

    /// Where training goes on.
    pub fn next(&self) -> NextStep {
        match self.step_in_epoch {
            0 => NextStep { epoch: self.epoch + 1, steps_done: 0 },
            steps_done => NextStep { epoch: self.epoch, steps_done },
        }
    }

    /// Whether the best epoch is `patience` epochs or more before the last finished one.
    pub fn is_stalled(&self, patience: Option<usize>) -> bool {
        let last_finished = self.next().epoch - 1;
        let since = self.best.map_or(0, |best| last_finished.saturating_sub(best.epoch));
        patience.is_some_and(|patience| since >= patience)
    }

    /// The same, where the evidence has settled as well.
    pub fn is_stalled_and_settled(&self, epochs: Option<usize>) -> bool {
        self.settled && self.is_stalled(epochs)
    }

    /// The epoch that `@best` means.
    pub fn best(&self) -> Option<Scored> {
        self.steadiest.or(self.best)
    }

    /// Takes note of an epoch's validation accuracy, in [0, 1].
    pub fn note(&mut self, epoch: usize, val_accuracy: f64) {
        let this = Scored { epoch, val_accuracy };
        if self.best.is_none_or(|best| this.best_first(&best).is_lt()) {
            self.best = Some(this);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On paper, three classes: the first image is right, the second wrong, the third has no prediction.
    #[test]
    fn a_batch_is_added_image_by_image() {
        let mut meter = Meter::default();
        let logits = [[2.0, 1.0, 0.0], [2.0, 1.0, 0.0], [f32::NAN, 3.0, 0.0]];
        meter.add(&[0.5, 1.5, 4.0], logits.as_flattened(), &[0, 1, 1]);
        assert_eq!(meter, Meter { loss_sum: 6.0, correct: 1, count: 3 });
        assert_eq!((meter.loss(), meter.accuracy()), (Some(2.0), Some(1.0 / 3.0)));
        assert_eq!(Meter::default().accuracy(), None);
    }

    #[test]
    fn a_finished_epoch_is_followed_by_the_next_and_an_interrupted_one_by_itself() {
        assert_eq!(Position { epoch: 3, ..Position::default() }.next(), NextStep { epoch: 4, steps_done: 0 });
        assert_eq!(
            Position { epoch: 3, step_in_epoch: 7, ..Position::default() }.next(),
            NextStep { epoch: 3, steps_done: 7 }
        );
    }

    #[test]
    fn the_best_epoch_is_the_earliest_of_equals() {
        let mut state = Position::default();
        for (epoch, accuracy) in [(0, 0.1), (1, 0.5), (2, 0.5), (3, 0.4)] {
            state.note(epoch, accuracy);
        }
        assert_eq!(state.best, Some(Scored { epoch: 1, val_accuracy: 0.5 }));
    }

    #[test]
    fn a_run_stalls_when_the_best_epoch_is_too_long_ago() {
        let best = Some(Scored { epoch: 2, val_accuracy: 0.5 });
        let state = Position { epoch: 4, best, ..Position::default() };
        assert_eq!(
            [None, Some(3), Some(2), Some(1)].map(|patience| state.is_stalled(patience)),
            [false, false, true, true]
        );
        // In the middle of epoch 4, epoch 3 is the last finished one.
        assert!(!Position { step_in_epoch: 1, ..state }.is_stalled(Some(2)));
    }
}
