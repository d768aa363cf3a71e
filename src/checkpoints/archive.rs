//! ZIP archives that `torch.save` has written since 1.6.
//!
//! # Source
//!
//! torch 2.9.1: `torch/serialization.py` (`_save`, `_load`), `caffe2/serialize/inline_container.cc`.

use super::bytes::Source;
use super::document::{Document, Storages};
use super::error::Fault;
use super::{legacy, zip};

/// Reads the pickle of a ZIP archive that `torch.save` wrote.
pub(super) fn read(archive: &Source) -> Result<Document, Fault> {
    let directory = zip::directory(archive)?;
    let ends = |ending: &str| directory.keys().find_map(|name| name.strip_suffix(ending).map(str::to_string));
    let Some(prefix) = ends("data.pkl") else {
        return Fault::refused(match ends(".npy").is_some() {
            true => {
                "expected weights, found NumPy arrays (.npz), such as Google's JAX weights of a ViT: \
                     load them into timm's model and save model.state_dict()"
            }
            false => "expected weights, found a ZIP archive without a pickle",
        });
    };
    let order = directory.get(&format!("{prefix}byteorder"));
    if order.map(|entry| entry.bytes.bytes(16)).transpose()?.is_some_and(|order| order == b"big") {
        return Fault::refused("it was saved on a big-endian machine: load it with torch.load and save it again here");
    }
    let name = format!("{prefix}data.pkl");
    let entry = &directory[&name];
    zip::check(&name, entry)?;
    let (arena, root, source) = legacy::pickle(entry.bytes.clone())?;
    Ok(Document::new(arena, root, source, Storages::Archive(directory, prefix)))
}
