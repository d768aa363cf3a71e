//! How often a second something can be done.

use super::error::BenchError;
use burn::tensor::Device;
use std::time::{Duration, Instant};

/// Waits until the device has done all that it was given.
pub(super) fn finished(device: &Device) -> Result<(), BenchError> {
    device.sync().map_err(|error| BenchError::Device(error.to_string()))
}

/// Calls a second of `work`, from at least `wanted` of them in a row. `wait` waits for the device, once a row, so that a GPU
/// is never idle between two calls. The first call is not counted, nor are rows that were too short.
pub(super) fn rate(
    wanted: Duration,
    mut work: impl FnMut() -> Result<(), BenchError>,
    wait: impl Fn() -> Result<(), BenchError>,
) -> Result<f64, BenchError> {
    work()?;
    wait()?;
    let mut calls = 1_usize;
    loop {
        let start = Instant::now();
        for _ in 0..calls {
            work()?;
        }
        wait()?;
        let took = start.elapsed().max(Duration::from_nanos(1));
        if took >= wanted {
            return Ok(calls as f64 / took.as_secs_f64());
        }
        calls = next(calls, wanted.as_secs_f64() / took.as_secs_f64());
    }
}

/// How many calls the next row has, where this one would have to be `times` as long: a little more than that, at most ten
/// times as many, since the first rows are slow.
fn next(calls: usize, times: f64) -> usize {
    (calls as f64 * (1.2 * times).clamp(1.0, 10.0)).ceil() as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On paper: 8 × 1.2 × 2 = 19.2, and one more than 20; never more than ten times and one.
    #[test]
    fn rows_grow_to_what_is_wanted_and_not_without_bound() {
        assert_eq!([next(8, 2.0), next(8, 1e9), next(1, 1.0)], [21, 81, 3]);
    }

    #[test]
    fn every_call_is_made_and_an_error_ends_it() {
        let mut calls = 0;
        let found = rate(
            Duration::ZERO,
            || {
                calls += 1;
                Ok(())
            },
            || Ok(()),
        )
        .unwrap();
        assert!(calls == 2 && found > 0.0, "one that is not counted, and one");
        assert!(rate(Duration::ZERO, || Err(BenchError::NoImages), || Ok(())).is_err());
    }
}
