//! Named tensors in files: safetensors both ways, and PyTorch's pickled checkpoints read without running their code.

use super::{HostTensor, StateDict};
use crate::fsx::{self, FsError};
use half::{bf16, f16};
use pytorch_reader::{DType, PytorchError, PytorchReader};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A file of tensors that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] FsError),
    /// Not a safetensors file, or a truncated one.
    #[error("{path}: not a whole safetensors file")]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// Not a PyTorch checkpoint, or one that would have to run code to be read.
    #[error("{path}: not a PyTorch checkpoint of plain tensors")]
    Pytorch {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        #[source]
        source: PytorchError,
    },
    /// A tensor whose bytes are not there.
    #[error("{path}: tensor {name} cannot be read")]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An ending that we do not know.
    #[error("{path}: expected a file that ends in .safetensors, .pth, .pt or .bin")]
    Ending {
        /// The file.
        path: PathBuf,
    },
}

/// Names under which training scripts nest a state dict.
const NESTS: [&str; 2] = ["model.", "state_dict."];

/// Safetensors bytes in float32: the same tensors give the same bytes.
///
/// `note` is one key and value of metadata; one, because the format's writer keeps no order among several.
///
/// # Errors
///
/// Where the format cannot hold the tensors.
pub fn encode(tensors: &StateDict, note: (&str, &str)) -> Result<Vec<u8>, safetensors::SafeTensorError> {
    let raw = |tensor: &HostTensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let bytes: Vec<(&str, &[usize], Vec<u8>)> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice(), raw(tensor))).collect();
    let views = bytes
        .iter()
        .map(|(name, shape, raw)| Ok((*name, TensorView::new(Dtype::F32, shape.to_vec(), raw)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    safetensors::serialize(views, Some(HashMap::from([(note.0.to_string(), note.1.to_string())])))
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

/// The floating-point tensors of a `.safetensors`, `.pth`, `.pt` or `.bin` file, as float32.
///
/// A state dict nested under `model` or `state_dict` is found; what else the checkpoint holds is left alone.
///
/// # Errors
///
/// [`FileError`] names the file.
pub fn read(path: &Path) -> Result<StateDict, FileError> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("safetensors") => Ok(decode(&fsx::read(path)?, path)?.0),
        Some("pth" | "pt" | "bin") => read_pytorch(path),
        _ => Err(FileError::Ending { path: path.to_path_buf() }),
    }
}

fn read_pytorch(path: &Path) -> Result<StateDict, FileError> {
    let reader = PytorchReader::new(path).map_err(|source| FileError::Pytorch { path: path.to_path_buf(), source })?;
    let all = reader.into_tensors();
    let nest = NESTS.into_iter().find(|nest| all.keys().any(|name| name.starts_with(nest))).unwrap_or_default();
    let mut tensors = StateDict::new();
    for (name, tensor) in &all {
        let Some(inner) = name.strip_prefix(nest) else { continue };
        let bytes = tensor.read().map_err(|source| FileError::Tensor {
            path: path.to_path_buf(),
            name: name.clone(),
            source,
        })?;
        if let Some(values) = floats(&bytes, tensor.dtype()) {
            tensors.insert(inner.to_string(), HostTensor { shape: tensor.shape().to_vec(), values });
        }
    }
    Ok(tensors)
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
