//! Every epoch against every other as coloured squares: blocks of one flat colour are times in which nothing moved.

use super::colour::{ColourMap, FAINT, INK, STILL};
use super::error::FigureError;
use super::scene::{Dash, Point, Scene, Shape};
use super::text::{Align, Face, Fonts};
use crate::picture::Rgb;

/// Lengths in points.
const MARGIN: f32 = 14.0;
const GAP: f32 = 26.0;
/// Side of a matrix without its labels.
const SIDE: f32 = 236.0;
/// Room for the epochs to the left of a matrix.
const LEFT: f32 = 26.0;
const TITLE: f32 = 14.0;
const HEADING: f32 = 10.5;
const LABEL: f32 = 8.5;
/// From the top of a panel to its matrix: the title and the note under it.
const HEAD: f32 = 32.0;
/// Of the key.
const RAMP: (f32, f32) = (150.0, 9.0);
/// Colours of the key's ramp.
const STEPS: usize = 50;
/// At most so many epochs are written along a side.
const TICKS: usize = 12;

/// Where nothing can be said; as on the page.
const UNMEASURED: Rgb = [0xd3, 0xd0, 0xc9];
/// Where on inferno the least above the margin and 100 are; as on the page.
const RAMP_ENDS: [f64; 2] = [0.9, 0.2];

/// The matrix of one method.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatrixPanel {
    /// The method.
    pub title: String,
    /// Under the title: when it settled. May be empty.
    pub note: String,
    /// Ascending.
    pub epochs: Vec<usize>,
    /// How far the maps of two epochs moved: row `k` has one number for each of the `k` epochs before it; 0 is noise, 100
    /// another image's map. None where that is not measurable.
    pub moved: Vec<Vec<Option<f64>>>,
    /// First and last epoch of each phase, which are outlined.
    pub phases: Vec<[usize; 2]>,
}

/// Matrices side by side, with one key.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixPlots {
    /// The heading of the sheet; may be empty.
    pub title: String,
    /// What the numbers mean.
    pub scale: String,
    /// One a method.
    pub panels: Vec<MatrixPanel>,
    /// Two epochs are still where they moved at most this much.
    pub margin: f64,
    /// How many stand side by side.
    pub columns: usize,
}

impl MatrixPlots {
    /// The matrices as a drawing; a PNG has `sharpness` pixels per point.
    ///
    /// # Errors
    ///
    /// [`FigureError::Empty`] without a matrix.
    pub fn scene(&self, sharpness: f32) -> Result<Scene, FigureError> {
        if self.panels.is_empty() {
            return Err(FigureError::Empty);
        }
        let columns = self.columns.clamp(1, self.panels.len());
        let wide = LEFT + SIDE;
        let width = columns as f32 * (wide + GAP) - GAP + 2.0 * MARGIN;
        let mut drawing = Drawing { fonts: Fonts::embedded()?, shapes: Vec::new(), margin: self.margin };
        let mut top = MARGIN;
        if !self.title.is_empty() {
            let face = Face::bold(TITLE);
            let title = drawing.fonts.ellipsised(&self.title, face, width - 2.0 * MARGIN);
            drawing.text((MARGIN, top + face.ascent()), &title, face, Align::Left, INK);
            top += TITLE * 1.8;
        }
        for row in self.panels.chunks(columns) {
            for (column, panel) in row.iter().enumerate() {
                drawing.panel(panel, (MARGIN + column as f32 * (wide + GAP), top));
            }
            top += HEAD + SIDE + 3.0 * LABEL + GAP * 0.6;
        }
        let unmeasured = self.panels.iter().flat_map(|panel| &panel.moved).flatten().any(Option::is_none);
        let height = drawing.key(&self.scale, top, width - 2.0 * MARGIN, unmeasured) + MARGIN * 0.6;
        Ok(Scene::in_points(width, height, sharpness, drawing.shapes))
    }
}

struct Drawing {
    fonts: Fonts,
    shapes: Vec<Shape>,
    margin: f64,
}

impl Drawing {
    fn text(&mut self, at: Point, text: &str, face: Face, align: Align, colour: Rgb) {
        self.shapes.push(Shape::Text { at, text: text.to_string(), face, align, colour });
    }

    fn area(&mut self, (left, top): Point, (width, height): Point, colour: Rgb) {
        let (right, bottom) = (left + width, top + height);
        let points = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
        self.shapes.push(Shape::Area { points, colour, opacity: 1.0 });
    }

    /// The outline of a rectangle.
    fn outline(&mut self, (left, top): Point, side: f32) {
        let (right, bottom) = (left + side, top + side);
        let points = vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        self.shapes.push(Shape::Line { points, colour: INK, width: 1.6, dash: Dash::Solid });
    }

    /// One flat colour within the margin, then from light to dark up to 100.
    fn colour(&self, moved: Option<f64>) -> Rgb {
        match moved {
            None => UNMEASURED,
            Some(moved) if moved <= self.margin => STILL,
            Some(moved) => ramp((moved - self.margin) / (100.0 - self.margin).max(1e-9)),
        }
    }

    /// Draws a matrix with its title above: the earliest epoch at the upper left, on both sides of the diagonal alike.
    fn panel(&mut self, panel: &MatrixPanel, (left, top): Point) {
        let (heading, label) = (Face::bold(HEADING), Face::regular(LABEL));
        let title = self.fonts.ellipsised(&panel.title, heading, LEFT + SIDE);
        self.text((left, top + heading.ascent()), &title, heading, Align::Left, INK);
        let note = self.fonts.ellipsised(&panel.note, label, LEFT + SIDE);
        self.text((left, top + heading.line() as f32 + label.ascent()), &note, label, Align::Left, FAINT);
        let (left, top) = (left + LEFT, top + HEAD);
        let count = panel.epochs.len();
        let step = SIDE / count.max(1) as f32;
        // White between the cells, as long as there is room for it.
        let inner = if step > 4.0 { step - 0.5 } else { step };
        for row in 0..count {
            for column in 0..count {
                let (later, earlier) = (row.max(column), row.min(column));
                let moved = if later == earlier {
                    Some(0.0)
                } else {
                    panel.moved.get(later).and_then(|of| of.get(earlier)).copied().flatten()
                };
                let at = (left + column as f32 * step, top + row as f32 * step);
                self.area(at, (inner, inner), self.colour(moved));
            }
        }
        let place = |epoch: usize| panel.epochs.iter().position(|&one| one == epoch);
        for &[from, to] in &panel.phases {
            let (Some(from), Some(to)) = (place(from), place(to)) else { continue };
            let at = from as f32 * step;
            self.outline((left + at, top + at), (to - from + 1) as f32 * step);
        }
        let every = count.div_ceil(TICKS).max(1);
        for (place, epoch) in panel.epochs.iter().enumerate().step_by(every) {
            let middle = (place as f32 + 0.5) * step;
            self.text((left + middle, top + SIDE + LABEL * 1.3), &epoch.to_string(), label, Align::Centre, FAINT);
            self.text((left - 4.0, top + middle + LABEL * 0.35), &epoch.to_string(), label, Align::Right, FAINT);
        }
        self.text((left + SIDE, top + SIDE + LABEL * 2.6), "epoch", label, Align::Right, FAINT);
    }

    /// Draws what the colours mean; returns the lower end.
    fn key(&mut self, scale: &str, top: f32, width: f32, unmeasured: bool) -> f32 {
        let label = Face::regular(LABEL);
        let (ramp_width, height) = RAMP;
        let margin = self.margin;
        let mut at = MARGIN + LEFT;
        let mut bottom = top;
        let baseline = |top: f32| top + height * 0.5 + LABEL * 0.35;
        let mut swatches = vec![(STILL, format!("still: moved at most {margin}"))];
        swatches.extend(unmeasured.then(|| (UNMEASURED, "not measurable".to_string())));
        for (colour, words) in swatches {
            self.area((at, bottom), (height, height), colour);
            self.text((at + height + 5.0, baseline(bottom)), &words, label, Align::Left, FAINT);
            bottom += height + 5.0;
        }
        let step = ramp_width / STEPS as f32;
        for index in 0..STEPS {
            let colour = ramp((index as f64 + 0.5) / STEPS as f64);
            self.area((at + index as f32 * step, bottom), (step + 0.3, height), colour);
        }
        at += ramp_width + 5.0;
        let words = format!("moved, from {margin} to 100 and more; {scale}");
        let words = self.fonts.ellipsised(&words, label, width - LEFT - ramp_width);
        self.text((at, baseline(bottom)), &words, label, Align::Left, FAINT);
        bottom += height + 5.0;
        self.outline((MARGIN + LEFT, bottom), height);
        let words = "a phase: three epochs or more of which every two are still";
        self.text((MARGIN + LEFT + height + 5.0, baseline(bottom)), words, label, Align::Left, FAINT);
        bottom + height + 5.0
    }
}

/// The colour of a share of the way from the margin to 100; more has the colour of 100.
fn ramp(share: f64) -> Rgb {
    let [from, to] = RAMP_ENDS;
    ColourMap::Inferno.at(from + (to - from) * share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plots(moved: Vec<Vec<Option<f64>>>) -> MatrixPlots {
        let epochs = (0..moved.len()).collect();
        let panel = MatrixPanel { title: "Grad-CAM".into(), note: String::new(), epochs, moved, phases: vec![[1, 3]] };
        MatrixPlots { title: "A run".into(), scale: String::new(), panels: vec![panel], margin: 5.0, columns: 2 }
    }

    /// How many areas have each colour, without those of the key's ramp.
    fn count(plots: &MatrixPlots, colour: Rgb) -> usize {
        let of = |shape: &Shape| matches!(shape, Shape::Area { colour: found, .. } if *found == colour);
        plots.scene(1.0).unwrap().shapes.iter().filter(|shape| of(shape)).count()
    }

    /// Four epochs, of which the last three are still: 4 cells on the diagonal and 6 beside it, and one in the key.
    #[test]
    fn what_is_still_has_one_colour_and_a_phase_is_outlined() {
        let still = Some(5.0);
        let plots = plots(vec![vec![], vec![None], vec![Some(140.0), Some(-3.0)], vec![Some(100.0), still, Some(0.0)]]);
        assert_eq!(count(&plots, STILL), 4 + 6 + 1);
        assert_eq!(count(&plots, UNMEASURED), 2 + 1);
        // 100 and what is beyond it have one colour: two cells each. No step of the ramp is its end.
        assert_eq!(count(&plots, ramp(1.0)), 4);
        let scene = plots.scene(1.0).unwrap();
        let outlines: Vec<f32> = scene
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Line { points, .. } => Some(points[1].0 - points[0].0),
                _ => None,
            })
            .collect();
        assert_eq!(outlines.len(), 2, "the phase and the one in the key");
        assert!((outlines[0] - 0.75 * SIDE).abs() < 0.01, "{outlines:?}");
        assert!(MatrixPlots { panels: vec![], ..plots.clone() }.scene(1.0).is_err());
    }

    #[test]
    fn many_epochs_have_few_labels() {
        let moved = (0..100).map(|row| vec![Some(50.0); row]).collect();
        let scene = plots(moved).scene(1.0).unwrap();
        let numbers = scene
            .shapes
            .iter()
            .filter(|shape| matches!(shape, Shape::Text { text, .. } if text.parse::<usize>().is_ok()));
        assert!(numbers.count() <= 2 * TICKS);
    }
}
