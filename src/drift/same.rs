//! Whether the explanations of two epochs, or of two runs, are of the same things.

use super::error::DriftError;
use crate::fsx::sha256_hex;
use crate::store::Explanations;

/// A fact in which two epochs' explanations differ.
pub(super) struct Difference {
    pub(super) fact: &'static str,
    pub(super) found: String,
    pub(super) expected: String,
}

/// The first fact in which the explanations of an epoch differ from those of another one.
pub(super) fn first_difference(current: &Explanations, other: &Explanations) -> Option<Difference> {
    let facts = |of: &Explanations| {
        [
            ("explainer", of.explainer.clone()),
            ("settings", of.settings.to_string()),
            ("tap", of.tap.clone()),
            ("panel", of.panel_digest.clone()),
            ("image ids", format!("{} with SHA-256 {}", of.images(), sha256_hex(of.image_ids.join("\n").as_bytes()))),
            ("target kinds", of.target_kinds.join(", ")),
            ("grid", format!("{} x {}", of.grid[0], of.grid[1])),
        ]
    };
    let mut pairs = facts(current).into_iter().zip(facts(other));
    let ((fact, found), (_, expected)) = pairs.find(|((_, found), (_, expected))| found != expected)?;
    Some(Difference { fact, found, expected })
}

/// The error of two epochs that differ.
pub(super) fn incomparable(difference: Difference, epoch: usize, reference_epoch: usize) -> DriftError {
    let Difference { fact, found, expected } = difference;
    DriftError::Incomparable { fact, expected, found, epoch, reference_epoch }
}
