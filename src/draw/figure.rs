//! The labelled figure of one image: the picture, and each map over it with its method, class, layer and colour bar.
//!
//! A row is what one run saw, a tile is one map. Sizes are in points; a [`Style`] says how many pixels a point has.

use super::colour::{ColourMap, FAINT, INK, RULE, WARNING};
use super::error::FigureError;
use super::overlay::{ColourLimits, Overlay, Paint, Scale, overlay};
use super::pen::{CAPTION, CAPTION_LINES, Pen};
use super::scene::Scene;
use super::text::Face;
use crate::measure::Heatmap;
use crate::picture::{Picture, Rgb};

/// Lengths in points.
const MARGIN: f32 = 16.0;
const GAP: f32 = 14.0;
const TITLE: f32 = 15.0;
const HEADING: f32 = 12.0;
const TILE_TITLE: f32 = 11.0;

/// How a figure is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// How maps are painted.
    pub paint: Paint,
    /// The wanted length of a picture's longer side, in points. Pictures are enlarged by whole factors only, so the drawn
    /// side is the nearest multiple of the picture's own, and at least one pixel for each of its pixels.
    pub side: f32,
    /// Pixels per point: 2 is sharp in print and on good screens.
    pub sharpness: f32,
}

impl Default for Style {
    fn default() -> Self {
        Self { paint: Paint::default(), side: 224.0, sharpness: 2.0 }
    }
}

impl Style {
    /// The picture, enlarged by the whole factor that brings its longer side nearest to [`Style::side`].
    pub(crate) fn enlarged(&self, picture: &Picture) -> Picture {
        let side = picture.width().max(picture.height()).max(1) as f32;
        picture.enlarged((self.side * self.sharpness / side).round().max(1.0) as usize)
    }
}

/// One image with the maps of one or more runs, a row for each run.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The heading of the whole figure; may be empty.
    pub title: String,
    /// The rows, from top to bottom.
    pub rows: Vec<Row>,
}

/// The maps of one run at one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Whose row it is: run, model, epoch. May be empty.
    pub heading: String,
    /// What the model said: prediction and probability. May be empty.
    pub note: String,
    /// The picture as the model saw it, of any shape.
    pub picture: Picture,
    /// The tiles, from left to right.
    pub tiles: Vec<Tile>,
}

/// One picture of a row, with text above and below it.
#[derive(Clone, Debug, PartialEq)]
pub enum Tile {
    /// The row's picture without a map.
    Picture {
        /// The text above it.
        title: String,
        /// The paragraphs below it.
        captions: Vec<String>,
    },
    /// A map over the row's picture.
    Map(MapTile),
}

/// A map over the row's picture.
#[derive(Clone, Debug, PartialEq)]
pub struct MapTile {
    /// The raw map.
    pub map: Heatmap,
    /// What its colours stand for.
    pub scale: Scale,
    /// The text above it: the method.
    pub title: String,
    /// The paragraphs below it: which class the map explains, and where in the model it was read.
    pub captions: Vec<String>,
    /// Why the map is no evidence, where it is none; drawn in the colour of warnings.
    pub warning: Option<String>,
}

impl Figure {
    /// The figure as a drawing.
    ///
    /// # Errors
    ///
    /// [`FigureError`], for a figure without tiles among others.
    pub fn scene(&self, style: &Style) -> Result<Scene, FigureError> {
        let pen = Pen::new(style.sharpness)?;
        let rows: Vec<Vec<Drawn>> = self.rows.iter().map(|row| drawn(row, style)).collect::<Result<_, _>>()?;
        let columns = rows.iter().map(Vec::len).max().filter(|&columns| columns > 0).ok_or(FigureError::Empty)?;
        let widest =
            |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|tile| tile.picture.width()).max();
        let widths: Vec<usize> = (0..columns).filter_map(widest).collect();
        let (margin, width) = (pen.pixels(MARGIN), widths.iter().sum::<usize>() + (columns - 1) * pen.pixels(GAP));
        let mut sheet = Sheet { pen, width, widths };
        let height = sheet.compose(self, rows);
        Ok(sheet.pen.into_scene(width + 2 * margin, height + margin))
    }
}

/// A tile whose picture is painted.
struct Drawn<'a> {
    picture: Picture,
    title: &'a str,
    captions: Vec<(String, Rgb)>,
    bar: Option<(ColourLimits, ColourMap)>,
}

/// The pictures of a row, enlarged and painted.
fn drawn<'a>(row: &'a Row, style: &Style) -> Result<Vec<Drawn<'a>>, FigureError> {
    let large = style.enlarged(&row.picture);
    let of = |tile: &'a Tile| match tile {
        Tile::Picture { title, captions } => Ok(Drawn {
            picture: large.clone(),
            title,
            captions: captions.iter().map(|caption| (caption.clone(), FAINT)).collect(),
            bar: None,
        }),
        Tile::Map(tile) => tile.drawn(&large, &style.paint),
    };
    row.tiles.iter().map(of).collect()
}

impl MapTile {
    fn drawn(&self, picture: &Picture, paint: &Paint) -> Result<Drawn<'_>, FigureError> {
        let Overlay { picture, shown } = overlay(picture, &self.map, self.scale, paint)?;
        let mut captions: Vec<(String, Rgb)> = Vec::new();
        captions.extend(shown.as_ref().err().map(|why| (why.clone(), WARNING)));
        captions.extend(self.warning.iter().map(|warning| (warning.clone(), WARNING)));
        captions.extend(self.captions.iter().map(|caption| (caption.clone(), FAINT)));
        if shown.is_ok() {
            let scale = match self.scale {
                Scale::Own => "own scale",
                Scale::Stretched => "own scale, stretched",
                Scale::Common(_) => "common scale",
            };
            captions.push((scale.to_string(), FAINT));
        }
        let bar = shown.ok().map(|limits| (limits, limits.colours(paint.colours)));
        Ok(Drawn { picture, title: &self.title, captions, bar })
    }
}

/// The figure while it is composed: what is drawn so far, and the widths of its columns in pixels.
struct Sheet {
    pen: Pen,
    width: usize,
    widths: Vec<usize>,
}

impl Sheet {
    /// Draws everything; returns the lower end.
    fn compose(&mut self, figure: &Figure, rows: Vec<Vec<Drawn>>) -> usize {
        let margin = self.pen.pixels(MARGIN);
        let mut top = margin;
        let titled = !figure.title.is_empty();
        if titled {
            let face = Face::bold(self.pen.length(TITLE));
            top = self.pen.paragraph((&figure.title, face, INK), (margin, top, self.width), 3)
                + self.pen.pixels(GAP / 2.0);
        }
        for (index, (row, tiles)) in figure.rows.iter().zip(rows).enumerate() {
            if index > 0 || titled {
                self.pen.rectangle((margin, top), (self.width, self.pen.pixels(0.5)), RULE);
                top += self.pen.pixels(GAP * 0.75);
            }
            let (bold, plain) = (Face::bold(self.pen.length(HEADING)), Face::regular(self.pen.length(CAPTION + 0.5)));
            top = self.pen.paragraph((&row.heading, bold, INK), (margin, top, self.width), 2);
            top = self.pen.paragraph((&row.note, plain, FAINT), (margin, top, self.width), 2);
            if !(row.heading.is_empty() && row.note.is_empty()) {
                top += self.pen.pixels(GAP / 2.0);
            }
            top = self.tiles(tiles, top) + self.pen.pixels(GAP / 2.0);
        }
        top
    }

    /// Draws the tiles of a row side by side; returns the lower end of the longest.
    fn tiles(&mut self, tiles: Vec<Drawn>, top: usize) -> usize {
        let mut left = self.pen.pixels(MARGIN);
        let mut bottom = top;
        // Pictures of a row stand on one line, below the longest title.
        let face = Face::bold(self.pen.length(TILE_TITLE));
        let titles =
            || tiles.iter().zip(&self.widths).map(|(tile, &width)| self.pen.lines(tile.title, face, width).len());
        let titles = titles().max().unwrap_or(0) * face.line() + self.pen.pixels(3.0);
        for (column, tile) in tiles.into_iter().enumerate() {
            let width = self.widths[column];
            self.pen.paragraph((tile.title, face, INK), (left, top, width), CAPTION_LINES);
            bottom = bottom.max(self.tile(tile, left, top + titles, width));
            left += width + self.pen.pixels(GAP);
        }
        bottom
    }

    /// Draws a picture with its colour bar and captions; returns the lower end.
    fn tile(&mut self, tile: Drawn, left: usize, top: usize, width: usize) -> usize {
        let across = tile.picture.width();
        let mut bottom = top + tile.picture.height() + self.pen.pixels(4.0);
        self.pen.picture((left, top), tile.picture);
        if let Some((limits, colours)) = tile.bar {
            bottom = self.pen.bar(limits, colours, (left, bottom), across);
        }
        let face = Face::regular(self.pen.length(CAPTION));
        for (caption, colour) in &tile.captions {
            bottom = self.pen.paragraph((caption, face, *colour), (left, bottom, width), CAPTION_LINES);
        }
        bottom
    }
}

#[cfg(test)]
mod tests;
