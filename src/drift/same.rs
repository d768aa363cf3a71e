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

/// What the explanations of two epochs must have in common, by name.
#[derive(Clone, Debug)]
struct Facts([(&'static str, String); 7]);

impl Facts {
    fn of(of: &Explanations) -> Self {
        Facts([
            ("explainer", of.explainer.clone()),
            ("settings", of.settings.to_string()),
            ("tap", of.tap.clone()),
            ("panel", of.panel_digest.clone()),
            ("image ids", format!("{} with SHA-256 {}", of.images(), sha256_hex(of.image_ids.join("\n").as_bytes()))),
            ("target kinds", of.target_kinds.join(", ")),
            ("grid", format!("{} x {}", of.grid[0], of.grid[1])),
        ])
    }

    /// The first in which they differ from those of another epoch.
    fn first_difference(&self, other: &Facts) -> Option<Difference> {
        let mut pairs = self.0.iter().zip(&other.0);
        let ((fact, found), (_, expected)) = pairs.find(|((_, found), (_, expected))| found != expected)?;
        Some(Difference { fact, found: found.clone(), expected: expected.clone() })
    }
}

/// The first fact in which the explanations of an epoch differ from those of another one.
pub(super) fn first_difference(current: &Explanations, other: &Explanations) -> Option<Difference> {
    Facts::of(current).first_difference(&Facts::of(other))
}

/// The first epoch of an explainer, with which all others must compare.
#[derive(Clone, Debug, Default)]
pub(super) struct FirstEpoch(Option<(usize, Facts)>);

impl FirstEpoch {
    /// That an epoch is of the same things as the first one, which the first one asked about becomes.
    pub(super) fn compares_with(&mut self, epoch: usize, now: &Explanations) -> Result<(), DriftError> {
        let now = Facts::of(now);
        let (first_epoch, first) = self.0.get_or_insert_with(|| (epoch, now.clone()));
        match now.first_difference(first) {
            Some(difference) => Err(incomparable(difference, epoch, *first_epoch)),
            None => Ok(()),
        }
    }
}

/// The error of two epochs that differ.
pub(super) fn incomparable(difference: Difference, epoch: usize, reference_epoch: usize) -> DriftError {
    let Difference { fact, found, expected } = difference;
    DriftError::Incomparable { fact, expected, found, epoch, reference_epoch }
}
