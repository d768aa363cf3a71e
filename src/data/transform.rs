//! Pictures as plain pixels, and what training does to them.

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Rgb};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A square RGB picture, 8 bits a channel, row-major, channels interleaved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    size: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// `pixels` holds `size·size·3` bytes.
    ///
    /// # Panics
    ///
    /// If it does not: a caller bug.
    pub fn new(size: usize, pixels: Vec<u8>) -> Self {
        assert_eq!(pixels.len(), size * size * 3, "a picture of {size} pixels a side has three bytes a pixel");
        Self { size, pixels }
    }

    /// Side in pixels.
    pub fn size(&self) -> usize {
        self.size
    }

    /// `[size, size, 3]`
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Channel `channel` of the pixel at `row`, `column`; beyond the border, the border's.
    pub fn at(&self, row: isize, column: isize, channel: usize) -> u8 {
        let last = self.size as isize - 1;
        let (row, column) = (row.clamp(0, last) as usize, column.clamp(0, last) as usize);
        self.pixels[(row * self.size + column) * 3 + channel]
    }

    /// Channels first, as models want it: appends `[3, size, size]`.
    pub fn append_planes(&self, planes: &mut Vec<u8>) {
        for channel in 0..3 {
            planes.extend(self.pixels.iter().skip(channel).step_by(3));
        }
    }

    fn mirrored(&self) -> Self {
        let rows = self.pixels.chunks_exact(self.size * 3);
        let pixels = rows.flat_map(|row| row.chunks_exact(3).rev().flatten().copied()).collect();
        Self { size: self.size, pixels }
    }

    /// The part at `left`, `top` of `width`×`height`, scaled back to the full side with a bicubic filter (a = −0.5).
    fn cropped(&self, left: u32, top: u32, width: u32, height: u32) -> Self {
        let side = self.size as u32;
        let Some(buffer) = ImageBuffer::<Rgb<u8>, _>::from_raw(side, side, self.pixels.as_slice()) else {
            unreachable!("a picture has three bytes a pixel");
        };
        let view = imageops::crop_imm(&buffer, left, top, width, height);
        let resized = imageops::resize(&*view, side, side, FilterType::CatmullRom);
        Self { size: self.size, pixels: resized.into_raw() }
    }
}

/// What training does to a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Least and greatest share of the area that a random resized crop keeps; `[1, 1]` switches it off.
    pub crop_scale: [f64; 2],
    /// Least and greatest width-to-height ratio of that crop.
    pub crop_ratio: [f64; 2],
    /// Probability of a horizontal mirror image.
    pub flip: f64,
}

impl Augmentation {
    /// Draws a crop and a flip.
    ///
    /// # Source
    ///
    /// torchvision `RandomResizedCrop` (ten tries at an area and a log-uniform ratio, then the whole picture, which is
    /// square here) and `RandomHorizontalFlip`.
    pub fn apply(&self, picture: Picture, generator: &mut ChaCha8Rng) -> Picture {
        let picture = match self.draw_crop(picture.size() as f64, generator) {
            Some([left, top, width, height]) => picture.cropped(left, top, width, height),
            None => picture,
        };
        if generator.random_bool(self.flip) { picture.mirrored() } else { picture }
    }

    fn draw_crop(&self, side: f64, generator: &mut ChaCha8Rng) -> Option<[u32; 4]> {
        let [least, greatest] = self.crop_scale;
        let [narrow, wide] = self.crop_ratio.map(f64::ln);
        if least >= 1.0 {
            return None;
        }
        for _ in 0..10 {
            let area = side * side * generator.random_range(least..=greatest);
            let ratio = generator.random_range(narrow..=wide).exp();
            let (width, height) = ((area * ratio).sqrt().round(), (area / ratio).sqrt().round());
            if (1.0..=side).contains(&width) && (1.0..=side).contains(&height) {
                let left = generator.random_range(0..=(side - width) as u32);
                let top = generator.random_range(0..=(side - height) as u32);
                return Some([left, top, width as u32, height as u32]);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn ramp(size: usize) -> Picture {
        Picture::new(size, (0..size * size * 3).map(|byte| (byte % 251) as u8).collect())
    }

    #[test]
    fn planes_hold_each_channel_in_turn() {
        let picture = Picture::new(2, vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let mut planes = Vec::new();
        picture.append_planes(&mut planes);
        assert_eq!(planes, [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]);
    }

    #[test]
    fn two_mirror_images_are_the_picture() {
        assert_ne!(ramp(5).mirrored(), ramp(5));
        assert_eq!(ramp(5).mirrored().mirrored(), ramp(5));
    }

    #[test]
    fn a_crop_of_everything_is_the_picture() {
        assert_eq!(ramp(16).cropped(0, 0, 16, 16), ramp(16));
    }

    #[test]
    fn augmentation_is_a_function_of_its_seed_and_can_be_switched_off() {
        let augmentation = Augmentation { crop_scale: [0.35, 1.0], crop_ratio: [0.75, 4.0 / 3.0], flip: 0.5 };
        let draw = |seed| augmentation.apply(ramp(32), &mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let off = Augmentation { crop_scale: [1.0, 1.0], crop_ratio: [1.0, 1.0], flip: 0.0 };
        assert_eq!(off.apply(ramp(32), &mut ChaCha8Rng::seed_from_u64(3)), ramp(32));
    }
}
