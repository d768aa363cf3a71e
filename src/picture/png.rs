//! Pictures as PNG. A run keeps digests of such files, so equal pictures must give equal bytes from version to version.

use super::pixels::Picture;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

/// A picture that cannot be encoded as PNG, such as one without pixels.
#[derive(Debug, thiserror::Error)]
#[error("an image could not be encoded as PNG")]
pub struct PngError(#[source] ImageError);

impl Picture {
    /// The picture as a PNG file.
    ///
    /// # Errors
    ///
    /// [`PngError`], for example where the picture has no pixels.
    pub fn png(&self) -> Result<Vec<u8>, PngError> {
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes)
            .write_image(self.pixels(), self.width() as u32, self.height() as u32, ExtendedColorType::Rgb8)
            .map_err(PngError)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, of_bytes};
    use super::*;
    use std::path::Path;

    #[test]
    fn a_picture_is_read_back_from_its_png() {
        let picture = Picture::new(2, 1, vec![1, 2, 3, 4, 5, 6]);
        let png = picture.png().unwrap();
        assert_eq!(of_bytes(&png, Path::new("picture.png"), Limits::default()).unwrap(), picture);
    }

    #[test]
    fn a_picture_without_pixels_is_refused() {
        assert!(Picture::new(0, 3, Vec::new()).png().is_err());
    }
}
