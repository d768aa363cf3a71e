//! Heat maps and what is measured on them: how alike two are, and what one is like. Pure functions, at the maps' own
//! resolution; no files, no models.
//!
//! A measure answers `None` where it is not defined, never NaN and never a zero that means "unknown": on maps of different
//! grids, on a map with a non-finite cell, and where a map is too flat for the question. All measures are symmetric and
//! exact on equal maps. Each measure says which normalisation of the map it works on.

mod change;
mod correlation;
mod descriptor;
mod distribution;
mod heatmap;
mod kept;
#[expect(clippy::module_inception, reason = "the measures themselves, above what they are made of")]
mod measure;
mod name;
mod overlap;
mod prepared;
mod scale;
mod shape;
mod structure;
mod transport;

pub use descriptor::Descriptor;
pub use heatmap::{Heatmap, HeatmapError, MapStatus};
pub use kept::Kept;
pub use measure::Measure;
pub use name::{Range, UnknownName};
pub use prepared::Prepared;
pub use scale::Normalise;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
