//! The ten patterns: each says how much ink covers a place, in a plane where one unit is about one period.

use super::plane::{Pair, between, blotches, cell, eightfold, floor, length, off_middle, parity, smooth, turn};

/// How much ink covers a place, and how much of that ink is of the accent colour.
pub(super) struct Ink(pub(super) f64, pub(super) f64);

/// What a pattern may vary by, each in its own way.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) salt: u64,
    pub(super) knobs: Pair,
}

impl Style {
    fn between(self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.knobs[0]
    }
}

/// A place in a pattern, and how wide one pixel is there: edges ramp over that width, so nothing aliases.
#[derive(Clone, Copy)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) pixel: f64,
}

impl Point {
    /// The same place where the unit is `periods` periods.
    fn in_units_of(self, periods: f64) -> Self {
        let [x, y, pixel] = [self.x, self.y, self.pixel].map(|length| length / periods);
        Self { x, y, pixel }
    }

    /// The same place where the pattern is squeezed by a slant or a bend, so that a pixel is wider in it.
    fn squeezed(mut self) -> Self {
        self.pixel *= 1.5;
        self
    }

    /// How much of the pixel a stroke covers whose middle is `distance` away.
    fn stroke(self, distance: f64, half_width: f64) -> f64 {
        // Never thinner than a pixel: a thin line at a short period would fade into the ground.
        ((half_width.max(0.5 * self.pixel) - distance) / self.pixel + 0.5).clamp(0.0, 1.0)
    }
}

/// Wide soft bands of uneven widths and several tones.
pub(super) fn banded(point: Point, style: Style) -> Ink {
    let point = point.in_units_of(style.between(0.95, 1.3));
    let tone = |band: f64| {
        let [depth, accent] = cell(style.salt, band, 1.0);
        [0.65 * parity(band) + 0.35 * depth, f64::from(accent < 0.5)]
    };
    // Borders move by less than half a unit, so the nearest one is among the three about the point.
    let (mut band, mut past) = (0.0, f64::INFINITY);
    for step in [-1.0, 0.0, 1.0] {
        let candidate = floor(point.x + 0.5) + step;
        let beyond = point.x - candidate - 0.7 * (cell(style.salt, candidate, 0.0)[0] - 0.5);
        if beyond.abs() < past.abs() {
            (band, past) = (candidate, beyond);
        }
    }
    let [coverage, accent] = between(tone(band - 1.0), tone(band), smooth(0.5 + past / (0.22 + point.pixel)));
    Ink(coverage, accent)
}

/// Filled squares, each touching its like at the corners alone.
pub(super) fn chequered(point: Point, style: Style) -> Ink {
    let point = point.in_units_of(style.between(0.8, 1.1));
    let side = |along: f64| (2.0 * (0.5 - off_middle(along)) / point.pixel).min(1.0) * (1.0 - 2.0 * parity(along));
    Ink(0.5 + 0.5 * side(point.x) * side(point.y), parity(point.x))
}

/// Ragged lines of varying width round irregular plates.
pub(super) fn cracked(point: Point, style: Style) -> Ink {
    let point = point.in_units_of(style.between(1.5, 2.1));
    let ragged = blotches(style.salt ^ 1, [point.x, point.y], 4.0);
    let (x, y) = (point.x + 0.22 * ragged[0], point.y + 0.22 * ragged[1]);
    let (column, row) = (floor(x), floor(y));
    // The middles of the nine plates about the point, seen from it.
    let plates: [Pair; 9] = std::array::from_fn(|index| {
        let (column, row) = (column + (index % 3) as f64 - 1.0, row + (index / 3) as f64 - 1.0);
        let [right, down] = cell(style.salt, column, row);
        [column + 0.1 + 0.8 * right - x, row + 0.1 + 0.8 * down - y]
    });
    let square = |[across, along]: Pair| across * across + along * along;
    let (mut nearest, mut border) = (plates[4], f64::INFINITY);
    for plate in plates {
        if square(plate) < square(nearest) {
            nearest = plate;
        }
    }
    for plate in plates {
        let past = square(plate) - square(nearest);
        if past > 0.0 {
            let apart = [plate[0] - nearest[0], plate[1] - nearest[1]];
            border = border.min(past * past / square(apart));
        }
    }
    let gape = 1.3 + 1.6 * (ragged[0] + ragged[1]);
    Ink(point.stroke(0.5 * border.sqrt(), style.between(0.02, 0.06) * gape), 0.0)
}

/// Round spots on a square or a staggered lattice.
pub(super) fn dotted(point: Point, style: Style) -> Ink {
    let point = point.in_units_of(1.15);
    let row = floor(point.y);
    let stagger = if style.knobs[1] < 0.5 { 0.5 } else { 0.0 };
    let x = point.x + stagger * parity(row);
    let column = floor(x);
    let [right, down] = cell(style.salt, column, row);
    let arm = [x - column - 0.44 - 0.12 * right, point.y - row - 0.44 - 0.12 * down];
    let coverage = point.stroke(length(arm), style.between(0.24, 0.36));
    Ink(coverage, f64::from(right < 0.5))
}

/// Two families of thin lines that cross squarely.
pub(super) fn grid(point: Point, style: Style) -> Ink {
    let line = |along: f64| point.stroke(off_middle(along), style.between(0.06, 0.13));
    Ink(line(point.x).max(line(point.y)), line(point.x))
}

/// Walls between equal six-sided cells.
pub(super) fn honeycombed(point: Point, style: Style) -> Ink {
    let point = point.in_units_of(1.3);
    let rise = 3.0_f64.sqrt();
    // The middles of the cells are two rectangular lattices, one at the middles of the other.
    let [first, second] =
        [0.0, 0.5].map(|shift| [off_middle(point.x + shift), off_middle(point.y / rise + shift) * rise]);
    let [x, y] = if length(first) < length(second) { first } else { second };
    let wall = 0.5 - x.max(0.5 * x + 0.5 * rise * y);
    Ink(point.stroke(wall, style.between(0.05, 0.11)), 0.0)
}

/// Thin even lines, all one way.
pub(super) fn lined(point: Point, style: Style) -> Ink {
    let point = point.in_units_of(0.85);
    let coverage = point.stroke(off_middle(point.x), style.between(0.08, 0.17));
    Ink(coverage, parity(point.x))
}

/// Stripes wound up by whirls.
pub(super) fn swirly(point: Point, style: Style) -> Ink {
    let point = point.in_units_of(style.between(3.2, 4.0));
    let (column, row) = (floor(point.x), floor(point.y));
    let mut x = point.x;
    for index in 0..9 {
        let (column, row) = (column + (index % 3) as f64 - 1.0, row + (index / 3) as f64 - 1.0);
        let [right, down] = cell(style.salt, column, row);
        let arm = [point.x - column - 0.3 - 0.4 * right, point.y - row - 0.3 - 0.4 * down];
        let fall = 1.0 - (arm[0] * arm[0] + arm[1] * arm[1]) / 0.49;
        if fall > 0.0 {
            let sense = if right < down { -0.75 } else { 0.75 };
            x += turn(arm, eightfold(sense * fall * fall))[0] - arm[0];
        }
    }
    let stripes = Point { x, ..point }.in_units_of(0.27).squeezed();
    Ink(stripes.stroke(off_middle(stripes.x), 0.25), parity(stripes.x))
}

/// Round strands over and under each other in turn.
pub(super) fn woven(point: Point, style: Style) -> Ink {
    let point = point.in_units_of(1.35);
    let (column, row) = (floor(point.x), floor(point.y));
    let (across, along) = (point.x - column - 0.5, point.y - row - 0.5);
    let half_width = style.between(0.34, 0.43);
    // A strand is fullest on its middle line and where it rides over the other, and sinks towards where it dives.
    let strand = |side: f64, way: f64, over: f64| {
        let round = 1.0 - 0.5 * (side / half_width) * (side / half_width);
        let height = 0.7 + 0.3 * over * (1.0 - 4.0 * way * way);
        (point.stroke(side.abs(), half_width), round * height)
    };
    let upright_over = parity(column + row);
    let level = strand(along, across, 1.0 - 2.0 * upright_over);
    let upright = strand(across, along, 2.0 * upright_over - 1.0);
    let turned = upright_over > 0.5;
    let (top, below) = if turned { (upright, level) } else { (level, upright) };
    let coverage = top.0 * top.1 + (1.0 - top.0) * below.0 * below.1;
    Ink(coverage, top.0 * upright_over + (1.0 - top.0) * (1.0 - upright_over))
}

/// Even stripes that turn sharply back and forth.
pub(super) fn zigzagged(point: Point, style: Style) -> Ink {
    let wave = 1.4 + 0.8 * style.knobs[1];
    let slanted = point.y + style.between(1.0, 1.6) * wave * off_middle(point.x / wave);
    Ink(point.squeezed().stroke(off_middle(slanted), 0.25), parity(slanted))
}
