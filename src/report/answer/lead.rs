//! Which method the sentences are about.

use super::facts::Facts;
use crate::drift::Matrix;

/// The kind of target of methods that explain no class.
const ANY: &str = "any";
/// The kind of target that is the true class.
const LABEL: &str = "label";

/// The matrix that the headline is about: of a method with something to measure rather than of one without, of a class-specific
/// method rather than of one that is the same for every class, of the true class rather than of another; of several the one
/// that the run's settings name first. None where every method fails the test whether its maps depend on what was learnt.
pub(super) fn lead<'a>(matrices: &'a [Matrix], facts: &Facts) -> Option<&'a Matrix> {
    let measured = |matrix: &Matrix| matrix.pairs.iter().any(|pair| pair.moved.is_some());
    let rank = |matrix: &&Matrix| {
        let targets = (matrix.target == ANY, matrix.target != LABEL);
        (!measured(matrix), targets, facts.place(&matrix.explainer))
    };
    // The first of equals.
    matrices.iter().filter(|matrix| !facts.failed.contains(&matrix.explainer)).min_by_key(rank)
}
