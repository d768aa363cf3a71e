//! Pixels kept in memory from one epoch to the next, within a budget.
//!
//! They are what the file holds, so a run ends in the same bytes with and without them. A file that changes while a run
//! goes on is found as ever: that is asked of the disk, before each epoch is sealed.

use super::augment::Preprocessing;
use crate::free_memory;
use crate::fsx;
use crate::picture::Picture;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// How much memory decoded pixels may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheSize {
    /// A quarter of the memory that is free when the data is opened.
    #[default]
    Auto,
    /// Every image is decoded anew in every epoch.
    Off,
    /// So many bytes.
    Bytes(u64),
}

/// Where the system does not say how much is free.
const UNKNOWN: u64 = 4 << 30;

impl CacheSize {
    /// The size in bytes; 0 for none.
    pub fn bytes(self) -> u64 {
        match self {
            CacheSize::Auto => free_memory::bytes().unwrap_or(UNKNOWN) / 4,
            CacheSize::Off => 0,
            CacheSize::Bytes(bytes) => bytes,
        }
    }
}

impl FromStr for CacheSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, shift) = match text {
            "auto" => return Ok(CacheSize::Auto),
            "off" => return Ok(CacheSize::Off),
            text => match (text.strip_suffix('M'), text.strip_suffix('G')) {
                (Some(digits), _) => (digits, 20),
                (_, Some(digits)) => (digits, 30),
                _ => ("", 0),
            },
        };
        let number = fsx::whole_number::<u64>(digits).filter(|number| (1..=u64::MAX >> shift).contains(number));
        let bytes = number.map(|number| CacheSize::Bytes(number << shift));
        bytes.ok_or_else(|| "expected auto, off, or MiB or GiB as in 500M or 4G".to_string())
    }
}

impl fmt::Display for CacheSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CacheSize::Auto => f.write_str("auto"),
            CacheSize::Off => f.write_str("off"),
            CacheSize::Bytes(bytes) => write!(f, "{}M", bytes >> 20),
        }
    }
}

/// The memory that all images share.
#[derive(Debug)]
pub(super) struct Cache {
    left: AtomicU64,
}

/// What is around the pixels of an image: the allocator's, and those of the picture and its counters.
const AROUND: u64 = 128;

impl Cache {
    pub(super) fn new(bytes: u64) -> Self {
        Self { left: AtomicU64::new(bytes) }
    }

    /// Whether there is room for this many bytes, which are then taken.
    fn takes(&self, bytes: usize) -> bool {
        let bytes = bytes as u64 + AROUND;
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    fn returns(&self, bytes: usize) {
        self.left.fetch_add(bytes as u64 + AROUND, Ordering::Relaxed);
    }

    /// Of so many bytes of pixels of so many images, the share that a cache of `bytes` holds, 0 to 1.
    pub(super) fn share(bytes: u64, pixels: u64, images: usize) -> f64 {
        (bytes as f64 / (pixels + AROUND * images as u64).max(1) as f64).min(1.0)
    }
}

/// What is kept of one image.
#[derive(Debug)]
pub(super) struct Kept {
    cache: Arc<Cache>,
    picture: OnceLock<Arc<Picture>>,
    /// What evaluation makes of it, channels first.
    evaluated: OnceLock<(Preprocessing, Box<[u8]>)>,
}

impl Kept {
    pub(super) fn new(cache: Arc<Cache>) -> Self {
        Self { cache, picture: OnceLock::new(), evaluated: OnceLock::new() }
    }

    pub(super) fn picture(&self) -> Option<Arc<Picture>> {
        self.picture.get().cloned()
    }

    /// Keeps the picture if there is room.
    pub(super) fn keep_picture(&self, picture: &Arc<Picture>) {
        let bytes = picture.pixels().len();
        if self.picture.get().is_none() && self.cache.takes(bytes) && self.picture.set(picture.clone()).is_err() {
            self.cache.returns(bytes); // another worker was faster with the same
        }
    }

    /// What evaluation makes of the image with this preprocessing.
    pub(super) fn evaluated(&self, preprocessing: &Preprocessing) -> Option<&[u8]> {
        self.evaluated.get().filter(|(known, _)| known == preprocessing).map(|(_, planes)| planes.as_ref())
    }

    /// Keeps that if there is room.
    pub(super) fn keep_evaluated(&self, preprocessing: &Preprocessing, planes: &[u8]) {
        let bytes = planes.len();
        if self.evaluated.get().is_none()
            && self.cache.takes(bytes)
            && self.evaluated.set((*preprocessing, planes.into())).is_err()
        {
            self.cache.returns(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_word_or_a_number_with_its_unit() {
        for (text, size) in [
            ("auto", CacheSize::Auto),
            ("off", CacheSize::Off),
            ("500M", CacheSize::Bytes(500 << 20)),
            ("4G", CacheSize::Bytes(4 << 30)),
        ] {
            assert_eq!(text.parse(), Ok(size));
            assert_eq!(size.to_string().parse(), Ok(size));
        }
        for text in ["", "0M", "7", "-1G", "1.5G", "4g", "M", "99999999999999999999G", "17179869184G"] {
            assert!(text.parse::<CacheSize>().unwrap_err().contains("500M"), "{text}");
        }
        assert_eq!(CacheSize::Off.bytes(), 0);
        assert_eq!(CacheSize::Bytes(7).bytes(), 7);
    }

    /// On paper: a picture of 10 × 10 pixels has 300 bytes, and 128 around them; two take 856.
    #[test]
    fn a_cache_is_filled_to_its_budget_and_no_further() {
        let cache = Arc::new(Cache::new(1000));
        let kept: Vec<Kept> = (0..3).map(|_| Kept::new(cache.clone())).collect();
        let picture = Arc::new(Picture::filled(10, 10, [1, 2, 3]));
        kept.iter().for_each(|kept| kept.keep_picture(&picture));
        assert_eq!(kept.iter().map(|kept| kept.picture().is_some()).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(cache.left.load(Ordering::Relaxed), 1000 - 856);
        kept[0].keep_picture(&picture);
        assert_eq!(cache.left.load(Ordering::Relaxed), 144, "nothing is paid for twice");
        let small = Arc::new(Picture::filled(2, 2, [0; 3]));
        kept[2].keep_picture(&small); // 12 + 128 = 140
        assert_eq!(cache.left.load(Ordering::Relaxed), 4, "what is smaller still fits");
        assert_eq!(Cache::share(428, 600, 2), 0.5);
        assert_eq!(Cache::share(10_000, 600, 2), 1.0);
    }
}
