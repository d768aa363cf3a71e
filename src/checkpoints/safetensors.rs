//! The header of a safetensors file.
//!
//! # Source
//!
//! The format's description, <https://github.com/huggingface/safetensors#format>: eight bytes of length, a JSON object of
//! names, and the numbers, without holes and without overlaps.

use super::bytes::Source;
use super::error::Fault;
use super::tensor::{Kind, Storage, Tensor};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The longest header that the format allows, in bytes.
const LONGEST: u64 = 100_000_000;

/// What a header says of a tensor.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Tensor(Entry),
    Metadata {},
}

/// Tensors by name, in the order of their numbers.
pub(super) fn read(source: &Source) -> Result<Vec<(String, Tensor)>, Fault> {
    let length = u64::from_le_bytes(source.part(0, 8)?.bytes(8)?.try_into().unwrap_or_default());
    let left = source.length() - 8;
    if length > left.min(LONGEST) {
        return Fault::broken(format!("its header claims {length} bytes, and {left} are there"));
    }
    let header = source.part(8, length)?.bytes(LONGEST)?;
    let fields: BTreeMap<String, Field> = match serde_json::from_slice(&header) {
        Ok(fields) => fields,
        Err(error) => return Fault::broken(format!("its header is not as it should be: {error}")),
    };
    drop(header);
    let numbers = source.part(8 + length, left - length)?;
    let mut entries = Vec::with_capacity(fields.len());
    for (name, field) in fields {
        match field {
            Field::Tensor(entry) => entries.push((name, entry)),
            Field::Metadata {} if name == "__metadata__" => {}
            Field::Metadata {} => return Fault::broken(format!("'{}' is no tensor", name.escape_debug())),
        }
    }
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    let (mut tensors, mut end) = (Vec::with_capacity(entries.len()), 0);
    for (name, entry) in entries {
        if entry.data_offsets[0] != end || entry.data_offsets[1] < end {
            let [from, to] = entry.data_offsets;
            return Fault::broken(format!(
                "'{}' has the bytes {from} to {to}, expected from {end} on",
                name.escape_debug()
            ));
        }
        end = entry.data_offsets[1];
        if let Some(tensor) = tensor(&name, &entry, &numbers)? {
            tensors.push((name, tensor));
        }
    }
    if end != numbers.length() {
        return Fault::broken(format!("its tensors have {end} bytes, and {} are there", numbers.length()));
    }
    Ok(tensors)
}

/// The tensor of an entry; none for a type whose numbers are no whole bytes.
fn tensor(name: &str, entry: &Entry, numbers: &Source) -> Result<Option<Tensor>, Fault> {
    let shown = name.escape_debug();
    let [from, to] = entry.data_offsets;
    let Some(kind) = Kind::named(&entry.dtype) else {
        let dtype = entry.dtype.escape_debug();
        return Fault::refused(format!("'{shown}' is of the type {dtype}, which is not known"));
    };
    let bytes = numbers.part(from, to - from)?;
    if kind == Kind::PACKED {
        return Ok(None);
    }
    let count = entry.shape.iter().try_fold(kind.size(), |count, side| count.checked_mul(*side));
    if count != Some(to - from) {
        return Fault::broken(format!("'{shown}' has {} bytes, and a shape of {:?}", to - from, entry.shape));
    }
    let storage = Storage { bytes, entry: None };
    Tensor::row_major(kind, entry.shape.clone(), storage)
        .map(Some)
        .or_else(|why| Fault::broken(format!("'{shown}': {why}")))
}
