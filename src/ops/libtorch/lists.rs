//! The libtorch bodies of what is done to lists: one call each, in place.

use super::{shim, wanted};
use crate::ops::list_ops::ListOps;
use crate::ops::update::{AdamW, Sgd};
use burn_tch::{LibTorch, TchTensor};
use tch::Tensor;

impl ListOps for LibTorch {
    fn adamw(
        values: Vec<TchTensor>,
        gradients: Vec<TchTensor>,
        first: Vec<TchTensor>,
        second: Vec<TchTensor>,
        settings: AdamW,
    ) -> Vec<TchTensor> {
        let (count, changed) = (values.len(), [values, first, second].concat());
        in_place(changed, &gradients, count, |changed, gradients| shim::adamw(changed, gradients, settings))
    }

    fn sgd(
        values: Vec<TchTensor>,
        gradients: Vec<TchTensor>,
        buffers: Vec<TchTensor>,
        settings: Sgd,
    ) -> Vec<TchTensor> {
        let (count, changed) = (values.len(), [values, buffers].concat());
        in_place(changed, &gradients, count, |changed, gradients| shim::sgd(changed, gradients, settings))
    }

    fn norms(list: Vec<TchTensor>) -> TchTensor {
        let list: Vec<&Tensor> = list.iter().map(|tensor| &tensor.tensor).collect();
        wanted(shim::norms(&list))
    }

    fn scaled(list: Vec<TchTensor>, factor: f64) -> Vec<TchTensor> {
        let count = list.len();
        in_place(list, &[], count, |changed, _| shim::scaled(changed, factor))
    }

    fn follow(list: Vec<TchTensor>, targets: Vec<TchTensor>, share: f64) -> Vec<TchTensor> {
        let count = list.len();
        in_place(list, &targets, count, |changed, targets| shim::follow(changed, targets, share))
    }
}

/// Lets a kernel write into `changed`: some lists of `count` tensors, one behind the other. Kernels walk memory in its order and
/// look at no strides, so all that belongs to one parameter is laid out like its value, and so is what is only `read`. What
/// somebody else holds, or lies otherwise, is copied first.
fn in_place(
    mut changed: Vec<TchTensor>,
    read: &[TchTensor],
    count: usize,
    kernel: impl FnOnce(&[&Tensor], &[&Tensor]),
) -> Vec<TchTensor> {
    for index in 0..changed.len() {
        let like = changed[index % count].tensor.shallow_clone();
        let (is_ours, tensor) = (changed[index].can_mut(), &changed[index].tensor);
        if !is_ours || !lies_like(tensor, &like) {
            changed[index] = TchTensor::new(laid_like(tensor, &like));
        }
    }
    let laid: Vec<Tensor> = read
        .iter()
        .zip(&changed)
        .map(|(tensor, value)| match lies_like(&tensor.tensor, &value.tensor) {
            true => tensor.tensor.shallow_clone(),
            false => laid_like(&tensor.tensor, &value.tensor),
        })
        .collect();
    let tensors: Vec<&Tensor> = changed.iter().map(|tensor| &tensor.tensor).collect();
    kernel(&tensors, &laid.iter().collect::<Vec<_>>());
    changed
}

/// Whether both lie in memory in the same order, without gaps.
fn lies_like(tensor: &Tensor, other: &Tensor) -> bool {
    let (axes, others) = (axes(tensor), axes(other));
    // Of an axis of length one the stride means nothing.
    let mut steps: Vec<(i64, i64)> = axes.iter().copied().filter(|(length, _)| *length != 1).collect();
    let same = axes.iter().zip(&others).all(|(axis, other)| axis == other || axis.0 == 1);
    steps.sort_unstable_by_key(|(_, stride)| *stride);
    let mut expected = 1;
    same && steps.into_iter().all(|(length, stride)| {
        let dense = stride == expected;
        expected *= length;
        dense
    })
}

/// Length and stride of each axis.
fn axes(tensor: &Tensor) -> Vec<(i64, i64)> {
    tensor.size().into_iter().zip(tensor.stride()).collect()
}

/// A copy that lies like another; where that has gaps, without them.
fn laid_like(tensor: &Tensor, other: &Tensor) -> Tensor {
    let mut copy = other.empty_like();
    copy.copy_(tensor);
    copy
}
