//! The image that `scripts/parity/augment.py` draws too, and how both sides name a result.

use crate::fsx;
use crate::picture::Picture;

/// 40×30 pixels, every channel with its own range and its own histogram, neither black nor white.
pub(super) fn picture() -> Picture {
    let byte = |x, y, c| 17 + 9 * c + (x * 7919 + y * 104_729 + (c + 1) * x * y * 31) % (211 - 23 * c);
    let pixels = (0..40 * 30 * 3).map(|at| byte(at / 3 % 40, at / 120, at % 3) as u8);
    Picture::new(40, 30, pixels.collect())
}

/// All 52³ colours whose channels are multiples of 5.
pub(super) fn colours() -> Picture {
    let pixels = (0..52 * 52 * 52).flat_map(|at| [at / 2704, at / 52 % 52, at % 52].map(|step| 5 * step as u8));
    Picture::new(2704, 52, pixels.collect())
}

/// The first 16 digits of SHA-256.
pub(super) fn digest(bytes: &[u8]) -> String {
    fsx::sha256_hex(bytes)[..16].to_string()
}
