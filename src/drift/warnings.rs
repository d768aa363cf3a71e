//! What a person should look at: steps of unusual drift, and measures that do not say the same.

use std::collections::BTreeMap;

use super::matrix::Matrix;
use super::paths::{distance, series};
use crate::measure::Measure;
use crate::stats::quantile;
use crate::store::{Against, DriftEstimate};

/// An accuracy that changes by less than this, as a fraction, is flat.
pub const FLAT: f64 = 0.01;
/// A step is a jump when its drift is more than this many times the median of the run's other steps.
const JUMP: f64 = 2.0;
/// Of fewer other steps none is usual yet.
const FEWEST_OTHERS: usize = 2;

/// A line for every step where the accuracy is flat and the drift of an explainer jumps: it exceeds its floor and is more
/// than twice the median of the run's other steps, in more than half of `measures`. Steps between epochs of unknown
/// accuracy are not judged.
pub fn jumps(estimates: &[DriftEstimate], accuracy: &BTreeMap<usize, f64>, measures: &[Measure]) -> Vec<String> {
    let mut jumped: BTreeMap<(usize, usize, &str, &str), Vec<String>> = BTreeMap::new();
    for ((explainer, target, measure), steps) in series(estimates, Against::Previous) {
        if !measures.iter().any(|one| one.name() == measure) {
            continue;
        }
        for (index, step) in steps.iter().enumerate() {
            let others = steps.iter().enumerate().filter(|(other, _)| *other != index);
            let mut others: Vec<f64> = others.filter_map(|(_, step)| distance(step, step.value)).collect();
            let usual = quantile(&mut others, 0.5);
            let (Some(usual), Some(now)) = (usual, distance(step, step.value)) else { continue };
            if above_floor(step).is_some_and(|above| above > 0.0) && now > JUMP * usual {
                let line = format!("{measure} drifted by {now:.3}, usually {usual:.3}");
                jumped.entry((step.epoch, step.reference_epoch, explainer, target)).or_default().push(line);
            }
        }
    }
    let warning = |((epoch, before, explainer, target), lines): (_, Vec<String>)| {
        let (from, to) = (accuracy.get(&before)?, accuracy.get(&epoch)?);
        let flat = (to - from).abs() < FLAT && 2 * lines.len() > measures.len();
        flat.then(|| {
            format!(
                "epoch {epoch}: the accuracy is flat ({from:.3}, then {to:.3}) and the evidence of {explainer} ({target}) \
                 jumps: {}",
                lines.join("; ")
            )
        })
    };
    jumped.into_iter().filter_map(warning).collect()
}

/// By how much the drift between two epochs exceeds that of noise; negative within it. `None` where either is undefined.
fn above_floor(estimate: &DriftEstimate) -> Option<f64> {
    Some(distance(estimate, estimate.value)? - distance(estimate, estimate.floor)?)
}

/// A step from one epoch to the next in which the evidence of a method moved far more than it usually does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jump {
    /// The later epoch.
    pub epoch: usize,
    /// The one before it.
    pub reference_epoch: usize,
    /// How far it moved.
    pub moved: f64,
}

/// The steps of a matrix that moved more than its margin and more than twice the median of the other steps, of which there
/// must be two; what moved less than noise counts as 0.
pub fn leaps(matrix: &Matrix) -> Vec<Jump> {
    let steps = matrix.epochs.iter().filter_map(|&epoch| matrix.step(epoch));
    let known = steps.filter_map(|step| {
        let (epoch, reference_epoch) = (step.epoch, step.reference_epoch);
        Some(Jump { epoch, reference_epoch, moved: step.moved?.max(0.0) })
    });
    let steps: Vec<Jump> = known.collect();
    let leapt = |step: &&Jump| {
        let others = steps.iter().filter(|other| other.epoch != step.epoch);
        let mut others: Vec<f64> = others.map(|other| other.moved).collect();
        let usual = (others.len() >= FEWEST_OTHERS).then(|| quantile(&mut others, 0.5)).flatten();
        usual.is_some_and(|usual| step.moved > matrix.margin && step.moved > JUMP * usual)
    };
    steps.iter().filter(leapt).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{estimate, matrix};
    use super::*;

    /// Steps of 0.15, 0.15, 0.6 and 0.15 above a floor of 0.1: the third is four times the usual one.
    fn steps() -> Vec<DriftEstimate> {
        let value = |epoch| Some(if epoch == 3 { 0.6 } else { 0.15 });
        (1..5).map(|epoch| estimate("js-divergence", Against::Previous, epoch, value(epoch))).collect()
    }

    #[test]
    fn a_jump_with_a_flat_accuracy_is_a_warning_that_names_its_epoch() {
        let flat: BTreeMap<usize, f64> = (0..5).map(|epoch| (epoch, 0.7 + 0.001 * epoch as f64)).collect();
        let found = jumps(&steps(), &flat, &[Measure::JensenShannon]);
        assert_eq!(
            found,
            ["epoch 3: the accuracy is flat (0.702, then 0.703) and the evidence of grad-cam (label) jumps: \
                            js-divergence drifted by 0.600, usually 0.150"]
        );
        let learning: BTreeMap<usize, f64> = (0..5).map(|epoch| (epoch, 0.1 * epoch as f64)).collect();
        assert!(jumps(&steps(), &learning, &[Measure::JensenShannon]).is_empty());
        assert!(jumps(&steps(), &BTreeMap::new(), &[Measure::JensenShannon]).is_empty());
    }

    /// A correlation of 0.95 is nearer than its floor of 0.9, one of 0.85 is not.
    #[test]
    fn of_a_similarity_more_is_within_the_floor() {
        let of = |value| above_floor(&estimate("spearman", Against::Previous, 1, Some(value))).unwrap();
        assert!((of(0.95) + 0.05).abs() < 1e-12 && (of(0.85) - 0.05).abs() < 1e-12);
        assert_eq!(above_floor(&estimate("spearman", Against::Previous, 1, None)), None);
    }

    /// Of steps of 10, 10, 40, 12 and none, with a margin of 5, the third is four times the others' median of 10 (0, 10, 10 and
    /// 12). Two steps say nothing of what is usual.
    #[test]
    fn a_leap_is_twice_as_far_as_the_other_steps_usually_move() {
        let of = |moved: &[f64]| {
            let steps: Vec<Option<f64>> = moved.iter().copied().map(Some).collect();
            leaps(&matrix("grad-cam", &steps, None))
        };
        assert_eq!(of(&[10.0, 10.0, 40.0, 12.0, -3.0]), [Jump { epoch: 3, reference_epoch: 2, moved: 40.0 }]);
        assert!(of(&[10.0, 40.0]).is_empty() && of(&[1.0, 1.0, 4.0]).is_empty(), "few steps, and within the margin");
        // The median of 0 and 25 is 12.5, that of 0 and 30 is 15.
        assert_eq!(of(&[0.0, 25.0, 30.0]), [Jump { epoch: 3, reference_epoch: 2, moved: 30.0 }]);
    }

    #[test]
    fn one_measure_of_two_or_a_step_within_the_floor_is_no_jump() {
        let flat: BTreeMap<usize, f64> = (0..5).map(|epoch| (epoch, 0.7)).collect();
        assert!(jumps(&steps(), &flat, &[Measure::JensenShannon, Measure::Spearman]).is_empty());
        let small: Vec<_> = steps().into_iter().map(|step| DriftEstimate { floor: Some(0.9), ..step }).collect();
        assert!(jumps(&small, &flat, &[Measure::JensenShannon]).is_empty());
    }
}
