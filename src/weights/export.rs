//! Weights for other programs: a safetensors file that timm and torchvision load with `strict=True`.

use super::file::{Entry, serialise};
use super::tensor::StateDict;
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensorError};
use std::fmt;
use std::str::FromStr;

/// How the numbers of an exported file are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits, as they were trained.
    Float32,
    /// 16 bits; numbers beyond ±65,504 do not fit.
    Float16,
    /// 16 bits, with the range of float32 and eight bits of precision.
    Bfloat16,
}

impl Precision {
    /// All of them.
    pub const ALL: [Precision; 3] = [Precision::Float32, Precision::Float16, Precision::Bfloat16];
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Precision::Float32 => "float32",
            Precision::Float16 => "float16",
            Precision::Bfloat16 => "bfloat16",
        })
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Precision::ALL.into_iter().find(|precision| precision.to_string() == text);
        named.ok_or_else(|| format!("'{text}' is no precision; expected float32, float16 or bfloat16"))
    }
}

/// Weights that cannot be exported as asked.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A number that the precision cannot hold.
    #[error("{name} holds {value}, which {precision} cannot: export bfloat16 or float32")]
    OutOfRange {
        /// The name of the tensor.
        name: String,
        /// The first such number.
        value: f32,
        /// The precision asked for.
        precision: Precision,
    },
    /// The tensors do not fit the format.
    #[error("the weights cannot be encoded")]
    Encode(#[from] SafeTensorError),
}

/// A model's parameters and buffers under PyTorch's names, with the `num_batches_tracked` counters that `strict=True` asks
/// for, each at `steps`.
///
/// # Errors
///
/// [`ExportError::OutOfRange`] where float16 would make a finite number infinite.
pub fn export(
    tensors: &StateDict,
    precision: Precision,
    steps: usize,
    metadata: &[(&str, &str)],
) -> Result<Vec<u8>, ExportError> {
    let mut entries = Vec::new();
    for (name, tensor) in tensors {
        let (kind, bytes) = match precision {
            Precision::Float32 => (Dtype::F32, bytes(&tensor.values, f32::to_le_bytes)),
            Precision::Bfloat16 => (Dtype::BF16, bytes(&tensor.values, |value| bf16::from_f32(value).to_le_bytes())),
            Precision::Float16 => {
                let lost = |value: &&f32| value.is_finite() && !f16::from_f32(**value).is_finite();
                if let Some(&value) = tensor.values.iter().find(lost) {
                    return Err(ExportError::OutOfRange { name: name.clone(), value, precision });
                }
                (Dtype::F16, bytes(&tensor.values, |value| f16::from_f32(value).to_le_bytes()))
            }
        };
        entries.push(Entry { name: name.clone(), kind, shape: tensor.shape.clone(), bytes });
        if let Some(norm) = name.strip_suffix("running_mean") {
            let bytes = (steps as i64).to_le_bytes().to_vec();
            entries.push(Entry {
                name: format!("{norm}num_batches_tracked"),
                kind: Dtype::I64,
                shape: Vec::new(),
                bytes,
            });
        }
    }
    Ok(serialise(&entries, metadata)?)
}

fn bytes<const N: usize>(values: &[f32], convert: impl Fn(f32) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| convert(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::{HostTensor, decode};
    use std::path::Path;

    fn tensors(values: &[f32]) -> StateDict {
        let tensor = HostTensor { shape: vec![values.len()], values: values.to_vec() };
        ["bn1.running_mean", "bn1.running_var"].map(|name| (name.to_string(), tensor.clone())).into()
    }

    #[test]
    fn what_is_exported_reads_back_rounded_to_its_precision() {
        for (precision, expected) in
            [(Precision::Float32, 1.001), (Precision::Float16, 1.0009766), (Precision::Bfloat16, 1.0)]
        {
            let file = export(&tensors(&[1.001, -2.0]), precision, 7, &[("format", "pt"), ("model", "m")]).unwrap();
            let (read, metadata) = decode(&file, Path::new("memory")).unwrap();
            assert_eq!(read["bn1.running_mean"].values, [expected, -2.0], "{precision}");
            assert_eq!((metadata["format"].as_str(), metadata["model"].as_str()), ("pt", "m"));
            let raw = safetensors::SafeTensors::deserialize(&file).unwrap();
            let counter = raw.tensor("bn1.num_batches_tracked").unwrap();
            assert_eq!((counter.dtype(), counter.shape(), counter.data()[0]), (Dtype::I64, &[][..], 7));
        }
    }

    #[test]
    fn equal_content_is_equal_bytes() {
        let metadata = [("z", "1"), ("a", "2"), ("m", "3"), ("format", "pt"), ("k", "4")];
        let once = || export(&tensors(&[1.0]), Precision::Float32, 0, &metadata).unwrap();
        assert!((0..20).all(|_| once() == once()));
    }

    #[test]
    fn float16_refuses_what_it_cannot_hold() {
        let error = export(&tensors(&[1e6]), Precision::Float16, 0, &[]).unwrap_err().to_string();
        assert!(error.contains("bn1.running_mean") && error.contains("1000000"), "{error}");
        assert!(export(&tensors(&[1e6]), Precision::Bfloat16, 0, &[]).is_ok());
    }
}
