//! Tensors on the host, alone and by name.

use burn::tensor::Tensor;
use std::collections::BTreeMap;

/// A tensor on the host, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// As many numbers as the product of `shape`.
    pub values: Vec<f32>,
}

/// Tensors by their state-dict keys, sorted.
pub type StateDict = BTreeMap<String, HostTensor>;

impl HostTensor {
    /// Copies a tensor to the host.
    pub fn from_tensor<const D: usize>(tensor: Tensor<D>) -> Self {
        let shape = tensor.dims().to_vec();
        Self { shape, values: tensor.into_data().convert::<f32>().iter::<f32>().collect() }
    }
}
