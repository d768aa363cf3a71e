//! What a person should look at: a step of unusual drift while the accuracy hardly changes.

use std::collections::BTreeMap;

use super::paths::{distance, series};
use crate::measure::Measure;
use crate::store::{Against, DriftEstimate};

/// An accuracy that changes by less than this, as a fraction, is flat.
const FLAT: f64 = 0.01;
/// A step is a jump when its drift is more than this many times the median of the run's other steps.
const JUMP: f64 = 2.0;

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
            let usual = median(others.filter_map(|(_, step)| distance(step, step.value)).collect());
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

/// The value in the middle; of an even number the mean of the middle two.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some((values[last / 2] + values[last.div_ceil(2)]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::estimate;
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

    #[test]
    fn one_measure_of_two_or_a_step_within_the_floor_is_no_jump() {
        let flat: BTreeMap<usize, f64> = (0..5).map(|epoch| (epoch, 0.7)).collect();
        assert!(jumps(&steps(), &flat, &[Measure::JensenShannon, Measure::Spearman]).is_empty());
        let small: Vec<_> = steps().into_iter().map(|step| DriftEstimate { floor: Some(0.9), ..step }).collect();
        assert!(jumps(&small, &flat, &[Measure::JensenShannon]).is_empty());
    }
}
