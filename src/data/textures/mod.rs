//! Ten texture classes drawn from a seed, so that everything runs with no data set on disk.
//!
//! An image is a textured region on a background, in random colours, scale, angle, light and noise. All but the
//! pattern inside the region is drawn without a look at the class, so evidence found outside the region is none.

mod patterns;
mod plane;

use patterns::{
    Ink, Point, Style, banded, chequered, cracked, dotted, grid, honeycombed, lined, swirly, woven, zigzagged,
};
use plane::{Pair, blotches, direction, length, smooth, turn};
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

/// One drawn image and the part of it that carries the class.
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

/// Red, green and blue in 0..1.
type Colour = [f64; 3];

/// The texture's share of each place: all of the image, or a soft-edged blob.
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
    // A quantile of the distances covers as much as it should, whatever part of the blob lies outside the image.
    let places = (0..SIDE * SIDE).map(|index| [index % SIDE, index / SIDE].map(|place| place as f64 / SIDE as f64));
    let mut distances: Vec<f64> = places.map(distance).collect();
    let rank = (covered * distances.len() as f64) as usize;
    let reach = *distances.select_nth_unstable_by(rank, f64::total_cmp).1;
    let reach = if everywhere { f64::INFINITY } else { reach };
    move |at| smooth(0.5 + (reach - distance(at)) / softness)
}

/// How the image's plane maps to the pattern's, where one unit is one period.
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
        assert!((60..=140).contains(&full), "{full} of 400 images are texture all over");
    }

    /// Class means lie within 0.05 of each other's mean, far closer together than images of one class.
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
