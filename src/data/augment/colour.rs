//! Operations on the colours of an image, byte for byte what torchvision makes of a PIL image, and the jitter made of
//! them.
//!
//! Parity includes the rounding: Pillow blends in single precision and cuts off the fraction. An operation that rounded
//! better would train on other images than the recipes that its settings are copied from.

use crate::picture::Picture;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::array;

/// Random brightness, contrast, saturation and hue, in random order. 0 switches a part off.
///
/// # Source
///
/// torchvision `ColorJitter` (`transforms/transforms.py`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColourJitter {
    /// The brightness factor lies within this of 1, and not below 0.
    pub brightness: f64,
    /// The contrast factor lies within this of 1, and not below 0.
    pub contrast: f64,
    /// The saturation factor lies within this of 1, and not below 0.
    pub saturation: f64,
    /// The hue is shifted by at most this share of the colour circle, `0..=0.5`.
    pub hue: f64,
}

/// The image, and how much.
type Adjustment = fn(&Picture, f64) -> Picture;

impl ColourJitter {
    /// Draws an order, and for each part that is switched on a factor, uniformly.
    pub fn apply(&self, mut picture: Picture, generator: &mut ChaCha8Rng) -> Picture {
        let mut parts: [(Adjustment, f64, f64); 4] = [
            (adjust_brightness, 1.0, self.brightness),
            (adjust_contrast, 1.0, self.contrast),
            (adjust_saturation, 1.0, self.saturation),
            (adjust_hue, 0.0, self.hue),
        ];
        parts.shuffle(generator);
        for (adjust, neutral, spread) in parts.into_iter().filter(|&(_, _, spread)| spread > 0.0) {
            let least = neutral - spread.min(1.0); // keeps factors from falling below 0; no hue is spread so far
            picture = adjust(&picture, generator.random_range(least..=neutral + spread));
        }
        picture
    }
}

/// Towards black (`factor` 0) or away from it (above 1).
///
/// # Source
///
/// Pillow `ImageEnhance.Brightness`.
pub fn adjust_brightness(picture: &Picture, factor: f64) -> Picture {
    looked_up(picture, |byte| blend(0, byte, factor))
}

/// Towards the image's mean grey (`factor` 0) or away from it (above 1).
///
/// # Source
///
/// Pillow `ImageEnhance.Contrast`: the mean of the luma bytes, rounded half up.
pub fn adjust_contrast(picture: &Picture, factor: f64) -> Picture {
    let pixels = picture.pixels().as_chunks().0;
    let sum: u64 = pixels.iter().map(|&pixel| u64::from(luma(pixel))).sum();
    let mean = (sum as f64 / pixels.len() as f64 + 0.5) as u8;
    looked_up(picture, |byte| blend(mean, byte, factor))
}

/// Towards grey (`factor` 0) or away from it (above 1).
///
/// # Source
///
/// Pillow `ImageEnhance.Color`.
pub fn adjust_saturation(picture: &Picture, factor: f64) -> Picture {
    per_pixel(picture, |pixel| pixel.map(|byte| blend(luma(pixel), byte, factor)))
}

/// Turns every hue by `shift` of the colour circle, `-0.5..=0.5`.
///
/// # Source
///
/// torchvision `adjust_hue` (`transforms/_functional_pil.py`): the shift in 255ths, cut to a whole number, is added
/// modulo 256 to Pillow's 8-bit hue.
pub fn adjust_hue(picture: &Picture, shift: f64) -> Picture {
    let shift = (shift * 255.0) as i32 as u8;
    per_pixel(picture, |pixel| {
        let [hue, saturation, value] = hsv(pixel);
        rgb([hue.wrapping_add(shift), saturation, value])
    })
}

/// Towards a smoothed image (`factor` 0) or away from it (above 1). The outermost pixels stay as they are.
///
/// # Source
///
/// Pillow `ImageEnhance.Sharpness` with `ImageFilter.SMOOTH`, the 3×3 kernel of ones around a five, over 13.
pub fn adjust_sharpness(picture: &Picture, factor: f64) -> Picture {
    let (source, pitch) = (picture.pixels(), picture.width() * 3);
    let three = |at: usize| [at - 3, at, at + 3].iter().map(|&at| u16::from(source[at])).sum::<u16>();
    let mut pixels = source.to_vec();
    for row in 1..picture.height().saturating_sub(1) {
        for at in row * pitch + 3..(row + 1) * pitch - 3 {
            let sum = three(at - pitch) + three(at) + three(at + pitch) + 4 * u16::from(source[at]);
            // Thirteenths stay far enough from a half for Pillow's single precision to round them the same way.
            pixels[at] = blend(((sum + 6) / 13) as u8, source[at], factor);
        }
    }
    Picture::new(picture.width(), picture.height(), pixels)
}

/// Keeps the `bits` highest bits of every byte, `1..=8`.
///
/// # Source
///
/// Pillow `ImageOps.posterize`.
///
/// # Panics
///
/// If `bits` is out of range: a caller bug.
pub fn posterize(picture: &Picture, bits: u32) -> Picture {
    assert!((1..=8).contains(&bits), "a byte has 1 to 8 bits to keep, not {bits}");
    looked_up(picture, |byte| byte & (u8::MAX << (8 - bits)))
}

/// Inverts the bytes that are not below `threshold`, `0..=255`.
///
/// # Source
///
/// Pillow `ImageOps.solarize`.
pub fn solarize(picture: &Picture, threshold: f64) -> Picture {
    looked_up(picture, |byte| if f64::from(byte) < threshold { byte } else { 255 - byte })
}

/// Stretches each channel so that its least byte becomes 0 and its greatest 255.
///
/// # Source
///
/// Pillow `ImageOps.autocontrast` without a cutoff.
pub fn autocontrast(picture: &Picture) -> Picture {
    by_histogram(picture, |histogram| {
        let least = histogram.iter().position(|&count| count > 0)?;
        let greatest = histogram.iter().rposition(|&count| count > 0)?;
        let scale = (greatest > least).then(|| 255.0 / (greatest - least) as f64)?;
        let offset = -(least as f64) * scale;
        Some(array::from_fn(|byte| (byte as f64 * scale + offset) as u8))
    })
}

/// Flattens each channel's histogram. A channel with fewer than 255 pixels below its greatest byte stays as it is.
///
/// # Source
///
/// Pillow `ImageOps.equalize`.
pub fn equalize(picture: &Picture) -> Picture {
    by_histogram(picture, |histogram| {
        let greatest = histogram.iter().rfind(|&&count| count > 0)?;
        let step = (histogram.iter().sum::<usize>() - greatest) / 255;
        let mut below = step / 2;
        (step > 0).then(|| {
            histogram.map(|count| {
                let level = (below / step).min(255) as u8;
                below += count;
                level
            })
        })
    })
}

/// From `from` (0) to `to` (1) and beyond.
///
/// # Source
///
/// Pillow `libImaging/Blend.c`: single precision, clipped to a byte, the fraction cut off.
fn blend(from: u8, to: u8, share: f64) -> u8 {
    (f32::from(from) + share as f32 * (f32::from(to) - f32::from(from))) as u8
}

/// Brightness by ITU-R 601-2 in 16-bit fixed point.
///
/// # Source
///
/// Pillow `libImaging/Convert.c`, `L24`.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000) >> 16) as u8
}

/// Hue, saturation and value in 255ths, the first two cut to whole numbers.
///
/// # Source
///
/// Pillow `libImaging/Convert.c`, `rgb2hsv_row`. Each value is held in the precision that C's conversions give it there.
fn hsv(pixel: [u8; 3]) -> [u8; 3] {
    let [red, green, blue] = pixel;
    let (least, value) = (red.min(green).min(blue), red.max(green).max(blue));
    if least == value {
        return [0, 0, value];
    }
    let chroma = f32::from(value - least);
    let saturation = chroma / f32::from(value);
    let [to_red, to_green, to_blue] = pixel.map(|byte| f32::from(value - byte) / chroma);
    let sixths = if red == value {
        to_blue - to_green
    } else if green == value {
        (2.0 + f64::from(to_red) - f64::from(to_blue)) as f32
    } else {
        (4.0 + f64::from(to_green) - f64::from(to_red)) as f32
    };
    let hue = ((f64::from(sixths) / 6.0 + 1.0) % 1.0) as f32;
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, value]
}

/// The inverse of [`hsv()`], rounded.
///
/// # Source
///
/// Pillow `libImaging/Convert.c`, `hsv2rgb`.
fn rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    let turned = f64::from(hue) * 6.0 / 255.0;
    let sector = turned.floor();
    let beyond = (turned - sector) as f32;
    let saturation = (f64::from(saturation) / 255.0) as f32;
    let dimmed = |by: f64| (f64::from(value) * (1.0 - by)).round() as u8;
    let low = dimmed(f64::from(saturation));
    let falling = dimmed(f64::from(saturation * beyond));
    let rising = dimmed(f64::from(saturation) * (1.0 - f64::from(beyond)));
    match sector as u8 % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}

fn per_pixel(picture: &Picture, operation: impl Fn([u8; 3]) -> [u8; 3]) -> Picture {
    let mut pixels = picture.pixels().to_vec();
    pixels.as_chunks_mut().0.iter_mut().for_each(|pixel| *pixel = operation(*pixel));
    Picture::new(picture.width(), picture.height(), pixels)
}

/// `operation` on every byte, evaluated once for each of the 256 there are.
fn looked_up(picture: &Picture, operation: impl Fn(u8) -> u8) -> Picture {
    let table: [u8; 256] = array::from_fn(|byte| operation(byte as u8));
    per_pixel(picture, |pixel| pixel.map(|byte| table[usize::from(byte)]))
}

/// Each channel through the table that `table` makes of its histogram; without one, as it is.
fn by_histogram(picture: &Picture, table: impl Fn([usize; 256]) -> Option<[u8; 256]>) -> Picture {
    let mut histograms = [[0; 256]; 3];
    for pixel in picture.pixels().as_chunks::<3>().0 {
        (0..3).for_each(|channel| histograms[channel][usize::from(pixel[channel])] += 1);
    }
    let tables = histograms.map(|histogram| table(histogram).unwrap_or(array::from_fn(|byte| byte as u8)));
    per_pixel(picture, |pixel| array::from_fn(|channel| tables[channel][usize::from(pixel[channel])]))
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;
    use rand::SeedableRng;

    fn grey(bytes: &[u8]) -> Picture {
        Picture::new(bytes.len(), 1, bytes.iter().flat_map(|&byte| [byte; 3]).collect())
    }

    #[test]
    fn a_blend_cuts_the_fraction_and_clips() {
        // 100·0.999 = 99.9, 3·0.5 = 1.5; mean grey of 0, 50, 101: 50.33 → 50, and 50 ± 50·1.5 and 51·1.5 = 76.5
        assert_eq!(adjust_brightness(&grey(&[100]), 0.999), grey(&[99]));
        assert_eq!(adjust_brightness(&grey(&[3, 200]), 0.5), grey(&[1, 100]));
        assert_eq!(adjust_brightness(&grey(&[3, 200]), 1.5), grey(&[4, 255]));
        assert_eq!(adjust_contrast(&grey(&[0, 50, 101]), 1.5), grey(&[0, 50, 126]));
    }

    #[test]
    fn a_third_of_the_circle_turns_red_into_green() {
        let colours = |pixels: [[u8; 3]; 2]| Picture::new(2, 1, pixels.concat());
        // 255/3 = 85 and 2·85 = 170 of 255 are whole, so primaries turn into primaries.
        assert_eq!(adjust_hue(&colours([[200, 0, 0], [7, 7, 7]]), 1.0 / 3.0), colours([[0, 200, 0], [7, 7, 7]]));
    }

    #[test]
    fn tables_are_those_worked_out_on_paper() {
        assert_eq!(posterize(&grey(&[255, 130, 63]), 2), grey(&[192, 128, 0]));
        assert_eq!(solarize(&grey(&[127, 128, 255]), 127.5), grey(&[127, 127, 0]));
        // 20..70 to 0..255 is a factor of 5.1: (21 − 20)·5.1 = 5.1
        assert_eq!(autocontrast(&grey(&[20, 21, 70])), grey(&[0, 5, 255]));
        assert_eq!(autocontrast(&grey(&[20, 20])), grey(&[20, 20]));
        // 510 pixels below the greatest byte are steps of 2, from 1 on: 1/2, (1 + 255)/2 and (1 + 510)/2.
        let many = |[a, b, c]: [u8; 3]| grey(&[vec![a; 255], vec![b; 255], vec![c; 9]].concat());
        assert_eq!(equalize(&many([10, 11, 12])), many([0, 128, 255]));
        assert_eq!(equalize(&grey(&[10, 11, 12])), grey(&[10, 11, 12]));
    }

    #[test]
    fn sharpness_leaves_the_border_and_small_pictures_alone() {
        // A white dot in black: 255·5/13 = 98.08 at the centre, 255/13 = 19.6 → 20 around it, where it is not border.
        let dot = |side: usize| {
            let bytes = (0..side * side * 3).map(|at| if at / 3 == side * side / 2 { 255 } else { 0 });
            Picture::new(side, side, bytes.collect())
        };
        let smooth = adjust_sharpness(&dot(3), 0.0);
        assert_eq!((smooth.at(1, 1, 0), smooth.at(0, 1, 0)), (98, 0));
        assert_eq!(adjust_sharpness(&dot(5), 0.0).at(1, 1, 2), 20);
        assert_eq!(adjust_sharpness(&dot(2), 0.0), dot(2));
        assert_eq!(adjust_sharpness(&dot(1), 0.0), dot(1));
    }

    /// Printed by `scripts/parity/augment.py`: torch 2.9.1, torchvision 0.24.1, Pillow 13.0.0.
    #[test]
    fn every_adjustment_is_torchvisions_byte_for_byte() {
        let hue = [-0.5, -0.3, -0.1, 0.02, 0.25, 0.5];
        let factors = [0.0, 0.3, 0.77, 1.0, 1.4, 2.5];
        let cases: [(&str, Adjustment, [f64; 6], &str); 5] = [
            ("brightness", adjust_brightness, factors, "e50dd0fa95ee4db7"),
            ("contrast", adjust_contrast, factors, "583cca716d0ebab0"),
            ("saturation", adjust_saturation, factors, "838f58e097965cc6"),
            ("sharpness", adjust_sharpness, factors, "69d044b6599c19d9"),
            ("hue", adjust_hue, hue, "367c562afb6c6b0d"),
        ];
        for (name, adjust, values, expected) in cases {
            let pictures = [golden::picture(), golden::colours()];
            let results = values.map(|value| pictures.each_ref().map(|picture| adjust(picture, value)));
            let bytes: Vec<u8> = results.iter().flatten().flat_map(|picture| picture.pixels()).copied().collect();
            assert_eq!(golden::digest(&bytes), expected, "{name}");
        }
    }

    #[test]
    fn jitter_is_a_function_of_its_seed_and_can_be_switched_off() {
        let jitter = ColourJitter { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 };
        let draw = |seed| jitter.apply(golden::picture(), &mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let off = ColourJitter { brightness: 0.0, contrast: 0.0, saturation: 0.0, hue: 0.0 };
        assert_eq!(off.apply(golden::picture(), &mut ChaCha8Rng::seed_from_u64(3)), golden::picture());
    }

    #[test]
    fn factors_fill_their_range_and_stop_at_zero() {
        let bytes = |brightness: f64| {
            let jitter = ColourJitter { brightness, contrast: 0.0, saturation: 0.0, hue: 0.0 };
            let mut generator = ChaCha8Rng::seed_from_u64(4);
            let mut bytes: Vec<u8> = (0..500).map(|_| jitter.apply(grey(&[100]), &mut generator).at(0, 0, 0)).collect();
            bytes.sort_unstable();
            bytes
        };
        // 500 uniform draws come within 2 % of both ends but for a chance of 2·0.98⁵⁰⁰ < 1e-4, and the seed is fixed.
        let narrow = bytes(0.2);
        assert!((80..=81).contains(&narrow[0]) && (118..=120).contains(&narrow[499]), "{narrow:?}");
        // A spread of 1.5 ends at factors 0 and 2.5; were it −0.5 and 2.5, every sixth draw would be black.
        let wide = bytes(1.5);
        assert!((1..=10).contains(&wide[8]) && (245..=250).contains(&wide[499]), "{wide:?}");
    }

    /// Contrast that comes first drives 10 and 20 apart, to 0 and 255; brightness that comes first makes both 255.
    #[test]
    fn the_order_of_the_parts_is_random() {
        let jitter = ColourJitter { brightness: 1e9, contrast: 1e9, saturation: 0.0, hue: 0.0 };
        let mut generator = ChaCha8Rng::seed_from_u64(5);
        let draws: Vec<_> = (0..200).map(|_| jitter.apply(grey(&[10, 20]), &mut generator)).collect();
        let count = |bytes| draws.iter().filter(|&picture| *picture == grey(bytes)).count();
        let (contrast_first, brightness_first) = (count(&[0, 255]), count(&[255, 255]));
        assert_eq!(contrast_first + brightness_first, 200);
        assert!((70..=130).contains(&contrast_first), "{contrast_first} of 200"); // 4 standard deviations and more
    }
}
