//! Augmentation policies: which operations an image goes through, and how strongly.

use super::colour;
use super::warp::Affine;
use crate::picture::Picture;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// An augmentation policy. Operations are drawn uniformly from the same fourteen; those with a direction go either way
/// with probability ½. What is shifted in from outside the image is black, and warps take the nearest pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Policy {
    /// Several operations in a row, all of one magnitude.
    ///
    /// # Source
    ///
    /// Cubuk et al. 2019, arXiv:1909.13719; torchvision `RandAugment` (`transforms/autoaugment.py`), where 2 operations
    /// of magnitude 9 are the default.
    RandAugment {
        /// How many operations an image goes through.
        operations: usize,
        /// How strong they are, below [`Policy::MAGNITUDES`].
        magnitude: usize,
    },
    /// One operation of a random magnitude from wide ranges.
    ///
    /// # Source
    ///
    /// Müller and Hutter 2021, arXiv:2103.10158; torchvision `TrivialAugmentWide` (`transforms/autoaugment.py`).
    TrivialAugmentWide,
}

impl Policy {
    /// How many magnitudes there are, from the weakest, 0, on.
    pub const MAGNITUDES: usize = 31;

    /// Draws operations and carries them out.
    ///
    /// # Panics
    ///
    /// If a magnitude is not below [`Policy::MAGNITUDES`]: a caller bug.
    pub fn apply(&self, mut picture: Picture, generator: &mut ChaCha8Rng) -> Picture {
        match *self {
            Policy::RandAugment { operations, magnitude } => {
                let space = Space::rand_augment(picture.width(), picture.height());
                for _ in 0..operations {
                    let (operation, magnitude) = space.draw(Some(magnitude), generator);
                    picture = operation.apply(picture, magnitude);
                }
                picture
            }
            Policy::TrivialAugmentWide => {
                let (operation, magnitude) = Space::TRIVIAL_AUGMENT_WIDE.draw(None, generator);
                operation.apply(picture, magnitude)
            }
        }
    }
}

/// The strongest magnitude of each operation.
#[derive(Clone, Copy, Debug)]
struct Space {
    /// Greatest slope of a shear.
    shear: f32,
    /// Pixels along x and y.
    translate: [f32; 2],
    /// Greatest rotation, degrees.
    rotate: f32,
    /// How far the factor of brightness, colour, contrast or sharpness is from 1.
    enhance: f32,
    /// Bits taken from each byte.
    posterize: usize,
}

impl Space {
    const TRIVIAL_AUGMENT_WIDE: Self =
        Self { shear: 0.99, translate: [32.0; 2], rotate: 135.0, enhance: 0.99, posterize: 6 };

    /// Shifts grow with the picture: 150 of the 331 pixels that the policy was found at.
    fn rand_augment(width: usize, height: usize) -> Self {
        let translate = [width, height].map(|side| (150.0 / 331.0 * side as f64) as f32);
        Self { shear: 0.3, translate, rotate: 30.0, enhance: 0.9, posterize: 4 }
    }

    /// An operation and its magnitude: bin `bin`, or a random one, either way round where there are two ways.
    fn draw(&self, bin: Option<usize>, generator: &mut ChaCha8Rng) -> (Operation, f64) {
        let mut below = |count: usize| generator.random_range(0..count as u64) as usize;
        let operation = Operation::ALL[below(Operation::ALL.len())];
        let bin = bin.unwrap_or_else(|| below(Policy::MAGNITUDES));
        let magnitude = self.magnitude(operation, bin);
        (operation, if operation.is_signed() && generator.random_bool(0.5) { -magnitude } else { magnitude })
    }

    /// The magnitude of bin `bin`, in the unit of [`Operation::apply`].
    fn magnitude(&self, operation: Operation, bin: usize) -> f64 {
        assert!(bin < Policy::MAGNITUDES, "magnitude {bin} is not below {}", Policy::MAGNITUDES);
        match operation {
            Operation::ShearX | Operation::ShearY => linspace(self.shear, bin),
            Operation::TranslateX => linspace(self.translate[0], bin),
            Operation::TranslateY => linspace(self.translate[1], bin),
            Operation::Rotate => linspace(self.rotate, bin),
            Operation::Brightness | Operation::Colour | Operation::Contrast | Operation::Sharpness => {
                linspace(self.enhance, bin)
            }
            // Whole numbers rounded half up: bin·4/30 and bin·6/30 never end in a half.
            Operation::Posterize => (8 - (bin * self.posterize + 15) / 30) as f64,
            Operation::Solarize => 255.0 - 8.5 * bin as f64,
            Operation::Identity | Operation::AutoContrast | Operation::Equalize => 0.0,
        }
    }
}

/// Bin `bin` of 31 from 0 to `end`.
///
/// # Source
///
/// `torch.linspace` in single precision: counted from the nearer end, multiplied and added in one rounding. It matters:
/// half of 32 pixels is 15.999999, and shifts are cut to whole pixels.
fn linspace(end: f32, bin: usize) -> f64 {
    let last = Policy::MAGNITUDES - 1;
    let step = end / last as f32;
    f64::from(if bin < Policy::MAGNITUDES / 2 { step * bin as f32 } else { (-step).mul_add((last - bin) as f32, end) })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Identity,
    ShearX,
    ShearY,
    TranslateX,
    TranslateY,
    Rotate,
    Brightness,
    Colour,
    Contrast,
    Sharpness,
    Posterize,
    Solarize,
    AutoContrast,
    Equalize,
}

impl Operation {
    const ALL: [Self; 14] = [
        Self::Identity,
        Self::ShearX,
        Self::ShearY,
        Self::TranslateX,
        Self::TranslateY,
        Self::Rotate,
        Self::Brightness,
        Self::Colour,
        Self::Contrast,
        Self::Sharpness,
        Self::Posterize,
        Self::Solarize,
        Self::AutoContrast,
        Self::Equalize,
    ];

    fn is_signed(self) -> bool {
        use Operation::{AutoContrast, Equalize, Identity, Posterize, Solarize};
        !matches!(self, Identity | Posterize | Solarize | AutoContrast | Equalize)
    }

    /// `magnitude` is a slope, pixels, degrees counter-clockwise, a factor's distance from 1, the bits kept or the
    /// least byte inverted.
    ///
    /// # Source
    ///
    /// torchvision `_apply_op` (`transforms/autoaugment.py`).
    fn apply(self, picture: Picture, magnitude: f64) -> Picture {
        match self {
            Self::Identity => picture,
            Self::ShearX => Affine::shear(magnitude, 0.0).apply(&picture),
            Self::ShearY => Affine::shear(0.0, magnitude).apply(&picture),
            Self::TranslateX => Affine::translation(magnitude.trunc(), 0.0).apply(&picture),
            Self::TranslateY => Affine::translation(0.0, magnitude.trunc()).apply(&picture),
            Self::Rotate => Affine::rotation(magnitude, picture.width(), picture.height()).apply(&picture),
            Self::Brightness => colour::adjust_brightness(&picture, 1.0 + magnitude),
            Self::Colour => colour::adjust_saturation(&picture, 1.0 + magnitude),
            Self::Contrast => colour::adjust_contrast(&picture, 1.0 + magnitude),
            Self::Sharpness => colour::adjust_sharpness(&picture, 1.0 + magnitude),
            Self::Posterize => colour::posterize(&picture, magnitude as u32),
            Self::Solarize => colour::solarize(&picture, magnitude),
            Self::AutoContrast => colour::autocontrast(&picture),
            Self::Equalize => colour::equalize(&picture),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;
    use rand::SeedableRng;

    /// Every magnitude (little-endian) and the image it makes, either way round.
    fn digest(space: &Space, operation: Operation) -> String {
        let mut bytes = Vec::new();
        for bin in 0..Policy::MAGNITUDES {
            let magnitude = space.magnitude(operation, bin);
            for sign in if operation.is_signed() { vec![1.0, -1.0] } else { vec![1.0] } {
                bytes.extend((sign * magnitude).to_le_bytes());
                bytes.extend(operation.apply(golden::picture(), sign * magnitude).pixels());
            }
        }
        golden::digest(&bytes)
    }

    /// Printed by `scripts/parity/augment.py`: torch 2.9.1, torchvision 0.24.1, Pillow 13.0.0. All that either policy
    /// can do to this image in one step is in here.
    #[test]
    fn every_operation_is_torchvisions_byte_for_byte_at_every_magnitude() {
        let wide = Space::TRIVIAL_AUGMENT_WIDE;
        let narrow = Space::rand_augment(golden::picture().width(), golden::picture().height());
        let expected = [
            ["cd2579fd4e28c03e", "cd2579fd4e28c03e"],
            ["a07146b04b87ae77", "e25f28896b813e13"],
            ["e466ba6682f04b79", "039a7bb689142b74"],
            ["323836b9fd183ebc", "ae85e11d77b70883"],
            ["c6e4cf2a831bc149", "ddb253ea0bd8a7d0"],
            ["15599c029ff48eba", "46dcc6562dd5c987"],
            ["42cf33ef466e7729", "8906ce730414084c"],
            ["d4f193169b3ad411", "356b21eaa3ea8d32"],
            ["759ef9e9c462e703", "7ae5198063ab26ef"],
            ["99f85d3364e463e8", "9fe2ba18872c5b7f"],
            ["e539928a77f74203", "de332ac5695711a9"],
            ["b5b29286fb3efe05", "b5b29286fb3efe05"],
            ["76dfd1d6eeba3dd9", "76dfd1d6eeba3dd9"],
            ["947161c6dd6ef3a6", "947161c6dd6ef3a6"],
        ];
        for (operation, [rand_augment, trivial_augment_wide]) in Operation::ALL.into_iter().zip(expected) {
            assert_eq!(digest(&narrow, operation), rand_augment, "RandAugment's {operation:?}");
            assert_eq!(digest(&wide, operation), trivial_augment_wide, "TrivialAugmentWide's {operation:?}");
        }
    }

    #[test]
    fn operations_bins_and_signs_are_drawn_evenly() {
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let draws: Vec<_> = (0..14_000).map(|_| Space::TRIVIAL_AUGMENT_WIDE.draw(None, &mut generator)).collect();
        for operation in Operation::ALL {
            let magnitudes = || draws.iter().filter(|draw| draw.0 == operation).map(|draw| draw.1);
            // 1000 expected, with a standard deviation of 30
            assert!((850..1150).contains(&magnitudes().count()), "{operation:?}: {}", magnitudes().count());
            let negative = magnitudes().filter(|magnitude| magnitude.is_sign_negative()).count();
            // 500 expected, with a standard deviation of 16
            let even = if operation.is_signed() { 400..600 } else { 0..1 };
            assert!(even.contains(&negative), "{operation:?}: {negative} are negative");
        }
        let thresholds = draws.iter().filter(|draw| draw.0 == Operation::Solarize).map(|draw| draw.1 as u8);
        let distinct: std::collections::BTreeSet<u8> = thresholds.collect();
        assert_eq!(distinct.len(), Policy::MAGNITUDES);
    }

    #[test]
    fn a_policy_is_a_function_of_its_seed() {
        for policy in [Policy::RandAugment { operations: 2, magnitude: 9 }, Policy::TrivialAugmentWide] {
            let draw = |seed| policy.apply(golden::picture(), &mut ChaCha8Rng::seed_from_u64(seed));
            assert_eq!(draw(1), draw(1));
            assert!((2..9).any(|seed| draw(seed) != draw(1)));
        }
    }

    #[test]
    fn rand_augment_takes_as_many_operations_as_asked() {
        let apply = |operations, seed| {
            let policy = Policy::RandAugment { operations, magnitude: 9 };
            policy.apply(golden::picture(), &mut ChaCha8Rng::seed_from_u64(seed))
        };
        let space = Space::rand_augment(40, 30);
        for seed in 0..20 {
            let mut generator = ChaCha8Rng::seed_from_u64(seed);
            let one_by_one = (0..3).fold(golden::picture(), |picture, _| {
                let (operation, magnitude) = space.draw(Some(9), &mut generator);
                operation.apply(picture, magnitude)
            });
            assert_eq!(apply(3, seed), one_by_one);
            assert_eq!(apply(0, seed), golden::picture());
        }
    }

    #[test]
    fn a_policy_is_written_by_its_kind() {
        #[derive(Deserialize, Debug, PartialEq)]
        struct Section {
            policy: Policy,
        }
        let read = |text| toml::from_str::<Section>(text).unwrap().policy;
        let rand_augment = read(r#"policy = { kind = "rand-augment", operations = 2, magnitude = 9 }"#);
        assert_eq!(rand_augment, Policy::RandAugment { operations: 2, magnitude: 9 });
        assert_eq!(read(r#"policy = { kind = "trivial-augment-wide" }"#), Policy::TrivialAugmentWide);
    }
}
