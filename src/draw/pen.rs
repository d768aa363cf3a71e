//! Paragraphs and colour bars, laid out in whole pixels.

use super::canvas::Canvas;
use super::colour::{ColourMap, INK};
use super::overlay::{Limits, number};
use super::text::{Align, Face, Fonts};
use crate::picture::Rgb;
use ab_glyph::InvalidFont;

/// Height of a colour bar, in points.
const BAR: f32 = 8.0;
/// Size of captions and of the numbers at a colour bar, in points.
pub(super) const CAPTION: f32 = 9.5;
/// A caption is broken into so many lines at most.
pub(super) const CAPTION_LINES: usize = 2;

/// The fonts, and how many pixels a point has.
pub(crate) struct Pen {
    pub(crate) fonts: Fonts,
    sharpness: f32,
}

impl Pen {
    pub(crate) fn new(sharpness: f32) -> Result<Self, InvalidFont> {
        Ok(Self { fonts: Fonts::embedded()?, sharpness: sharpness.max(0.1) })
    }

    /// Points as pixels.
    pub(crate) fn length(&self, points: f32) -> f32 {
        points * self.sharpness
    }

    /// Points as whole pixels, one at least.
    pub(crate) fn pixels(&self, points: f32) -> usize {
        self.length(points).round().max(1.0) as usize
    }

    /// Paints text from `left` and `top` on, `width` wide and `lines` high at most; says where it ends.
    pub(crate) fn paragraph(
        &self,
        canvas: &mut Canvas,
        (text, face, colour): (&str, Face, Rgb),
        (left, top, width): (usize, usize, usize),
        lines: usize,
    ) -> usize {
        let mut top = top;
        for line in self.fonts.wrapped(text, face, width as f32, lines) {
            let at = (left as f32, top as f32 + face.ascent());
            self.fonts.paint(canvas, &line, face, at, Align::Left, colour);
            top += face.line();
        }
        top
    }

    pub(super) fn lines(&self, text: &str, face: Face, width: usize) -> Vec<String> {
        self.fonts.wrapped(text, face, width as f32, CAPTION_LINES)
    }

    /// A horizontal colour bar with the values at its ends, and at zero where it lies between; where it ends.
    pub(crate) fn bar(
        &self,
        canvas: &mut Canvas,
        limits: Limits,
        colours: ColourMap,
        (left, top): (usize, usize),
        width: usize,
    ) -> usize {
        let height = self.pixels(BAR);
        for column in 0..width {
            let colour = colours.at((column as f64 + 0.5) / width as f64);
            canvas.fill(left + column, top, 1, height, colour);
        }
        let face = Face::regular(self.length(CAPTION));
        let baseline = (top + height) as f32 + self.length(1.0) + face.ascent();
        let mut tick = |value: f32, at: usize, align: Align| {
            self.fonts.paint(canvas, &number(value), face, ((left + at) as f32, baseline), align, INK);
        };
        tick(limits.low, 0, Align::Left);
        tick(limits.high, width, Align::Right);
        if limits.signed() && limits.high > 0.0 {
            let zero = (limits.position(0.0) * width as f64) as usize;
            tick(0.0, zero, Align::Centre);
        }
        top + height + self.pixels(2.0) + face.line()
    }
}
