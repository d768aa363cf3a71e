//! Parameters and buffers of a model as named host tensors, and where they come from and go to.
//!
//! Names are the paths in the module tree, which are the state-dict keys of timm and torchvision; [`crate::checkpoints`] reads
//! those of others. Loading is strict: every name must be there, no other may, and shapes must agree, unless excused by name.

mod error;
mod export;
mod file;
mod import;
mod misfit;
mod origin;
mod pretrained;
mod state_dict;
mod tensor;

pub use error::{FileError, WeightsError};
pub use export::{ExportError, Precision, export};
pub use file::{decode, encode, read};
pub use import::{Imported, import};
pub use misfit::Misfit;
pub use origin::Origin;
pub use pretrained::pretrained;
pub use state_dict::{gradients, load_state_dict, state_dict};
pub use tensor::{HostTensor, StateDict};
