//! Drift: how far an image's maps of two epochs are apart, whether that is more than noise, and when a run settled.
//!
//! Every estimate compares each panel image's map with the same image's map at another epoch. It stands beside two
//! yardsticks from its own epoch, the floor (perturbed images, same weights) and chance (maps of different images), and
//! has an interval over the panel. The same explanations give the same estimates, byte for byte, during training and when
//! recomputed from a run's files.
//!
//! Explanations of a head that was never trained are noise when the method is class-specific, so an epoch flagged
//! `untrained_head` has no estimates for such an explainer and is no reference: its first epoch is the first with a
//! trained head. Class-agnostic explainers compare from the first epoch on.
//!
//! While a run trains, a [`Timeline`] gives three measures; [`analyse`] gives everything, from a run's files.

mod agreement;
mod analyse;
mod between;
mod compare;
mod distances;
mod epoch_maps;
mod error;
mod gate;
mod groups;
mod growing;
mod layers;
mod matrix;
mod moved;
mod options;
mod other_measures;
mod pairs;
mod paths;
mod phases;
mod protocol;
mod randomised;
mod records;
mod same;
mod settling;
mod shared;
mod spread;
mod timeline;
mod warnings;
mod watched;

pub use crate::store::{Against, DriftEstimate};
pub use analyse::analyse;
pub use between::{agreement_between, spread_between};
pub use error::DriftError;
pub use gate::{FailAbove, LimitError, Verdict};
pub use groups::{Outcome, outcomes};
pub use matrix::{Floor, Matrix, NotMeasurable, Pair, Phase, Settled};
pub use moved::{MOVED_SCALE, Margin, NotAMargin, moved_cell, moved_words};
pub use options::{CHANCE_DERANGEMENTS, Options, PATIENCE, Reference};
pub use pairs::moved_by;
pub use paths::paths;
pub use protocol::{Protocol, ProtocolEstimate, SemanticDrift, semantic_drift};
pub use records::{
    ATTENTION_DISTANCE, AgreementEstimate, Analysis, DriftPath, ImageDrift, ImageSpread, LayerEstimate,
    SpreadDifference, SpreadEstimate,
};
pub use settling::{accurate_and_settled, excess, has_settled};
pub use timeline::Timeline;
pub use warnings::{FLAT, Jump, jumps, leaps};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod simulations;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
