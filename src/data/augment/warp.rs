//! Shears, shifts and turns of an image: nearest neighbour, black where nothing was.

use crate::picture::Picture;

/// Where a pixel of the result comes from: `x' = a·x + b·y + c` and `y' = d·x + e·y + f` as `[a, b, c, d, e, f]`, in
/// pixels from the top left corner of the image, so the centre of the first pixel is (½, ½).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine([f64; 6]);

impl Affine {
    /// Rows slide along x by `across` times their y, columns along y by `down` times their x. The top left corner stays.
    ///
    /// # Source
    ///
    /// torchvision `affine(shear=…, center=[0, 0])`, whose angles are the arc tangents of these. Exact for one of them
    /// at a time, as the policies have it.
    pub(super) fn shear(across: f64, down: f64) -> Self {
        Self([1.0, across, 0.0, down, 1.0, 0.0])
    }

    /// To the right and down by whole pixels.
    ///
    /// # Source
    ///
    /// torchvision `affine(translate=…)`.
    pub(super) fn translation(right: f64, down: f64) -> Self {
        Self([1.0, 0.0, -right, 0.0, 1.0, -down])
    }

    /// Counter-clockwise by `degrees` about the centre of an image of `width`×`height`.
    ///
    /// # Source
    ///
    /// Pillow `Image.rotate`.
    pub(super) fn rotation(degrees: f64, width: usize, height: usize) -> Self {
        let (sine, cosine) = (-degrees.to_radians()).sin_cos();
        let (x, y) = (width as f64 / 2.0, height as f64 / 2.0);
        Self([cosine, sine, x - cosine * x - sine * y, -sine, cosine, y + sine * x - cosine * y])
    }

    /// The warped image, of the same size.
    ///
    /// # Source
    ///
    /// Pillow `libImaging/Geometry.c`, `affine_fixed`: positions in 16.16 fixed point, stepped from pixel to pixel, so
    /// that rounding goes the same way at every edge. (Wider integers, so that no size overflows.)
    pub(super) fn apply(&self, picture: &Picture) -> Picture {
        let Self([a, b, c, d, e, f]) = *self;
        let fixed = |value: f64| (value * 65536.0 + 0.5).floor() as i64;
        let (right, below) = ([fixed(a), fixed(d)], [fixed(b), fixed(e)]);
        let mut start = [fixed(c + a * 0.5 + b * 0.5), fixed(f + d * 0.5 + e * 0.5)];
        let (width, height) = (picture.width(), picture.height());
        let within = |position: i64, side: usize| usize::try_from(position >> 16).ok().filter(|&at| at < side);
        let mut pixels = vec![0; picture.pixels().len()];
        for row in pixels.chunks_exact_mut(width * 3) {
            let [mut x, mut y] = start;
            for pixel in row.chunks_exact_mut(3) {
                if let (Some(column), Some(row)) = (within(x, width), within(y, height)) {
                    pixel.copy_from_slice(&picture.pixels()[(row * width + column) * 3..][..3]);
                }
                (x, y) = (x + right[0], y + right[1]);
            }
            start = [start[0] + below[0], start[1] + below[1]];
        }
        Picture::new(width, height, pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte per pixel, the same in all channels.
    fn grey<const WIDTH: usize, const HEIGHT: usize>(rows: [[u8; WIDTH]; HEIGHT]) -> Picture {
        Picture::new(WIDTH, HEIGHT, rows.as_flattened().iter().flat_map(|&byte| [byte; 3]).collect())
    }

    #[test]
    fn a_translation_moves_and_leaves_black_behind() {
        let picture = grey([[1, 2, 3], [4, 5, 6]]);
        assert_eq!(Affine::translation(1.0, 0.0).apply(&picture), grey([[0, 1, 2], [0, 4, 5]]));
        assert_eq!(Affine::translation(0.0, -1.0).apply(&picture), grey([[4, 5, 6], [0, 0, 0]]));
        assert_eq!(Affine::translation(0.0, 0.0).apply(&picture), picture);
    }

    /// The pixel at (x, y) comes from x + ½ + 0.8·(y + ½), cut: rows 0 and 1 from 0.9 and 1.7 on, so by 0 and by 1.
    #[test]
    fn a_shear_slides_row_by_row_from_the_top_left_corner() {
        let picture = grey([[1, 2, 3], [4, 5, 6]]);
        assert_eq!(Affine::shear(0.8, 0.0).apply(&picture), grey([[1, 2, 3], [5, 6, 0]]));
        // y + ½ + 0.8·(x + ½): columns from 0.9, 1.7 and 2.5 on
        assert_eq!(Affine::shear(0.0, 0.8).apply(&picture), grey([[1, 5, 0], [4, 0, 0]]));
    }

    /// Pillow copies the pixels of a square for these; the general path must not be off by one.
    #[test]
    fn quarter_and_half_turns_of_a_square_are_exact() {
        let picture = grey([[1, 2, 3], [4, 5, 6], [7, 8, 9]]);
        let turned = |degrees| Affine::rotation(degrees, 3, 3).apply(&picture);
        assert_eq!(turned(90.0), grey([[3, 6, 9], [2, 5, 8], [1, 4, 7]]));
        assert_eq!(turned(-90.0), grey([[7, 4, 1], [8, 5, 2], [9, 6, 3]]));
        assert_eq!(turned(180.0), grey([[9, 8, 7], [6, 5, 4], [3, 2, 1]]));
        assert_eq!(turned(0.0), picture);
    }
}
