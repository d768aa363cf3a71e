//! How the evidence moved between two epochs, and whether that is more than noise: pairing, floor and chance.
//!
//! Every figure compares each panel image's map with the same image's map at another epoch. It stands beside two
//! yardsticks from its own epoch, the floor (perturbed images, same weights) and chance (maps of different images), and
//! has an interval over the panel. The same explanations give the same figures, byte for byte, during training and when
//! recomputed from a run's files.
//!
//! Explanations of a head that was never trained are noise when the method is class-specific, so an epoch flagged
//! `untrained_head` has no figures for such an explainer and is no reference: its first epoch is the first with a
//! trained head. Class-agnostic explainers compare from the first epoch on.
//!
//! While a run trains, a [`Timeline`] gives three measures; [`analyse`] gives everything, from a run's files.

mod agreement;
mod analysis;
mod figures;
mod gate;
mod groups;
mod layers;
mod options;
mod protocol;
mod shared;
mod spread;
mod stability;
mod timeline;
mod trajectory;
mod warnings;

pub use agreement::{AgreementEstimate, SpreadDifference, agreement_between, spread_between};
pub use analysis::{Analysis, ImageDrift, analyse};
pub use gate::{FailAbove, LimitError, Verdict};
pub use groups::{Outcome, outcomes};
pub use layers::LayerEstimate;
pub use options::{Options, Reference};
pub use protocol::{Protocol, ProtocolEstimate, SemanticDrift, semantic_drift};
pub use spread::{ATTENTION_DISTANCE, ImageSpread, SpreadEstimate};
pub use stability::{Floor, Settled, Settling, above_floor, accurate_and_settled, settled};
pub use timeline::{Timeline, between_epochs, of_run};
pub use trajectory::{DriftPath, paths};
pub use warnings::jumps;

pub use crate::store::{Against, DriftEstimate};

use rayon::prelude::*;

use crate::measure::Measure;
use crate::store::{Explanations, StoreError};

/// How many derangements of the panel chance is averaged over.
pub const CHANCE_DERANGEMENTS: usize = 8;

/// Why no drift could be computed.
#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    /// Two epochs' explanations are of different things, so their distance means nothing.
    #[error(
        "epoch {epoch} and epoch {reference_epoch} do not compare: \
         {field} is {found} at epoch {epoch}, expected {expected} as at epoch {reference_epoch}"
    )]
    Incomparable {
        /// What differs: `"explainer"`, `"panel"`, `"grid"`, …
        field: &'static str,
        /// Its value at the reference.
        expected: String,
        /// Its value at the epoch measured.
        found: String,
        /// The epoch measured.
        epoch: usize,
        /// The other epoch.
        reference_epoch: usize,
    },
    /// A run that should give the floor of a second seed explained something else.
    #[error("run {run} is no floor of epoch {epoch}: {field} is {found} there, expected {expected}")]
    OtherRun {
        /// The run's name.
        run: String,
        /// What differs: `"explainer"`, `"panel"`, `"grid"`, …
        field: &'static str,
        /// Its value in the run analysed.
        expected: String,
        /// Its value in the run given as floor.
        found: String,
        /// The epoch.
        epoch: usize,
    },
    /// An epoch that is not there was asked for.
    #[error("epoch {epoch} is not sealed; there are {known}")]
    NoEpoch {
        /// The epoch asked for.
        epoch: usize,
        /// The sealed ones.
        known: String,
    },
    /// An explainer that is not there was asked for.
    #[error("no epoch was explained by {name}; there are {known}")]
    NoExplainer {
        /// The explainer asked for.
        name: String,
        /// Those of the run.
        known: String,
    },
    /// The best epoch was asked for of a run that was never evaluated.
    #[error("there is no best epoch: no epoch's metrics.json holds a validation accuracy")]
    NoAccuracy,
    /// An epoch would be compared with itself.
    #[error("epoch {epoch} cannot be compared with itself")]
    SameEpoch {
        /// The epoch.
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

/// The measure between two epochs' maps, image by image in panel order; `None` where it is not defined. `[N]`.
///
/// Both must be of one panel: images are paired by position, and one that `reference` lacks is `None`.
pub fn per_image(
    current: &Explanations,
    reference: &Explanations,
    target_index: usize,
    measure: Measure,
) -> Vec<Option<f64>> {
    let images = (0..current.images()).into_par_iter();
    let between = |image| measure.between(&current.map(image, target_index)?, &reference.map(image, target_index)?);
    images.map(between).collect()
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
