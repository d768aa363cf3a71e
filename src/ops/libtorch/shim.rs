//! Safe functions over the C++ shim: all foreign functions and all `unsafe` of the crate.

#![allow(unsafe_code, reason = "calls into the C++ shim; each block says why it is sound")]

use crate::ops::adamw::AdamW;
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
        tensors: *const *const C_tensor,
        rate: f64,
        beta1: f64,
        beta2: f64,
        decay: f64,
        epsilon: f64,
        step: f64,
        error: Message,
    ) -> c_int;
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

/// Changes value, first and second of `[value, gradient, first, second]` in place; all contiguous. The caller makes
/// sure that nobody else looks at those three.
pub(super) fn adamw(tensors: [&Tensor; 4], settings: AdamW) {
    let AdamW { rate, betas: [beta1, beta2], epsilon, decay, step } = settings;
    let tensors = pointers(tensors);
    let [] = made("adamw", |_, error| {
        // SAFETY: the tensors are borrowed for the whole call and the array has the length that the shim reads. A tensor
        // is a counted handle whose numbers libtorch may write through a shared one.
        unsafe { driftscope_adamw(tensors.as_ptr(), rate, beta1, beta2, decay, epsilon, step as f64, error) }
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
