//! From what a person types (`auto`, `cpu`, `cuda:1`, `flex`) to a device, or an error that says what there is.
//!
//! Burn's own constructors are lazy and panic at the first tensor; this file probes first. It and `ops/` are the only
//! places that know a backend.

use burn::tensor::Device;
use std::fmt;
use std::str::FromStr;

/// Where to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// CUDA where there is one, else libtorch on the CPU, else `flex`.
    Auto,
    /// libtorch on the CPU.
    Cpu,
    /// libtorch on a CUDA device.
    Cuda(usize),
    /// Pure Rust, always compiled in: slow, and a check on everything else.
    Flex,
}

/// A device that was asked for is not there, or is no device at all.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DeviceError {
    /// Not a device's name.
    #[error("'{0}' is no device; expected auto, cpu, cuda, cuda:N or flex")]
    Unknown(String),
    /// libtorch is not compiled in.
    #[error("device {0} needs libtorch, and this driftscope was built without it (flex is compiled in)")]
    NotCompiledIn(DeviceChoice),
    /// No such CUDA device.
    #[error("device {wanted} was asked for, but libtorch found {found} CUDA device(s); cpu and flex are available")]
    NotFound {
        /// What was asked for.
        wanted: DeviceChoice,
        /// How many there are.
        found: usize,
    },
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown(text.to_string());
        match text {
            "auto" => Ok(DeviceChoice::Auto),
            "cpu" => Ok(DeviceChoice::Cpu),
            "cuda" => Ok(DeviceChoice::Cuda(0)),
            "flex" => Ok(DeviceChoice::Flex),
            _ => {
                let index = text.strip_prefix("cuda:").ok_or_else(unknown)?;
                index.parse().map(DeviceChoice::Cuda).map_err(|_| unknown())
            }
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Auto => f.write_str("auto"),
            DeviceChoice::Cpu => f.write_str("cpu"),
            DeviceChoice::Cuda(index) => write!(f, "cuda:{index}"),
            DeviceChoice::Flex => f.write_str("flex"),
        }
    }
}

impl DeviceChoice {
    /// The device, and what `auto` came to.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] where libtorch is not compiled in, or has no such CUDA device.
    pub fn open(self) -> Result<(Device, DeviceChoice), DeviceError> {
        match self {
            DeviceChoice::Flex => Ok((Device::flex(), self)),
            #[cfg(feature = "libtorch")]
            _ => libtorch::open(self),
            #[cfg(not(feature = "libtorch"))]
            DeviceChoice::Auto => Ok((Device::flex(), DeviceChoice::Flex)),
            #[cfg(not(feature = "libtorch"))]
            DeviceChoice::Cpu | DeviceChoice::Cuda(_) => Err(DeviceError::NotCompiledIn(self)),
        }
    }
}

#[cfg(feature = "libtorch")]
#[allow(deprecated, reason = "burn-tch is pinned; the day it goes, this module goes with it")]
mod libtorch {
    use super::{DeviceChoice, DeviceError};
    use burn::tensor::Device;

    pub(super) fn open(choice: DeviceChoice) -> Result<(Device, DeviceChoice), DeviceError> {
        let found = if tch::Cuda::is_available() { tch::Cuda::device_count().max(0) as usize } else { 0 };
        let choice = match choice {
            DeviceChoice::Auto if found > 0 => DeviceChoice::Cuda(0),
            DeviceChoice::Auto => DeviceChoice::Cpu,
            other => other,
        };
        match choice {
            DeviceChoice::Cuda(index) if index < found => Ok((Device::libtorch_cuda(index), choice)),
            DeviceChoice::Cuda(_) => Err(DeviceError::NotFound { wanted: choice, found }),
            _ => Ok((Device::libtorch(), choice)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_reads_back_as_written() {
        for text in ["auto", "cpu", "cuda:0", "cuda:3", "flex"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
    }

    #[test]
    fn an_unknown_device_is_refused_by_name() {
        for text in ["gpu", "cuda:", "cuda:x", ""] {
            assert_eq!(text.parse::<DeviceChoice>(), Err(DeviceError::Unknown(text.to_string())));
        }
    }

    #[test]
    fn a_missing_cuda_device_is_an_error_and_not_a_panic() {
        assert!(DeviceChoice::Cuda(99).open().is_err());
    }
}
