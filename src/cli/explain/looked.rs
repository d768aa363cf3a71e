//! The explanations of the images by one run, and the names of the files that show them.

use crate::fsx;
use crate::probe::{Assessment, Images};
use crate::run::Reopened;
use crate::store::Explanations;
use clap::ValueEnum;
use std::path::Path;

/// The range of values that the colours cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Scale {
    /// From zero to each map's own greatest magnitude
    Own,
    /// From each map's least to its greatest value, as pytorch-grad-cam paints
    Stretched,
    /// From zero to the greatest magnitude over all images, for each method
    Common,
}

/// One run's checkpoint, the images, and their explanations.
pub(super) struct Looked {
    /// `NAME@EPOCH`, with a number behind it where two would be the same.
    pub(super) title: String,
    pub(super) reopened: Reopened,
    pub(super) images: Images,
    pub(super) seen: Vec<Explanations>,
    pub(super) assessments: Vec<Assessment>,
}

/// A file's name without its ending, of letters and digits and a few signs that every file system takes, and not too long.
pub(super) fn file_name(id: &str) -> String {
    let stem = Path::new(id).with_extension("");
    let plain = |letter: char| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let name = stem.to_string_lossy().chars().map(plain).collect::<String>().trim_matches(['-', '.']).to_string();
    if name.is_empty() { "picture".to_string() } else { short(&name) }
}

/// A long name cut to its end, which tells more than its beginning; a digest of the whole keeps it apart from others.
pub(super) fn short(name: &str) -> String {
    const LONGEST: usize = 180;
    if name.len() <= LONGEST {
        return name.to_string();
    }
    let from = (name.len() - LONGEST..name.len()).find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    format!("{}-{}", &fsx::sha256_hex(name.as_bytes())[..8], &name[from..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_and_stays_one_of_its_kind() {
        let long = |folder: &str| file_name(&format!("{folder}/{}/photo.jpg", "ä".repeat(200)));
        let (one, other) = (long("one"), long("other"));
        assert!(one.len() <= 200 && one.ends_with("-photo"), "{one}");
        assert_ne!(one, other);
        assert_eq!((file_name("a/b c.png"), file_name("---.png")), ("a-b-c".to_string(), "picture".to_string()));
    }
}
