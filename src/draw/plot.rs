//! Plots for a paper: curves over epochs with their intervals, noise floors and chance levels, as SVG and PNG.

use super::colour::{FAINT, INK, RULE, STILL};
use super::error::FigureError;
use super::mark::Mark;
use super::scene::{Dash, Point, Scene, Shape};
use super::text::{Align, Face, Fonts};
use crate::picture::Rgb;

/// Lengths in points.
const MARGIN: f32 = 14.0;
const GAP: f32 = 22.0;
const WIDTH: f32 = 268.0;
/// Height of the axes, without title and legend.
const HEIGHT: f32 = 150.0;
/// Room for the numbers to the left of an axis.
const LEFT: f32 = 34.0;
const TITLE: f32 = 14.0;
const HEADING: f32 = 10.5;
/// From the top of a plot to its axes: the title and the note under it.
const HEAD: f32 = 34.0;
const LABEL: f32 = 8.5;
const LEGEND_LINE: f32 = 12.5;
/// Length of the line beside a name in the legend.
const SAMPLE: f32 = 18.0;
const BAND_OPACITY: f32 = 0.18;
const SHADE: f32 = 0.6;
/// With more points than this a curve has no dots, and other marks only at some of its points.
const MOST_DOTS: usize = 40;
/// Marks of a curve that has so many points.
const SPARSE: usize = 12;

/// What the key says about the kinds of lines.
const FLOOR: &str = "noise floor: the same weights, images changed imperceptibly";
const SEED_FLOOR: &str = "seed floor: the same epoch of a run with another seed";
const CHANCE: &str = "chance: maps of different images";
const BAND: &str = "95 % interval over the panel's images";

/// A curve with its interval, floors and chance. Points are (epoch, value); a value that is not finite is a gap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// The colour of the curve, its interval, floors and chance.
    pub colour: Rgb,
    /// What stands at its points, in the legend too.
    pub mark: Mark,
    /// The points of the curve.
    pub points: Vec<(f64, f64)>,
    /// The interval around it: (epoch, lower, upper).
    pub band: Vec<(f64, f64, f64)>,
    /// Its noise floor, dashed.
    pub floor: Vec<(f64, f64)>,
    /// Its floor under another training seed, dashes and dots.
    pub seed_floor: Vec<(f64, f64)>,
    /// Its chance level, dotted.
    pub chance: Vec<(f64, f64)>,
}

/// One pair of axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// What is plotted.
    pub title: String,
    /// Under the title: the unit, and what is compared with what. May be empty.
    pub note: String,
    /// The curves.
    pub series: Vec<Series>,
    /// The least and the greatest value of the vertical axis. `None` fits the axis to the curves, from zero where nothing is
    /// negative.
    pub range: Option<[f64; 2]>,
    /// Up to this value the plot is shaded: less than it is still.
    pub still: Option<f64>,
    /// What the numbers mean, for the key.
    pub scale: String,
}

/// Several plots on one sheet, with one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Plots {
    /// The heading of the whole sheet; may be empty.
    pub title: String,
    /// The plots, row by row.
    pub plots: Vec<Plot>,
    /// How many plots stand side by side.
    pub columns: usize,
}

impl Plots {
    /// The plots as a drawing; a PNG has `sharpness` pixels per point.
    ///
    /// # Errors
    ///
    /// [`FigureError::Empty`] without a plot.
    pub fn scene(&self, sharpness: f32) -> Result<Scene, FigureError> {
        if self.plots.is_empty() {
            return Err(FigureError::Empty);
        }
        let fonts = Fonts::embedded()?;
        let columns = self.columns.clamp(1, self.plots.len());
        let width = columns as f32 * (WIDTH + GAP) - GAP + 2.0 * MARGIN;
        // One axis of epochs for all, so that what stands below one another is of one time.
        let epochs = self.plots.iter().flat_map(|plot| &plot.series).flat_map(Series::epochs);
        let epochs = extent(epochs).unwrap_or([0.0, 1.0]);
        let mut pen = Drawing { fonts, shapes: Vec::new(), epochs };
        let mut top = MARGIN;
        if !self.title.is_empty() {
            let face = Face::bold(TITLE);
            let title = pen.fonts.ellipsised(&self.title, face, width - 2.0 * MARGIN);
            pen.text((MARGIN, top + face.ascent()), &title, face, Align::Left, INK);
            top += TITLE * 1.8;
        }
        for row in self.plots.chunks(columns) {
            let mut bottom = top;
            for (column, plot) in row.iter().enumerate() {
                let left = MARGIN + column as f32 * (WIDTH + GAP);
                bottom = pen.plot(plot, (left, top)).max(bottom);
            }
            top = bottom + GAP * 0.6;
        }
        let height = pen.key(&self.plots, top) + MARGIN * 0.6;
        Ok(Scene::in_points(width, height, sharpness, pen.shapes))
    }
}

/// Ticks of an axis, at equal round steps.
#[derive(Clone, Debug, PartialEq)]
struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// From end to end, with about `wanted` steps of 1, 2 or 5 times a power of ten.
    fn between([low, high]: [f64; 2], wanted: f64) -> Axis {
        let high = if high > low { high } else { low + 1.0 };
        let rough = (high - low) / wanted;
        let power = 10.0_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0].map(|factor| factor * power).into_iter().find(|&step| step >= rough);
        Axis { low, high, step: step.unwrap_or(10.0 * power) }
    }

    /// An axis that shows values between two ends with a little room beyond them; from zero where none is negative.
    fn of_values([low, high]: [f64; 2]) -> Axis {
        let from = if low >= 0.0 { 0.0 } else { low };
        let room = if high > from { (high - from) * 0.04 } else { 0.0 };
        Axis::between([if low >= 0.0 { 0.0 } else { low - room }, high + room], 5.0)
    }

    /// Whole epochs, the ends where the curves end.
    fn of_epochs(ends: [f64; 2]) -> Axis {
        let axis = Axis::between(ends, 6.0);
        Axis { step: axis.step.max(1.0), ..axis }
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let first = (self.low / self.step - 1e-9).ceil();
        let last = (self.high / self.step + 1e-9).floor();
        (0..=(last - first).max(0.0) as usize).map(move |index| (first + index as f64) * self.step)
    }

    /// A tick with as many decimals as its step has.
    fn label(&self, tick: f64) -> String {
        let decimals = (-self.step.log10().floor()).clamp(0.0, 9.0) as usize;
        // Adding 0 turns -0 into 0.
        format!("{:.decimals$}", tick + 0.0).replace('-', "−")
    }

    /// 0 at the lower end, 1 at the upper one.
    fn position(&self, value: f64) -> f32 {
        ((value - self.low) / (self.high - self.low)) as f32
    }
}

/// The least and the greatest of some numbers; infinite ones and NaN do not count.
fn extent(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    values.filter(|value| value.is_finite()).fold(None, |extent, value| match extent {
        None => Some([value, value]),
        Some([low, high]) => Some([value.min(low), value.max(high)]),
    })
}

impl Series {
    fn epochs(&self) -> impl Iterator<Item = f64> {
        let lines =
            [&self.points, &self.floor, &self.seed_floor, &self.chance].into_iter().flatten().map(|point| point.0);
        lines.chain(self.band.iter().map(|point| point.0))
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let lines =
            [&self.points, &self.floor, &self.seed_floor, &self.chance].into_iter().flatten().map(|point| point.1);
        lines.chain(self.band.iter().flat_map(|point| [point.1, point.2]))
    }
}

/// Where values lie on the sheet.
struct Frame {
    left: f32,
    top: f32,
    epochs: Axis,
    values: Axis,
}

impl Frame {
    fn x(&self, epoch: f64) -> f32 {
        self.left + self.epochs.position(epoch) * (WIDTH - LEFT)
    }

    fn y(&self, value: f64) -> f32 {
        // What a given range leaves out stays at its edge instead of running over the next plot.
        self.top + (1.0 - self.values.position(value).clamp(0.0, 1.0)) * HEIGHT
    }

    fn at(&self, (epoch, value): (f64, f64)) -> Point {
        (self.x(epoch), self.y(value))
    }
}

struct Drawing {
    fonts: Fonts,
    shapes: Vec<Shape>,
    /// The first and the last epoch of all plots.
    epochs: [f64; 2],
}

impl Drawing {
    fn text(&mut self, at: Point, text: &str, face: Face, align: Align, colour: Rgb) {
        self.shapes.push(Shape::Text { at, text: text.to_string(), face, align, colour });
    }

    fn line(&mut self, points: Vec<Point>, colour: Rgb, width: f32, dash: Dash) {
        self.shapes.push(Shape::Line { points, colour, width, dash });
    }

    /// Draws a plot with its title above and its legend below; returns the lower end.
    fn plot(&mut self, plot: &Plot, (left, top): Point) -> f32 {
        let heading = Face::bold(HEADING);
        let title = self.fonts.ellipsised(&plot.title, heading, WIDTH);
        self.text((left, top + heading.ascent()), &title, heading, Align::Left, INK);
        let note = self.fonts.ellipsised(&plot.note, Face::regular(LABEL), WIDTH);
        let below = top + heading.line() as f32 + Face::regular(LABEL).ascent();
        self.text((left, below), &note, Face::regular(LABEL), Align::Left, FAINT);
        let needed = || extent(plot.series.iter().flat_map(Series::values)).unwrap_or([0.0, 1.0]);
        let frame = Frame {
            left: left + LEFT,
            top: top + HEAD,
            epochs: Axis::of_epochs(self.epochs),
            values: plot.range.map_or_else(|| Axis::of_values(needed()), |range| Axis::between(range, 5.0)),
        };
        if let Some(still) = plot.still {
            let (right, low, high) = (frame.left + WIDTH - LEFT, frame.y(f64::NEG_INFINITY), frame.y(still));
            let points = vec![(frame.left, low), (right, low), (right, high), (frame.left, high)];
            self.shapes.push(Shape::Area { points, colour: STILL, opacity: SHADE });
        }
        self.axes(&frame);
        plot.series.iter().for_each(|series| self.band(series, &frame));
        plot.series.iter().for_each(|series| self.curves(series, &frame));
        let mut bottom = frame.top + HEIGHT + LABEL * 2.8;
        for series in plot.series.iter().filter(|series| !series.name.is_empty()) {
            let middle = bottom + LEGEND_LINE * 0.5;
            self.line(vec![(frame.left, middle), (frame.left + SAMPLE, middle)], series.colour, 1.6, Dash::Solid);
            if series.mark != Mark::Dot {
                self.shapes.extend(series.mark.shapes((frame.left + SAMPLE * 0.5, middle), series.colour));
            }
            let name = self.fonts.ellipsised(&series.name, Face::regular(LABEL), WIDTH - LEFT - SAMPLE - 6.0);
            let at = (frame.left + SAMPLE + 6.0, middle + LABEL * 0.35);
            self.text(at, &name, Face::regular(LABEL), Align::Left, INK);
            bottom += LEGEND_LINE;
        }
        bottom
    }

    fn axes(&mut self, frame: &Frame) {
        let (label, right) = (Face::regular(LABEL), frame.left + WIDTH - LEFT);
        for tick in frame.values.ticks() {
            let y = frame.y(tick);
            self.line(vec![(frame.left, y), (right, y)], RULE, 0.5, Dash::Solid);
            let at = (frame.left - 5.0, y + LABEL * 0.35);
            self.text(at, &frame.values.label(tick), label, Align::Right, FAINT);
        }
        let bottom = frame.top + HEIGHT;
        self.line(vec![(frame.left, bottom), (right, bottom)], INK, 0.8, Dash::Solid);
        for tick in frame.epochs.ticks() {
            let x = frame.x(tick);
            self.line(vec![(x, bottom), (x, bottom + 3.0)], INK, 0.8, Dash::Solid);
            self.text((x, bottom + 3.5 + LABEL), &frame.epochs.label(tick), label, Align::Centre, FAINT);
        }
        self.text((right, bottom + 5.0 + 2.0 * LABEL), "epoch", label, Align::Right, FAINT);
    }

    fn band(&mut self, series: &Series, frame: &Frame) {
        let finite = |point: &(f64, f64, f64)| point.1.is_finite() && point.2.is_finite();
        for part in series.band.split(|point| !finite(point)).filter(|part| !part.is_empty()) {
            let upper = part.iter().map(|&(epoch, _, high)| frame.at((epoch, high)));
            let lower = part.iter().rev().map(|&(epoch, low, _)| frame.at((epoch, low)));
            let points = upper.chain(lower).collect();
            self.shapes.push(Shape::Area { points, colour: series.colour, opacity: BAND_OPACITY });
        }
    }

    fn curves(&mut self, series: &Series, frame: &Frame) {
        let lines = [
            (&series.chance, 1.0, Dash::Dotted),
            (&series.floor, 1.0, Dash::Dashed),
            (&series.seed_floor, 1.0, Dash::Alternating),
            (&series.points, 1.6, Dash::Solid),
        ];
        for (points, width, dash) in lines {
            for part in points.split(|point| !point.1.is_finite()).filter(|part| part.len() > 1) {
                self.line(part.iter().map(|&point| frame.at(point)).collect(), series.colour, width, dash);
            }
        }
        // A single point has no line and must not vanish.
        let step = match (series.points.len(), series.mark) {
            (0..=MOST_DOTS, _) => 1,
            (_, Mark::Dot) => return,
            (many, _) => many.div_ceil(SPARSE),
        };
        let finite = series.points.iter().filter(|point| point.1.is_finite()).step_by(step);
        self.shapes.extend(finite.flat_map(|&point| series.mark.shapes(frame.at(point), series.colour)));
    }

    /// Draws what the kinds of lines mean, as far as they occur; returns the lower end.
    fn key(&mut self, plots: &[Plot], top: f32) -> f32 {
        let any = |has: fn(&Series) -> bool| plots.iter().flat_map(|plot| &plot.series).any(has);
        let face = Face::regular(LABEL);
        let kinds = [
            (any(|series| !series.floor.is_empty()), Some(Dash::Dashed), FLOOR),
            (any(|series| !series.seed_floor.is_empty()), Some(Dash::Alternating), SEED_FLOOR),
            (any(|series| !series.chance.is_empty()), Some(Dash::Dotted), CHANCE),
            (any(|series| !series.band.is_empty()), None, BAND),
        ];
        let mut bottom = top;
        for (_, dash, text) in kinds.into_iter().filter(|kind| kind.0) {
            let middle = bottom + LEGEND_LINE * 0.5;
            let (left, right) = (MARGIN + LEFT, MARGIN + LEFT + SAMPLE);
            match dash {
                Some(dash) => self.line(vec![(left, middle), (right, middle)], FAINT, 1.0, dash),
                None => {
                    let (high, low) = (middle - 3.5, middle + 3.5);
                    let points = vec![(left, high), (right, high), (right, low), (left, low)];
                    self.shapes.push(Shape::Area { points, colour: FAINT, opacity: 2.0 * BAND_OPACITY });
                }
            }
            self.text((right + 6.0, middle + LABEL * 0.35), text, face, Align::Left, FAINT);
            bottom += LEGEND_LINE;
        }
        // One margin a sheet.
        if let Some((still, scale)) = plots.iter().find_map(|plot| Some((plot.still?, &plot.scale))) {
            let (left, middle) = (MARGIN + LEFT, bottom + LEGEND_LINE * 0.5);
            let (right, high, low) = (left + SAMPLE, middle - 3.5, middle + 3.5);
            let points = vec![(left, high), (right, high), (right, low), (left, low)];
            self.shapes.push(Shape::Area { points, colour: STILL, opacity: SHADE });
            let text = format!("still: moved at most {still}; {scale}");
            self.text((right + 6.0, middle + LABEL * 0.35), &text, face, Align::Left, FAINT);
            bottom += LEGEND_LINE;
        }
        bottom
    }
}

#[cfg(test)]
mod tests;
