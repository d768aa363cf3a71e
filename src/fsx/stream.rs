//! Writing to what is no regular file: stdout, devices, pipes and sockets.

use super::FsError;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Writes all of it to stdout.
///
/// # Errors
///
/// [`FsError::Stdout`]; [`FsError::is_stdout_closed`] says whether the reader of stdout went away.
pub fn write_stdout(bytes: &[u8]) -> Result<(), FsError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(FsError::Stdout)
}

/// Writes to the device, pipe or socket that is there, without making anything.
///
/// # Errors
///
/// When it cannot be opened or written to.
pub fn write_through(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let through = || {
        if fs::metadata(path)?.file_type().is_socket() {
            return UnixStream::connect(path)?.write_all(bytes);
        }
        OpenOptions::new().write(true).open(path)?.write_all(bytes)
    };
    through().map_err(FsError::of("write", path))
}
