//! A picture from a file, or from a file's bytes.

use super::decode::{Limits, ReadOptions, decode};
use super::error::PictureError;
use super::pixels::Picture;
use std::io::Read;
use std::path::Path;

/// Reads a picture of one of the [`FORMATS`](super::FORMATS), told by its first bytes, turned as its EXIF orientation says.
/// Grey becomes three equal channels, 16 bits become 8, CMYK becomes RGB, and an alpha channel is dropped, as
/// `PIL.Image.convert("RGB")` does.
///
/// # Errors
///
/// [`PictureError`] names the file and says what is wrong with it: also where it is beyond the usual limits.
pub fn read(path: &Path) -> Result<Picture, PictureError> {
    read_within(path, Limits::default())
}

/// [`read`], within other limits.
///
/// # Errors
///
/// As [`read`].
pub fn read_within(path: &Path, limits: Limits) -> Result<Picture, PictureError> {
    read_as(path, &ReadOptions { limits, lenient: false }, false)
}

/// [`read`] from a file's bytes; `path` is only named in errors.
///
/// # Errors
///
/// As [`read`].
pub fn of_bytes(bytes: &[u8], path: &Path, limits: Limits) -> Result<Picture, PictureError> {
    let picture = decode(bytes, &ReadOptions { limits, lenient: false }, false);
    picture.map_err(|reason| PictureError { path: path.to_path_buf(), reason })
}

/// `is_whole` as in [`decode`].
pub(crate) fn read_as(path: &Path, options: &ReadOptions, is_whole: bool) -> Result<Picture, PictureError> {
    let picture = bytes_of(path, &options.limits).and_then(|bytes| decode(&bytes, options, is_whole));
    picture.map_err(|reason| PictureError { path: path.to_path_buf(), reason })
}

/// All bytes of a regular file that is not too great.
pub(crate) fn bytes_of(path: &Path, limits: &Limits) -> Result<Vec<u8>, String> {
    let about = path.metadata().map_err(|error| match path.symlink_metadata() {
        Ok(link) if link.is_symlink() => "it is a link to something that is not there".to_string(),
        _ => spoken(&error),
    })?;
    // Not even opened otherwise: a pipe would wait for ever.
    if about.is_dir() {
        return Err("it is a folder".to_string());
    }
    if !about.is_file() {
        return Err("it is no regular file".to_string());
    }
    let too_great = |mib: u64| {
        let limit = limits.max_decoder_mib;
        format!("the file has {mib} MiB, more than the limit of {limit} MiB (raise it with --max-decoder-mib)")
    };
    if about.len() > limits.bytes() {
        return Err(too_great(about.len() >> 20));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| spoken(&error))?;
    file.take(limits.bytes() + 1).read_to_end(&mut bytes).map_err(|error| spoken(&error))?;
    if bytes.len() as u64 > limits.bytes() {
        return Err(too_great(limits.bytes() >> 20)); // it grew, or never told its length
    }
    Ok(bytes)
}

fn spoken(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_string(),
        std::io::ErrorKind::PermissionDenied => "it may not be read (permission denied)".to_string(),
        _ => format!("it cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_a_broken_link_and_a_pipe_are_no_pictures_and_nothing_waits_for_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir(path("a.png")).unwrap();
        std::os::unix::fs::symlink("nowhere", path("b.png")).unwrap();
        let reason = |name: &str| bytes_of(&path(name), &Limits::default()).unwrap_err();
        assert_eq!(reason("a.png"), "it is a folder");
        assert_eq!(reason("b.png"), "it is a link to something that is not there");
        assert_eq!(reason("c.png"), "there is no such file");
        assert_eq!(bytes_of(Path::new("/dev/zero"), &Limits::default()).unwrap_err(), "it is no regular file");
        std::fs::File::create(path("d.png")).unwrap().set_len(2 << 30).unwrap();
        assert!(reason("d.png").contains("2048 MiB"), "{}", reason("d.png"));
    }
}
