//! The libtorch bodies of the fused operations: the only file with `tch`, foreign functions or `unsafe`.

#![allow(unsafe_code, reason = "calls into the C++ shim; each block says why it is sound")]

use super::FusedOps;
use burn_tch::{LibTorch, TchTensor};
use std::ffi::{CStr, c_char, c_int};
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn driftscope_conv2d_backward(
        output_gradient: *const C_tensor,
        input: *const C_tensor,
        weight: *const C_tensor,
        stride: *const i64,
        padding: *const i64,
        want_input: bool,
        want_weight: bool,
        out: *mut *mut C_tensor,
        error: *mut *mut c_char,
    ) -> c_int;
    fn driftscope_free(message: *mut c_char);
}

impl FusedOps for LibTorch {
    fn fused_conv2d_input_gradient(
        output_gradient: TchTensor,
        input: TchTensor,
        weight: TchTensor,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> TchTensor {
        let [gradient, _] = conv2d_backward(&output_gradient, &input, &weight, stride, padding, [true, false]);
        wanted(gradient)
    }

    fn fused_conv2d_weight_gradient(
        output_gradient: TchTensor,
        input: TchTensor,
        weight: TchTensor,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> TchTensor {
        let [_, gradient] = conv2d_backward(&output_gradient, &input, &weight, stride, padding, [false, true]);
        wanted(gradient)
    }
}

/// Both gradients of a convolution in one libtorch call, those asked for.
fn conv2d_backward(
    output_gradient: &TchTensor,
    input: &TchTensor,
    weight: &TchTensor,
    stride: [usize; 2],
    padding: [usize; 2],
    want: [bool; 2],
) -> [Option<Tensor>; 2] {
    let (stride, padding) = (stride.map(|n| n as i64), padding.map(|n| n as i64));
    let mut out = [std::ptr::null_mut::<C_tensor>(); 2];
    let mut error = std::ptr::null_mut::<c_char>();
    // SAFETY: the three tensors live through the call, the arrays have the lengths the shim reads and writes, and the
    // shim catches every exception and reports it through `error`.
    let status = unsafe {
        driftscope_conv2d_backward(
            output_gradient.tensor.as_ptr(),
            input.tensor.as_ptr(),
            weight.tensor.as_ptr(),
            stride.as_ptr(),
            padding.as_ptr(),
            want[0],
            want[1],
            out.as_mut_ptr(),
            &mut error,
        )
    };
    if status != 0 {
        // A shape that does not fit is a caller bug, and Burn's own operations panic on it too.
        panic!("conv2d backward: {}", take_message(error));
    }
    // SAFETY: each non-null pointer is a new tensor that the shim handed over to us.
    out.map(|pointer| (!pointer.is_null()).then(|| unsafe { Tensor::from_ptr(pointer) }))
}

fn wanted(tensor: Option<Tensor>) -> TchTensor {
    match tensor {
        Some(tensor) => TchTensor::new(tensor),
        None => unreachable!("the shim returns every gradient that was asked for"),
    }
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
