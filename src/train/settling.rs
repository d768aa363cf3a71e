//! Where a config lets the evidence have a say: when training ends, and which epoch is the best. The named exception to
//! "looking changes nothing".

use crate::drift::{DriftEstimate, Floor, Settling, accurate_and_settled};
use crate::measure::Measure;
use crate::store::{EpochMetrics, Scored};
use std::collections::BTreeMap;

/// How the estimates that every epoch keeps are judged: by the rank correlation of all cells, against the noise floor.
fn settling(steps: usize) -> Settling {
    Settling { measure: Measure::Spearman, floor: Floor::Noise, patience: steps }
}

/// Whether the evidence of every method stayed within its noise floor over the last `steps` epochs.
pub(super) fn has_settled(history: &[EpochMetrics], steps: usize) -> bool {
    settling(steps).has_settled(&estimates(history))
}

/// Of the epochs whose validation accuracy is within `tolerance` of the best, the one whose evidence moved least above its
/// noise floor.
pub(super) fn steadiest(history: &[EpochMetrics], tolerance: f64) -> Option<Scored> {
    let of = |metrics: &EpochMetrics| Some((metrics.epoch, metrics.training.as_ref()?.val_accuracy));
    let accuracy: BTreeMap<usize, f64> = history.iter().filter_map(of).collect();
    let epoch = accurate_and_settled(&accuracy, &settling(1).by_epoch(&estimates(history)), tolerance)?;
    Some(Scored { epoch, val_accuracy: *accuracy.get(&epoch)? })
}

fn estimates(history: &[EpochMetrics]) -> Vec<DriftEstimate> {
    history.iter().flat_map(|metrics| metrics.drift.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::of_accuracy;
    use crate::store::{ALL_IMAGES, Against};

    /// Accuracy, and the correlation with the previous epoch beside a floor of 0.9.
    fn history(epochs: &[(f64, Option<f64>)]) -> Vec<EpochMetrics> {
        let metrics = |(epoch, &(val_accuracy, value)): (usize, &(f64, Option<f64>))| EpochMetrics {
            epoch,
            training: Some(of_accuracy(val_accuracy)),
            drift: value.map(|value| estimate(epoch, value)).into_iter().collect(),
            randomised: Vec::new(),
        };
        epochs.iter().enumerate().map(metrics).collect()
    }

    fn estimate(epoch: usize, value: f64) -> DriftEstimate {
        DriftEstimate {
            explainer: "grad-cam".to_string(),
            target: "label".to_string(),
            measure: Measure::Spearman.name().to_string(),
            against: Against::Previous,
            epoch,
            reference_epoch: epoch - 1,
            group: ALL_IMAGES.to_string(),
            value: Some(value),
            interval: None,
            floor: Some(0.9),
            seed_floor: None,
            chance: Some(0.1),
            defined: 4,
            undefined: 0,
            dead: 0,
        }
    }

    #[test]
    fn evidence_settles_after_so_many_steps_in_a_row_within_the_floor() {
        let run = history(&[(0.1, None), (0.5, Some(0.3)), (0.6, Some(0.95)), (0.6, Some(0.92))]);
        assert_eq!([1, 2, 3].map(|steps| has_settled(&run, steps)), [true, true, false]);
        assert!(!has_settled(&run[..2], 1), "0.3 is far below the floor");
        assert!(!has_settled(&run[..1], 1), "nothing was compared yet");
    }

    #[test]
    fn steadier_evidence_is_worth_a_little_accuracy() {
        let run = history(&[(0.1, None), (0.80, Some(0.5)), (0.795, Some(0.95)), (0.70, Some(0.99))]);
        let chosen = |tolerance| steadiest(&run, tolerance).map(|best| best.epoch);
        assert_eq!([0.0, 0.01, 0.2].map(chosen), [Some(1), Some(2), Some(2)]);
        assert_eq!(steadiest(&run, 0.01), Some(Scored { epoch: 2, val_accuracy: 0.795 }));
    }
}
