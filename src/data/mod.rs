//! What there is to learn from: samples with stable ids, in official splits, and the pixels behind them.
//!
//! Knows neither models nor explainers. Sources are DTD in its own layout, a folder a class, and the embedded procedural
//! [`textures`].
//!
//! Two rules hold here. Nothing is left out without being counted and said. What was opened is what is learned from: the
//! bytes of every file are in a digest of their own, beside that of names and labels.

pub mod augment;
mod batch;
mod catalogue;
mod drawn;
mod error;
mod folder;
mod loader;
mod panel;
mod sample;
mod set;
mod source;
mod split;
pub mod textures;

pub use augment::{Augmentation, ColourJitter, Mix, Mixing, Policy, Preprocessing, RandomErasing};
pub use batch::{Batch, normalised};
pub use error::{DataError, Skipped};
pub use folder::find_dtd;
pub use loader::{Batching, Loader, Order};
pub use panel::{Panel, perturbed};
pub use sample::{FileDigest, Index, Sample};
pub use set::{DataSet, Watcher};
pub use source::{DataConfig, FolderConfig, TexturesConfig};
pub use split::Split;
