//! What pixels are normalised with before a model sees them.

use serde::{Deserialize, Serialize};

/// Mean and standard deviation of each channel, of pixels in `0..=1`: a model takes `(pixel − mean)/deviation`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Of red, green and blue.
    pub mean: [f32; 3],
    /// Of red, green and blue.
    pub deviation: [f32; 3],
}

impl Normalisation {
    /// That of ImageNet's training images, as torchvision and most weights of timm take it.
    pub const IMAGENET: Self = Self { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

    /// Whether it is ImageNet's.
    pub fn is_imagenet(&self) -> bool {
        *self == Self::IMAGENET
    }

    /// The mean colour in steps of 255, rounded: zero once it is normalised, to within half a step.
    pub fn mean_colour(&self) -> [u8; 3] {
        self.mean.map(|channel| (channel * 255.0).round() as u8)
    }
}

impl Default for Normalisation {
    fn default() -> Self {
        Self::IMAGENET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On paper: 255·0.485 = 123.7, 255·0.456 = 116.3 and 255·0.406 = 103.5.
    #[test]
    fn the_mean_colour_is_in_steps_of_255() {
        assert_eq!(Normalisation::IMAGENET.mean_colour(), [124, 116, 104]);
    }
}
