//! Arithmetic on the plane of an image: turns, and noise that depends on the place alone.
//!
//! No call into a mathematics library, whose last bit differs between machines: only sums, products and the exact root.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Two coordinates. In the image's plane both run from 0 to 1.
pub(super) type Pair = [f64; 2];

/// A random unit vector. By rejection, not by sine and cosine: those differ between machines in the last bit.
pub(super) fn direction(random: &mut ChaCha8Rng) -> Pair {
    loop {
        let arm: Pair = std::array::from_fn(|_| random.random_range(-1.0..1.0));
        if (0.1..1.0).contains(&length(arm)) {
            return arm.map(|part| part / length(arm));
        }
    }
}

pub(super) fn length([x, y]: Pair) -> f64 {
    (x * x + y * y).sqrt()
}

pub(super) fn turn([x, y]: Pair, [cosine, sine]: Pair) -> Pair {
    [x * cosine - y * sine, x * sine + y * cosine]
}

/// The direction of eight times the angle whose tangent is `tangent`: any turn, from arithmetic alone.
pub(super) fn eightfold(tangent: f64) -> Pair {
    let scale = 1.0 / (1.0 + tangent * tangent);
    let double = [(1.0 - tangent * tangent) * scale, 2.0 * tangent * scale];
    let fourfold = turn(double, double);
    turn(fourfold, fourfold)
}

pub(super) fn between(from: Pair, to: Pair, share: f64) -> Pair {
    [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share]
}

pub(super) fn smooth(value: f64) -> f64 {
    let value = value.clamp(0.0, 1.0);
    value * value * (3.0 - 2.0 * value)
}

/// As `f64::floor`, which is a slow library call on processors without an instruction for it.
pub(super) fn floor(value: f64) -> f64 {
    // Next to a number this large only whole ones can be told apart, so the sum is rounded to the nearest of them.
    const WHOLE_FROM: f64 = 6_755_399_441_055_744.0;
    let nearest = (value + WHOLE_FROM) - WHOLE_FROM;
    nearest - f64::from(nearest > value)
}

/// How far a place is from the middle of its unit, from 0 there to 0.5 at either end.
pub(super) fn off_middle(along: f64) -> f64 {
    (along - floor(along) - 0.5).abs()
}

/// 0 in an even unit, 1 in an odd one.
pub(super) fn parity(along: f64) -> f64 {
    floor(along) - 2.0 * floor(0.5 * along)
}

/// Two independent smooth noises in -0.5..0.5, with `frequency` blotches to the unit.
#[inline(always)] // Called three times for each pixel: without, a draw takes a tenth longer.
pub(super) fn blotches(salt: u64, at: Pair, frequency: f64) -> Pair {
    let [x, y] = at.map(|place| place * frequency);
    let (column, row) = (floor(x), floor(y));
    let (right, down) = (smooth(x - column), smooth(y - row));
    let edge = |row: f64| between(cell(salt, column, row), cell(salt, column + 1.0, row), right);
    between(edge(row), edge(row + 1.0), down).map(|noise| noise - 0.5)
}

/// Two independent numbers in 0..1 that belong to one cell of a pattern, whichever pixel asks.
pub(super) fn cell(salt: u64, column: f64, row: f64) -> Pair {
    // The bits of small whole numbers are all at the top; products carry upwards, so they have to start at the bottom.
    let column = column.to_bits().rotate_left(24).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let row = row.to_bits().rotate_left(24).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    let mixed = (salt ^ column ^ row.rotate_left(31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB);
    [mixed >> 40, (mixed >> 8) & 0xFF_FFFF].map(|bits| bits as f64 / 16_777_216.0)
}
