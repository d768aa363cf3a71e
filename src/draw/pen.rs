//! What figures are composed of: paragraphs, pictures, rules and colour bars, laid out in whole pixels.

use super::colour::{ColourMap, INK};
use super::overlay::{ColourLimits, number};
use super::scene::{Point, Scene, Shape};
use super::text::{Align, Face, Fonts};
use crate::picture::{Picture, Rgb};
use ab_glyph::InvalidFont;

/// Height of a colour bar, in points.
const BAR: f32 = 8.0;
/// Size of captions and of the numbers at a colour bar, in points.
pub(super) const CAPTION: f32 = 9.5;
/// The most lines that a caption is broken into.
pub(super) const CAPTION_LINES: usize = 2;

/// Puts shapes over one another, in pixels from the upper left of a sheet that grows with them.
pub(crate) struct Pen {
    pub(crate) fonts: Fonts,
    sharpness: f32,
    shapes: Vec<Shape>,
}

impl Pen {
    /// With `sharpness` pixels per point.
    ///
    /// # Errors
    ///
    /// Never, unless the embedded fonts are broken.
    pub(crate) fn new(sharpness: f32) -> Result<Self, InvalidFont> {
        Ok(Self { fonts: Fonts::embedded()?, sharpness: sharpness.max(0.1), shapes: Vec::new() })
    }

    /// A length in points, in pixels.
    pub(crate) fn length(&self, points: f32) -> f32 {
        points * self.sharpness
    }

    /// A length in points, in whole pixels; at least one.
    pub(crate) fn pixels(&self, points: f32) -> usize {
        self.length(points).round().max(1.0) as usize
    }

    /// Draws a shape over those before it.
    pub(crate) fn put(&mut self, shape: Shape) {
        self.shapes.push(shape);
    }

    /// A filled rectangle.
    pub(crate) fn rectangle(&mut self, (left, top): (usize, usize), (width, height): (usize, usize), colour: Rgb) {
        self.put(Shape::Rectangle { left, top, width, height, colour });
    }

    /// A picture, pixel by pixel.
    pub(crate) fn picture(&mut self, (left, top): (usize, usize), picture: Picture) {
        self.put(Shape::Picture { left, top, picture });
    }

    /// One line of text on the baseline through `at`, which `align` makes its beginning, middle or end.
    pub(crate) fn text(&mut self, at: Point, (text, face, colour): (&str, Face, Rgb), align: Align) {
        self.put(Shape::Text { at, text: text.to_string(), face, align, colour });
    }

    /// Text below `top`, broken into lines of `width` pixels, `lines` of them at most; returns the lower end.
    pub(crate) fn paragraph(
        &mut self,
        (text, face, colour): (&str, Face, Rgb),
        (left, top, width): (usize, usize, usize),
        lines: usize,
    ) -> usize {
        let mut top = top;
        for line in self.fonts.wrapped(text, face, width as f32, lines) {
            self.text((left as f32, top as f32 + face.ascent()), (&line, face, colour), Align::Left);
            top += face.line();
        }
        top
    }

    pub(super) fn lines(&self, text: &str, face: Face, width: usize) -> Vec<String> {
        self.fonts.wrapped(text, face, width as f32, CAPTION_LINES)
    }

    /// A horizontal colour bar below `top` with the values at its ends, and 0 where it lies between; returns the lower
    /// end.
    pub(crate) fn bar(
        &mut self,
        limits: ColourLimits,
        colours: ColourMap,
        (left, top): (usize, usize),
        width: usize,
    ) -> usize {
        let height = self.pixels(BAR);
        let row: Vec<u8> = (0..width).flat_map(|column| colours.at((column as f64 + 0.5) / width as f64)).collect();
        self.picture((left, top), Picture::new(width, height, row.repeat(height)));
        let face = Face::regular(self.length(CAPTION));
        let baseline = (top + height) as f32 + self.length(1.0) + face.ascent();
        let mut tick = |value: f32, at: usize, align: Align| {
            self.text(((left + at) as f32, baseline), (&number(value), face, INK), align);
        };
        tick(limits.low, 0, Align::Left);
        tick(limits.high, width, Align::Right);
        if limits.signed() && limits.high > 0.0 {
            let zero = (limits.position(0.0) * width as f64) as usize;
            tick(0.0, zero, Align::Centre);
        }
        top + height + self.pixels(2.0) + face.line()
    }

    /// The drawing, on a sheet of `width` by `height` pixels.
    pub(crate) fn into_scene(self, width: usize, height: usize) -> Scene {
        Scene::in_pixels(width, height, self.sharpness, self.shapes)
    }

    /// The drawing over another one, on a sheet of `size` pixels.
    pub(crate) fn over(self, below: Scene, size: [usize; 2]) -> Scene {
        below.extended(size, self.shapes)
    }
}
