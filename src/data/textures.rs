//! Ten texture classes drawn from a seed, so that everything runs with no data set on disk.
//!
//! A picture is a textured region on a background, in random colours, scale, angle, light and noise. All but the
//! pattern inside the region is drawn without a look at the class, so evidence found outside the region is none.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Class names in label order (alphabetical).
#[rustfmt::skip] // Two lines, not ten.
pub const CLASSES: [&str; 10] = [
    "banded", "chequered", "cracked", "dotted", "grid", "honeycombed", "lined", "swirly", "woven", "zigzagged",
];

/// The pattern of each class, in label order.
#[rustfmt::skip]
const PATTERNS: [fn(Point, Style) -> Ink; 10] =
    [banded, chequered, cracked, dotted, grid, honeycombed, lined, swirly, woven, zigzagged];

/// One drawn picture and the part of it that carries the class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texture {
    /// Pixels along each side.
    pub size: usize,
    /// Red, green and blue bytes of each pixel, row by row: `[size, size, 3]`.
    pub pixels: Vec<u8>,
    /// Whether the texture, not the background, makes up more than half of each pixel: `[size, size]`.
    pub mask: Vec<bool>,
}

/// Draws one texture. The same `(class, seed, size)` gives the same bytes on every machine.
///
/// Only the pattern depends on the class: one seed gives every class the same region, colours, background, light and
/// noise.
///
/// # Panics
///
/// When `class` is not an index into [`CLASSES`].
pub fn draw(class: usize, seed: u64, size: usize) -> Texture {
    assert!(class < CLASSES.len(), "no texture class {class}");
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let (share_at, locate, paint) = (region(random), placement(random), palette(random));
    let (background, develop) = (backdrop(random), light(random));
    let (salt, knobs) = (random.next_u64(), random.random());
    let style = Style { salt, knobs };
    let (mut pixels, mut mask) = (Vec::with_capacity(size * size * 3), Vec::with_capacity(size * size));
    for index in 0..size * size {
        let at = [index % size, index / size].map(|place| (place as f64 + 0.5) / size as f64);
        let share = share_at(at);
        let mut colour = [0.0; 3];
        if share < 1.0 {
            colour = background(at);
        }
        if share > 0.0 {
            colour = mix(colour, paint(PATTERNS[class](locate(at, size), style)), share);
        }
        pixels.extend(develop(colour, at, random.next_u64()));
        mask.push(share > 0.5);
    }
    Texture { size, pixels, mask }
}

/// Two coordinates. In the picture's plane both run from 0 to 1.
type Pair = [f64; 2];
/// Red, green and blue in 0..1.
type Colour = [f64; 3];
/// How much ink covers a place, and how much of that ink is of the accent colour.
struct Ink(f64, f64);

/// What a pattern may vary by, each in its own way.
#[derive(Clone, Copy)]
struct Style {
    salt: u64,
    knobs: Pair,
}

impl Style {
    fn between(self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.knobs[0]
    }
}

/// A place in a pattern, and how wide one pixel is there: edges ramp over that width, so nothing aliases.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
    pixel: f64,
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

/// The texture's share of each place: all of the picture, or a soft-edged blob.
fn region(random: &mut ChaCha8Rng) -> impl Fn(Pair) -> f64 + use<> {
    const SIDE: usize = 32;
    let (salt, axis, slimness) = (random.next_u64(), direction(random), random.random_range(0.65..1.0));
    let centre: Pair = std::array::from_fn(|_| random.random_range(0.3..0.7));
    let (covered, softness) = (random.random_range(0.37..0.78), random.random_range(0.04..0.12));
    let everywhere = random.random_bool(0.25);
    let distance = move |at: Pair| {
        let [x, y] = turn([at[0] - centre[0], at[1] - centre[1]], axis);
        length([x, y / slimness]) + 0.25 * blotches(salt, at, 3.5)[0]
    };
    // A quantile of the distances covers as much as it should, whatever part of the blob lies outside the picture.
    let places = (0..SIDE * SIDE).map(|index| [index % SIDE, index / SIDE].map(|place| place as f64 / SIDE as f64));
    let mut distances: Vec<f64> = places.map(distance).collect();
    let rank = (covered * distances.len() as f64) as usize;
    let reach = *distances.select_nth_unstable_by(rank, f64::total_cmp).1;
    let reach = if everywhere { f64::INFINITY } else { reach };
    move |at| smooth(0.5 + (reach - distance(at)) / softness)
}

/// How the picture's plane maps to the pattern's, where one unit is one period.
fn placement(random: &mut ChaCha8Rng) -> impl Fn(Pair, usize) -> Point + use<> {
    let (salt, axis, along): (u64, Pair, f64) = (random.next_u64(), direction(random), random.random());
    // More of the short periods: a coarse pattern shows few repeats inside the region.
    let period = 0.06 + 0.14 * along * (0.4 + 0.6 * along);
    let (stretch, warp) = (random.random_range(0.9..1.1), random.random_range(0.02..0.09));
    let phase: Pair = std::array::from_fn(|_| random.random_range(0.0..64.0));
    move |at, size| {
        let bend = blotches(salt, at, 2.5);
        let [x, y] = turn([at[0] - 0.5 + warp * bend[0], at[1] - 0.5 + warp * bend[1]], axis);
        let [x, y] = [x / period * stretch + phase[0], y / period / stretch + phase[1]];
        let pixel = 1.0 / (size as f64 * period);
        Point { x, y, pixel }
    }
}

/// Two or three colours. Ground and ink differ by 0.35 in luminance or more, and either may be the lighter one.
fn palette(random: &mut ChaCha8Rng) -> impl Fn(Ink) -> Colour + use<> {
    let contrast: f64 = random.random_range(0.35..0.75);
    let dark: f64 = random.random_range(0.05..0.95 - contrast);
    let (light, swapped) = (dark + contrast, random.random_bool(0.5));
    let (ground, ink) = if swapped { (light, dark) } else { (dark, light) };
    // The accent is about as light as the ink, so that it stands out from the ground wherever ink does.
    let accent = (ink + random.random_range(-0.15..0.15)).clamp(0.05, 0.95);
    let [ground, ink, accent] = [ground, ink, accent].map(|luminance| colour_of(luminance, random));
    let accent = if random.random_bool(0.5) { ink } else { accent };
    move |Ink(coverage, share)| mix(ground, mix(ink, accent, share), coverage)
}

/// Blotches, a ramp or something between them, in two colours such as textures have.
fn backdrop(random: &mut ChaCha8Rng) -> impl Fn(Pair) -> Colour + use<> {
    let (paint, salt, axis) = (palette(random), random.next_u64(), direction(random));
    let (frequency, blotchiness) = (random.random_range(1.5..5.0), random.random_range(0.0..1.0));
    move |at| {
        let ramp = 0.7 * turn([at[0] - 0.5, at[1] - 0.5], axis)[0];
        let blotch = blotches(salt, at, frequency)[0];
        paint(Ink((0.5 + ramp + (blotch - ramp) * blotchiness).clamp(0.0, 1.0), 0.0))
    }
}

/// What stands between the surface and the bytes: contrast, uneven light and noise, from random bits for each pixel.
fn light(random: &mut ChaCha8Rng) -> impl Fn(Colour, Pair, u64) -> [u8; 3] + use<> {
    let (axis, fall) = (direction(random), random.random_range(0.0..0.5));
    let (contrast, noise) = (random.random_range(0.7..1.05), random.random_range(0.005..0.05));
    move |colour, at, bits| {
        let light = 1.0 + fall * turn([at[0] - 0.5, at[1] - 0.5], axis)[0];
        let grains = bits.to_le_bytes().map(|byte| noise * (f64::from(byte) / 127.5 - 1.0));
        // Three grains for all channels and one for each: sums of uniforms are near enough to normal.
        std::array::from_fn(|channel| {
            let grain = grains[3] + grains[4] + grains[5] + grains[channel];
            let value = (0.5 + (colour[channel] - 0.5) * contrast) * light + grain;
            (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
        })
    }
}

/// Wide soft bands of uneven widths and several tones.
fn banded(point: Point, style: Style) -> Ink {
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
fn chequered(point: Point, style: Style) -> Ink {
    let point = point.in_units_of(style.between(0.8, 1.1));
    let side = |along: f64| (2.0 * (0.5 - off_middle(along)) / point.pixel).min(1.0) * (1.0 - 2.0 * parity(along));
    Ink(0.5 + 0.5 * side(point.x) * side(point.y), parity(point.x))
}

/// Ragged lines of varying width round irregular plates.
fn cracked(point: Point, style: Style) -> Ink {
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
fn dotted(point: Point, style: Style) -> Ink {
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
fn grid(point: Point, style: Style) -> Ink {
    let line = |along: f64| point.stroke(off_middle(along), style.between(0.06, 0.13));
    Ink(line(point.x).max(line(point.y)), line(point.x))
}

/// Walls between equal six-sided cells.
fn honeycombed(point: Point, style: Style) -> Ink {
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
fn lined(point: Point, style: Style) -> Ink {
    let point = point.in_units_of(0.85);
    let coverage = point.stroke(off_middle(point.x), style.between(0.08, 0.17));
    Ink(coverage, parity(point.x))
}

/// Stripes wound up by whirls.
fn swirly(point: Point, style: Style) -> Ink {
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
fn woven(point: Point, style: Style) -> Ink {
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
fn zigzagged(point: Point, style: Style) -> Ink {
    let wave = 1.4 + 0.8 * style.knobs[1];
    let slanted = point.y + style.between(1.0, 1.6) * wave * off_middle(point.x / wave);
    Ink(point.squeezed().stroke(off_middle(slanted), 0.25), parity(slanted))
}

/// A random unit vector. By rejection, not by sine and cosine: those differ between machines in the last bit.
fn direction(random: &mut ChaCha8Rng) -> Pair {
    loop {
        let arm: Pair = std::array::from_fn(|_| random.random_range(-1.0..1.0));
        if (0.1..1.0).contains(&length(arm)) {
            return arm.map(|part| part / length(arm));
        }
    }
}

fn length([x, y]: Pair) -> f64 {
    (x * x + y * y).sqrt()
}

fn turn([x, y]: Pair, [cosine, sine]: Pair) -> Pair {
    [x * cosine - y * sine, x * sine + y * cosine]
}

/// The direction of eight times the angle whose tangent is `tangent`: any turn, from arithmetic alone.
fn eightfold(tangent: f64) -> Pair {
    let scale = 1.0 / (1.0 + tangent * tangent);
    let double = [(1.0 - tangent * tangent) * scale, 2.0 * tangent * scale];
    let fourfold = turn(double, double);
    turn(fourfold, fourfold)
}

/// A random colour of exactly this luminance: any colour, darkened or paled until it fits.
fn colour_of(luminance: f64, random: &mut ChaCha8Rng) -> Colour {
    let colour: Colour = std::array::from_fn(|_| random.random_range(0.05..0.95));
    let own = luminance_of(colour);
    if own > luminance {
        return mix([0.0; 3], colour, luminance / own);
    }
    mix([1.0; 3], colour, (1.0 - luminance) / (1.0 - own))
}

fn luminance_of([red, green, blue]: Colour) -> f64 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

fn mix(from: Colour, to: Colour, share: f64) -> Colour {
    std::array::from_fn(|channel| from[channel] + (to[channel] - from[channel]) * share)
}

fn between(from: Pair, to: Pair, share: f64) -> Pair {
    [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share]
}

fn smooth(value: f64) -> f64 {
    let value = value.clamp(0.0, 1.0);
    value * value * (3.0 - 2.0 * value)
}

/// As `f64::floor`, which is a slow library call on processors without an instruction for it.
fn floor(value: f64) -> f64 {
    // Next to a number this large only whole ones can be told apart, so the sum is rounded to the nearest of them.
    const WHOLE_FROM: f64 = 6_755_399_441_055_744.0;
    let nearest = (value + WHOLE_FROM) - WHOLE_FROM;
    nearest - f64::from(nearest > value)
}

/// How far a place is from the middle of its unit, from 0 there to 0.5 at either end.
fn off_middle(along: f64) -> f64 {
    (along - floor(along) - 0.5).abs()
}

/// 0 in an even unit, 1 in an odd one.
fn parity(along: f64) -> f64 {
    floor(along) - 2.0 * floor(0.5 * along)
}

/// Two independent smooth noises in -0.5..0.5, with `frequency` blotches to the unit.
#[inline(always)] // Called three times for each pixel: without, a draw takes a tenth longer.
fn blotches(salt: u64, at: Pair, frequency: f64) -> Pair {
    let [x, y] = at.map(|place| place * frequency);
    let (column, row) = (floor(x), floor(y));
    let (right, down) = (smooth(x - column), smooth(y - row));
    let edge = |row: f64| between(cell(salt, column, row), cell(salt, column + 1.0, row), right);
    between(edge(row), edge(row + 1.0), down).map(|noise| noise - 0.5)
}

/// Two independent numbers in 0..1 that belong to one cell of a pattern, whichever pixel asks.
fn cell(salt: u64, column: f64, row: f64) -> Pair {
    // The bits of small whole numbers are all at the top; products carry upwards, so they have to start at the bottom.
    let column = column.to_bits().rotate_left(24).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let row = row.to_bits().rotate_left(24).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    let mixed = (salt ^ column ^ row.rotate_left(31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB);
    [mixed >> 40, (mixed >> 8) & 0xFF_FFFF].map(|bits| bits as f64 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 96;

    fn luminances(texture: &Texture) -> Vec<f64> {
        let pixels = texture.pixels.chunks_exact(3);
        pixels.map(|pixel| luminance_of([pixel[0], pixel[1], pixel[2]].map(f64::from)) / 255.0).collect()
    }

    fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
        (mean, (square / values.len() as f64).sqrt())
    }

    #[test]
    fn the_seed_decides_every_byte() {
        for class in 0..CLASSES.len() {
            assert_eq!(draw(class, 7, SIZE), draw(class, 7, SIZE));
            assert_ne!(draw(class, 7, SIZE).pixels, draw(class, 8, SIZE).pixels);
        }
    }

    /// Guards the promise of the same bytes on every machine: a failure here also means that old results are stale.
    #[test]
    fn the_bytes_are_the_ones_they_have_always_been() {
        let bytes = (0..CLASSES.len()).flat_map(|class| draw(class, 7, SIZE).pixels);
        let digest = bytes.fold(0, |digest: u32, byte| digest.wrapping_mul(31).wrapping_add(u32::from(byte)));
        assert_eq!(digest, 4140991441);
    }

    #[test]
    fn only_the_region_shows_the_class_and_no_picture_is_flat() {
        let (mut outside, mut same) = (0, 0);
        for seed in 0..40 {
            let first = draw(0, seed, SIZE);
            for (class, name) in CLASSES.iter().enumerate().skip(1) {
                let texture = draw(class, seed, SIZE);
                assert_eq!(texture.mask, first.mask, "{name} {seed}");
                assert!(mean_and_deviation(&luminances(&texture)).1 > 0.03, "{name} {seed}");
                let pairs = texture.pixels.chunks_exact(3).zip(first.pixels.chunks_exact(3));
                for ((one, other), _) in pairs.zip(&first.mask).filter(|(_, inside)| !**inside) {
                    outside += 1;
                    same += usize::from(one == other);
                }
            }
        }
        // The rest is the outer half of the region's soft edge.
        assert!(same * 10 > outside * 8, "{same} of {outside} pixels outside the region are the same");
    }

    #[test]
    fn the_mask_covers_a_quarter_to_all() {
        let mut full = 0;
        for seed in 0..400 {
            let inside = draw(0, seed, SIZE).mask.iter().filter(|inside| **inside).count();
            assert!((SIZE * SIZE / 4..=SIZE * SIZE).contains(&inside), "{seed}: {inside}");
            full += usize::from(inside == SIZE * SIZE);
        }
        assert!((60..=140).contains(&full), "{full} of 400 pictures are texture all over");
    }

    /// Class means lie within 0.05 of each other's mean, far closer together than pictures of one class.
    #[test]
    fn brightness_does_not_identify_the_class() {
        let statistics: [(f64, f64); 10] = std::array::from_fn(|class| {
            let seeds = 1000 * class as u64..1000 * class as u64 + 200;
            let means: Vec<f64> =
                seeds.map(|seed| mean_and_deviation(&luminances(&draw(class, seed, SIZE))).0).collect();
            mean_and_deviation(&means)
        });
        let overall = mean_and_deviation(&statistics.map(|(mean, _)| mean)).0;
        assert!(statistics.iter().all(|(mean, spread)| (mean - overall).abs() < f64::min(0.05, 0.5 * spread)));
    }

    #[test]
    #[should_panic(expected = "no texture class 10")]
    fn an_unknown_class_is_refused() {
        draw(CLASSES.len(), 0, SIZE);
    }
}
