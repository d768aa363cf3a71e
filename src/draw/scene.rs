//! A drawing of lines, areas, dots and text that becomes an SVG or a PNG: one list of shapes, so both show the same.
//!
//! Lengths are points from the upper left. The SVG keeps text as text, in DejaVu Sans where the reader has it; the PNG
//! is filled by tiny-skia and lettered with the embedded font.

use super::canvas::Canvas;
use super::error::FigureError;
use super::text::{Align, Face, Fonts, Weight};
use crate::picture::{Picture, Rgb};
use tiny_skia::{FillRule, Paint, Path, PathBuilder, Pixmap, Shader, Stroke, StrokeDash, Transform};

/// A point: across, down.
pub(super) type Point = (f32, f32);

/// How a line is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dash {
    Solid,
    Dashed,
    Dotted,
    Alternating,
}

impl Dash {
    /// Drawn and left out in turn, in points; nothing for a whole line.
    fn lengths(self) -> &'static [f32] {
        match self {
            Dash::Solid => &[],
            Dash::Dashed => &[5.0, 3.0],
            Dash::Dotted => &[1.2, 2.6],
            Dash::Alternating => &[5.0, 2.2, 1.2, 2.2],
        }
    }
}

/// One thing to draw.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Line { points: Vec<Point>, colour: Rgb, width: f32, dash: Dash },
    Area { points: Vec<Point>, colour: Rgb, opacity: f32 },
    Dot { at: Point, radius: f32, colour: Rgb },
    Text { at: Point, text: String, face: Face, align: Align, colour: Rgb },
}

/// A drawing on white.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scene {
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    /// As an SVG document.
    pub(super) fn svg(&self) -> String {
        let (width, height) = (self.width, self.height);
        let shapes: String = self.shapes.iter().map(svg_of).collect();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}pt\" height=\"{height}pt\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{shapes}</svg>\n"
        )
    }

    /// As pixels, `sharpness` a point.
    ///
    /// # Errors
    ///
    /// Where the drawing has no size.
    pub(super) fn rgb(&self, sharpness: f32) -> Result<Picture, FigureError> {
        let pixels = |points: f32| (points * sharpness).round() as u32;
        let mut pixmap = Pixmap::new(pixels(self.width), pixels(self.height)).ok_or(FigureError::Empty)?;
        pixmap.fill(tiny_skia::Color::WHITE);
        let scale = Transform::from_scale(sharpness, sharpness);
        self.shapes.iter().for_each(|shape| fill(&mut pixmap, shape, scale));
        let opaque = pixmap.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]);
        let drawn = Picture::new(pixmap.width() as usize, pixmap.height() as usize, opaque.collect());
        let mut canvas = Canvas::of(drawn);
        letter(&mut canvas, &self.shapes, sharpness)?;
        Ok(canvas.into_picture())
    }
}

/// One element, and a line break.
fn svg_of(shape: &Shape) -> String {
    let list = |points: &[Point]| points.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect::<Vec<_>>().join(" ");
    match shape {
        Shape::Line { points, colour, width, dash } => {
            let lengths: Vec<String> = dash.lengths().iter().map(f32::to_string).collect();
            let dash = match lengths.is_empty() {
                true => String::new(),
                false => format!(" stroke-dasharray=\"{}\"", lengths.join(" ")),
            };
            let (points, colour) = (list(points), hex(*colour));
            format!(
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" \
                 stroke-linejoin=\"round\"{dash}/>\n"
            )
        }
        Shape::Area { points, colour, opacity } => {
            let (points, colour) = (list(points), hex(*colour));
            format!("<polygon points=\"{points}\" fill=\"{colour}\" fill-opacity=\"{opacity}\"/>\n")
        }
        Shape::Dot { at: (x, y), radius, colour } => {
            format!("<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\" fill=\"{}\"/>\n", hex(*colour))
        }
        Shape::Text { at: (x, y), text, face, align, colour } => {
            let anchor = match align {
                Align::Left => "start",
                Align::Centre => "middle",
                Align::Right => "end",
            };
            let weight = if face.weight == Weight::Bold { " font-weight=\"bold\"" } else { "" };
            format!(
                "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{}\"{weight} text-anchor=\"{anchor}\" fill=\"{}\">{}</text>\n",
                face.size,
                hex(*colour),
                escaped(text)
            )
        }
    }
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// As text of an XML element, which may not hold control characters at all.
fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Everything but text.
fn fill(pixmap: &mut Pixmap, shape: &Shape, scale: Transform) {
    let paint = |[red, green, blue]: Rgb, opacity: f32| Paint {
        shader: Shader::SolidColor(tiny_skia::Color::from_rgba8(red, green, blue, (opacity * 255.0).round() as u8)),
        anti_alias: true,
        ..Paint::default()
    };
    match shape {
        Shape::Line { points, colour, width, dash } => {
            let stroke = Stroke {
                width: *width,
                line_join: tiny_skia::LineJoin::Round,
                // tiny-skia refuses an empty list, which is a whole line.
                dash: StrokeDash::new(dash.lengths().to_vec(), 0.0),
                ..Stroke::default()
            };
            if let Some(path) = path(points, false) {
                pixmap.stroke_path(&path, &paint(*colour, 1.0), &stroke, scale, None);
            }
        }
        Shape::Area { points, colour, opacity } => {
            if let Some(path) = path(points, true) {
                pixmap.fill_path(&path, &paint(*colour, *opacity), FillRule::Winding, scale, None);
            }
        }
        Shape::Dot { at: (x, y), radius, colour } => {
            if let Some(path) = PathBuilder::from_circle(*x, *y, *radius) {
                pixmap.fill_path(&path, &paint(*colour, 1.0), FillRule::Winding, scale, None);
            }
        }
        Shape::Text { .. } => {}
    }
}

/// None for what has no length.
fn path(points: &[Point], closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    if closed {
        path.close();
    }
    path.finish()
}

/// The text, over everything else.
fn letter(canvas: &mut Canvas, shapes: &[Shape], sharpness: f32) -> Result<(), FigureError> {
    let fonts = Fonts::embedded()?;
    for shape in shapes {
        if let Shape::Text { at: (x, y), text, face, align, colour } = shape {
            let face = Face { size: face.size * sharpness, ..*face };
            fonts.paint(canvas, text, face, (x * sharpness, y * sharpness), *align, *colour);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Rgb = [200, 0, 0];

    fn scene(shapes: Vec<Shape>) -> Scene {
        Scene { width: 40.0, height: 20.0, shapes }
    }

    fn line(dash: Dash) -> Shape {
        Shape::Line { points: vec![(5.0, 10.0), (35.0, 10.0)], colour: RED, width: 2.0, dash }
    }

    /// A line 30 points long and 2 wide covers 30 x 2 whole pixels at one pixel a point; dashes of 5 and 3 leave
    /// 5 + 5 + 5 + 6 of 30 (24 = 3 x 8 are whole periods, then 5 of the last 6): 20 columns.
    #[test]
    fn lines_and_dashes_cover_their_length() {
        let count = |dash, sharpness| {
            let drawn = scene(vec![line(dash)]).rgb(sharpness).unwrap();
            drawn.pixels().chunks_exact(3).filter(|pixel| **pixel == RED).count()
        };
        assert_eq!(count(Dash::Solid, 1.0), 30 * 2);
        assert_eq!(count(Dash::Solid, 2.0), 60 * 4);
        assert_eq!(count(Dash::Dashed, 1.0), 20 * 2);
        // Of 10.6 points of dash and dot 6.2 are drawn, of 3.8 points of dots 1.2.
        let [solid, mixed, dotted] = [Dash::Solid, Dash::Alternating, Dash::Dotted].map(|dash| count(dash, 5.0));
        assert!(0 < dotted && dotted < solid / 2 && solid / 2 < mixed && mixed < solid, "{dotted} {mixed} {solid}");
    }

    /// A quarter of (200, 0, 0) over white is (241.25, 191.25, 191.25), to a step of rounding in premultiplied bytes.
    #[test]
    fn an_area_lets_what_is_below_through() {
        let area = Shape::Area {
            points: vec![(0.0, 0.0), (40.0, 0.0), (40.0, 20.0), (0.0, 20.0)],
            colour: RED,
            opacity: 0.25,
        };
        let found = scene(vec![area]).rgb(1.0).unwrap().pixel(20, 10);
        assert!(
            found.iter().zip([241, 191, 191]).all(|(&found, wanted): (&u8, u8)| found.abs_diff(wanted) <= 1),
            "{found:?}"
        );
    }

    #[test]
    fn the_svg_names_every_shape_and_escapes_text() {
        let text = Shape::Text {
            at: (1.0, 2.0),
            text: "a < b & c".into(),
            face: Face::bold(9.0),
            align: Align::Right,
            colour: [1, 2, 3],
        };
        let dot = Shape::Dot { at: (3.0, 4.0), radius: 2.0, colour: RED };
        let svg = scene(vec![line(Dash::Dashed), dot, text]).svg();
        assert!(
            svg.contains("<polyline points=\"5.00,10.00 35.00,10.00\"") && svg.contains("stroke-dasharray=\"5 3\"")
        );
        assert!(svg.contains("<circle cx=\"3.00\" cy=\"4.00\" r=\"2\" fill=\"#c80000\"/>"));
        assert!(svg.contains("font-weight=\"bold\" text-anchor=\"end\" fill=\"#010203\">a &lt; b &amp; c</text>"));
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn a_drawing_without_size_is_refused() {
        assert!(matches!(Scene { width: 0.0, height: 3.0, shapes: vec![] }.rgb(1.0), Err(FigureError::Empty)));
    }
}
