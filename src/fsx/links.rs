//! What lies under a name itself, and where links lead.

use super::FsError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The directory a path lies in; the current one for a bare name.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What lies under a path, links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, whatever its size.
    File,
    /// A directory, empty or not.
    Dir,
    /// A symbolic link, to whatever or nothing.
    Link,
    /// A device, pipe or socket.
    Other,
}

/// What lies under `path` itself; `None` where nothing does.
///
/// # Errors
///
/// When the operating system does not say.
pub fn kind(path: &Path) -> Result<Option<Kind>, FsError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Ok(Some(Kind::Link)),
        Ok(found) if found.is_dir() => Ok(Some(Kind::Dir)),
        Ok(found) if found.is_file() => Ok(Some(Kind::File)),
        Ok(_) => Ok(Some(Kind::Other)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(FsError::of("look at", path)(source)),
    }
}

/// Whether there is anything of this name; a link counts, wherever it leads.
pub fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Links in a row that are followed, as many as Linux follows.
const LINKS: usize = 40;

/// `path`, and every path that a chain of links leads to from there; the last is no link, unless there are too many.
pub fn chain_of_links(path: &Path) -> Vec<PathBuf> {
    let mut chain = vec![path.to_path_buf()];
    while let Some(last) = chain.last().filter(|_| chain.len() <= LINKS)
        && let Ok(link) = fs::read_link(last)
    {
        chain.push(folder_of(last).join(link));
    }
    chain
}

/// Where a chain of links ends, whether anything is there or not.
///
/// # Errors
///
/// Where the chain is too long, or leads back to itself.
pub fn followed(path: &Path) -> Result<PathBuf, FsError> {
    match chain_of_links(path) {
        chain if chain.len() > LINKS => Err(FsError::of("write", path)(io::Error::other("too many links in a row"))),
        mut chain => Ok(chain.pop().unwrap_or_else(|| path.to_path_buf())),
    }
}
