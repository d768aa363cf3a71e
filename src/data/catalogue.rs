//! A cache of what is known about the images of a folder, so that unchanged files are not read again.
//!
//! Kept in the user's cache, never in the data. A file is known by its size, its times of modification and of change to the
//! nanosecond, its inode and its device: a file that was replaced and given its old modification time has another time of
//! change. If the catalogue is damaged, of another version, absent or cannot be written, only time is lost.

use crate::fsx;
use crate::picture::{ReadOptions, bytes_of, complaint, decode};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// First line of a catalogue; the number rises when decoders judge or read otherwise.
const HEADER: &str = concat!("driftscope ", env!("CARGO_PKG_VERSION"), " pictures 1 ");

/// A file that changed within this time before it was read may change once more without a later time of change.
const TICK: i64 = 2;

/// By what a file is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    size: u64,
    /// Time of the last modification, seconds and nanoseconds since 1970.
    modified: [i64; 2],
    /// Time of the last change of the inode, seconds and nanoseconds since 1970.
    changed: [i64; 2],
    inode: u64,
    device: u64,
}

impl Stamp {
    /// None where the file cannot be asked.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let about = path.metadata().ok()?;
        Some(Self {
            size: about.size(),
            modified: [about.mtime(), about.mtime_nsec()],
            changed: [about.ctime(), about.ctime_nsec()],
            inode: about.ino(),
            device: about.dev(),
        })
    }

    /// What tells a file from all others, by whatever name or link it was found.
    pub(super) fn file(&self) -> [u64; 2] {
        [self.device, self.inode]
    }

    /// Whether a file that was read at a moment, in seconds, had been left alone before.
    fn is_settled(&self, read_at: i64) -> bool {
        self.modified[0].max(self.changed[0]) + TICK <= read_at
    }
}

/// The result of reading a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) stamp: Stamp,
    /// When reading it began, in seconds. A file may be rewritten within a tick of being read and keep its stamp, so the end
    /// of a long survey would be too late a moment to judge by.
    read_at: i64,
    reading: ReadOptions,
    /// SHA-256 of its bytes.
    pub(super) sha256: String,
    /// Columns and rows, or why it is no image.
    pub(super) verdict: Result<[usize; 2], String>,
    /// What strict reading would have said of a file that was read leniently.
    #[serde(default)]
    pub(super) complaint: Option<String>,
}

/// Reads a file whole and decodes it.
///
/// # Errors
///
/// Why its bytes cannot be had.
pub(super) fn judge(path: &Path, reading: &ReadOptions) -> Result<Entry, String> {
    let gone = || "there is no such file".to_string();
    for _ in 0..3 {
        let read_at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
        let before = Stamp::of(path);
        let bytes = bytes_of(path, &reading.limits)?;
        let stamp = Stamp::of(path).ok_or_else(gone)?;
        if before != Some(stamp) {
            continue; // somebody is writing it
        }
        let sha256 = fsx::sha256_hex(&bytes);
        let verdict = decode(&bytes, reading, false).map(|picture| [picture.width(), picture.height()]);
        let complaint = if reading.lenient && verdict.is_ok() { complaint(&bytes) } else { None };
        return Ok(Entry { stamp, read_at, reading: *reading, sha256, verdict, complaint });
    }
    Err("it changes while it is read".to_string())
}

/// The user's cache for this program: `$DRIFTSCOPE_CACHE`, or `driftscope` in `$XDG_CACHE_HOME` or `~/.cache`. None where
/// there is no home either.
pub(super) fn cache_folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let usual = || {
        let cache = named("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        cache.or_else(|| named("HOME").map(|home| home.join(".cache"))).map(|cache| cache.join("driftscope"))
    };
    named("DRIFTSCOPE_CACHE").or_else(usual)
}

/// What is known of the files below one folder, by their ids.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    file: Option<PathBuf>,
    entries: HashMap<String, Entry>,
}

impl Catalogue {
    /// For the data at `root`; an empty one where there is none, or no `cache`.
    pub(super) fn open(cache: Option<&Path>, root: &Path) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let name = fsx::sha256_hex(root.as_os_str().as_encoded_bytes());
        let file = cache.map(|cache| cache.join("pictures").join(format!("{}.json", &name[..32])));
        let entries = file.as_deref().and_then(read).unwrap_or_default();
        Self { file, entries }
    }

    /// What is known of a file that is as it was.
    pub(super) fn known(&self, key: &str, path: &Path, reading: &ReadOptions) -> Option<&Entry> {
        let entry = self.entries.get(key)?;
        (entry.reading == *reading && Stamp::of(path) == Some(entry.stamp)).then_some(entry)
    }

    /// Keeps what was learned, beside what is known of other files that are still below `root`.
    pub(super) fn keep(mut self, learned: Vec<(String, Entry)>, exists: impl Fn(&str) -> bool) {
        let Some(file) = self.file else { return };
        let settled: Vec<(String, Entry)> =
            learned.into_iter().filter(|(_, entry)| entry.stamp.is_settled(entry.read_at)).collect();
        if settled.is_empty() {
            return;
        }
        self.entries.retain(|key, _| exists(key));
        self.entries.extend(settled);
        let Ok(body) = serde_json::to_vec(&self.entries) else { return };
        let mut bytes = format!("{HEADER}{}\n", fsx::sha256_hex(&body)).into_bytes();
        bytes.extend(body);
        if let Some(folder) = file.parent() {
            // A cache that cannot be written costs time alone.
            let _ = fsx::create_dir_all(folder).and_then(|()| fsx::write_atomic(&file, &bytes));
        }
    }
}

fn read(file: &Path) -> Option<HashMap<String, Entry>> {
    let bytes = if file.is_file() { fsx::read(file).ok()? } else { return None };
    let digest_and_body = bytes.strip_prefix(HEADER.as_bytes())?;
    let (digest, body) = digest_and_body.split_at_checked(64)?;
    let body = body.strip_prefix(b"\n")?;
    (fsx::sha256_hex(body).as_bytes() == digest).then(|| serde_json::from_slice(body).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File, FileTimes};
    use std::time::Duration;

    fn picture(path: &Path, shade: u8) {
        image::RgbImage::from_pixel(4, 4, image::Rgb([shade; 3])).save(path).unwrap();
    }

    /// As after three seconds: an entry whose times are in the past is kept.
    fn aged(mut entry: Entry) -> Entry {
        entry.stamp.modified[0] -= 10;
        entry.stamp.changed[0] -= 10;
        entry
    }

    #[test]
    fn a_file_replaced_under_its_old_time_and_size_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.bmp");
        picture(&path, 1);
        let before = Stamp::of(&path).unwrap();
        assert_eq!(Stamp::of(&path), Some(before));
        let time = path.metadata().unwrap().modified().unwrap();
        std::thread::sleep(Duration::from_millis(20)); // a tick of the file system's clock
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, &bytes).unwrap();
        File::options().write(true).open(&path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
        let after = Stamp::of(&path).unwrap();
        assert_eq!((before.size, before.modified, before.inode), (after.size, after.modified, after.inode));
        assert_ne!(before, after, "the time of change tells them apart");
    }

    #[test]
    fn what_is_fresh_is_not_kept_and_what_is_damaged_is_not_believed() {
        let (dir, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = dir.path().join("a.png");
        picture(&path, 1);
        let reading = ReadOptions::default();
        let entry = judge(&path, &reading).unwrap();
        let open = || Catalogue::open(Some(cache.path()), dir.path());
        open().keep(vec![("a.png".to_string(), entry.clone())], |_| true);
        assert!(open().entries.is_empty(), "changed a moment ago: it may change again within the same tick");

        let old = aged(entry.clone());
        open().keep(vec![("a.png".to_string(), old.clone())], |_| true);
        assert_eq!(open().entries["a.png"], old);
        assert_eq!(open().known("a.png", &path, &reading), None, "another time of change");
        open().keep(vec![("b.png".to_string(), old.clone())], |key| key != "a.png");
        assert_eq!(open().entries.keys().collect::<Vec<_>>(), ["b.png"], "what is gone is forgotten");

        let file = open().file.unwrap();
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
        assert!(open().entries.is_empty());
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        open().keep(vec![("a.png".to_string(), old)], |_| true); // cannot be written: no more than that
        Catalogue::open(None, dir.path()).keep(vec![("a.png".to_string(), entry)], |_| true);
    }

    /// A survey of many files keeps what it learned long after it read the first: that moment says nothing of the file.
    #[test]
    fn what_was_fresh_when_it_was_read_is_not_kept_later_either() {
        let (dir, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = dir.path().join("a.png");
        picture(&path, 1);
        // As if all had been an hour ago.
        let mut entry = judge(&path, &ReadOptions::default()).unwrap();
        entry.read_at -= 3600;
        entry.stamp.modified[0] -= 3600;
        entry.stamp.changed[0] -= 3600;
        let open = || Catalogue::open(Some(cache.path()), dir.path());
        open().keep(vec![("a.png".to_string(), entry.clone())], |_| true);
        assert!(open().entries.is_empty(), "it was rewritten perhaps, in the same second");
        open().keep(vec![("a.png".to_string(), aged(entry))], |_| true);
        assert_eq!(open().entries.len(), 1);
    }

    #[test]
    fn a_known_file_is_known_under_the_same_limits_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        picture(&path, 1);
        let reading = ReadOptions::default();
        let entry = judge(&path, &reading).unwrap();
        let catalogue = Catalogue { file: None, entries: HashMap::from([("a".to_string(), entry.clone())]) };
        assert_eq!(catalogue.known("a", &path, &reading), Some(&entry));
        let lenient = ReadOptions { lenient: true, ..reading };
        assert_eq!(catalogue.known("a", &path, &lenient), None);
        fs::remove_file(&path).unwrap();
        assert_eq!(catalogue.known("a", &path, &reading), None);
    }
}
