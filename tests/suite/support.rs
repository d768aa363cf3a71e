//! What several tests need: the devices under test, comparisons, and a ready command in a temporary directory.

use burn::tensor::{Device, Tensor};
use driftscope::device::DeviceChoice;
use driftscope::models::{Model, ModelName};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by tests that compute much: two at a time on two cores, each with libtorch's own threads, take many times longer
/// than one after the other.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every device that this build has on a machine without a GPU, by name.
pub(crate) fn devices() -> Vec<(&'static str, Device)> {
    let names = if cfg!(feature = "libtorch") { vec!["flex", "cpu"] } else { vec!["flex"] };
    names.into_iter().map(|name| (name, device(name))).collect()
}

/// The fastest of them.
pub(crate) fn fast_device() -> Device {
    device("auto")
}

fn device(name: &str) -> Device {
    name.parse::<DeviceChoice>().unwrap().open().unwrap().0
}

/// Both minis, by name, initialised on `device`.
pub(crate) fn minis(device: &Device) -> Vec<(ModelName, Model)> {
    let init = |name: ModelName| (name, name.init(10, 0.0, 1, device));
    [ModelName::ResnetMini, ModelName::DeitMini].into_iter().map(init).collect()
}

/// Numbers in ±1 that look random and are the same everywhere.
pub(crate) fn pseudo_random<const D: usize>(shape: [usize; D], salt: u32, device: &Device) -> Tensor<D> {
    let mut state = salt.wrapping_mul(0x9E37_79B9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_data(burn::tensor::TensorData::new(values, shape), device)
}

pub(crate) fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

/// Greatest difference over the greatest reference: the project's measure of agreement.
pub(crate) fn relative_difference(found: &[f32], reference: &[f32]) -> f32 {
    assert_eq!(found.len(), reference.len(), "as many numbers");
    assert!(found.iter().chain(reference).all(|value| value.is_finite()), "finite numbers");
    let greatest = |values: &mut dyn Iterator<Item = f32>| values.fold(0.0_f32, |most, value| most.max(value.abs()));
    let scale = greatest(&mut reference.iter().copied());
    assert!(scale > 0.0, "a reference that is not all zero");
    greatest(&mut found.iter().zip(reference).map(|(a, b)| a - b)) / scale
}

/// `driftscope ARGUMENTS…` in `dir`.
pub(crate) fn driftscope(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftscope"));
    // What is known of pictures from earlier is kept away from the user's own cache.
    command.current_dir(dir).args(arguments).env("DRIFTSCOPE_CACHE", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs it to its end and expects success.
pub(crate) fn succeed(dir: &Path, arguments: &[&str]) -> Output {
    let output = driftscope(dir, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Runs it to its end and expects `code`, and one error that holds all of `parts`, no data and no panic. What it says.
pub(crate) fn refused(dir: &Path, arguments: &[&str], code: i32, parts: &[&str]) -> String {
    let output = driftscope(dir, arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(message.matches("error: ").count(), 1, "{arguments:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
    parts.iter().for_each(|part| assert!(message.contains(part), "{arguments:?}: no '{part}' in {message}"));
    message
}

/// Numbers that look random and are the same everywhere, for what is broken on purpose.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `limit`, which is above 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % limit as u64) as usize
    }
}

/// Bytes with one thing wrong: bits flipped, cut off, something taken out or put in, a number at its greatest.
pub(crate) fn mutated(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.is_empty() {
        return vec![random.below(256) as u8];
    }
    // Half of them near the front, where headers are.
    let reach = if random.below(2) == 0 { bytes.len() } else { bytes.len().min(128) };
    let at = random.below(reach);
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes.truncate(at),
        2 => drop(bytes.drain(at..bytes.len().min(at + 1 + random.below(16)))),
        3 => drop(bytes.splice(at..at, (0..1 + random.below(8)).map(|_| random.below(256) as u8).collect::<Vec<_>>())),
        4 => bytes.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0xFF),
        5 => bytes.iter_mut().skip(at).take(8).for_each(|byte| *byte = 0),
        _ => bytes.extend_from_within(at..),
    }
    bytes
}
