//! An RGB picture in memory: what figures, films and plots are painted on, and their PNG.

use super::colour::Rgb;
use crate::fsx::FsError;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};
use std::path::{Path, PathBuf};

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum RasterError {
    /// Not three bytes a pixel.
    #[error("a picture of {width} x {height} takes {expected} bytes, found {found}")]
    Length {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// `height * width * 3`.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// A picture's file could not be read.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A file is no picture.
    #[error("{path}: not a picture that can be read")]
    Decode {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        #[source]
        source: ImageError,
    },
    /// The PNG could not be made.
    #[error("a picture could not be encoded as PNG")]
    Encode(#[source] ImageError),
}

/// `[height, width, 3]`, 8 bits a channel, sRGB, row by row.
#[derive(Clone, PartialEq, Eq)]
pub struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl std::fmt::Debug for Raster {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Raster {{ {} x {} }}", self.width, self.height)
    }
}

impl Raster {
    /// A picture from its pixels, `[height, width, 3]`.
    ///
    /// # Errors
    ///
    /// [`RasterError::Length`].
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self, RasterError> {
        let expected = width.saturating_mul(height).saturating_mul(3);
        if pixels.len() != expected {
            return Err(RasterError::Length { width, height, expected, found: pixels.len() });
        }
        Ok(Self { width, height, pixels })
    }

    /// One colour everywhere.
    pub fn filled(width: usize, height: usize, colour: Rgb) -> Self {
        Self { width, height, pixels: colour.repeat(width * height) }
    }

    /// The pixels of a picture's file; `path` is only named in errors.
    ///
    /// # Errors
    ///
    /// [`RasterError::Decode`], naming the file.
    pub fn of_file(bytes: &[u8], path: &Path) -> Result<Self, RasterError> {
        let decoded = image::load_from_memory(bytes);
        let decoded = decoded.map_err(|source| RasterError::Decode { path: path.to_path_buf(), source })?.into_rgb8();
        let (width, height) = (decoded.width() as usize, decoded.height() as usize);
        Self::new(width, height, decoded.into_raw())
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// `[height, width, 3]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The colour of one pixel; white outside.
    pub fn at(&self, column: usize, row: usize) -> Rgb {
        let inside = column < self.width && row < self.height;
        let at = (row * self.width + column) * 3;
        if inside { [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]] } else { [u8::MAX; 3] }
    }

    /// The same picture, each pixel `factor` by `factor` pixels.
    pub fn enlarged(&self, factor: usize) -> Raster {
        let factor = factor.max(1);
        let mut large = Raster::filled(self.width * factor, self.height * factor, [0; 3]);
        for row in 0..large.height {
            for column in 0..large.width {
                large.set(column, row, self.at(column / factor, row / factor));
            }
        }
        large
    }

    /// The picture without its colours: luma of ITU-R BT.601.
    pub fn greyed(&self) -> Raster {
        let grey = |pixel: &[u8]| {
            let luma = u32::from(pixel[0]) * 299 + u32::from(pixel[1]) * 587 + u32::from(pixel[2]) * 114;
            [(luma / 1000) as u8; 3]
        };
        Raster { pixels: self.pixels.chunks_exact(3).flat_map(grey).collect(), ..*self }
    }

    /// Every pixel made anew from its colour and one of `values`, `[height * width]`, row by row.
    pub(super) fn mapped<T>(&self, values: &[T], paint: impl Fn(Rgb, &T) -> Rgb) -> Raster {
        let pixels = self.pixels.chunks_exact(3).zip(values);
        let pixels = pixels.flat_map(|(pixel, value)| paint([pixel[0], pixel[1], pixel[2]], value)).collect();
        Raster { pixels, ..*self }
    }

    /// Paints one pixel; nothing outside.
    pub fn set(&mut self, column: usize, row: usize, colour: Rgb) {
        if column < self.width && row < self.height {
            let at = (row * self.width + column) * 3;
            self.pixels[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// Mixes a colour over one pixel, `weight` in [0, 1] of it; nothing outside.
    pub fn mix(&mut self, column: usize, row: usize, colour: Rgb, weight: f32) {
        self.set(column, row, mixed(self.at(column, row), colour, weight));
    }

    /// Paints a rectangle, as far as it is inside.
    pub fn fill(&mut self, left: usize, top: usize, width: usize, height: usize, colour: Rgb) {
        for row in top..(top + height).min(self.height) {
            for column in left..(left + width).min(self.width) {
                self.set(column, row, colour);
            }
        }
    }

    /// Paints a line `thick` pixels wide just outside a rectangle.
    pub fn frame(&mut self, left: usize, top: usize, width: usize, height: usize, thick: usize, colour: Rgb) {
        if top >= thick {
            self.fill(left, top - thick, width, thick, colour);
        }
        if left >= thick {
            self.fill(left - thick, top.saturating_sub(thick), thick, height + 2 * thick, colour);
        }
        self.fill(left, top + height, width, thick, colour);
        self.fill(left + width, top.saturating_sub(thick), thick, height + 2 * thick, colour);
    }

    /// Copies a picture in, as far as it is inside.
    pub fn paste(&mut self, left: usize, top: usize, picture: &Raster) {
        for row in 0..picture.height {
            for column in 0..picture.width {
                self.set(left + column, top + row, picture.at(column, row));
            }
        }
    }

    /// As PNG.
    ///
    /// # Errors
    ///
    /// [`RasterError::Encode`], for a picture without pixels among others.
    pub fn png(&self) -> Result<Vec<u8>, RasterError> {
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes)
            .write_image(&self.pixels, self.width as u32, self.height as u32, ExtendedColorType::Rgb8)
            .map_err(RasterError::Encode)?;
        Ok(bytes)
    }
}

/// `weight` in [0, 1] of `over`, the rest of `under`.
pub(super) fn mixed(under: Rgb, over: Rgb, weight: f32) -> Rgb {
    let channel = |index: usize| f32::from(under[index]) * (1.0 - weight) + f32::from(over[index]) * weight;
    [0, 1, 2].map(|index| channel(index).round() as u8)
}

/// An RGB picture, `[height, width, 3]`, as PNG.
///
/// # Errors
///
/// [`RasterError::Length`] or [`RasterError::Encode`].
pub fn rgb_png(width: usize, height: usize, pixels: &[u8]) -> Result<Vec<u8>, RasterError> {
    Raster::new(width, height, pixels.to_vec())?.png()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fsx;

    const RED: Rgb = [255, 0, 0];

    #[test]
    fn a_picture_is_read_back_from_its_png() {
        let picture = Raster::new(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("picture.png");
        fsx::write_atomic(&path, &rgb_png(2, 1, picture.pixels()).unwrap()).unwrap();
        assert_eq!(Raster::of_file(&fsx::read(&path).unwrap(), &path).unwrap(), picture);
        fsx::write_atomic(&path, b"no picture").unwrap();
        assert!(Raster::of_file(&fsx::read(&path).unwrap(), &path).unwrap_err().to_string().contains("picture.png"));
    }

    #[test]
    fn a_picture_has_three_bytes_a_pixel() {
        let error = Raster::new(2, 2, vec![0; 11]).unwrap_err().to_string();
        assert_eq!(error, "a picture of 2 x 2 takes 12 bytes, found 11");
    }

    #[test]
    fn whatever_lies_outside_is_not_painted() {
        let mut picture = Raster::filled(3, 2, [0; 3]);
        picture.fill(2, 1, 5, 5, RED);
        picture.set(3, 0, RED);
        picture.paste(2, 1, &Raster::filled(4, 4, RED));
        picture.frame(0, 0, 3, 2, 1, RED);
        let painted: Vec<bool> = picture.pixels().chunks_exact(3).map(|pixel| pixel == RED).collect();
        assert_eq!(painted, [false, false, false, false, false, true]);
    }

    /// BT.601 of pure red: 255 * 0.299 = 76.2. A quarter of 200 over three quarters of 100 is 125.
    #[test]
    fn grey_and_mixtures_follow_their_formulas() {
        assert_eq!(Raster::filled(1, 1, RED).greyed().at(0, 0), [76; 3]);
        let mut picture = Raster::filled(1, 1, [100; 3]);
        picture.mix(0, 0, [200; 3], 0.25);
        assert_eq!(picture.at(0, 0), [125; 3]);
    }

    #[test]
    fn enlarging_repeats_every_pixel() {
        let large = Raster::new(2, 1, vec![1, 1, 1, 2, 2, 2]).unwrap().enlarged(2);
        assert_eq!((large.width(), large.height()), (4, 2));
        assert_eq!(large.pixels().chunks_exact(3).map(|pixel| pixel[0]).collect::<Vec<_>>(), [1, 1, 2, 2, 1, 1, 2, 2]);
    }
}
