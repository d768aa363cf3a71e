//! Which method the sentences are about.

use crate::drift::Matrix;

/// The kind of target of methods that explain no class.
const ANY: &str = "any";
/// The kind of target that is the true class.
const LABEL: &str = "label";

/// The matrix that the headline is about: of a class-specific method rather than of one that is the same for every class, of
/// the true class rather than of another, of a method with something to measure rather than of one without; the first of
/// several. None where every method is among `failed`, those whose maps do not depend on what the model learned.
pub(in crate::report) fn lead<'a>(matrices: &'a [Matrix], failed: &[String]) -> Option<&'a Matrix> {
    let measured = |matrix: &Matrix| matrix.pairs.iter().any(|pair| pair.moved.is_some());
    let rank = |matrix: &&Matrix| (!measured(matrix), matrix.target == ANY, matrix.target != LABEL);
    // The first of equals.
    matrices.iter().filter(|matrix| !failed.contains(&matrix.explainer)).min_by_key(rank)
}
