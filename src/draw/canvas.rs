//! A picture that is painted on, pixel by pixel.

use super::colour::mixed;
use crate::picture::{Picture, Rgb};

/// Painting outside of it does nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Canvas(Picture);

impl Canvas {
    /// One colour everywhere.
    pub(crate) fn filled(width: usize, height: usize, colour: Rgb) -> Self {
        Self(Picture::filled(width, height, colour))
    }

    /// What was painted so far, to go on with.
    pub(crate) fn of(picture: Picture) -> Self {
        Self(picture)
    }

    /// What was painted.
    pub(crate) fn into_picture(self) -> Picture {
        self.0
    }

    /// Columns.
    pub(crate) fn width(&self) -> usize {
        self.0.width()
    }

    /// Paints one pixel.
    pub(crate) fn set(&mut self, column: usize, row: usize, colour: Rgb) {
        let width = self.0.width();
        if column < width && row < self.0.height() {
            let at = (row * width + column) * 3;
            self.0.pixels_mut()[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// Mixes a colour over one pixel, `weight` in [0, 1] of it.
    pub(crate) fn mix(&mut self, column: usize, row: usize, colour: Rgb, weight: f32) {
        if column < self.0.width() && row < self.0.height() {
            self.set(column, row, mixed(self.0.pixel(column, row), colour, weight));
        }
    }

    /// Paints a rectangle, as far as it is inside.
    pub(crate) fn fill(&mut self, left: usize, top: usize, width: usize, height: usize, colour: Rgb) {
        for row in top..(top + height).min(self.0.height()) {
            for column in left..(left + width).min(self.0.width()) {
                self.set(column, row, colour);
            }
        }
    }

    /// Copies a picture in, as far as it is inside.
    pub(crate) fn paste(&mut self, left: usize, top: usize, picture: &Picture) {
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
        let mut canvas = Canvas::filled(3, 2, [0; 3]);
        canvas.fill(2, 1, 5, 5, RED);
        canvas.set(3, 0, RED);
        canvas.mix(0, 2, RED, 1.0);
        canvas.paste(2, 1, &Picture::filled(4, 4, RED));
        let painted: Vec<bool> = canvas.into_picture().pixels().chunks_exact(3).map(|pixel| pixel == RED).collect();
        assert_eq!(painted, [false, false, false, false, false, true]);
    }

    /// A quarter of 200 over three quarters of 100 is 125.
    #[test]
    fn a_mixture_follows_its_formula() {
        let mut canvas = Canvas::filled(1, 1, [100; 3]);
        canvas.mix(0, 0, [200; 3], 0.25);
        assert_eq!(canvas.into_picture().pixel(0, 0), [125; 3]);
    }
}
