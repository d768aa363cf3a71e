//! Tensors as a file describes them, and their numbers as float32 once they are asked for.

use super::bytes::Source;
use super::error::Fault;
use super::zip;
use half::{bf16, f16};
use std::fmt;

/// What the elements of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
    /// Something that is no number here, with the bytes of an element.
    Other(&'static str, u64),
}

impl Kind {
    /// Numbers of less than a byte.
    pub(super) const PACKED: Kind = Kind::Other("a float below 8 bits", 1);

    /// Bytes of an element.
    pub(super) fn size(self) -> u64 {
        match self {
            Kind::F64 | Kind::I64 => 8,
            Kind::F32 | Kind::I32 => 4,
            Kind::F16 | Kind::Bf16 | Kind::I16 => 2,
            Kind::I8 | Kind::U8 | Kind::Bool => 1,
            Kind::Other(_, size) => size,
        }
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Kind::F64 | Kind::F32 | Kind::F16 | Kind::Bf16)
    }

    /// By the name that PyTorch has for the dtype, or safetensors, without its case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "float64" | "double" | "f64" => Kind::F64,
            "float32" | "float" | "f32" => Kind::F32,
            "float16" | "half" | "f16" => Kind::F16,
            "bfloat16" | "bf16" => Kind::Bf16,
            "int64" | "long" | "i64" => Kind::I64,
            "int32" | "int" | "i32" => Kind::I32,
            "int16" | "short" | "i16" => Kind::I16,
            "int8" | "char" | "i8" => Kind::I8,
            "uint8" | "byte" | "u8" => Kind::U8,
            "bool" => Kind::Bool,
            "uint16" | "u16" => Kind::Other("U16", 2),
            "uint32" | "u32" => Kind::Other("U32", 4),
            "uint64" | "u64" => Kind::Other("U64", 8),
            "complex32" | "complexhalf" => Kind::Other("complex32", 4),
            "complex64" | "complexfloat" | "c64" => Kind::Other("complex64", 8),
            "complex128" | "complexdouble" => Kind::Other("complex128", 16),
            "qint8" => Kind::Other("quantised (qint8)", 1),
            "quint8" => Kind::Other("quantised (quint8)", 1),
            "qint32" => Kind::Other("quantised (qint32)", 4),
            name if name.starts_with("float8") || name.starts_with("f8") => Kind::Other("float8", 1),
            name if name.starts_with("f4") || name.starts_with("f6") => Kind::PACKED,
            _ => return None,
        })
    }
}

/// As safetensors writes it.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bf16 => f.write_str("BF16"),
            Kind::Bool => f.write_str("BOOL"),
            Kind::Other(name, _) => f.write_str(name),
            kind => write!(f, "{kind:?}"),
        }
    }
}

/// The bytes that one or more tensors look at.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub(super) bytes: Source,
    /// Its entry of a ZIP archive, which has a checksum.
    pub(super) entry: Option<(String, zip::Entry)>,
}

/// A tensor, and where its numbers are.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) kind: Kind,
    pub(super) shape: Vec<u64>,
    /// In elements.
    pub(super) strides: Vec<u64>,
    /// Of the first element in the storage, in elements.
    pub(super) offset: u64,
    pub(super) storage: Storage,
}

/// The most axes that a tensor may have: PyTorch's own limit.
const AXES: usize = 64;
/// How many bytes are converted at a time.
const BLOCK: u64 = 256 << 10;

impl Tensor {
    /// A tensor, once it is sure that it lies within its storage.
    pub(super) fn new(
        kind: Kind,
        shape: Vec<u64>,
        strides: Vec<u64>,
        offset: u64,
        storage: Storage,
    ) -> Result<Self, String> {
        if shape.len() != strides.len() || shape.len() > AXES {
            return Err(format!("it has {} axes and {} strides", shape.len(), strides.len()));
        }
        let tensor = Self { kind, shape, strides, offset, storage };
        let there = tensor.storage.bytes.length() / kind.size().max(1);
        let needed = match tensor.count() {
            Some(0) => Some(0),
            Some(_) => tensor.span().and_then(|span| span.checked_add(tensor.offset)),
            None => None,
        };
        match needed {
            Some(needed) if needed <= there => Ok(tensor),
            _ => Err(format!("a shape of {:?} reaches beyond its {there} stored numbers", tensor.shape)),
        }
    }

    /// A tensor whose numbers lie one after another.
    pub(super) fn row_major(kind: Kind, shape: Vec<u64>, storage: Storage) -> Result<Self, String> {
        let strides = row_major(&shape);
        Self::new(kind, shape, strides, 0, storage)
    }

    /// How many numbers it has; none beyond 64 bits.
    pub(super) fn count(&self) -> Option<u64> {
        self.shape.iter().try_fold(1_u64, |count, side| count.checked_mul(*side))
    }

    /// From the first to the last stored number that it looks at, both included.
    fn span(&self) -> Option<u64> {
        let reach = |sum: u64, (side, stride): (&u64, &u64)| sum.checked_add((side - 1).checked_mul(*stride)?);
        self.shape.iter().zip(&self.strides).try_fold(1_u64, reach)
    }

    /// Where it lies: equal for two that are the same view of the same storage.
    pub(super) fn place(&self) -> ((usize, u64), u64) {
        (self.storage.bytes.place(), self.offset)
    }

    /// Appends its numbers in row-major order, as float32.
    pub(super) fn read(&self, numbers: &mut Vec<f32>) -> Result<(), Fault> {
        let count = self.count().unwrap_or(u64::MAX);
        if count == 0 {
            return Ok(());
        }
        let dense = row_major(&self.shape);
        let in_order = |((side, stride), dense): ((&u64, &u64), &u64)| *side == 1 || stride == dense;
        if self.shape.iter().zip(&self.strides).zip(&dense).all(in_order) {
            return self.stretch(self.offset, count, numbers);
        }
        let span = self.span().unwrap_or(u64::MAX);
        if span <= count.saturating_mul(4).max(BLOCK) {
            let mut stored = Vec::with_capacity(span as usize);
            self.stretch(self.offset, span, &mut stored)?;
            self.places(|place| {
                numbers.push(stored[place as usize]);
                Ok(())
            })
        } else {
            self.places(|place| self.stretch(self.offset + place, 1, numbers))
        }
    }

    /// Calls `visit` with the place of every number from the first one on, in row-major order.
    fn places(&self, mut visit: impl FnMut(u64) -> Result<(), Fault>) -> Result<(), Fault> {
        let (mut index, mut place) = (vec![0; self.shape.len()], 0);
        loop {
            visit(place)?;
            let mut axis = self.shape.len();
            loop {
                if axis == 0 {
                    return Ok(());
                }
                axis -= 1;
                index[axis] += 1;
                place += self.strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                place -= self.strides[axis] * self.shape[axis];
                index[axis] = 0;
            }
        }
    }

    /// Appends `count` stored numbers from `start` on.
    fn stretch(&self, start: u64, count: u64, numbers: &mut Vec<f32>) -> Result<(), Fault> {
        let size = self.kind.size();
        let bytes = self.storage.bytes.part(start * size, count * size)?;
        let mut block = vec![0; BLOCK.min(bytes.length()) as usize];
        let mut at = 0;
        while at < bytes.length() {
            let length = BLOCK.min(bytes.length() - at);
            let block = &mut block[..length as usize];
            bytes.read_at(at, block)?;
            self.convert(block, numbers)?;
            at += length;
        }
        Ok(())
    }

    fn convert(&self, block: &[u8], numbers: &mut Vec<f32>) -> Result<(), Fault> {
        match self.kind {
            Kind::F64 => each(block, numbers, |raw| f64::from_le_bytes(raw) as f32),
            Kind::F32 => each(block, numbers, f32::from_le_bytes),
            Kind::F16 => each(block, numbers, |raw| f16::from_le_bytes(raw).to_f32()),
            Kind::Bf16 => each(block, numbers, |raw| bf16::from_le_bytes(raw).to_f32()),
            Kind::I64 => each(block, numbers, |raw| i64::from_le_bytes(raw) as f32),
            Kind::I32 => each(block, numbers, |raw| i32::from_le_bytes(raw) as f32),
            Kind::I16 => each(block, numbers, |raw| i16::from_le_bytes(raw).into()),
            Kind::I8 => each(block, numbers, |raw| i8::from_le_bytes(raw).into()),
            Kind::U8 | Kind::Bool => each(block, numbers, |[raw]| raw.into()),
            Kind::Other(name, _) => return Fault::refused(format!("it is {name}")),
        }
        Ok(())
    }

    /// The number of a tensor of one.
    pub(super) fn number(&self) -> Option<f64> {
        if self.count() != Some(1) {
            return None;
        }
        let size = self.kind.size();
        let bytes = self.storage.bytes.part(self.offset * size, size).ok()?.bytes(8).ok()?;
        Some(match (self.kind, &bytes[..]) {
            (Kind::F64, raw) => f64::from_le_bytes(raw.try_into().ok()?),
            (Kind::I64, raw) => i64::from_le_bytes(raw.try_into().ok()?) as f64,
            _ => {
                let mut one = Vec::new();
                self.convert(&bytes, &mut one).ok()?;
                f64::from(*one.first()?)
            }
        })
    }
}

fn each<const N: usize>(block: &[u8], numbers: &mut Vec<f32>, read: impl Fn([u8; N]) -> f32) {
    numbers.extend(block.as_chunks::<N>().0.iter().map(|raw| read(*raw)));
}

/// Strides of numbers that lie one after another.
fn row_major(shape: &[u64]) -> Vec<u64> {
    let mut strides = vec![1_u64; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(count: u8) -> Storage {
        let bytes = (0..count).flat_map(|number| f32::from(number).to_le_bytes()).collect();
        Storage { bytes: Source::memory(bytes), entry: None }
    }

    fn numbers(shape: &[u64], strides: &[u64], offset: u64) -> Result<Vec<f32>, String> {
        let tensor = Tensor::new(Kind::F32, shape.to_vec(), strides.to_vec(), offset, storage(24))?;
        let mut numbers = Vec::new();
        tensor.read(&mut numbers).map_err(|fault| fault.to_string())?;
        Ok(numbers)
    }

    /// On paper, over the numbers 0 to 23.
    #[test]
    fn views_show_what_their_strides_say() {
        assert_eq!(numbers(&[2, 3], &[3, 1], 4).unwrap(), [4., 5., 6., 7., 8., 9.]);
        assert_eq!(numbers(&[3, 2], &[1, 3], 0).unwrap(), [0., 3., 1., 4., 2., 5.], "transposed");
        assert_eq!(numbers(&[3], &[7], 1).unwrap(), [1., 8., 15.], "every seventh");
        assert_eq!(numbers(&[2, 2], &[0, 1], 22).unwrap(), [22., 23., 22., 23.], "expanded");
        assert_eq!(numbers(&[], &[], 5).unwrap(), [5.], "a scalar");
        assert_eq!(numbers(&[0, 9], &[9, 1], 99).unwrap(), [0.0_f32; 0], "nothing");
        assert_eq!(numbers(&[1, 3], &[99, 1], 0).unwrap(), [0., 1., 2.], "the stride of a single row does not matter");
    }

    #[test]
    fn what_reaches_beyond_the_storage_is_an_error() {
        for (shape, strides, offset) in [
            (&[25][..], &[1][..], 0),
            (&[2, 2], &[23, 1], 0),
            (&[1], &[1], 24),
            (&[u64::MAX, 3], &[0, 0], 0),
            (&[3], &[u64::MAX], 0),
            (&[2], &[1], u64::MAX),
            (&[2], &[1, 1], 0),
        ] {
            assert!(numbers(shape, strides, offset).is_err(), "{shape:?} {strides:?} {offset}");
        }
    }
}
