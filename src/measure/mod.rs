//! Heat maps and what is measured on them: how alike two are, and what one is like. Pure functions, at the maps' own
//! resolution; no files, no models.
//!
//! A measure answers `None` where it is not defined, never NaN and never a zero that means "unknown": on maps of different
//! grids, on a map with a non-finite cell, and where a map is too flat for the question. All measures are symmetric and
//! exact on equal maps. Which normalisation of the map a measure works on is said at the measure.

mod change;
mod correlation;
mod distribution;
mod heatmap;
#[expect(clippy::module_inception, reason = "the measures themselves, above what they need")]
mod measure;
mod name;
mod overlap;
mod prepared;
mod shape;
mod structure;
mod transport;

pub use change::{l1_change, l2_change};
pub use correlation::{cosine, kendall, pearson, spearman};
pub use distribution::{centroid_displacement, hellinger, jensen_shannon, total_variation};
pub use heatmap::{Heatmap, HeatmapError, MapStatus, Normalise};
pub use measure::Measure;
pub use name::UnknownName;
pub use overlap::{soft_iou, top_k_iou};
pub use prepared::Prepared;
pub use shape::{Descriptor, centroid, effective_area, entropy, gini, negative_mass, positive_mass, spread, top_mass};
pub use structure::{fitting_window, ssim};
pub use transport::earth_movers_distance;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
