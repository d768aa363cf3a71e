//! The arithmetic of a pass: which numbers matrix products, convolutions and attention are computed in.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What matrix products, convolutions and attention compute in. Parameters, their gradients, moments, the statistics of
/// norms, softmax and loss are float32 in all of them.
///
/// # Source
///
/// Bf16 casts where `torch.autocast` does. Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep Learning Training".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Float32 throughout.
    #[default]
    F32,
    /// Float32 whose products a GPU takes from inputs rounded to 10 bits of mantissa.
    Tf32,
    /// 16 bits with the range of float32 and 8 bits of precision; sums inside a product are float32.
    Bf16,
}

impl Precision {
    /// All of them, the exact one first.
    pub const ALL: [Precision; 3] = [Precision::F32, Precision::Tf32, Precision::Bf16];

    /// What `auto` means: the one that every device has and that was measured on each.
    pub const AUTO: Precision = Precision::F32;

    /// The name in settings and records.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Tf32 => "tf32",
            Precision::Bf16 => "bf16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no precision.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is no precision; expected f32, tf32 or bf16")]
pub struct UnknownPrecision(String);

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, UnknownPrecision> {
        let found = Precision::ALL.into_iter().find(|precision| precision.name() == text);
        found.ok_or_else(|| UnknownPrecision(text.to_string()))
    }
}
