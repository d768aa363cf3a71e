//! Whether data is what a run began with: the same images under the same names, wherever they are now.
//!
//! The rule: *a number of one run is never computed from two sets of images.* A run keeps a digest of its names and labels,
//! one of its images' bytes, and the digest of each image, so that a changed one can be named.

use super::error::RunError;
use super::record::RunRecord;
use crate::data::{DataError, DataSet, Sample, Split};
use crate::fsx;
use crate::picture::{self, Limits, Picture};
use crate::store::RunReader;
use crate::store::layout::PICTURES_FILE;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Writes the digest of every image file into the run's folder, as `sha256sum` would print it; for drawn textures there is
/// no such file.
pub(super) fn write_digests(run: &Path, data: &DataSet) -> Result<(), RunError> {
    let path = run.join(PICTURES_FILE);
    let digests = data.content_digests();
    if digests.is_empty() {
        return match fsx::kind(&path)? {
            Some(fsx::Kind::File) => Ok(fsx::remove_file(&path)?),
            _ => Ok(()),
        };
    }
    let lines: String = digests.iter().map(|file| line(&file.id, &file.sha256)).collect();
    Ok(fsx::write_atomic(&path, lines.as_bytes())?)
}

/// A line of `sha256sum`, which begins with a backslash if the name has a line break or a backslash, and escapes both.
fn line(id: &str, sha256: &str) -> String {
    let escaped = id.replace('\\', "\\\\").replace('\n', "\\n");
    let mark = if escaped == id { "" } else { "\\" };
    format!("{mark}{sha256}  {escaped}\n")
}

/// Digests by id, from what [`write_digests`] wrote; none where the run has no such file.
fn kept(run: &Path) -> Result<Option<BTreeMap<String, String>>, RunError> {
    let path = run.join(PICTURES_FILE);
    if fsx::kind(&path)?.is_none() {
        return Ok(None);
    }
    let text = fsx::read_to_string(&path)?;
    let parse = |line: &str| {
        let (marked, line) = line.strip_prefix('\\').map_or((false, line), |line| (true, line));
        let (sha256, id) = line.split_once("  ")?;
        let id = if marked { unescaped(id) } else { id.to_string() };
        Some((id, sha256.to_string()))
    };
    let digests: Option<BTreeMap<_, _>> = text.lines().map(parse).collect();
    digests.map(Some).ok_or(RunError::Digests { path })
}

fn unescaped(id: &str) -> String {
    let (mut text, mut letters) = (String::new(), id.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.clone().next() == Some('n') => {
                letters.next();
                text.push('\n');
            }
            '\\' => text.extend(letters.next()),
            other => text.push(other),
        }
    }
    text
}

/// Checks that `data` is what the run in `run` began with, byte by byte in the `splits` that matter; and says what could not
/// be checked, or has changed elsewhere.
///
/// # Errors
///
/// [`RunError::OtherData`] if names or labels differ, [`RunError::ChangedPictures`] if bytes of images do.
pub fn same_data(run: &Path, record: &RunRecord, data: &DataSet, splits: &[Split]) -> Result<Vec<String>, RunError> {
    let kept = kept(run)?;
    if data.digest != record.data_digest {
        return Err(RunError::OtherData { run: run.to_path_buf(), difference: difference(kept.as_ref(), data) });
    }
    if record.content_digest.is_none() || record.content_digest == data.content_digest {
        return Ok(Vec::new());
    }
    let Some(kept) = kept else {
        return Err(RunError::ChangedPictures { run: run.to_path_buf(), which: "which is not known".to_string() });
    };
    let now: BTreeMap<&str, &str> =
        data.content_digests().iter().map(|file| (file.id.as_str(), file.sha256.as_str())).collect();
    let changed = |split: Split| -> Vec<String> {
        let samples = data.split(split).samples().iter();
        let same = |id: &str| kept.get(id).map(String::as_str) == now.get(id).copied();
        samples.filter(|sample| !same(&sample.id)).map(|sample| sample.id.clone()).collect()
    };
    let mut notes = Vec::new();
    for split in Split::ALL {
        let changed = changed(split);
        let Some(first) = changed.first() else { continue };
        let which = format!("{} of the {split} split, the first is {first}", changed.len());
        if splits.contains(&split) {
            return Err(RunError::ChangedPictures { run: run.to_path_buf(), which });
        }
        notes.push(format!("images have changed since the run began: {which}"));
    }
    Ok(notes)
}

/// What differs between the names then and now, as far as the run knows its own.
fn difference(kept: Option<&BTreeMap<String, String>>, data: &DataSet) -> String {
    let now: Vec<&str> = Split::ALL
        .iter()
        .flat_map(|&split| data.split(split).samples().iter().map(|sample| sample.id.as_str()))
        .collect();
    let Some(kept) = kept else { return format!("there are {} images now", now.len()) };
    let missing: Vec<&String> = kept.keys().filter(|id| !now.contains(&id.as_str())).collect();
    let new: Vec<&&str> = now.iter().filter(|id| !kept.contains_key(**id)).collect();
    let first = |what: &str, count: usize, id: Option<&str>| id.map(|id| format!("{count} {what}, the first is {id}"));
    let missing = first("missing", missing.len(), missing.first().map(|id| id.as_str()));
    let new = first("new", new.len(), new.first().map(|id| **id));
    let parts: Vec<String> = missing.into_iter().chain(new).collect();
    if parts.is_empty() { "the same images in other splits or classes".to_string() } else { parts.join("; ") }
}

/// Checks that the images that two runs explain under one name are the same, as far as both keep their digests.
///
/// # Errors
///
/// [`RunError::OtherPictures`] names the first that differs.
pub fn same_pictures(one: &RunReader, other: &RunReader) -> Result<(), RunError> {
    let (Some(there), Some(here)) = (kept(one.dir())?, kept(other.dir())?) else { return Ok(()) };
    let differs = |id: &&String| {
        let digests = there.get(*id).zip(here.get(*id));
        other.info().panel.ids.contains(id) && digests.is_some_and(|(there, here)| there != here)
    };
    match one.info().panel.ids.iter().find(differs) {
        None => Ok(()),
        Some(id) => Err(RunError::OtherPictures {
            one: one.dir().to_path_buf(),
            other: other.dir().to_path_buf(),
            id: id.clone(),
        }),
    }
}

/// For runs made before digests of all images were kept: checks that the images of the panel are still the same.
///
/// # Errors
///
/// [`RunError::ChangedPictures`] names the first that changed.
pub fn same_panel(run: &Path, record: &RunRecord, data: &DataSet) -> Result<Option<String>, RunError> {
    if record.content_digest.is_some() || data.content_digest.is_none() {
        return Ok(None);
    }
    let (config, reader) = (&record.config, RunReader::open(run)?);
    let preprocessing = &config.preprocessing;
    let prepare = |sample: &Sample| Ok(preprocessing.apply(&sample.picture(preprocessing.resize)?));
    let samples = config.panel.choose(data)?.samples;
    let now = samples.par_iter().map(prepare).collect::<Result<Vec<Picture>, DataError>>()?;
    if !reader.panel_image_path(0).exists() {
        return Ok(None); // stopped before it had written any
    }
    let read = |index: usize| -> Result<Picture, RunError> {
        let (bytes, path) = (reader.panel_image(index)?, reader.panel_image_path(index));
        Ok(picture::of_bytes(&bytes, &path, Limits::default()).map_err(DataError::from)?)
    };
    let then = (0..reader.info().panel.ids.len()).into_par_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let differs = |index: &usize| now.get(*index) != then.get(*index);
    let changed: Vec<usize> = (0..samples.len()).filter(differs).collect();
    if let Some(&first) = changed.first() {
        let which = format!("{} of the panel, the first is {}", changed.len(), samples[first].id);
        return Err(RunError::ChangedPictures { run: run.to_path_buf(), which });
    }
    Ok(Some(format!(
        "{} was made before driftscope kept the digests of pictures: those of its panel are the same ({}); of the others \
         only the names are known",
        run.display(),
        samples.len()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_back_whatever_a_picture_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let ids = ["a/1.png", "a/two  blanks.png", "a/back\\slash.png", "a/line\nend.png", "a/\\n.png"];
        let text: String = ids.iter().map(|id| line(id, &fsx::sha256_hex(id.as_bytes()))).collect();
        fsx::write_atomic(&dir.path().join(PICTURES_FILE), text.as_bytes()).unwrap();
        let read = kept(dir.path()).unwrap().unwrap();
        assert_eq!(read.len(), ids.len());
        ids.iter().for_each(|id| assert_eq!(read[*id], fsx::sha256_hex(id.as_bytes()), "{id}"));
        fsx::write_atomic(&dir.path().join(PICTURES_FILE), b"no digest").unwrap();
        assert!(kept(dir.path()).unwrap_err().to_string().contains(PICTURES_FILE));
    }
}
