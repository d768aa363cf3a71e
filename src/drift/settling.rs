//! What a run may be stopped by, and which epoch to keep: whether the evidence has settled by now, and how far each epoch
//! moved beyond what is still.
//!
//! Everything here reads matrices, so it answers alike for a run that is training ([`super::Timeline`]) and for one on disk.

use std::collections::{BTreeMap, BTreeSet};

use super::matrix::Matrix;

/// Whether the evidence of every explainer and target has settled, against noise and with the patience the matrices were
/// made with. False where there are none.
pub fn has_settled(matrices: &[Matrix]) -> bool {
    let settled = |matrix: &Matrix| matrix.settled().is_some_and(|settled| settled.epoch.is_some());
    !matrices.is_empty() && matrices.iter().all(settled)
}

/// By how much each epoch moved from the one before beyond the margin, on the scale of *moved*; 0 or less is still. Of the
/// explainer and target that moved most; epochs where any of them is not measurable are left out.
pub fn excess(matrices: &[Matrix]) -> BTreeMap<usize, f64> {
    let mut most: BTreeMap<usize, f64> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for matrix in matrices {
        for step in matrix.epochs.iter().filter_map(|&epoch| matrix.step(epoch)) {
            match step.moved {
                Some(moved) => {
                    let beyond = moved - matrix.margin;
                    most.entry(step.epoch).and_modify(|known| *known = known.max(beyond)).or_insert(beyond);
                }
                None => drop(unknown.insert(step.epoch)),
            }
        }
    }
    most.retain(|epoch, _| !unknown.contains(epoch));
    most
}

/// The epoch to keep, by accuracy and drift together: of those whose accuracy is within `tolerance` of the best (a
/// fraction; 0.01 is one percentage point), the one that moved least beyond what is still; an epoch that is still did not
/// move. The earliest of several, and one of which that is not known only where it is of none. `None` without an accuracy.
///
/// `accuracy` and `excess` ([`excess`]) are by epoch.
pub fn accurate_and_settled(
    accuracy: &BTreeMap<usize, f64>,
    excess: &BTreeMap<usize, f64>,
    tolerance: f64,
) -> Option<usize> {
    let best = accuracy.values().copied().fold(f64::NEG_INFINITY, f64::max);
    let drift = |epoch: usize| excess.get(&epoch).map_or(f64::INFINITY, |above| above.max(0.0));
    let good = accuracy.iter().filter(|&(_, &accuracy)| accuracy >= best - tolerance);
    // `min_by` keeps the first of equals.
    good.map(|(&epoch, _)| epoch).min_by(|&one, &other| drift(one).total_cmp(&drift(other)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::matrix;
    use super::*;

    /// Steps that moved 50, 3, and 5, with a margin of 5: epochs 1 to 3 are still with one another.
    #[test]
    fn a_run_has_settled_when_every_explainer_has() {
        let quiet = || matrix("grad-cam", &[Some(50.0), Some(3.0), Some(5.0)], Some(1));
        assert!(has_settled(&[quiet()]));
        let restless = matrix("rollout", &[Some(50.0), Some(3.0), Some(9.0)], None);
        assert!(!has_settled(&[quiet(), restless.clone()]) && !has_settled(&[]));
        let single = Matrix { settled: vec![], ..quiet() };
        assert!(!has_settled(&[single]), "nothing was compared yet");

        let beyond = excess(&[quiet(), restless]);
        assert_eq!(beyond, BTreeMap::from([(1, 45.0), (2, -2.0), (3, 4.0)]));
        let unknown = matrix("le-grad", &[Some(1.0), None, Some(1.0)], None);
        assert_eq!(excess(&[quiet(), unknown]), BTreeMap::from([(1, 45.0), (3, 0.0)]));
    }

    #[test]
    fn the_epoch_to_keep_is_accurate_and_quiet() {
        let accuracy = BTreeMap::from([(1, 0.5), (2, 0.70), (3, 0.71), (4, 0.705)]);
        let excess = BTreeMap::from([(1, 0.0), (2, 0.3), (3, 0.2), (4, 0.1)]);
        assert_eq!(accurate_and_settled(&accuracy, &excess, 0.01), Some(4));
        assert_eq!(accurate_and_settled(&accuracy, &excess, 0.0), Some(3));
        assert_eq!(accurate_and_settled(&accuracy, &excess, 1.0), Some(1));
        assert_eq!(accurate_and_settled(&accuracy, &BTreeMap::from([(3, -0.1), (4, -0.2)]), 0.01), Some(3));
        assert_eq!(accurate_and_settled(&accuracy, &BTreeMap::new(), 0.01), Some(2));
        assert_eq!(accurate_and_settled(&BTreeMap::new(), &excess, 0.01), None);
    }
}
