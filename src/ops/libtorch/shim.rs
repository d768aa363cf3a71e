//! Safe functions over the C++ shim: all foreign functions and all `unsafe` of the crate.

#![allow(unsafe_code, reason = "calls into the C++ shim; each block says why it is sound")]

use crate::ops::update::{AdamW, Sgd};
use std::ffi::{CStr, c_char, c_int};
use tch::Tensor;
use torch_sys::C_tensor;

/// Where the shim puts the tensors that it makes; null where there is none.
type Out = *mut *mut C_tensor;
/// Where the shim puts its message if it fails.
type Message = *mut *mut c_char;

unsafe extern "C" {
    fn driftscope_conv2d_backward(
        tensors: *const *const C_tensor,
        stride: *const i64,
        padding: *const i64,
        want: *const bool,
        out: Out,
        error: Message,
    ) -> c_int;
    fn driftscope_layer_norm_backward(
        tensors: *const *const C_tensor,
        want: *const bool,
        out: Out,
        error: Message,
    ) -> c_int;
    fn driftscope_batch_norm_backward(
        tensors: *const *const C_tensor,
        want: *const bool,
        out: Out,
        error: Message,
    ) -> c_int;
    fn driftscope_attention(packed: *const C_tensor, heads: i64, out: Out, error: Message) -> c_int;
    fn driftscope_attention_backward(tensors: *const *const C_tensor, heads: i64, out: Out, error: Message) -> c_int;
    fn driftscope_adamw(
        changed: *const *const C_tensor,
        gradients: *const *const C_tensor,
        count: usize,
        decoupled: bool,
        rate: f64,
        beta1: f64,
        beta2: f64,
        decay: f64,
        epsilon: f64,
        step: f64,
        error: Message,
    ) -> c_int;
    fn driftscope_sgd(
        changed: *const *const C_tensor,
        gradients: *const *const C_tensor,
        count: usize,
        rate: f64,
        momentum: f64,
        decay: f64,
        nesterov: bool,
        first: bool,
        error: Message,
    ) -> c_int;
    fn driftscope_follow(
        changed: *const *const C_tensor,
        targets: *const *const C_tensor,
        count: usize,
        share: f64,
        error: Message,
    ) -> c_int;
    fn driftscope_norms(tensors: *const *const C_tensor, count: usize, out: Out, error: Message) -> c_int;
    fn driftscope_scaled(changed: *const *const C_tensor, count: usize, factor: f64, error: Message) -> c_int;
    fn driftscope_channels_last(images: *const C_tensor, out: Out, error: Message) -> c_int;
    fn driftscope_allow_tf32(allowed: bool, error: Message) -> c_int;
    fn driftscope_keep_memory();
    fn driftscope_free(message: *mut c_char);
}

/// Gradients of a convolution for input and weight, those wanted, from `[output_gradient, input, weight]`.
pub(super) fn conv2d_backward(
    tensors: [&Tensor; 3],
    stride: [usize; 2],
    padding: [usize; 2],
    want: [bool; 2],
) -> [Option<Tensor>; 2] {
    let (stride, padding) = (stride.map(|n| n as i64), padding.map(|n| n as i64));
    let tensors = pointers(tensors);
    made("conv2d backward", |out, error| {
        // SAFETY: the tensors are borrowed for the whole call and the arrays have the lengths that the shim reads.
        unsafe {
            driftscope_conv2d_backward(tensors.as_ptr(), stride.as_ptr(), padding.as_ptr(), want.as_ptr(), out, error)
        }
    })
}

/// Gradients of a layer norm for input, weight and bias, those wanted, from
/// `[output_gradient, input, weight, mean, reciprocal_deviation]`.
pub(super) fn layer_norm_backward(tensors: [&Tensor; 5], want: [bool; 3]) -> [Option<Tensor>; 3] {
    let tensors = pointers(tensors);
    made("layer_norm backward", |out, error| {
        // SAFETY: the tensors are borrowed for the whole call and the arrays have the lengths that the shim reads.
        unsafe { driftscope_layer_norm_backward(tensors.as_ptr(), want.as_ptr(), out, error) }
    })
}

/// As [`layer_norm_backward`], for a batch norm.
pub(super) fn batch_norm_backward(tensors: [&Tensor; 5], want: [bool; 3]) -> [Option<Tensor>; 3] {
    let tensors = pointers(tensors);
    made("batch_norm backward", |out, error| {
        // SAFETY: the tensors are borrowed for the whole call and the arrays have the lengths that the shim reads.
        unsafe { driftscope_batch_norm_backward(tensors.as_ptr(), want.as_ptr(), out, error) }
    })
}

/// The same numbers with the channels of a pixel side by side; the same tensor where they lie so.
pub(super) fn channels_last(images: &Tensor) -> Option<Tensor> {
    let [laid_out] = made("channels_last", |out, error| {
        // SAFETY: the tensor is borrowed for the whole call.
        unsafe { driftscope_channels_last(images.as_ptr(), out, error) }
    });
    laid_out
}

/// Context and logarithm of the softmax denominators.
pub(super) fn attention(packed: &Tensor, heads: usize) -> [Option<Tensor>; 2] {
    made("attention", |out, error| {
        // SAFETY: the tensor is borrowed for the whole call.
        unsafe { driftscope_attention(packed.as_ptr(), heads as i64, out, error) }
    })
}

/// Gradient for the packed tensor, from `[output_gradient, packed, context, log_denominator]`.
pub(super) fn attention_backward(tensors: [&Tensor; 4], heads: usize) -> [Option<Tensor>; 1] {
    let tensors = pointers(tensors);
    made("attention backward", |out, error| {
        // SAFETY: the tensors are borrowed for the whole call and the array has the length that the shim reads.
        unsafe { driftscope_attention_backward(tensors.as_ptr(), heads as i64, out, error) }
    })
}

/// Changes values, first and second moments in place, `changed`, one kind behind the other, each as long as `gradients`. The
/// caller makes sure that nobody else looks at them and that all of one parameter lie in memory alike, without gaps.
pub(super) fn adamw(changed: &[&Tensor], gradients: &[&Tensor], settings: AdamW) {
    let AdamW { rate, betas: [beta1, beta2], epsilon, decay, decoupled, step } = settings;
    let (changed, gradients, count) = lists::<3>(changed, gradients);
    let [] = made("adamw", |_, error| {
        // SAFETY: the tensors are borrowed for the whole call and the arrays have the lengths that the shim reads. A tensor
        // is a counted handle whose numbers libtorch may write through a shared one.
        unsafe {
            driftscope_adamw(
                changed.as_ptr(),
                gradients.as_ptr(),
                count,
                decoupled,
                rate,
                beta1,
                beta2,
                decay,
                epsilon,
                step as f64,
                error,
            )
        }
    });
}

/// As [`adamw`], with values and buffers.
pub(super) fn sgd(changed: &[&Tensor], gradients: &[&Tensor], settings: Sgd) {
    let Sgd { rate, momentum, nesterov, decay, first } = settings;
    let (changed, gradients, count) = lists::<2>(changed, gradients);
    let [] = made("sgd", |_, error| {
        // SAFETY: as for `adamw`.
        unsafe {
            let (changed, gradients) = (changed.as_ptr(), gradients.as_ptr());
            driftscope_sgd(changed, gradients, count, rate, momentum, decay, nesterov, first, error)
        }
    });
}

/// Moves `changed` in place a `share` of the way towards `targets`. As for [`adamw`].
pub(super) fn follow(changed: &[&Tensor], targets: &[&Tensor], share: f64) {
    let (changed, targets, count) = lists::<1>(changed, targets);
    let [] = made("follow", |_, error| {
        // SAFETY: as for `adamw`.
        unsafe { driftscope_follow(changed.as_ptr(), targets.as_ptr(), count, share, error) }
    });
}

/// Multiplies `changed` in place by a number. As for [`adamw`].
pub(super) fn scaled(changed: &[&Tensor], factor: f64) {
    let (changed, count) = (listed(changed), changed.len());
    let [] = made("scaled", |_, error| {
        // SAFETY: as for `adamw`.
        unsafe { driftscope_scaled(changed.as_ptr(), count, factor, error) }
    });
}

/// The Euclidean norm of each, in one tensor.
pub(super) fn norms(tensors: &[&Tensor]) -> Option<Tensor> {
    let (tensors, count) = (listed(tensors), tensors.len());
    let [norms] = made("norms", |out, error| {
        // SAFETY: the tensors are borrowed for the whole call and the array has the length that the shim reads.
        unsafe { driftscope_norms(tensors.as_ptr(), count, out, error) }
    });
    norms
}

fn listed(tensors: &[&Tensor]) -> Vec<*const C_tensor> {
    tensors.iter().map(|tensor| tensor.as_ptr()).collect()
}

/// Pointers to `KINDS` lists that are written and one that is read, and how long each is.
fn lists<const KINDS: usize>(
    changed: &[&Tensor],
    read: &[&Tensor],
) -> (Vec<*const C_tensor>, Vec<*const C_tensor>, usize) {
    assert_eq!(changed.len(), KINDS * read.len(), "lists of one length");
    (listed(changed), listed(read), read.len())
}

/// Lets the C library keep what libtorch frees.
pub(super) fn keep_memory() {
    // SAFETY: nothing is borrowed, and the C library may be told so at any time.
    unsafe { driftscope_keep_memory() }
}

/// Sets libtorch's switches for matrices and for convolutions.
pub(super) fn allow_tf32(allowed: bool) {
    let [] = made("allow_tf32", |_, error| {
        // SAFETY: nothing is borrowed.
        unsafe { driftscope_allow_tf32(allowed, error) }
    });
}

fn pointers<const N: usize>(tensors: [&Tensor; N]) -> [*const C_tensor; N] {
    tensors.map(|tensor| tensor.as_ptr())
}

/// Runs a function of the shim that makes `N` tensors and catches every exception of its own.
fn made<const N: usize>(name: &str, call: impl FnOnce(Out, Message) -> c_int) -> [Option<Tensor>; N] {
    let mut out = [std::ptr::null_mut::<C_tensor>(); N];
    let mut error = std::ptr::null_mut::<c_char>();
    if call(out.as_mut_ptr(), &mut error) != 0 {
        // A shape that does not fit is a caller bug, and Burn's own operations panic on it too.
        panic!("{name}: {}", take_message(error));
    }
    // SAFETY: each non-null pointer is a new tensor that the shim handed over to us.
    out.map(|pointer| (!pointer.is_null()).then(|| unsafe { Tensor::from_ptr(pointer) }))
}

/// The shim's message; frees it.
fn take_message(message: *mut c_char) -> String {
    if message.is_null() {
        return "no message".to_string();
    }
    // SAFETY: the shim made it with `strdup`, so it ends with a zero and `driftscope_free` may free it, once, here.
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        driftscope_free(message);
        text
    }
}
