//! What reading a picture may cost, and how strict it is.

use serde::{Deserialize, Serialize};

/// What reading one picture may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Greatest number of pixels, in millions.
    pub max_megapixels: u32,
    /// Most memory that its decoder may take, in MiB; no greater file is read either.
    pub max_decoder_mib: u32,
}

impl Default for Limits {
    /// 100 megapixels and 1 GiB: any camera's photograph, and a machine of 4 GiB can read one on each of two cores.
    fn default() -> Self {
        Self { max_megapixels: 100, max_decoder_mib: 1024 }
    }
}

impl Limits {
    /// Limits of this many megapixels, with memory in proportion and never less than the default.
    pub fn of_megapixels(max_megapixels: u32) -> Self {
        let default = Self::default();
        let mib = (u64::from(max_megapixels) * u64::from(default.max_decoder_mib))
            .div_ceil(u64::from(default.max_megapixels));
        Self { max_megapixels, max_decoder_mib: u32::try_from(mib).unwrap_or(u32::MAX).max(default.max_decoder_mib) }
    }

    pub(in crate::picture) fn bytes(&self) -> u64 {
        u64::from(self.max_decoder_mib) << 20
    }

    /// Whether a picture of `[width, height]` whose decoder takes `bytes` is within them.
    pub(super) fn check(&self, [width, height]: [u64; 2], bytes: u64) -> Result<(), String> {
        let pixels = width.saturating_mul(height);
        if pixels > u64::from(self.max_megapixels) * 1_000_000 {
            return Err(format!(
                "{width} × {height} pixels are {} megapixels, more than the limit of {} (raise it with --max-megapixels)",
                pixels.div_ceil(1_000_000),
                self.max_megapixels
            ));
        }
        if bytes > self.bytes() {
            return Err(format!(
                "{width} × {height} pixels need {} MiB to be decoded, more than the limit of {} MiB (raise it with \
                 --max-decoder-mib)",
                bytes.div_ceil(1 << 20),
                self.max_decoder_mib
            ));
        }
        Ok(())
    }

    pub(super) fn of_image_crate(&self) -> image::Limits {
        let mut limits = image::Limits::default();
        (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (None, None, Some(self.bytes()));
        limits
    }
}

/// How strictly and within which limits pictures are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReadOptions {
    pub(crate) limits: Limits,
    /// Accepts a JPEG whose data ends early, with the rest in grey, as the first version of driftscope did: its runs must see
    /// the same pixels when they are resumed.
    pub(crate) lenient: bool,
}
