//! Why no drift could be computed.

use crate::store::StoreError;

/// Why no drift could be computed.
#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    /// Two epochs' explanations are of different things, so their distance means nothing.
    #[error(
        "epoch {epoch} and epoch {reference_epoch} do not compare: \
         {fact} is {found} at epoch {epoch}, expected {expected} as at epoch {reference_epoch}"
    )]
    Incomparable {
        /// What differs: `"explainer"`, `"panel"`, `"grid"`, …
        fact: &'static str,
        /// Its value at the reference.
        expected: String,
        /// Its value at the epoch measured.
        found: String,
        /// The epoch that is measured.
        epoch: usize,
        /// The epoch that it is compared with.
        reference_epoch: usize,
    },
    /// A run that should give the floor of a second seed explained something else.
    #[error("run {run} is no floor of epoch {epoch}: {fact} is {found} there, expected {expected}")]
    OtherRun {
        /// The run's name.
        run: String,
        /// What differs: `"explainer"`, `"panel"`, `"grid"`, …
        fact: &'static str,
        /// Its value in the run analysed.
        expected: String,
        /// Its value in the run given as floor.
        found: String,
        /// The epoch at which the two runs are compared.
        epoch: usize,
    },
    /// An epoch that is not there was asked for.
    #[error("epoch {epoch} is not sealed; there are {known}")]
    NoEpoch {
        /// The epoch asked for.
        epoch: usize,
        /// The epochs that are sealed.
        known: String,
    },
    /// An explainer that is not there was asked for.
    #[error("no epoch was explained by {name}; there are {known}")]
    NoExplainer {
        /// The explainer asked for.
        name: String,
        /// The explainers of the run.
        known: String,
    },
    /// The best epoch was asked for of a run that was never evaluated.
    #[error("there is no best epoch: no epoch's metrics.json holds a validation accuracy")]
    NoAccuracy,
    /// An epoch would be compared with itself.
    #[error("epoch {epoch} cannot be compared with itself")]
    SameEpoch {
        /// The epoch that was given for both.
        epoch: usize,
    },
    /// No explainer has evidence at both epochs.
    #[error("no explainer has evidence at both epoch {epoch} and epoch {reference_epoch}")]
    NoEvidence {
        /// The later epoch.
        epoch: usize,
        /// The earlier epoch.
        reference_epoch: usize,
    },
    /// Two runs whose panels have nothing in common.
    #[error("the panels of {one} and {other} share no image")]
    NoSharedImages {
        /// The name of one run.
        one: String,
        /// The name of the other.
        other: String,
    },
    /// A run's files could not be read.
    #[error("cannot read the run's explanations")]
    Store(#[from] StoreError),
}
