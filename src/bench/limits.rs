//! What a device can do at most, measured.

use super::error::BenchError;
use super::rate::{finished, rate};
use crate::ops;
use crate::precision::Precision;
use burn::tensor::{Device, Distribution, Tensor};
use std::time::Duration;

/// Two rates that nothing on this device can beat for long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Additions and multiplications a second in a product of two square matrices, in the precision of the run.
    pub products: f64,
    /// Bytes a second, read and written together, while a large tensor is copied.
    pub copies: f64,
}

/// Side of the matrices, and floats of the tensor, on a CPU and on a GPU: large enough for the device's full rate, and small
/// enough to take a moment.
const SIDES: [usize; 2] = [1024, 8192];
const FLOATS: [usize; 2] = [1 << 24, 1 << 28];

impl Limits {
    /// Measures both; `gpu` chooses the sizes.
    pub(super) fn of(device: &Device, gpu: bool, precision: Precision, wanted: Duration) -> Result<Self, BenchError> {
        let wait = || finished(device);
        let side = SIDES[usize::from(gpu)];
        let matrix = || ops::cast(Tensor::<2>::random([side, side], Distribution::Normal(0.0, 1.0), device), precision);
        let (one, other) = (matrix(), matrix());
        let product = || {
            drop(one.clone().matmul(other.clone()));
            Ok(())
        };
        let _in_force = ops::begin(precision);
        let products = rate(wanted, product, wait)? * 2.0 * (side as f64).powi(3);
        let floats = FLOATS[usize::from(gpu)];
        let from = Tensor::<1>::zeros([floats], device);
        let copy = || {
            // Every number is read once and written once.
            drop(from.clone() + 1.0);
            Ok(())
        };
        let copies = rate(wanted, copy, wait)? * 2.0 * 4.0 * floats as f64;
        Ok(Self { products, copies })
    }
}
