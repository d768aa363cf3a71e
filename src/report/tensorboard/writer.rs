//! Event files that TensorBoard reads: scalars and pictures by step.
//!
//! An event file is a TFRecord file of `Event` messages. Both formats are small and frozen, so they are written by hand
//! here instead of through a protobuf compiler; the tables below are all of them that is used.
//!
//! A record is `length: u64 · masked CRC of length: u32 · data · masked CRC of data: u32`, little-endian. The CRC is
//! CRC-32C; masked means rotated right by 15 bits, plus `0xa282ead8`.
//!
//! | message         | field           | number | type                                   |
//! |-----------------|-----------------|--------|----------------------------------------|
//! | `Event`         | `wall_time`     | 1      | double, seconds since 1970             |
//! |                 | `step`          | 2      | int64                                  |
//! |                 | `file_version`  | 3      | string, `brain.Event:2`; first event   |
//! |                 | `summary`       | 5      | `Summary`                              |
//! |                 | `session_log`   | 7      | `SessionLog`                           |
//! | `Summary`       | `value`         | 1      | `Summary.Value`, repeated              |
//! | `Summary.Value` | `tag`           | 1      | string                                 |
//! |                 | `simple_value`  | 2      | float                                  |
//! |                 | `image`         | 4      | `Summary.Image`                        |
//! |                 | `tensor`        | 8      | `TensorProto`, of a layout             |
//! |                 | `metadata`      | 9      | `SummaryMetadata`, of a layout         |
//! | `Summary.Image` | `height`        | 1      | int32                                  |
//! |                 | `width`         | 2      | int32                                  |
//! |                 | `colorspace`    | 3      | int32, 3 is RGB                        |
//! |                 | `encoded_image` | 4      | bytes, PNG                             |
//! | `SessionLog`    | `status`        | 1      | enum, 1 is `START`                     |
//!
//! # Source
//!
//! TensorFlow 2: `tensorflow/core/lib/io/record_writer.h`, `tsl/lib/hash/crc32c.h`, `tensorflow/core/util/event.proto`,
//! `tensorflow/core/framework/summary.proto`.

use super::layout::{Category, layout};
use super::message::Message;
use crate::fsx::{self, FsError};
use crate::picture::{Picture, PngError};
use crc::{CRC_32_ISCSI, Crc, Table};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// CRC-32C, which the catalogue of CRCs calls CRC-32/ISCSI.
const CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
/// `tsl/lib/hash/crc32c.h`, `kMaskDelta`.
const MASK_DELTA: u32 = 0xa282_ead8;
/// The version that the first event of a file holds.
const FILE_VERSION: &str = "brain.Event:2";
/// `SessionLog.SessionStatus.START`.
const SESSION_START: u64 = 1;
/// `Summary.Image.colorspace` of three channels.
const RGB: u64 = 3;

/// An event file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TensorBoardError {
    /// The directory cannot be made.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The file cannot be opened or appended to.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The event file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// A picture cannot be encoded.
    #[error(transparent)]
    Picture(#[from] PngError),
}

/// Appends events to one file of its own.
///
/// Every event is handed to the operating system before the call returns, so a reader sees whole events only up to the
/// last one, and a run that is killed leaves a readable file. A resumed run opens another file in the same directory;
/// TensorBoard reads all of them as one.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
}

impl EventWriter {
    /// Begins at `step` (0 for a new run): what earlier files of the directory say of this step and later ones,
    /// TensorBoard forgets.
    ///
    /// Opens a new file `events.out.tfevents.<seconds>.<host>.driftscope` in a directory, which is made where there is
    /// none. A file that has this name already is kept: the name of the new one then ends in `.1`, `.2`, …
    ///
    /// # Errors
    ///
    /// When the directory or the file cannot be made.
    pub fn create(dir: &Path, step: u64) -> Result<EventWriter, TensorBoardError> {
        fsx::create_dir_all(dir)?;
        // TensorBoard reads the files of a directory in the order of their names, so an older one must sort first.
        let seconds = now() as u64;
        let name = format!("events.out.tfevents.{seconds:010}.{}.driftscope", host());
        let mut path = dir.join(&name);
        let mut others = 0;
        let file = loop {
            #[expect(clippy::disallowed_methods, reason = "the file stays open and grows")]
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    others += 1;
                    path = dir.join(format!("{name}.{others}"));
                }
                Err(source) => return Err(TensorBoardError::Write { path, source }),
                Ok(file) => break file,
            }
        };
        let mut writer = EventWriter { path, file };
        writer.append(&Message::default().text(3, FILE_VERSION), now(), 0)?;
        // Also in the first file: TensorBoard takes the first start it sees for the beginning, only later ones for restarts.
        let start = Message::default().integer(1, SESSION_START);
        writer.append(&Message::default().message(7, &start), now(), step)?;
        Ok(writer)
    }

    /// The path of the event file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A number at a step. TensorBoard keeps single precision.
    ///
    /// # Errors
    ///
    /// When the file cannot be appended to.
    pub fn scalar(&mut self, tag: &str, value: f64, step: u64) -> Result<(), TensorBoardError> {
        self.scalar_at(tag, value, step, now())
    }

    /// [`EventWriter::scalar`] with a wall time of its own, in seconds since 1970: for what happened earlier.
    ///
    /// # Errors
    ///
    /// When the file cannot be appended to.
    pub fn scalar_at(&mut self, tag: &str, value: f64, step: u64, wall_time: f64) -> Result<(), TensorBoardError> {
        self.append(&summary(&Message::default().text(1, tag).float(2, value as f32)), wall_time, step)
    }

    /// A picture at a step.
    ///
    /// # Errors
    ///
    /// When it cannot be encoded or the file not be appended to.
    pub fn image(&mut self, tag: &str, picture: &Picture, step: u64) -> Result<(), TensorBoardError> {
        self.image_at(tag, picture, step, now())
    }

    /// [`EventWriter::image`] with a wall time of its own, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// When it cannot be encoded or the file not be appended to.
    pub fn image_at(
        &mut self,
        tag: &str,
        picture: &Picture,
        step: u64,
        wall_time: f64,
    ) -> Result<(), TensorBoardError> {
        let image = Message::default()
            .integer(1, picture.height() as u64)
            .integer(2, picture.width() as u64)
            .integer(3, RGB)
            .bytes(4, &picture.png()?);
        self.append(&summary(&Message::default().text(1, tag).message(4, &image)), wall_time, step)
    }

    /// Which curves stand in one chart on TensorBoard's page of custom scalars. It is said once a file: of what several
    /// files say, TensorBoard takes the first.
    ///
    /// # Errors
    ///
    /// When the file cannot be appended to.
    pub fn layout(&mut self, categories: &[Category]) -> Result<(), TensorBoardError> {
        self.append(&summary(&layout(categories)), now(), 0)
    }

    /// One event in one write, so that no reader and no crash sees a part of it unless the disk is full.
    fn append(&mut self, what: &Message, wall_time: f64, step: u64) -> Result<(), TensorBoardError> {
        let event = event(what, wall_time, step);
        let wrong = |source| TensorBoardError::Write { path: self.path.clone(), source };
        self.file.write_all(&record(&event.0)).and_then(|()| self.file.flush()).map_err(wrong)
    }
}

/// An `Event`; protobuf leaves a field out that is zero.
fn event(what: &Message, wall_time: f64, step: u64) -> Message {
    let stamp = Message::default().double(1, wall_time);
    let mut event = if step == 0 { stamp } else { stamp.integer(2, step) };
    event.0.extend(&what.0);
    event
}

/// The `summary` of an `Event`, of one value.
fn summary(value: &Message) -> Message {
    Message::default().message(5, &Message::default().message(1, value))
}

/// The bytes of a TFRecord.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), data, &masked(data).to_le_bytes()].concat()
}

/// The CRC-32C of some bytes, masked.
fn masked(bytes: &[u8]) -> u32 {
    CRC32C.checksum(bytes).rotate_right(15).wrapping_add(MASK_DELTA)
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// This machine's name as far as the environment or the kernel tells, in letters that every file system takes.
fn host() -> String {
    let kernel = || fsx::read_to_string(Path::new("/proc/sys/kernel/hostname")).ok();
    let name = std::env::var("HOSTNAME").ok().or_else(kernel).unwrap_or_default();
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    let name: String = name.trim().chars().map(plain).collect();
    if name.is_empty() { "localhost".to_string() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the catalogue of CRCs and RFC 3720, B.4: 32 bytes of zeros.
    #[test]
    fn the_crc_is_the_published_one() {
        assert_eq!(CRC32C.checksum(b"123456789"), 0xe306_9283);
        assert_eq!(CRC32C.checksum(&[0; 32]), 0x8a91_36aa);
        // 0xe3069283 rotated right by 15 is 0x2507c60d: its low 15 bits, 0x1283, go to the top, 0x1283 << 17 =
        // 0x25060000, and 0xe3069283 >> 15 = 0x0001c60d stays below; plus 0xa282ead8 that is 0xc78ab0e5.
        assert_eq!(masked(b"123456789"), 0xc78a_b0e5);
    }

    /// The event "loss is 0.5 at step 300, 1 second after 1970", byte by byte:
    ///
    /// - `Summary.Value`: key 1·8+2 = 0a, length 4, "loss"; key 2·8+5 = 15, 0.5f32 = 00 00 00 3f: 11 bytes
    /// - `Summary`: key 0a, length 11 = 0b, that: 13 bytes
    /// - `Event`: key 1·8+1 = 09, 1.0f64 = 00 00 00 00 00 00 f0 3f; key 2·8 = 10, 300 = 2·128 + 44 = ac 02; key
    ///   5·8+2 = 2a, length 13 = 0d, that: 9 + 3 + 15 = 27 bytes
    #[test]
    fn an_event_is_these_bytes() {
        let value = Message::default().text(1, "loss").float(2, 0.5);
        let event = event(&summary(&value), 1.0, 300);
        let expected = [
            &[0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 0xac, 0x02, 0x2a, 0x0d][..],
            &[0x0a, 0x0b, 0x0a, 0x04, b'l', b'o', b's', b's', 0x15, 0, 0, 0, 0x3f],
        ];
        assert_eq!(event.0, expected.concat());
        let record = record(&event.0);
        assert_eq!(record.len(), 8 + 4 + 27 + 4);
        assert_eq!(record[..8], [27, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(record[12..39], event.0);
    }

    /// The parts of a file: each record's data, after both checksums were found right.
    fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            assert_eq!(bytes[8..12], masked(&bytes[..8]).to_le_bytes());
            let data = &bytes[12..12 + length];
            assert_eq!(bytes[12 + length..16 + length], masked(data).to_le_bytes());
            all.push(data.to_vec());
            bytes = &bytes[16 + length..];
        }
        all
    }

    #[test]
    fn a_file_begins_with_its_version_and_start_and_is_whole_after_every_event() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(&dir.path().join("logs"), 3).unwrap();
        let count = |writer: &EventWriter| records(&fsx::read(writer.path()).unwrap()).len();
        assert_eq!(count(&writer), 2);
        writer.scalar("loss", 0.5, 3).unwrap();
        assert_eq!(count(&writer), 3);
        writer.image("map", &Picture::filled(2, 1, [1, 2, 3]), 3).unwrap();
        let records = records(&fsx::read(writer.path()).unwrap());
        assert!(records[0].ends_with(b"\x1a\x0dbrain.Event:2"));
        // Step 3 (key 2·8), and a session log (key 7·8+2) of two bytes: status (key 1·8) START.
        assert!(records[1].ends_with(&[0x10, 3, 0x3a, 2, 0x08, 1]));
        let png = Picture::filled(2, 1, [1, 2, 3]).png().unwrap();
        assert!(records[3].ends_with(&png) && records[3].windows(6).any(|field| field == [8, 1, 16, 2, 24, 3]));
    }

    #[test]
    fn a_second_writer_opens_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let writers = [(); 3].map(|()| EventWriter::create(dir.path(), 0).unwrap());
        let mut paths: Vec<_> = writers.iter().map(|writer| writer.path().to_path_buf()).collect();
        let name = paths[0].file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("events.out.tfevents.") && name.ends_with(".driftscope"), "{name}");
        paths.dedup();
        assert_eq!(paths.len(), 3);
        assert_eq!(fsx::list_dir(dir.path()).unwrap().len(), 3);
    }
}
