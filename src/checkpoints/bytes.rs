//! Bytes of a file, read where they are asked for: a checkpoint is never in memory as a whole.

use super::error::Fault;
use crate::fsx::{self, FsError};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// A stretch of a file, or of bytes that were decoded from one.
#[derive(Clone, Debug)]
pub(super) struct Source {
    place: Place,
    start: u64,
    length: u64,
}

#[derive(Clone, Debug)]
enum Place {
    File(Arc<File>),
    Memory(Arc<[u8]>),
}

impl Source {
    /// All of a regular file.
    pub(super) fn open(path: &Path) -> Result<Self, FsError> {
        fsx::check_file(path)?;
        let length = fsx::metadata(path)?.len();
        let file = File::open(path).map_err(FsError::of("read", path))?;
        Ok(Self { place: Place::File(Arc::new(file)), start: 0, length })
    }

    pub(super) fn memory(bytes: Vec<u8>) -> Self {
        Self { start: 0, length: bytes.len() as u64, place: Place::Memory(bytes.into()) }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Where it lies: equal for two stretches that begin at the same byte.
    pub(super) fn place(&self) -> (usize, u64) {
        let whose = match &self.place {
            Place::File(file) => Arc::as_ptr(file) as usize,
            Place::Memory(bytes) => bytes.as_ptr() as usize,
        };
        (whose, self.start)
    }

    /// `length` bytes from `start` on.
    pub(super) fn part(&self, start: u64, length: u64) -> Result<Self, Fault> {
        match start.checked_add(length) {
            Some(end) if end <= self.length => {
                Ok(Self { place: self.place.clone(), start: self.start + start, length })
            }
            _ => Fault::broken(format!(
                "it is cut off: {length} bytes expected at byte {start}, and there are {} in all",
                self.length
            )),
        }
    }

    /// Fills `buffer` from byte `at` on.
    pub(super) fn read_at(&self, at: u64, buffer: &mut [u8]) -> Result<(), Fault> {
        let part = self.part(at, buffer.len() as u64)?;
        match &part.place {
            Place::File(file) => {
                let mut file = &**file;
                file.seek(SeekFrom::Start(part.start))?;
                Ok(file.read_exact(buffer)?)
            }
            Place::Memory(bytes) => {
                let start = part.start as usize;
                buffer.copy_from_slice(&bytes[start..start + buffer.len()]);
                Ok(())
            }
        }
    }

    /// All of it, if that is at most `most` bytes.
    pub(super) fn bytes(&self, most: u64) -> Result<Vec<u8>, Fault> {
        if self.length > most {
            return Fault::broken(format!("{} bytes where at most {most} are expected", self.length));
        }
        let mut bytes = vec![0; self.length as usize];
        self.read_at(0, &mut bytes)?;
        Ok(bytes)
    }
}

/// How many bytes are read ahead.
const BLOCK: u64 = 64 << 10;

/// Reads a source from its beginning to its end.
#[derive(Debug)]
pub(super) struct Cursor {
    source: Source,
    block: Vec<u8>,
    /// Where the block begins.
    from: u64,
    at: u64,
}

impl Cursor {
    pub(super) fn new(source: Source) -> Self {
        Self { source, block: Vec::new(), from: 0, at: 0 }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn left(&self) -> u64 {
        self.source.length - self.at
    }

    pub(super) fn skip(&mut self, count: u64) -> Result<(), Fault> {
        self.source.part(self.at, count)?;
        self.at += count;
        Ok(())
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        let inside = self.at.checked_sub(self.from).and_then(|index| self.block.get(index as usize).copied());
        let byte = match inside {
            Some(byte) => byte,
            None => {
                if self.left() == 0 {
                    return Fault::broken(format!("it is cut off after {} bytes", self.at));
                }
                self.block.resize(BLOCK.min(self.left()) as usize, 0);
                self.source.read_at(self.at, &mut self.block)?;
                self.from = self.at;
                self.block[0]
            }
        };
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    /// The next `count` bytes.
    pub(super) fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Fault> {
        let part = self.source.part(self.at, count)?;
        if count <= 512 {
            return (0..count).map(|_| self.byte()).collect();
        }
        self.at += count;
        part.bytes(count)
    }

    /// Bytes up to a line feed, which is taken and left out.
    pub(super) fn line(&mut self) -> Result<Vec<u8>, Fault> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(line),
                byte => line.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_where_they_lie_and_not_beyond() {
        let source = Source::memory((0..=255).collect());
        let part = source.part(10, 20).unwrap();
        assert_eq!(part.bytes(20).unwrap(), (10..30).collect::<Vec<u8>>());
        assert!(part.part(1, 20).is_err() && part.part(u64::MAX, 2).is_err() && part.bytes(19).is_err());
        let mut cursor = Cursor::new(part);
        assert_eq!((cursor.byte().unwrap(), cursor.array().unwrap()), (10, [11, 12]));
        cursor.skip(2).unwrap();
        assert_eq!((cursor.bytes(3).unwrap(), cursor.at(), cursor.left()), (vec![15, 16, 17], 8, 12));
        assert!(cursor.skip(13).is_err() && cursor.bytes(13).is_err() && cursor.line().is_err());
    }
}
