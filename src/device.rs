//! From what a person types (`auto`, `cpu`, `cuda:1`, `flex`) to a device, or an error that says what there is.
//!
//! Burn's own constructors are lazy and panic at the first tensor; this file probes first. It and `ops/` are the only
//! places that know a backend.

use crate::free_memory;
use crate::fsx;
use burn::tensor::Device;
use std::any::Any;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::str::FromStr;
use std::sync::Once;

/// A device to compute on, as it is asked for.
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
    /// The text is not the name of a device.
    #[error("'{0}' is no device; expected auto, cpu, cuda, cuda:N or flex")]
    Unknown(String),
    /// libtorch is not compiled in.
    #[error("device {0} needs libtorch, and this driftscope was built without it (flex is compiled in)")]
    NotCompiledIn(DeviceChoice),
    /// No such CUDA device.
    #[error("device {wanted} was asked for, but libtorch found {found} CUDA device(s); cpu and flex are available")]
    NotFound {
        /// The device that was asked for.
        wanted: DeviceChoice,
        /// How many CUDA devices libtorch found.
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
                fsx::whole_number(index).map(DeviceChoice::Cuda).ok_or_else(unknown)
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
    /// What it is, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            DeviceChoice::Auto => "the fastest there is",
            DeviceChoice::Cpu => "libtorch on the CPU",
            DeviceChoice::Cuda(_) => "libtorch on a GPU",
            DeviceChoice::Flex => "pure Rust: slow, and always there",
        }
    }

    /// Whether it is a GPU.
    pub fn is_gpu(self) -> bool {
        matches!(self, DeviceChoice::Cuda(_))
    }

    /// Whether it computes in bfloat16, be it slowly.
    pub fn has_bf16(self) -> bool {
        self != DeviceChoice::Flex
    }

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

/// Every device that this build can compute on, on this machine: GPUs first.
pub fn available() -> Vec<DeviceChoice> {
    #[cfg(feature = "libtorch")]
    let of_libtorch = (0..libtorch::gpus()).map(DeviceChoice::Cuda).chain([DeviceChoice::Cpu]);
    #[cfg(not(feature = "libtorch"))]
    let of_libtorch = [];
    of_libtorch.into_iter().chain([DeviceChoice::Flex]).collect()
}

/// Whether the CPU has instructions for products of bfloat16; without, they are made of float32 and slower than it.
pub fn has_bf16_instructions() -> bool {
    #[cfg(target_arch = "x86_64")]
    let found = std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(target_arch = "aarch64")]
    let found = std::arch::is_aarch64_feature_detected!("bf16");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let found = false;
    found
}

/// Work that needs more memory than there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfMemory {
    /// How much was asked for, and of a GPU how much there was, in libtorch's words.
    pub asked: String,
    /// What the machine had left when a CPU ran out, bytes, where the system says.
    pub free: Option<u64>,
    /// How many images there were in a batch, where somebody chose that.
    pub batch: Option<usize>,
}

impl OutOfMemory {
    /// The same, in work on batches whose size was chosen.
    #[must_use]
    pub fn in_batches_of(self, images: usize) -> Self {
        Self { batch: Some(images), ..self }
    }
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "out of memory: {}", self.asked)?;
        if let Some(free) = self.free {
            write!(f, " where {} were free", gib(free))?;
        }
        // How much an image needs is not known: the work stopped somewhere on its way.
        match self.batch {
            Some(0 | 1) => f.write_str("; a batch is a single image already, so this needs another device"),
            Some(images) => write!(f, "; it had batches of {images} images: --batch-size {} may fit", images / 2),
            None => f.write_str("; the batch is fixed here, so it needs more free memory or another --device"),
        }
    }
}

impl std::error::Error for OutOfMemory {}

/// Bytes for a person.
fn gib(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))
}

/// Does some work on a device. If libtorch cannot allocate memory, that is an error and not a panic. `flex` allocates as
/// any Rust program does: if there is no memory, the process ends.
///
/// # Errors
///
/// [`OutOfMemory`]. What the work had computed until then is lost.
///
/// # Panics
///
/// As the work does, for any other reason.
pub fn within_memory<T>(work: impl FnOnce() -> T) -> Result<T, OutOfMemory> {
    // burn-tch and tch have no other way to fail than to panic. The hook keeps such a panic from printing its backtrace.
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if out_of_memory(info.payload()).is_none() {
                loud(info);
            }
        }));
    });
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| match out_of_memory(payload.as_ref()) {
        Some(error) => error,
        None => panic::resume_unwind(payload),
    })
}

/// What a panic says, where it is about memory.
fn out_of_memory(payload: &(dyn Any + Send)) -> Option<OutOfMemory> {
    let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied())?;
    const SIGNS: [&str; 7] = [
        "out of memory",
        "std::bad_alloc",
        "can't allocate memory",
        "not enough memory: you tried to allocate",
        "CUBLAS_STATUS_ALLOC_FAILED",
        "CUDNN_STATUS_ALLOC_FAILED",
        "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    ];
    let sign = SIGNS.iter().find(|sign| text.contains(*sign))?;
    // "Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.10 GiB of which 3.50 GiB is free. Including …"
    let start = ["Tried to allocate", "you tried to allocate"].iter().find_map(|start| text.find(start));
    let said = &text[start.unwrap_or(text.find(sign)?)..];
    let end = ["Error code", "Including", "Process", "Of the allocated", "If reserved", "\n", "\\n", "\")"];
    let end = end.iter().filter_map(|end| said.find(end)).min().unwrap_or(said.len());
    let asked = said[..end].trim().trim_end_matches('.');
    // "you tried to allocate 4096 bytes": what the allocator of a CPU says.
    let bytes = asked.strip_prefix("you tried to allocate ").and_then(|rest| rest.split(' ').next());
    let asked = match (bytes.and_then(|bytes| bytes.parse().ok()), asked) {
        (Some(bytes), _) => format!("tried to allocate {}", gib(bytes)),
        (None, "std::bad_alloc") => "tried to allocate more than there is".to_string(),
        (None, _) => asked.replacen("Tried", "tried", 1),
    };
    let of_gpu = ["CUDA", "CUBLAS", "CUDNN"].iter().any(|word| text.contains(word));
    Some(OutOfMemory { asked, free: if of_gpu { None } else { free_memory::bytes() }, batch: None })
}

#[cfg(feature = "libtorch")]
#[allow(deprecated, reason = "burn-tch is pinned; the day it goes, this module goes with it")]
mod libtorch {
    use super::{DeviceChoice, DeviceError};
    use crate::ops;
    use burn::tensor::Device;

    /// How many CUDA devices there are.
    pub(super) fn gpus() -> usize {
        if tch::Cuda::is_available() { tch::Cuda::device_count().max(0) as usize } else { 0 }
    }

    pub(super) fn open(choice: DeviceChoice) -> Result<(Device, DeviceChoice), DeviceError> {
        let found = gpus();
        let choice = match choice {
            DeviceChoice::Auto if found > 0 => DeviceChoice::Cuda(0),
            DeviceChoice::Auto => DeviceChoice::Cpu,
            other => other,
        };
        match choice {
            DeviceChoice::Cuda(index) if index < found => {
                // libtorch begins with rounded inputs in convolutions.
                ops::allow_tf32(false);
                Ok((Device::libtorch_cuda(index), choice))
            }
            DeviceChoice::Cuda(_) => Err(DeviceError::NotFound { wanted: choice, found }),
            _ => {
                ops::keep_memory();
                Ok((Device::libtorch(), choice))
            }
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
    fn what_is_available_opens() {
        for choice in available() {
            assert_eq!(choice.open().unwrap().1, choice);
        }
    }

    #[test]
    fn an_unknown_device_is_refused_by_name() {
        for text in ["gpu", "cuda:", "cuda:x", "cuda:+1", ""] {
            assert_eq!(text.parse::<DeviceChoice>(), Err(DeviceError::Unknown(text.to_string())));
        }
    }

    /// A hundred terabytes are more than any address space here gives.
    #[cfg(feature = "libtorch")]
    #[test]
    fn memory_that_cannot_be_had_is_an_error_that_says_how_much() {
        use burn::tensor::Tensor;
        let (device, _) = DeviceChoice::Cpu.open().unwrap();
        let error = within_memory(|| Tensor::<1>::zeros([1_usize << 45], &device)).unwrap_err();
        // 2⁴⁵ numbers of four bytes are 2⁴⁷ bytes, and 2¹⁷ GiB.
        assert_eq!(error.asked, "tried to allocate 131072.00 GiB");
        assert!(!cfg!(target_os = "linux") || error.free.is_some());
        assert_eq!(within_memory(|| 7), Ok(7));
    }

    /// The words of libtorch 2.11 on an H200, shortened.
    #[test]
    fn what_a_gpu_says_about_its_memory_is_cut_to_what_a_person_needs() {
        let text = "called `Result::unwrap()` on an `Err` value: Torch(\"CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 \
                    has a total capacity of 139.80 GiB of which 3.50 GiB is free. Including non-PyTorch memory, this process \
                    has 1 GiB memory in use.\\nException raised from malloc\")";
        let error = within_memory(|| panic!("{text}")).unwrap_err();
        let expected =
            "tried to allocate 20.00 GiB. GPU 0 has a total capacity of 139.80 GiB of which 3.50 GiB is free";
        assert_eq!(error.asked, expected);
        assert_eq!(error.free, None, "libtorch has said it");
        let error = within_memory(|| panic!("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling it"));
        assert_eq!(error.unwrap_err().asked, "CUBLAS_STATUS_ALLOC_FAILED when calling it");
    }

    /// On paper: 3·2³⁰ bytes are 3 GiB, and half of 33 images are 16.
    #[test]
    fn the_line_says_what_was_asked_what_was_free_and_what_may_fit() {
        let short = OutOfMemory { asked: "tried to allocate 8.00 GiB".to_string(), free: Some(3 << 30), batch: None };
        let begin = "out of memory: tried to allocate 8.00 GiB where 3.00 GiB were free; ";
        let line = short.clone().in_batches_of(33).to_string();
        assert_eq!(line, format!("{begin}it had batches of 33 images: --batch-size 16 may fit"));
        assert!(short.clone().in_batches_of(1).to_string().ends_with("needs another device"));
        assert!(short.to_string().starts_with(begin) && !short.to_string().contains("--batch-size"));
        let error = within_memory(|| panic!("Torch(\"std::bad_alloc\")")).unwrap_err();
        assert_eq!(error.asked, "tried to allocate more than there is");
    }

    #[test]
    #[should_panic(expected = "something else")]
    fn any_other_panic_stays_one() {
        let _ = within_memory(|| panic!("something else"));
    }

    #[test]
    fn a_missing_cuda_device_is_an_error_and_not_a_panic() {
        assert!(DeviceChoice::Cuda(99).open().is_err());
    }
}
