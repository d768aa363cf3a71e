//! What a precision means for tensors, and for libtorch's switches.

use crate::precision::Precision;
use burn::tensor::{FloatDType, Tensor};

/// The tensor as products of this precision read it, on the tape if it was; itself where nothing is to do. The gradient has
/// the type that the tensor had.
pub fn cast<const D: usize>(tensor: Tensor<D>, precision: Precision) -> Tensor<D> {
    let wanted = match precision {
        Precision::F32 | Precision::Tf32 => FloatDType::F32,
        Precision::Bf16 => FloatDType::BF16,
    };
    if tensor.dtype() == wanted.into() { tensor } else { tensor.cast(wanted) }
}

/// While it lives, a GPU takes float32 products as it was told; afterwards exactly, which is how a device is opened.
#[derive(Debug)]
#[must_use]
pub struct Products(());

/// From now on a GPU takes products in this precision, until what is returned is dropped. Elsewhere, and for the others than
/// [`Tf32`](Precision::Tf32), nothing changes.
pub fn begin(precision: Precision) -> Products {
    if precision == Precision::Tf32 {
        allow_tf32(true);
    }
    Products(())
}

impl Drop for Products {
    fn drop(&mut self) {
        allow_tf32(false);
    }
}

/// Whether a GPU may round the inputs of float32 products. libtorch begins with yes for convolutions and no for matrices.
pub fn allow_tf32(allowed: bool) {
    #[cfg(feature = "libtorch")]
    super::libtorch::allow_tf32(allowed);
    #[cfg(not(feature = "libtorch"))]
    let _ = allowed;
}
