//! Where a config lets the evidence have a say: when training ends, and which epoch is the best. The named exception to
//! "looking changes nothing".

use crate::config::RunConfig;
use crate::drift::{Margin, Matrix, Timeline, accurate_and_settled, excess, has_settled};
use crate::run::Position;
use crate::store::{EpochMetrics, Scored};
use std::collections::BTreeMap;

/// What the timeline of a run must remember at least for its config.
pub(super) fn reach(config: &RunConfig) -> usize {
    config.stop_when_stable.unwrap_or_default()
}

/// How much a pair of epochs may have moved and still be still, by a config, which was checked.
pub(super) fn margin(config: &RunConfig) -> Margin {
    Margin::new(config.evidence.margin).unwrap_or_default()
}

/// Takes note of whether the evidence of every method has settled, and of the best epoch by accuracy and by how little the
/// evidence moved, where the config asks for them. `history` are the metrics of all epochs so far.
pub(super) fn note(position: &mut Position, config: &RunConfig, timeline: &Timeline, history: &[EpochMetrics]) {
    let settled = |patience| has_settled(&timeline.matrices(patience));
    let steadiest = |tolerance| steadiest(history, &timeline.matrices(config.evidence.patience), tolerance);
    position.settled = config.stop_when_stable.is_some_and(settled);
    position.steadiest = config.keep.stable_within.and_then(steadiest);
}

/// Of the epochs whose validation accuracy is within `tolerance` of the best, the one whose evidence moved least beyond what
/// is still.
fn steadiest(history: &[EpochMetrics], matrices: &[Matrix], tolerance: f64) -> Option<Scored> {
    let of = |metrics: &EpochMetrics| Some((metrics.epoch, metrics.training.as_ref()?.val_accuracy));
    let accuracy: BTreeMap<usize, f64> = history.iter().filter_map(of).collect();
    let epoch = accurate_and_settled(&accuracy, &excess(matrices), tolerance)?;
    Some(Scored { epoch, val_accuracy: *accuracy.get(&epoch)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::testing::matrix;
    use crate::store::tests::of_accuracy;

    /// Accuracies 0.1, 0.8, 0.795, 0.7 at epochs that moved by 40, 3 and 2 with a margin of 5: of those within a point of the
    /// best, epoch 2 is still and epoch 1 is not.
    #[test]
    fn steadier_evidence_is_worth_a_little_accuracy() {
        let metrics = |(epoch, val_accuracy)| EpochMetrics {
            epoch,
            training: Some(of_accuracy(val_accuracy)),
            drift: Vec::new(),
            randomised: Vec::new(),
        };
        let history: Vec<EpochMetrics> = [0.1, 0.80, 0.795, 0.70].into_iter().enumerate().map(metrics).collect();
        let matrices = [matrix("grad-cam", &[Some(40.0), Some(3.0), Some(2.0)], Some(1))];
        let chosen = |tolerance| steadiest(&history, &matrices, tolerance).map(|best| best.epoch);
        assert_eq!([0.0, 0.01, 0.2].map(chosen), [Some(1), Some(2), Some(2)]);
        assert_eq!(steadiest(&history, &matrices, 0.01), Some(Scored { epoch: 2, val_accuracy: 0.795 }));
        assert_eq!(steadiest(&history, &[], 0.01).map(|best| best.epoch), Some(1), "of none it is known");
    }
}
