//! The tensors of an explanation file.

use super::by_head::{AttentionDistance, LayerMaps};
use super::header::Header;
use crate::store::StoreError;
use safetensors::tensor::{Dtype, SafeTensors};
use std::path::Path;

/// A file's tensors, each read with the type and shape it must have.
pub(super) struct Tensors<'data> {
    pub(super) file: SafeTensors<'data>,
    pub(super) path: &'data Path,
}

impl<'data> Tensors<'data> {
    /// A tensor of 32-bit floats.
    pub(super) fn f32(&self, tensor: &'static str, shape: Vec<usize>) -> Result<Vec<f32>, StoreError> {
        let (numbers, _) = self.bytes(tensor, Dtype::F32, shape)?.as_chunks();
        Ok(numbers.iter().map(|&number| f32::from_le_bytes(number)).collect())
    }

    /// A tensor of 32-bit floats that need not be there.
    pub(super) fn optional(&self, tensor: &'static str, shape: Vec<usize>) -> Result<Option<Vec<f32>>, StoreError> {
        self.file.tensor(tensor).is_ok().then(|| self.f32(tensor, shape)).transpose()
    }

    /// The maps of blocks and heads, whose numbers only their own shape says.
    pub(super) fn layer_maps(&self, header: &Header) -> Result<Option<LayerMaps>, StoreError> {
        let Ok(view) = self.file.tensor("layer_maps") else { return Ok(None) };
        let (layers, heads) = match view.shape() {
            [_, layers, heads, _, _] => (*layers, *heads),
            _ => (0, 0),
        };
        let values = self.f32("layer_maps", header.layer_maps(layers, heads))?;
        Ok(Some(LayerMaps { layers, heads, values }))
    }

    /// How far blocks and heads look; their numbers only its own shape says.
    pub(super) fn attention_distance(&self, header: &Header) -> Result<Option<AttentionDistance>, StoreError> {
        let Ok(view) = self.file.tensor("attention_distance") else { return Ok(None) };
        let (layers, heads) = match view.shape() {
            [_, layers, heads] => (*layers, *heads),
            _ => (0, 0),
        };
        let values = self.f32("attention_distance", vec![header.image_ids.len(), layers, heads])?;
        Ok(Some(AttentionDistance { layers, heads, values }))
    }

    /// A tensor of 64-bit integers.
    pub(super) fn i64(&self, tensor: &'static str, shape: Vec<usize>) -> Result<Vec<i64>, StoreError> {
        let (numbers, _) = self.bytes(tensor, Dtype::I64, shape)?.as_chunks();
        Ok(numbers.iter().map(|&number| i64::from_le_bytes(number)).collect())
    }

    /// A tensor's bytes, little-endian.
    fn bytes(&self, tensor: &'static str, dtype: Dtype, expected: Vec<usize>) -> Result<&'data [u8], StoreError> {
        let path = || self.path.to_path_buf();
        let view = self.file.tensor(tensor).map_err(|source| StoreError::Container { path: path(), source })?;
        if view.dtype() != dtype {
            return Err(StoreError::WrongType { path: path(), tensor, expected: dtype, found: view.dtype() });
        }
        if view.shape() != expected {
            return Err(StoreError::WrongShape { path: path(), tensor, expected, found: view.shape().to_vec() });
        }
        Ok(view.data())
    }
}

/// Little-endian, as safetensors asks for.
pub(super) fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Little-endian, as safetensors asks for.
pub(super) fn i64_bytes(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
