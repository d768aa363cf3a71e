//! Named tensors in files: safetensors both ways, and PyTorch's pickled checkpoints read without running their code.

use super::error::FileError;
use super::recognise::{Format, recognise};
use super::tensor::{HostTensor, StateDict};
use crate::fsx;
use half::{bf16, f16};
use pytorch_reader::{DType, PytorchError, PytorchReader};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The largest safetensors file that is read, in bytes: 8 GiB, a hundred times what the largest model here needs.
const LARGEST: u64 = 8 << 30;
/// How many times its own size a file's tensors may come to, and what they may come to in any case, in bytes: tensors that
/// share their storage are more than the file, but not by much.
const SHARED: (u64, u64) = (16, 64 << 20);

/// Names under which training scripts nest a state dict.
const NESTS: [&str; 2] = ["model.", "state_dict."];

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
        let kind = match view.dtype() {
            Dtype::F64 => DType::F64,
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            _ => return None, // counters such as num_batches_tracked
        };
        Some((name, HostTensor { shape: view.shape().to_vec(), values: floats(view.data(), kind)? }))
    });
    Ok((tensors.collect(), header.metadata().clone().unwrap_or_default()))
}

/// The floating-point tensors of a safetensors file or a PyTorch checkpoint, as float32. The content decides which it is,
/// not the name.
///
/// A state dict nested under `model` or `state_dict` is found; what else the checkpoint holds is left alone.
///
/// # Errors
///
/// [`FileError`] names the file, and says what it looks like where it is neither.
pub fn read(path: &Path) -> Result<StateDict, FileError> {
    Ok(read_all(path)?.tensors)
}

/// What a file of weights holds.
pub(super) struct Contents {
    /// The floating-point tensors.
    pub(super) tensors: StateDict,
    /// The other tensors, by name: their types.
    pub(super) others: BTreeMap<String, String>,
}

pub(super) fn read_all(path: &Path) -> Result<Contents, FileError> {
    match recognise(path)? {
        Format::Safetensors => {
            let found = fsx::metadata(path)?.len();
            if found > LARGEST {
                return Err(FileError::TooLarge { path: path.to_path_buf(), found, most: LARGEST });
            }
            let bytes = fsx::read(path)?;
            let (tensors, _) = decode(&bytes, path)?;
            let file = SafeTensors::deserialize(&bytes)
                .map_err(|source| FileError::Safetensors { path: path.to_path_buf(), source })?;
            let others = file.tensors().into_iter().filter(|(name, _)| !tensors.contains_key(name));
            let others = others.map(|(name, view)| (name, format!("{:?}", view.dtype()))).collect();
            Ok(Contents { tensors, others })
        }
        Format::Pytorch => read_pytorch(path),
    }
}

fn read_pytorch(path: &Path) -> Result<Contents, FileError> {
    let reader = PytorchReader::new(path).map_err(|source| match source {
        PytorchError::InvalidFormat(why) if why.contains("data.pkl") => {
            FileError::NotWeights { path: path.to_path_buf(), found: "a ZIP archive without a pickle".to_string() }
        }
        source => FileError::Pytorch { path: path.to_path_buf(), source },
    })?;
    let all = reader.into_tensors();
    let nest = NESTS.into_iter().find(|nest| all.keys().any(|name| name.starts_with(nest))).unwrap_or_default();
    let bytes = fsx::metadata(path)?.len();
    let mut room = bytes.saturating_mul(SHARED.0).max(SHARED.1);
    let mut contents = Contents { tensors: StateDict::new(), others: BTreeMap::new() };
    for (name, tensor) in &all {
        let Some(inner) = name.strip_prefix(nest) else { continue };
        let kind = tensor.dtype();
        if !matches!(kind, DType::F64 | DType::F32 | DType::F16 | DType::BF16) {
            contents.others.insert(inner.to_string(), format!("{kind:?}"));
            continue;
        }
        // Nothing is allocated for a claim that the file cannot keep.
        let size = |count: u64, side: &usize| count.checked_mul(*side as u64);
        let wanted = tensor.shape().iter().try_fold(kind.size() as u64, size);
        room = match wanted.and_then(|wanted| room.checked_sub(wanted)) {
            Some(room) => room,
            None => {
                let (path, shape) = (path.to_path_buf(), tensor.shape().to_vec());
                return Err(FileError::Claim { path, name: name.clone(), shape, bytes });
            }
        };
        let raw = tensor.read().map_err(|source| FileError::Tensor {
            path: path.to_path_buf(),
            name: name.clone(),
            source,
        })?;
        if let Some(values) = floats(&raw, kind) {
            contents.tensors.insert(inner.to_string(), HostTensor { shape: tensor.shape().to_vec(), values });
        }
    }
    Ok(contents)
}

/// Little-endian bytes as float32; `None` for numbers that are not floating-point.
fn floats(bytes: &[u8], kind: DType) -> Option<Vec<f32>> {
    let values = match kind {
        DType::F64 => numbers(bytes, |raw| f64::from_le_bytes(raw) as f32),
        DType::F32 => numbers(bytes, f32::from_le_bytes),
        DType::F16 => numbers(bytes, |raw| f16::from_le_bytes(raw).to_f32()),
        DType::BF16 => numbers(bytes, |raw| bf16::from_le_bytes(raw).to_f32()),
        _ => return None,
    };
    Some(values)
}

fn numbers<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|&raw| read(raw)).collect()
}
