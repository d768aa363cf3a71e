//! One weighted sum in whole numbers, as it is defined.

use super::weights::FRACTION_BITS;

/// The byte that a weighted sum of bytes is rounded and cut to.
pub(super) fn exact(bytes: impl Iterator<Item = u8>, weights: &[i32]) -> u8 {
    let half = 1 << (FRACTION_BITS - 1);
    let sum = bytes.zip(weights).fold(half, |sum, (byte, weight)| sum + i32::from(byte) * weight);
    (sum >> FRACTION_BITS).clamp(0, 255) as u8
}
