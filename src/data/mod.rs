//! Data sets: samples with stable ids, in splits, and their pixels.
//!
//! Knows neither models nor explainers. Sources are DTD in its own layout, folders with one sub-folder per class, and the
//! embedded [`textures`], which are drawn.
//!
//! Two rules hold here. Nothing is left out without being counted and reported. A model is trained on exactly the files
//! that were opened: the bytes of every file have a digest, beside the digest of names and labels.

pub mod augment;
mod batch;
mod cache;
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
pub use cache::CacheSize;
pub use error::{DataError, Skipped};
pub use folder::find_dtd;
pub use loader::{Batching, Loader, Order};
pub use panel::{Panel, perturbed};
pub use sample::{FileDigest, Index, Sample};
pub use set::{DataSet, Watcher};
pub use source::{DataConfig, FolderConfig, TexturesConfig};
pub use split::Split;
