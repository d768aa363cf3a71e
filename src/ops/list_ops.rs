//! What is done to lists of tensors, as a trait that backends implement.

use super::reference;
use super::update::{AdamW, Sgd};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex};

/// The operations on lists that a backend may run in one call, none of them differentiable. Default bodies are the reference.
pub(super) trait ListOps: Backend {
    /// One step of AdamW or Adam on lists: the new values, first and second moments, one list behind the other.
    fn adamw(
        values: Vec<FloatTensor<Self>>,
        gradients: Vec<FloatTensor<Self>>,
        first: Vec<FloatTensor<Self>>,
        second: Vec<FloatTensor<Self>>,
        settings: AdamW,
    ) -> Vec<FloatTensor<Self>> {
        reference::adamw::<Self>(values, gradients, first, second, settings)
    }

    /// One step of SGD on lists: the new values and buffers, one list behind the other.
    fn sgd(
        values: Vec<FloatTensor<Self>>,
        gradients: Vec<FloatTensor<Self>>,
        buffers: Vec<FloatTensor<Self>>,
        settings: Sgd,
    ) -> Vec<FloatTensor<Self>> {
        reference::sgd::<Self>(values, gradients, buffers, settings)
    }

    /// The Euclidean norm of each of a list, `[list]`.
    fn norms(list: Vec<FloatTensor<Self>>) -> FloatTensor<Self> {
        reference::norms::<Self>(list)
    }

    /// Each of a list times a number.
    fn scaled(list: Vec<FloatTensor<Self>>, factor: f64) -> Vec<FloatTensor<Self>> {
        list.into_iter().map(|tensor| Self::float_mul_scalar(tensor, factor.into())).collect()
    }

    /// Each of a list moved a `share` of the way towards its target.
    fn follow(list: Vec<FloatTensor<Self>>, targets: Vec<FloatTensor<Self>>, share: f64) -> Vec<FloatTensor<Self>> {
        reference::follow::<Self>(list, targets, share)
    }
}

impl ListOps for Flex {}
