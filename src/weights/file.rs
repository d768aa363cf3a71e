//! Named tensors in files: our own safetensors both ways, and whatever others wrote.

use super::error::FileError;
use super::origin::Origin;
use super::tensor::{HostTensor, StateDict};
use crate::checkpoints::Checkpoint;
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Safetensors bytes in float32: the same tensors and metadata give the same bytes.
///
/// # Errors
///
/// Where the format cannot hold the tensors.
pub fn encode(tensors: &StateDict, metadata: &[(&str, &str)]) -> Result<Vec<u8>, SafeTensorError> {
    let raw = |tensor: &HostTensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let entry = |(name, tensor): (&String, &HostTensor)| Entry {
        name: name.clone(),
        kind: Dtype::F32,
        shape: tensor.shape.clone(),
        bytes: raw(tensor),
    };
    serialise(&tensors.iter().map(entry).collect::<Vec<_>>(), metadata)
}

/// A tensor as safetensors holds it.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: Dtype,
    pub(super) shape: Vec<usize>,
    /// The numbers, row-major and little-endian.
    pub(super) bytes: Vec<u8>,
}

/// Safetensors bytes. The library writes its metadata in the order of a hash map, which every process draws anew, so the
/// header is sorted afterwards: equal content, equal bytes.
pub(super) fn serialise(entries: &[Entry], metadata: &[(&str, &str)]) -> Result<Vec<u8>, SafeTensorError> {
    const LENGTH: usize = size_of::<u64>();
    let views = entries
        .iter()
        .map(|entry| Ok((entry.name.as_str(), TensorView::new(entry.kind, entry.shape.clone(), &entry.bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    let metadata = metadata.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let mut bytes = safetensors::serialize(views, Some(metadata))?;
    let (length, _) = SafeTensors::read_metadata(&bytes)?;
    let header: serde_json::Value = serde_json::from_slice(&bytes[LENGTH..LENGTH + length])?;
    let mut sorted = serde_json::to_vec(&header)?; // a serde_json map is sorted by key
    sorted.resize(length, b' ');
    bytes[LENGTH..LENGTH + length].copy_from_slice(&sorted);
    Ok(bytes)
}

/// The floating-point tensors of safetensors bytes, as float32, and the metadata.
///
/// # Errors
///
/// [`FileError::Safetensors`] names `path`.
pub fn decode(bytes: &[u8], path: &Path) -> Result<(StateDict, HashMap<String, String>), FileError> {
    let bad = |source| FileError::Safetensors { path: path.to_path_buf(), source };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(bad)?;
    let file = SafeTensors::deserialize(bytes).map_err(bad)?;
    let tensors = file.tensors().into_iter().filter_map(|(name, view)| {
        let values = match view.dtype() {
            Dtype::F64 => numbers(view.data(), |raw| f64::from_le_bytes(raw) as f32),
            Dtype::F32 => numbers(view.data(), f32::from_le_bytes),
            Dtype::F16 => numbers(view.data(), |raw| f16::from_le_bytes(raw).to_f32()),
            Dtype::BF16 => numbers(view.data(), |raw| bf16::from_le_bytes(raw).to_f32()),
            _ => return None, // counters such as num_batches_tracked
        };
        Some((name, HostTensor { shape: view.shape().to_vec(), values }))
    });
    Ok((tensors.collect(), header.metadata().clone().unwrap_or_default()))
}

fn numbers<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|&raw| read(raw)).collect()
}

/// The floating-point tensors of a file or a folder of weights, as float32, under torchvision's names for a ResNet and timm's
/// for a ViT. The content decides what it is, not the name; what else it holds is left alone.
///
/// # Errors
///
/// [`FileError`] names the file, and says what it looks like where it holds no weights, and what the keys are where it holds
/// more than one set of them.
pub fn read(path: &Path) -> Result<StateDict, FileError> {
    Ok(read_all(path, None)?.tensors)
}

/// What a file of weights holds.
pub(super) struct Contents {
    /// The floating-point tensors.
    pub(super) tensors: StateDict,
    /// The other tensors, by name: their types.
    pub(super) others: BTreeMap<String, String>,
    /// Where in the file they are.
    pub(super) origin: Origin,
    /// The model that they are of, or what keeps them from being one, in words.
    pub(super) looks_like: String,
}

/// Reads the weights under `key`, or those that are meant.
pub(super) fn read_all(path: &Path, key: Option<&str>) -> Result<Contents, FileError> {
    let checkpoint = Checkpoint::open(path)?;
    let found = checkpoint.choose(key)?;
    let looks_like = match found.recognised() {
        Ok(model) => format!("the file holds {} with {} classes", model.name(), model.classes()),
        Err(why) => why,
    };
    let tensors = found.read()?.into_iter();
    let tensors = tensors.map(|one| (one.name, HostTensor { shape: one.shape, values: one.values })).collect();
    Ok(Contents { tensors, others: found.not_floats().clone(), origin: Origin::of(&found), looks_like })
}
