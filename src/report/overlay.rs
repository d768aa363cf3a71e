//! Pictures of heat maps: a map's positive evidence over the image it explains, as PNG.

use crate::heatmap::{Heatmap, HeatmapError, MapStatus};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

/// How much of the colour shows where the evidence is strongest.
const OPACITY: f32 = 0.65;
/// White pixels between the pictures of a strip.
const GAP: usize = 4;
/// Strips are at least this high, by whole multiples of the picture's side.
const LEAST_HEIGHT: usize = 192;

/// A picture could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// The map could not be scaled.
    #[error(transparent)]
    Heatmap(#[from] HeatmapError),
    /// The PNG could not be made.
    #[error("a picture could not be encoded as PNG")]
    Encode(#[source] ImageError),
}

/// The picture, then each map laid over it, from left to right.
///
/// `pixels` is `[size, size, 3]`. Colours run from dark (no evidence) to bright (the map's own maximum); negative
/// evidence counts as none. A map without any is the picture in grey.
///
/// # Errors
///
/// [`OverlayError`].
pub fn overlay_strip(size: usize, pixels: &[u8], maps: &[Heatmap]) -> Result<Vec<u8>, OverlayError> {
    let mut tiles = vec![pixels.to_vec()];
    for map in maps {
        tiles.push(overlay(size, pixels, map)?);
    }
    let scale = LEAST_HEIGHT.div_ceil(size.max(1));
    let (height, width) = (size * scale, (size * scale + GAP) * tiles.len() - GAP);
    let mut strip = vec![u8::MAX; height * width * 3];
    for (index, tile) in tiles.iter().enumerate() {
        let left = index * (size * scale + GAP);
        for row in 0..height {
            for column in 0..size * scale {
                let from = (row / scale * size + column / scale) * 3;
                let to = (row * width + left + column) * 3;
                strip[to..to + 3].copy_from_slice(&tile[from..from + 3]);
            }
        }
    }
    png(width, height, &strip)
}

/// A square RGB picture as PNG.
///
/// # Errors
///
/// [`OverlayError::Encode`].
pub fn rgb_png(size: usize, pixels: &[u8]) -> Result<Vec<u8>, OverlayError> {
    png(size, size, pixels)
}

/// One map over its picture, `[size, size, 3]`.
fn overlay(size: usize, pixels: &[u8], map: &Heatmap) -> Result<Vec<u8>, OverlayError> {
    let greatest = map.values().iter().copied().fold(0.0_f32, f32::max);
    if map.status() == MapStatus::NonFinite || greatest <= 0.0 {
        return Ok(pixels.chunks_exact(3).flat_map(|pixel| [grey(pixel); 3]).collect());
    }
    let scaled = map.resize_bilinear(size, size)?;
    let blend = |(pixel, &value): (&[u8], &f32)| {
        let colour = colorous::INFERNO.eval_continuous(f64::from((value / greatest).clamp(0.0, 1.0)));
        let mix = |from: u8, to: u8| (f32::from(from) * (1.0 - OPACITY) + f32::from(to) * OPACITY).round() as u8;
        [mix(pixel[0], colour.r), mix(pixel[1], colour.g), mix(pixel[2], colour.b)]
    };
    Ok(pixels.chunks_exact(3).zip(scaled.values()).flat_map(blend).collect())
}

/// Luma of ITU-R BT.601.
fn grey(pixel: &[u8]) -> u8 {
    ((u32::from(pixel[0]) * 299 + u32::from(pixel[1]) * 587 + u32::from(pixel[2]) * 114) / 1000) as u8
}

fn png(width: usize, height: usize, pixels: &[u8]) -> Result<Vec<u8>, OverlayError> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(pixels, width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(OverlayError::Encode)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREY: [u8; 12] = [128; 12];

    #[test]
    fn evidence_is_bright_and_its_absence_dark() {
        let map = Heatmap::new(2, 2, vec![1.0, 0.0, 0.0, 0.0]).unwrap();
        let drawn = overlay(2, &GREY, &map).unwrap();
        let luma: Vec<u8> = drawn.chunks_exact(3).map(grey).collect();
        assert!(luma[0] > 150 && luma[1..].iter().all(|&luma| luma < 60), "{luma:?}");
    }

    #[test]
    fn a_map_without_positive_evidence_leaves_the_picture_grey() {
        let map = Heatmap::new(2, 2, vec![-1.0, -2.0, 0.0, 0.0]).unwrap();
        assert_eq!(overlay(2, &GREY, &map).unwrap(), GREY);
    }

    #[test]
    fn a_strip_is_a_png_of_all_pictures_side_by_side() {
        let map = Heatmap::new(2, 2, vec![1.0, 0.0, 0.0, 0.0]).unwrap();
        let bytes = overlay_strip(2, &GREY, &[map]).unwrap();
        let picture = image::load_from_memory(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), (192 * 2 + 4, 192));
    }
}
