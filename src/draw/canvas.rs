//! Painting on a picture, pixel by pixel.

use super::colour::mixed;
use crate::picture::{Picture, Rgb};

/// A picture that is painted on. What lies outside of it is not painted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Canvas(Picture);

impl Canvas {
    /// A canvas that begins as this picture.
    pub(super) fn of(picture: Picture) -> Self {
        Self(picture)
    }

    /// The painted picture.
    pub(super) fn into_picture(self) -> Picture {
        self.0
    }

    /// Paints one pixel.
    pub(super) fn set(&mut self, column: usize, row: usize, colour: Rgb) {
        let width = self.0.width();
        if column < width && row < self.0.height() {
            let at = (row * width + column) * 3;
            self.0.pixels_mut()[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// Mixes a colour over one pixel, `weight` in [0, 1] of it.
    pub(super) fn mix(&mut self, column: usize, row: usize, colour: Rgb, weight: f32) {
        if column < self.0.width() && row < self.0.height() {
            self.set(column, row, mixed(self.0.pixel(column, row), colour, weight));
        }
    }

    /// Paints a rectangle, as far as it is inside.
    pub(super) fn fill(&mut self, left: usize, top: usize, width: usize, height: usize, colour: Rgb) {
        for row in top..(top + height).min(self.0.height()) {
            for column in left..(left + width).min(self.0.width()) {
                self.set(column, row, colour);
            }
        }
    }

    /// Paints a filled circle with a smooth edge. Positions are continuous: pixel 0 lies between 0 and 1.
    pub(super) fn disc(&mut self, (x, y): (f32, f32), radius: f32, colour: Rgb) {
        let around = |centre: f32| ((centre - radius - 1.0).max(0.0) as usize)..=((centre + radius + 1.0) as usize);
        for row in around(y) {
            for column in around(x) {
                let distance = (column as f32 + 0.5 - x).hypot(row as f32 + 0.5 - y);
                self.mix(column, row, colour, (radius + 0.5 - distance).clamp(0.0, 1.0));
            }
        }
    }

    /// Copies a picture in, as far as it is inside.
    pub(super) fn paste(&mut self, left: usize, top: usize, picture: &Picture) {
        for row in 0..picture.height() {
            for column in 0..picture.width() {
                self.set(left + column, top + row, picture.pixel(column, row));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Rgb = [255, 0, 0];

    #[test]
    fn whatever_lies_outside_is_not_painted() {
        let mut canvas = Canvas::of(Picture::filled(3, 2, [0; 3]));
        canvas.fill(2, 1, 5, 5, RED);
        canvas.set(3, 0, RED);
        canvas.mix(0, 2, RED, 1.0);
        canvas.paste(2, 1, &Picture::filled(4, 4, RED));
        let painted: Vec<bool> = canvas.into_picture().pixels().chunks_exact(3).map(|pixel| pixel == RED).collect();
        assert_eq!(painted, [false, false, false, false, false, true]);
    }

    /// Around the middle of a pixel, with radius 1: the four beside it lie at a distance of 1, half a step inside of the
    /// edge that ends at 1.5, and so are half covered; the corners, at 1.414, to 0.086.
    #[test]
    fn a_disc_has_a_smooth_edge() {
        let mut canvas = Canvas::of(Picture::filled(5, 5, [0; 3]));
        canvas.disc((2.5, 2.5), 1.0, [200; 3]);
        let drawn = canvas.into_picture();
        let row = |row: usize| [0, 1, 2, 3, 4].map(|column| drawn.pixel(column, row)[0]);
        assert_eq!([row(0), row(1), row(2)], [[0; 5], [0, 17, 100, 17, 0], [0, 100, 200, 100, 0]]);
    }

    /// A quarter of 200 over three quarters of 100 is 125.
    #[test]
    fn a_mixture_follows_its_formula() {
        let mut canvas = Canvas::of(Picture::filled(1, 1, [100; 3]));
        canvas.mix(0, 0, [200; 3], 0.25);
        assert_eq!(canvas.into_picture().pixel(0, 0), [125; 3]);
    }
}
