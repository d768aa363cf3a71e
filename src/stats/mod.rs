//! Arithmetic on plain numbers: the bootstrap, quantiles, ranks, correlation, permutations. It knows no maps and no files.

mod bootstrap;
mod correlation;
mod quantile;
mod rank;
mod shuffle;

pub use bootstrap::{RESAMPLES, Resamples, Table, middle};
pub use correlation::{CompactVector, Vector};
pub use quantile::quantile;
pub use rank::{PairedRanks, largest};
pub use shuffle::derangement;

#[cfg(test)]
mod properties;
