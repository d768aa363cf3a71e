//! `--precision`: what products are computed in, and which devices can.

use super::error::wrong;
use crate::device::{self, DeviceChoice};
use crate::precision::Precision;
use anyhow::Result;
use clap::{Args, ValueEnum};

/// What products are computed in.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct PrecisionArguments {
    /// What matrix products, convolutions and attention are computed in when training and validating; explanations are
    /// always f32. auto is f32; tf32 needs a GPU, and bf16 a CPU or GPU with instructions for it to be faster [default: auto,
    /// or the run's]
    #[arg(long, value_name = "PRECISION")]
    pub(super) precision: Option<PrecisionChoice>,
}

/// A word of `--precision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PrecisionChoice {
    Auto,
    F32,
    Tf32,
    Bf16,
}

impl PrecisionChoice {
    /// The word in a config file.
    pub(super) fn name(self) -> &'static str {
        match self {
            PrecisionChoice::Auto => "auto",
            other => other.precision().name(),
        }
    }

    /// What the word means.
    pub(super) fn precision(self) -> Precision {
        match self {
            PrecisionChoice::Auto => Precision::AUTO,
            PrecisionChoice::F32 => Precision::F32,
            PrecisionChoice::Tf32 => Precision::Tf32,
            PrecisionChoice::Bf16 => Precision::Bf16,
        }
    }
}

/// Whether a device can compute so, and what to say where it can but better would not.
pub(super) fn check(precision: Precision, device: DeviceChoice) -> Result<Option<&'static str>> {
    match precision {
        Precision::Bf16 if !device.has_bf16() => {
            Err(wrong(format!("precision bf16: the device {device} computes in f32 only; --device cpu has bf16")))
        }
        Precision::Tf32 if !device.is_gpu() => Err(wrong(format!(
            "precision tf32: only a GPU has it, and this is computed on {device}; expected f32 or bf16"
        ))),
        Precision::Bf16 if !device.is_gpu() && !device::has_bf16_instructions() => {
            Ok(Some("this CPU has no instructions for bf16: it will be slower than f32"))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_not_asked_for_what_it_has_not() {
        let refused = |precision, device: &str| check(precision, device.parse().unwrap()).unwrap_err().to_string();
        assert!(refused(Precision::Bf16, "flex").contains("flex computes in f32 only"));
        assert!(refused(Precision::Tf32, "cpu").contains("computed on cpu"));
        for device in ["cpu", "flex", "cuda:0"] {
            assert_eq!(check(Precision::F32, device.parse().unwrap()).unwrap(), None);
        }
        assert_eq!(check(Precision::Bf16, DeviceChoice::Cpu).unwrap().is_none(), device::has_bf16_instructions());
    }
}
