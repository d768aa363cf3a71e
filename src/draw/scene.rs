//! A drawing that becomes an SVG or a PNG: one list of shapes, so both show the same.
//!
//! Positions are from the upper left. The SVG keeps text as text, in DejaVu Sans where the reader has it, and pictures as
//! PNG. In pixels there are two layers: lines, areas and dots are drawn first, by tiny-skia; rectangles, pictures, discs
//! and text are then put over them, in their order, on whole pixels and with the embedded font.

use super::canvas::Canvas;
use super::error::FigureError;
use super::format::FigureFormat;
use super::text::{Align, Face, Fonts, Weight};
use crate::picture::{Picture, Rgb};
use data_encoding::BASE64;
use tiny_skia::{FillRule, Paint, Path, PathBuilder, Pixmap, Shader, Stroke, StrokeDash, Transform};

/// A point: across, down.
pub(crate) type Point = (f32, f32);

/// Whether a line is solid or dashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dash {
    Solid,
    Dashed,
    Dotted,
    Alternating,
}

impl Dash {
    /// Lengths that are drawn and left out in turn, in points; empty for a solid line.
    fn lengths(self) -> &'static [f32] {
        match self {
            Dash::Solid => &[],
            Dash::Dashed => &[5.0, 3.0],
            Dash::Dotted => &[1.2, 2.6],
            Dash::Alternating => &[5.0, 2.2, 1.2, 2.2],
        }
    }
}

/// One shape. Lengths and positions are in the units of its scene.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    Line { points: Vec<Point>, colour: Rgb, width: f32, dash: Dash },
    Area { points: Vec<Point>, colour: Rgb, opacity: f32 },
    Dot { at: Point, radius: f32, colour: Rgb },
    Rectangle { left: usize, top: usize, width: usize, height: usize, colour: Rgb },
    Picture { left: usize, top: usize, picture: Picture },
    Disc { at: Point, radius: f32, colour: Rgb },
    Text { at: Point, text: String, face: Face, align: Align, colour: Rgb },
}

/// A drawing on white.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub(super) width: f32,
    pub(super) height: f32,
    /// Points a unit of length, in the SVG.
    points: f32,
    /// Pixels a unit of length, in the PNG.
    pixels: f32,
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    /// A drawing whose unit is the point; a PNG has `sharpness` pixels per point.
    pub(super) fn in_points(width: f32, height: f32, sharpness: f32, shapes: Vec<Shape>) -> Self {
        Self { width, height, points: 1.0, pixels: sharpness, shapes }
    }

    /// A drawing whose unit is the pixel of the PNG; a point has `sharpness` of them.
    pub(super) fn in_pixels(width: usize, height: usize, sharpness: f32, shapes: Vec<Shape>) -> Self {
        Self { width: width as f32, height: height as f32, points: 1.0 / sharpness, pixels: 1.0, shapes }
    }

    /// The same on a sheet of another size, with more shapes over it.
    pub(super) fn extended(mut self, [width, height]: [usize; 2], shapes: Vec<Shape>) -> Self {
        self.shapes.extend(shapes);
        Self { width: width as f32, height: height as f32, ..self }
    }

    /// Width and height, in whole units of length.
    pub(crate) fn size(&self) -> [usize; 2] {
        [self.width, self.height].map(|length| length as usize)
    }

    /// The bytes of a file in this format.
    ///
    /// # Errors
    ///
    /// Where the drawing has no size, or a picture cannot be encoded.
    pub fn encoded(&self, format: FigureFormat) -> Result<Vec<u8>, FigureError> {
        match format {
            FigureFormat::Png => self.png(),
            FigureFormat::Svg => Ok(self.svg()?.into_bytes()),
        }
    }

    /// As an SVG document.
    ///
    /// # Errors
    ///
    /// Where a picture cannot be encoded.
    pub fn svg(&self) -> Result<String, FigureError> {
        let (width, height) = (self.width, self.height);
        let shapes = self.shapes.iter().map(svg_of).collect::<Result<String, _>>()?;
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}pt\" height=\"{}pt\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{shapes}</svg>\n",
            width * self.points,
            height * self.points
        ))
    }

    /// As PNG.
    ///
    /// # Errors
    ///
    /// Where the drawing has no size.
    pub fn png(&self) -> Result<Vec<u8>, FigureError> {
        Ok(self.picture()?.png()?)
    }

    /// As pixels.
    ///
    /// # Errors
    ///
    /// Where the drawing has no size.
    pub fn picture(&self) -> Result<Picture, FigureError> {
        let pixels = |length: f32| (length * self.pixels).round() as u32;
        let mut pixmap = Pixmap::new(pixels(self.width), pixels(self.height)).ok_or(FigureError::Empty)?;
        pixmap.fill(tiny_skia::Color::WHITE);
        let scale = Transform::from_scale(self.pixels, self.pixels);
        self.shapes.iter().for_each(|shape| fill(&mut pixmap, shape, scale));
        let opaque = pixmap.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]);
        let drawn = Picture::new(pixmap.width() as usize, pixmap.height() as usize, opaque.collect());
        let mut canvas = Canvas::of(drawn);
        let fonts = Fonts::embedded()?;
        self.shapes.iter().for_each(|shape| put(&mut canvas, shape, self.pixels, &fonts));
        Ok(canvas.into_picture())
    }
}

/// A shape as an element of an SVG, with a line break.
fn svg_of(shape: &Shape) -> Result<String, FigureError> {
    let list = |points: &[Point]| points.iter().map(|(x, y)| format!("{x:.2},{y:.2}")).collect::<Vec<_>>().join(" ");
    Ok(match shape {
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
        Shape::Rectangle { left, top, width, height, colour } => {
            let colour = hex(*colour);
            format!("<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{colour}\"/>\n")
        }
        // Readers of SVG 1.1 know no other `href`, and those of SVG 2 still know this one.
        Shape::Picture { left, top, picture } => format!(
            "<image x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" style=\"image-rendering:pixelated\" \
             xmlns:xlink=\"http://www.w3.org/1999/xlink\" xlink:href=\"data:image/png;base64,{}\"/>\n",
            picture.width(),
            picture.height(),
            BASE64.encode(&picture.png()?)
        ),
        Shape::Dot { at: (x, y), radius, colour } | Shape::Disc { at: (x, y), radius, colour } => {
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
    })
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// As text of an XML element, which may not hold control characters at all.
fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Draws a shape of the lower layer: lines, areas and dots.
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
        Shape::Rectangle { .. } | Shape::Picture { .. } | Shape::Disc { .. } | Shape::Text { .. } => {}
    }
}

/// The path through some points; `None` where it has no length.
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

/// Puts a shape of the upper layer on whole pixels, of which a unit of length has `scale`.
fn put(canvas: &mut Canvas, shape: &Shape, scale: f32, fonts: &Fonts) {
    let whole = |length: usize| (length as f32 * scale).round() as usize;
    match shape {
        Shape::Rectangle { left, top, width, height, colour } => {
            canvas.fill(whole(*left), whole(*top), whole(*width), whole(*height), *colour);
        }
        Shape::Picture { left, top, picture } => {
            canvas.paste(whole(*left), whole(*top), &picture.enlarged(scale.round() as usize));
        }
        Shape::Disc { at: (x, y), radius, colour } => {
            canvas.disc((x * scale, y * scale), radius * scale, *colour);
        }
        Shape::Text { at: (x, y), text, face, align, colour } => {
            let face = Face { size: face.size * scale, ..*face };
            fonts.paint(canvas, text, face, (x * scale, y * scale), *align, *colour);
        }
        Shape::Line { .. } | Shape::Area { .. } | Shape::Dot { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Rgb = [200, 0, 0];

    fn scene(sharpness: f32, shapes: Vec<Shape>) -> Scene {
        Scene::in_points(40.0, 20.0, sharpness, shapes)
    }

    fn line(dash: Dash) -> Shape {
        Shape::Line { points: vec![(5.0, 10.0), (35.0, 10.0)], colour: RED, width: 2.0, dash }
    }

    /// A line 30 points long and 2 wide covers 30 x 2 whole pixels at one pixel a point; dashes of 5 and 3 leave
    /// 5 + 5 + 5 + 6 of 30 (24 = 3 x 8 are whole periods, then 5 of the last 6): 20 columns.
    #[test]
    fn lines_and_dashes_cover_their_length() {
        let count = |dash, sharpness| {
            let drawn = scene(sharpness, vec![line(dash)]).picture().unwrap();
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
        let found = scene(1.0, vec![area]).picture().unwrap().pixel(20, 10);
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
        let svg = scene(1.0, vec![line(Dash::Dashed), dot, text]).svg().unwrap();
        assert!(
            svg.contains("<polyline points=\"5.00,10.00 35.00,10.00\"") && svg.contains("stroke-dasharray=\"5 3\"")
        );
        assert!(svg.contains("<circle cx=\"3.00\" cy=\"4.00\" r=\"2\" fill=\"#c80000\"/>"));
        assert!(svg.contains("font-weight=\"bold\" text-anchor=\"end\" fill=\"#010203\">a &lt; b &amp; c</text>"));
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
    }

    /// What comes later lies over what came before, but for lines, which lie below all that is put on whole pixels.
    #[test]
    fn rectangles_pictures_and_discs_lie_in_their_order_over_lines() {
        let [black, blue, green] = [[0; 3], [0, 0, 200], [0, 200, 0]];
        let shapes = vec![
            Shape::Rectangle { left: 2, top: 5, width: 30, height: 10, colour: black },
            Shape::Picture { left: 4, top: 6, picture: Picture::filled(8, 8, blue) },
            Shape::Rectangle { left: 4, top: 6, width: 4, height: 2, colour: green },
            Shape::Disc { at: (20.5, 10.5), radius: 3.0, colour: green },
            line(Dash::Solid),
        ];
        let drawn = Scene::in_pixels(40, 20, 2.0, shapes).picture().unwrap();
        let at = [(2, 5), (4, 8), (4, 6), (20, 10), (33, 10), (39, 19)].map(|(column, row)| drawn.pixel(column, row));
        assert_eq!(at, [black, blue, green, green, RED, [255; 3]]);
    }

    #[test]
    fn the_svg_of_pixels_has_its_size_in_points_and_holds_pictures() {
        let picture = Picture::new(2, 1, vec![1, 2, 3, 4, 5, 6]);
        let png = BASE64.encode(&picture.png().unwrap());
        let shapes = vec![
            Shape::Rectangle { left: 1, top: 2, width: 3, height: 4, colour: RED },
            Shape::Picture { left: 5, top: 6, picture },
        ];
        let svg = Scene::in_pixels(40, 20, 2.0, shapes).svg().unwrap();
        assert!(svg.contains("width=\"20pt\" height=\"10pt\" viewBox=\"0 0 40 20\""), "{svg}");
        assert!(svg.contains("<rect x=\"1\" y=\"2\" width=\"3\" height=\"4\" fill=\"#c80000\"/>"), "{svg}");
        assert!(svg.contains("<image x=\"5\" y=\"6\" width=\"2\" height=\"1\""), "{svg}");
        assert!(svg.contains(&format!("xlink:href=\"data:image/png;base64,{png}\"/>")), "{svg}");
    }

    #[test]
    fn a_drawing_without_size_is_refused() {
        let scene = Scene::in_points(0.0, 3.0, 1.0, vec![]);
        assert!(matches!(scene.picture(), Err(FigureError::Empty)));
    }
}
