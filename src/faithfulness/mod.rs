//! Whether an explanation says what the model did: criteria that ask the model again about changed images.
//!
//! Plain data code. A model is known only by a closure that answers for it: [`Logits`] answers a batch of images with
//! logits, [`Maps`] explains a batch again. So nothing here knows a model, a device or a file. Questions go out in
//! batches of bounded size, and no more than one batch of images exists at a time.
//!
//! | criterion | asks | better | function |
//! |---|---|---|---|
//! | insertion and deletion AUC | does the score follow the ranking of the pixels? | higher, lower | [`insertion_deletion`] |
//! | ROAD | the same, with removed pixels filled in plausibly | higher (combined) | [`road`] |
//! | average drop, increase in confidence | is what the map shows enough? | lower, higher | [`confidence`] |
//! | max-sensitivity | does the map stay as it is when the image hardly changes? | lower | [`max_sensitivity`] |
//! | parameter randomisation | does the map depend on what was learnt? | less alike | [`randomisation`] |
//!
//! None of these numbers means much alone: [`against_random`] measures a random map of the same grid beside each, and
//! [`estimates`] says with an interval whether the explanation beats it. Whatever is not defined is `None`, never NaN and
//! never a zero that means "unknown".

mod ask;
mod confidence;
mod control;
mod criterion;
mod curves;
mod error;
mod impute;
mod input;
mod judged;
mod multigrid;
mod panel;
mod randomisation;
mod road;
mod sensitivity;
mod similarity;
mod summary;
#[cfg(test)]
mod testing;

pub use ask::{Asked, Logits, Maps, Score};
pub use confidence::{Confidence, ConfidenceSettings, DropUnit, MaskScale, confidence};
pub use control::random_map;
pub use criterion::Criterion;
pub use curves::{CurveSettings, Curves, Ranking, insertion_deletion};
pub use error::FaithfulnessError;
pub use impute::impute;
pub use input::{Baseline, CHANNELS, Input, InputError};
pub use judged::Judged;
pub use panel::{Criteria, Estimate, Reading, against_random, estimates, sensitivity_against_random};
pub use randomisation::{Randomisation, RandomisationError, Stage, StageSimilarity, randomisation};
pub use road::{Road, RoadPoint, RoadSettings, Ties, road};
pub use sensitivity::{SensitivitySettings, max_sensitivity, sensitivity};
pub use similarity::Similarity;
pub use summary::Summary;
