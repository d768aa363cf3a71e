//! The directory of a ZIP archive, as `torch.save` writes one: entries are stored as they are.
//!
//! # Source
//!
//! PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5: local header, central directory, ZIP64, end record.

use super::bytes::{Cursor, Source};
use super::error::Fault;
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use std::collections::BTreeMap;

/// An entry of the archive.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) bytes: Source,
    /// The checksum; none where the writer computed none.
    pub(super) crc: Option<u32>,
    /// Why its bytes are not the content: it is compressed or encrypted.
    pub(super) packed: Option<&'static str>,
}

/// Entries by name.
pub(super) type Directory = BTreeMap<String, Entry>;

/// The most bytes that a directory may have: half a million entries.
const LARGEST_DIRECTORY: u64 = 64 << 20;
/// Length of the end record without its comment.
const END: u64 = 22;

/// Reads the directory at the end of an archive.
pub(super) fn directory(archive: &Source) -> Result<Directory, Fault> {
    let (count, length, offset) = end_record(archive)?;
    let records = archive.part(offset, length)?;
    if length > LARGEST_DIRECTORY {
        return Fault::broken(format!("a directory of {length} bytes where at most {LARGEST_DIRECTORY} are expected"));
    }
    let mut cursor = Cursor::new(records);
    let mut directory = Directory::new();
    for _ in 0..count {
        let (name, entry) = record(&mut cursor, archive)?;
        if directory.contains_key(&name) {
            return Fault::broken(format!("two entries are called '{}'", name.escape_debug()));
        }
        directory.insert(name, entry);
    }
    Ok(directory)
}

/// Number of entries, and length and offset of the directory.
fn end_record(archive: &Source) -> Result<(u64, u64, u64), Fault> {
    let most = archive.length().min(END + u64::from(u16::MAX));
    let start = archive.length() - most;
    let tail = archive.part(start, most)?.bytes(most)?;
    let Some(at) = tail.windows(END as usize).rposition(|record| record.starts_with(b"PK\x05\x06")) else {
        return Fault::broken("it is cut off: there is no end record");
    };
    let mut cursor = Cursor::new(archive.part(start + at as u64 + 10, 10)?);
    let count = u64::from(u16::from_le_bytes(cursor.array()?));
    let length = u64::from(u32::from_le_bytes(cursor.array()?));
    let offset = u64::from(u32::from_le_bytes(cursor.array()?));
    // A ZIP64 archive has a locator of 20 bytes before the end record.
    let locator = (start + at as u64).checked_sub(20).map(|at| archive.part(at, 20)).transpose()?;
    let Some(locator) = locator else { return Ok((count, length, offset)) };
    let mut cursor = Cursor::new(locator);
    if cursor.array::<4>()? != *b"PK\x06\x07" {
        return Ok((count, length, offset));
    }
    cursor.skip(4)?;
    let mut cursor = Cursor::new(archive.part(u64::from_le_bytes(cursor.array()?), 56)?);
    if cursor.array::<4>()? != *b"PK\x06\x06" {
        return Fault::broken("the ZIP64 end record is not where its locator says");
    }
    cursor.skip(28)?;
    let [count, length, offset] = [cursor.array()?, cursor.array()?, cursor.array()?].map(u64::from_le_bytes);
    Ok((count, length, offset))
}

/// One record of the directory, and where its bytes lie.
fn record(cursor: &mut Cursor, archive: &Source) -> Result<(String, Entry), Fault> {
    if cursor.array::<4>()? != *b"PK\x01\x02" {
        return Fault::broken("an entry of the directory is not one");
    }
    cursor.skip(4)?;
    let [flags, method] = [cursor.array()?, cursor.array()?].map(u16::from_le_bytes);
    cursor.skip(4)?;
    let [crc, packed, size] = [cursor.array()?, cursor.array()?, cursor.array()?].map(u32::from_le_bytes);
    let [name, extra, comment] = [cursor.array()?, cursor.array()?, cursor.array()?].map(u16::from_le_bytes);
    cursor.skip(8)?;
    let header = u32::from_le_bytes(cursor.array()?);
    let name = String::from_utf8_lossy(&cursor.bytes(name.into())?).into_owned();
    let extra = cursor.bytes(extra.into())?;
    cursor.skip(comment.into())?;
    let [size, packed, header] = zip64(&extra, [size, packed, header])?;
    let shown = name.escape_debug();
    let how = match (flags & 1, method) {
        (1, _) => Some("encrypted"),
        (_, 0) if size != packed => {
            return Fault::broken(format!("the entry '{shown}' has {packed} bytes where {size} are expected"));
        }
        (_, 0) => None,
        _ => Some("compressed, which torch.save never does"),
    };
    let mut local = Cursor::new(archive.part(header, 30)?);
    if local.array::<4>()? != *b"PK\x03\x04" {
        return Fault::broken(format!("the entry '{shown}' is not where the directory says"));
    }
    local.skip(22)?;
    let [name_length, extra_length] = [local.array()?, local.array()?].map(u16::from_le_bytes);
    let start = header + 30 + u64::from(name_length) + u64::from(extra_length);
    let entry = Entry { bytes: archive.part(start, packed)?, crc: (crc != 0).then_some(crc), packed: how };
    Ok((name, entry))
}

/// Size, packed size and offset, from the ZIP64 field where the record says that they are there.
fn zip64(extra: &[u8], short: [u32; 3]) -> Result<[u64; 3], Fault> {
    let mut long = short.map(u64::from);
    if short.iter().all(|&number| number != u32::MAX) {
        return Ok(long);
    }
    let mut rest = extra;
    while let Some((&[kind_low, kind_high, length_low, length_high], field)) = rest.split_first_chunk() {
        let (kind, length) = ([kind_low, kind_high], usize::from(u16::from_le_bytes([length_low, length_high])));
        let Some((field, behind)) = field.split_at_checked(length) else { break };
        if kind == [1, 0] {
            let mut numbers = field.as_chunks::<8>().0.iter();
            for number in long.iter_mut().filter(|number| **number == u64::from(u32::MAX)) {
                let Some(bytes) = numbers.next() else { return Fault::broken("a ZIP64 field is too short") };
                *number = u64::from_le_bytes(*bytes);
            }
            return Ok(long);
        }
        rest = behind;
    }
    Fault::broken("a size is said to be in a ZIP64 field, and there is none")
}

const CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

impl Entry {
    /// The words for an entry whose bytes cannot be read as they are.
    pub(super) fn readable(&self, name: &str) -> Result<(), String> {
        let Some(how) = self.packed else { return Ok(()) };
        let name = name.escape_debug();
        Err(format!("the entry '{name}' is {how}: load the file with torch.load and save it again with torch.save"))
    }
}

/// Checks the bytes of an entry against its checksum.
pub(super) fn check(name: &str, entry: &Entry) -> Result<(), Fault> {
    entry.readable(name).map_err(Fault::Refused)?;
    let Some(expected) = entry.crc else { return Ok(()) };
    let mut digest = CRC.digest();
    let mut block = vec![0; (1 << 20).min(entry.bytes.length() as usize)];
    let mut at = 0;
    while at < entry.bytes.length() {
        let count = (entry.bytes.length() - at).min(block.len() as u64);
        let block = &mut block[..count as usize];
        entry.bytes.read_at(at, block)?;
        digest.update(block);
        at += count;
    }
    let found = digest.finalize();
    if found == expected {
        return Ok(());
    }
    let name = name.escape_debug();
    Fault::broken(format!("the entry '{name}' has the checksum {found:08x} where {expected:08x} is expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of one entry `a` that holds "hello", with these fields: flags, method, checksum, and sizes and offset in a
    /// ZIP64 field or not.
    fn archive(flags: u16, method: u16, crc: u32, long: bool) -> Source {
        let size = if long { u32::MAX } else { 5 };
        let mut fields = [20_u16, flags, method, 0, 0].map(u16::to_le_bytes).concat();
        fields.extend([crc, size, size].map(u32::to_le_bytes).concat());
        fields.extend(1_u16.to_le_bytes());
        let mut bytes = [&b"PK\x03\x04"[..], &fields, &[0, 0], b"a", b"hello"].concat();
        let at = bytes.len() as u64;
        let extra = if long {
            [&[1, 0, 24, 0][..], &[5_u64, 5, 0].map(u64::to_le_bytes).concat()].concat()
        } else {
            Vec::new()
        };
        let offset = if long { u32::MAX } else { 0 };
        let record = [
            &b"PK\x01\x02\x14\0"[..],
            &fields,
            &(extra.len() as u16).to_le_bytes(),
            &[0; 10],
            &offset.to_le_bytes(),
            b"a",
            &extra,
        ];
        bytes.extend(record.concat());
        let length = bytes.len() as u64 - at;
        if long {
            let end = bytes.len() as u64;
            bytes.extend([&b"PK\x06\x06"[..], &44_u64.to_le_bytes(), &[0; 12]].concat());
            bytes.extend([1, 1, length, at].map(u64::to_le_bytes).concat());
            bytes.extend([&b"PK\x06\x07"[..], &[0; 4], &end.to_le_bytes(), &[1, 0, 0, 0]].concat());
        }
        let [short, place] = if long { [u32::MAX; 2] } else { [length as u32, at as u32] };
        bytes.extend(
            [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &short.to_le_bytes(), &place.to_le_bytes(), &[0, 0]].concat(),
        );
        Source::memory(bytes)
    }

    /// CRC-32 of "hello" by Python's zlib: 0x3610a686.
    const HELLO: u32 = 0x3610_a686;

    #[test]
    fn an_entry_is_found_in_short_and_in_long_archives() {
        for long in [false, true] {
            let entry = directory(&archive(0, 0, HELLO, long)).unwrap().remove("a").unwrap();
            assert_eq!(entry.bytes.bytes(9).unwrap(), b"hello", "{long}");
            check("a", &entry).unwrap();
        }
    }

    #[test]
    fn what_is_packed_or_damaged_is_said_once_it_is_asked_for() {
        let said = |flags, method, crc| {
            let directory = directory(&archive(flags, method, crc, false)).unwrap();
            check("a", &directory["a"]).map_err(|fault| fault.to_string())
        };
        assert!(said(0, 0, 0).is_ok(), "no checksum");
        assert!(said(0, 0, 1).unwrap_err().contains("checksum 3610a686 where 00000001"));
        assert!(said(1, 0, HELLO).unwrap_err().contains("encrypted"));
        assert!(said(0, 8, HELLO).unwrap_err().contains("compressed"));
    }
}
