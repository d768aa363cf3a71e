//! Every random number in driftscope comes from a seed derived here, on the host, from what it is for.
//!
//! No generator is ever carried from one batch, step or epoch to the next, and no device's generator is used at all. A
//! resumed run therefore draws what the uninterrupted run would have drawn, whatever happened in between.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// What a stream of random numbers is for. Two purposes never share a stream. The numbers go into every seed and stay as they
/// are: a new purpose takes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial parameters of a model.
    Initialise = 0,
    /// The order of the training images in one epoch.
    Shuffle = 1,
    /// Augmentation of one image in one epoch.
    Augment = 2,
    /// Drop path in one training step.
    Regularise = 3,
    /// The drawing of one embedded texture.
    Texture = 4,
    /// Which images the panel holds.
    Panel = 5,
    /// Which images of a class train, validate and test, where the data has no split of its own.
    Split = 6,
    /// The imperceptible perturbation behind the noise floor.
    Floor = 7,
    /// Mixup and cutmix of one batch.
    Mix = 8,
    /// The noise an explainer adds to an image.
    Noise = 9,
    /// What is added to the pixels that ROAD fills in.
    Impute = 10,
    /// The perturbed images of max-sensitivity.
    Perturb = 11,
    /// Random maps and pairings, which show what chance gives.
    Control = 12,
    /// Resampling of a panel for an interval.
    Bootstrap = 13,
}

/// A seed from a base seed, a purpose and the indices that tell one use from the next (epoch, step, sample, …).
///
/// # Source
///
/// The first eight bytes of SHA-256 over the little-endian inputs: the same on every machine and for ever.
pub fn derive(base: u64, purpose: Purpose, indices: &[u64]) -> u64 {
    let mut hash = Sha256::new();
    hash.update(base.to_le_bytes());
    hash.update([purpose as u8]);
    for index in indices {
        hash.update(index.to_le_bytes());
    }
    let digest = hash.finalize();
    digest.iter().take(8).rev().fold(0, |seed, &byte| (seed << 8) | u64::from(byte))
}

/// A generator seeded by [`derive()`].
pub fn generator(base: u64, purpose: Purpose, indices: &[u64]) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(derive(base, purpose, indices))
}

/// The generator of the pairings of a panel with itself that chance is measured on: the same one for every run, epoch and
/// target, so that chances compare. Its seed is not derived; every stored chance rests on it.
pub fn chance() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(20)
}

/// A draw from the normal distribution of mean zero and deviation one.
///
/// # Source
///
/// Box & Muller 1958; one of the pair they give.
pub fn standard_normal(generator: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - generator.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * generator.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand, with Python: `hashlib.sha256(struct.pack("<QBQQ", 1, purpose, 2, 3)).digest()[:8]`, little-endian,
    /// for purposes 1 and 12.
    #[test]
    fn a_seed_is_the_same_for_ever() {
        assert_eq!(derive(1, Purpose::Shuffle, &[2, 3]), 5_656_273_310_838_656_971);
        assert_eq!(derive(1, Purpose::Control, &[2, 3]), 12_736_996_094_776_750_888);
    }

    #[test]
    fn a_seed_depends_on_every_input_and_on_nothing_else() {
        let seed = derive(1, Purpose::Shuffle, &[2, 3]);
        assert_eq!(seed, derive(1, Purpose::Shuffle, &[2, 3]));
        for other in [
            derive(2, Purpose::Shuffle, &[2, 3]),
            derive(1, Purpose::Augment, &[2, 3]),
            derive(1, Purpose::Shuffle, &[3, 2]),
            derive(1, Purpose::Shuffle, &[2]),
        ] {
            assert_ne!(seed, other);
        }
    }
}
