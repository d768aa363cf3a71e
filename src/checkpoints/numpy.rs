//! NumPy's scalars and arrays in a pickle.
//!
//! # Source
//!
//! numpy 2.4.6: `numpy/_core/src/multiarray/methods.c` (`array_reduce`, `array_setstate`), `scalartypes.c.src`
//! (`gentype_reduce`), `descriptor.c` (`arraydescr_reduce`).

use super::arena::Value;
use super::document::Document;
use super::tensor::{Kind, Storage, Tensor};

/// Whether a module is where NumPy 1 or 2 keeps its arrays.
fn is_core(module: &str) -> bool {
    matches!(module, "numpy.core.multiarray" | "numpy._core.multiarray" | "numpy")
}

/// An array of numbers, or why it cannot be read; none where a value is no array.
pub(super) fn array(document: &Document, value: Value) -> Option<Result<Tensor, String>> {
    let arena = &document.arena;
    let (module, name) = arena.callable(value)?;
    if !is_core(module) || name != "_reconstruct" {
        return None;
    }
    let [.., shape, dtype, fortran, bytes] = arena.items(arena.call(value)?.state?)? else { return None };
    let size = |value: &Value| if let Value::Int(size) = value { u64::try_from(*size).ok() } else { None };
    let shape: Vec<u64> = arena.items(*shape)?.iter().map(size).collect::<Option<_>>()?;
    let kind = match kind(document, *dtype) {
        Some(kind) => kind,
        None => return Some(Err("it is a NumPy array of no numbers".to_string())),
    };
    let storage = Storage { bytes: document.bytes(*bytes)?, entry: None };
    if *fortran != Value::Bool(true) {
        return Some(Tensor::row_major(kind, shape, storage));
    }
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1_u64;
    for side in &shape {
        strides.push(stride);
        stride = stride.saturating_mul(*side);
    }
    Some(Tensor::new(kind, shape, strides, 0, storage))
}

/// The number of a scalar such as `numpy.float64(0.5)`.
pub(super) fn scalar(document: &Document, value: Value) -> Option<f64> {
    let arena = &document.arena;
    let (module, name) = arena.callable(value)?;
    if !is_core(module) || name != "scalar" {
        return None;
    }
    let [dtype, bytes] = arena.items(arena.call(value)?.arguments)? else { return None };
    let storage = Storage { bytes: document.bytes(*bytes)?, entry: None };
    Tensor::row_major(kind(document, *dtype)?, Vec::new(), storage).ok()?.number()
}

/// The type of a `numpy.dtype`, if it is little-endian or has no order.
fn kind(document: &Document, dtype: Value) -> Option<Kind> {
    let arena = &document.arena;
    let name = arena.text(*arena.items(arena.call(dtype)?.arguments)?.first()?)?;
    let order = arena.call(dtype)?.state.and_then(|state| arena.text(*arena.items(state)?.get(1)?));
    if order == Some(">") {
        return None;
    }
    Some(match name.trim_start_matches(['<', '|', '=']) {
        "f8" => Kind::F64,
        "f4" => Kind::F32,
        "f2" => Kind::F16,
        "i8" => Kind::I64,
        "i4" => Kind::I32,
        "i2" => Kind::I16,
        "i1" => Kind::I8,
        "u1" => Kind::U8,
        "b1" => Kind::Bool,
        _ => return None,
    })
}
