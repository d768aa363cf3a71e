//! A data set opened: every picture found, read, judged and summed.

mod doubles;
#[cfg(test)]
mod tests;

use super::catalogue::{Catalogue, Entry, Stamp, cache_folder, look};
use super::{DataConfig, DataError, FolderConfig, Index, Sample, Source, Split, folder, textures};
use crate::fsx::{self, one_line, shown};
use crate::picture::{ReadOptions, bytes_of, dimensions};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A picture that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", shown(&self.path), one_line(&self.reason))
    }
}

/// A data set: class names and its splits.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// As a person would call it.
    pub name: String,
    /// Class names in label order.
    pub classes: Vec<String>,
    splits: [Index; 3],
    /// SHA-256 over class names, splits, ids and labels.
    pub digest: String,
    /// SHA-256 over the id of every picture and the SHA-256 of its file, in the order of the splits. None where pictures
    /// are drawn, or only their headers were read.
    pub content_digest: Option<String>,
    /// What a person should know: what was left out and why, counted.
    pub notes: Vec<String>,
    /// Pictures that could not be read and were left out because the config says so.
    pub skipped: Vec<Skipped>,
    contents: Vec<(String, String)>,
    seen: [Vec<Stamp>; 3],
    problem: Option<Problem>,
}

/// Why data that was found cannot be trained on.
#[derive(Clone, Debug)]
struct Problem {
    path: PathBuf,
    problem: String,
}

/// How closely pictures are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closely {
    Headers,
    Whole,
}

/// Told how many of how many files were read.
pub type Watcher<'a> = &'a (dyn Fn(usize, usize) + Sync);

impl DataSet {
    /// Finds the data and decodes every picture, unless it is known from an earlier time and has not changed, so that one
    /// that cannot be read fails here and not in the middle of a night.
    ///
    /// # Errors
    ///
    /// [`DataError`] names the folder, or all the files and what is wrong with each; also where the data cannot be trained
    /// on.
    pub fn open(config: &DataConfig) -> Result<Self, DataError> {
        Self::open_watched(config, &|_, _| {})
    }

    /// The same; `watch` is told how many of the files that are not known yet were read.
    ///
    /// # Errors
    ///
    /// As [`DataSet::open`].
    pub fn open_watched(config: &DataConfig, watch: Watcher<'_>) -> Result<Self, DataError> {
        let data = Self::survey(config, watch)?;
        data.trainable().map(|()| data)
    }

    /// The same, for counting: also data that cannot be trained on.
    ///
    /// # Errors
    ///
    /// [`DataError`] names the folder, or all the files and what is wrong with each.
    pub fn survey(config: &DataConfig, watch: Watcher<'_>) -> Result<Self, DataError> {
        Self::look(config, Closely::Whole, cache_folder().as_deref(), watch)
    }

    /// Finds the data and reads the headers of its pictures alone: for counting. Nothing is known of their bytes then.
    ///
    /// # Errors
    ///
    /// As [`DataSet::survey`].
    pub fn quick(config: &DataConfig) -> Result<Self, DataError> {
        Self::look(config, Closely::Headers, None, &|_, _| {})
    }

    fn look(
        config: &DataConfig,
        closely: Closely,
        cache: Option<&Path>,
        watch: Watcher<'_>,
    ) -> Result<Self, DataError> {
        let data = match config {
            DataConfig::Textures(config) => {
                let classes = textures::CLASSES.iter().map(|name| name.to_string()).collect();
                let mut data = Self::of("textures".to_string(), classes, super::texture_splits(*config));
                if Path::new("textures").is_dir() {
                    let note = "textures means the embedded ones; for the folder that lies here, type ./textures";
                    data.notes.push(note.to_string());
                }
                data
            }
            DataConfig::Folder(config) => Self::of_folder(config, closely, cache, watch)?,
        };
        Ok(data)
    }

    fn of(name: String, classes: Vec<String>, splits: [Index; 3]) -> Self {
        let empty = [Split::Train, Split::Val].into_iter().find(|split| splits[*split as usize].samples().is_empty());
        let problem =
            empty.map(|split| Problem { path: PathBuf::from(&name), problem: format!("the {split} split is empty") });
        Self {
            digest: digest(&classes, &splits),
            name,
            classes,
            splits,
            content_digest: None,
            notes: Vec::new(),
            skipped: Vec::new(),
            contents: Vec::new(),
            seen: Default::default(),
            problem,
        }
    }

    fn of_folder(
        config: &FolderConfig,
        closely: Closely,
        cache: Option<&Path>,
        watch: Watcher<'_>,
    ) -> Result<Self, DataError> {
        let mut found = folder::find(config)?;
        let listed = found.splits.each_ref().map(labels);
        let all = found.splits.iter().map(|split| split.samples().len()).sum::<usize>() + found.bad.len();
        let looked = match closely {
            Closely::Headers => headers(&mut found.splits, &config.read_options()),
            Closely::Whole => whole(&mut found.splits, config, cache, watch),
        };
        let mut bad = found.bad;
        bad.extend(looked.bad);
        bad.sort_by(|one, other| one.path.cmp(&other.path));
        if !bad.is_empty() && !config.skip_bad_images {
            return Err(DataError::Pictures { bad, all });
        }
        let name = config.root.file_name().map(|name| name.to_string_lossy().into_owned());
        let mut data = Self::of(name.unwrap_or_else(|| "images".to_string()), found.classes, found.splits);
        data.notes = found.notes;
        data.notes.extend(looked.notes);
        data.notes.extend(folder::namesake_of_dtd(&config.root));
        if !bad.is_empty() {
            data.without_pictures(config, &listed);
        }
        data.skipped = bad;
        let problem = found.problem.or(data.problem.map(|problem| problem.problem));
        data.problem = problem.map(|problem| Problem { path: config.root.clone(), problem });
        (data.contents, data.seen) = (looked.contents, looked.seen);
        if closely == Closely::Whole {
            let lines: String = data.contents.iter().map(|(id, sha256)| format!("{id}\t{sha256}\n")).collect();
            data.content_digest = Some(fsx::sha256_hex(lines.as_bytes()));
            data.notes.extend(doubles::notes(&data.splits, &data.contents, &data.seen));
        }
        Ok(data)
    }

    /// Says which classes lost all images of a split to skipping; without any to learn from, nothing can be trained.
    /// `listed` are the labels that the splits had before.
    fn without_pictures(&mut self, config: &FolderConfig, listed: &[BTreeSet<usize>; 3]) {
        for split in Split::ALL {
            let left = labels(self.split(split));
            let lost = listed[split as usize].difference(&left).map(|label| self.classes[*label].clone());
            let lost = folder::shortened(&lost.collect::<Vec<_>>());
            match split {
                _ if lost.is_empty() => {}
                Split::Train if !config.is_old() => {
                    let problem = format!(
                        "no training image of {lost} can be read; mend the images, or remove the class folders"
                    );
                    self.problem = Some(Problem { path: config.root.clone(), problem });
                }
                split => self.notes.push(format!("no {split} image can be read of: {lost}")),
            }
        }
    }

    /// Whether a model can be trained on it: at least two classes, and pictures to learn from and to measure on.
    ///
    /// # Errors
    ///
    /// [`DataError::NotTrainable`] says why not, and what to do.
    pub fn trainable(&self) -> Result<(), DataError> {
        match &self.problem {
            None => Ok(()),
            Some(Problem { path, problem }) => {
                Err(DataError::NotTrainable { path: path.clone(), problem: problem.clone() })
            }
        }
    }

    /// One of the splits.
    pub fn split(&self, split: Split) -> &Index {
        &self.splits[split as usize]
    }

    /// Ids of all pictures with the SHA-256 of their files, in the order of the splits; empty where
    /// [`DataSet::content_digest`] is none.
    pub fn content_digests(&self) -> &[(String, String)] {
        &self.contents
    }

    /// Whether the files of a split are those that were opened. Files are asked for their size, times and place alone, and
    /// one that differs in these is read again.
    ///
    /// # Errors
    ///
    /// [`DataError::Changed`] names the first that is another one.
    pub fn verify_unchanged(&self, split: Split) -> Result<(), DataError> {
        let before: usize = self.splits.iter().take(split as usize).map(|index| index.samples().len()).sum();
        let samples = self.split(split).samples();
        let stamps = &self.seen[split as usize];
        if stamps.len() != samples.len() {
            return Ok(()); // drawn, or only looked at quickly
        }
        let changed = |(place, sample): (usize, &Sample)| {
            let Source::File { path, options } = &sample.source else { return None };
            let as_it_was = Stamp::of(path) == Some(stamps[place]) || {
                let bytes = bytes_of(path, &options.limits);
                bytes.is_ok_and(|bytes| fsx::sha256_hex(&bytes) == self.contents[before + place].1)
            };
            (!as_it_was).then(|| path.clone())
        };
        let changed: Vec<PathBuf> = samples.par_iter().enumerate().filter_map(changed).collect();
        match changed.first() {
            None => Ok(()),
            Some(first) => Err(DataError::Changed { split: split.name(), first: first.clone(), count: changed.len() }),
        }
    }
}

/// Labels of which there are samples.
fn labels(index: &Index) -> BTreeSet<usize> {
    index.samples().iter().map(|sample| sample.label).collect()
}

/// What looking at every picture came to; bad ones are taken out of the splits.
#[derive(Default)]
struct Looked {
    bad: Vec<Skipped>,
    notes: Vec<String>,
    contents: Vec<(String, String)>,
    seen: [Vec<Stamp>; 3],
}

fn headers(splits: &mut [Index; 3], reading: &ReadOptions) -> Looked {
    let mut looked = Looked::default();
    let check = |sample: &Sample| match &sample.source {
        Source::File { path, .. } => {
            bytes_of(path, &reading.limits).and_then(|bytes| dimensions(&bytes, &reading.limits)).err()
        }
        Source::Texture { .. } => None,
    };
    for split in splits {
        let reasons: Vec<Option<String>> = split.0.par_iter().map(check).collect();
        let samples = std::mem::take(&mut split.0).into_iter().zip(reasons);
        split.0 = samples.filter_map(|(sample, reason)| kept(sample, reason, &mut looked.bad)).collect();
    }
    looked
}

/// The sample, or, where there is a reason against it, nothing.
fn kept(sample: Sample, reason: Option<String>, bad: &mut Vec<Skipped>) -> Option<Sample> {
    match reason {
        None => Some(sample),
        Some(reason) => {
            bad.extend(sample.path().map(|path| Skipped { path: path.to_path_buf(), reason }));
            None
        }
    }
}

fn whole(splits: &mut [Index; 3], config: &FolderConfig, cache: Option<&Path>, watch: Watcher<'_>) -> Looked {
    let catalogue = Catalogue::open(cache, &config.root);
    let reading = config.read_options();
    let key = |path: &Path| folder::id_of(path.strip_prefix(&config.root).unwrap_or(path));
    let files: Vec<PathBuf> =
        splits.iter().flat_map(|split| &split.0).filter_map(|sample| sample.path().map(Path::to_path_buf)).collect();
    let known: Vec<Option<Entry>> =
        files.par_iter().map(|path| catalogue.known(&key(path), path, &reading).cloned()).collect();
    let (done, all) = (AtomicUsize::new(0), known.iter().filter(|entry| entry.is_none()).count());
    let new: Vec<bool> = known.iter().map(Option::is_none).collect();
    let read = |(path, known): (&PathBuf, Option<Entry>)| {
        known.map_or_else(
            || {
                let entry = look(path, &reading);
                watch(done.fetch_add(1, Ordering::Relaxed) + 1, all);
                entry
            },
            Ok,
        )
    };
    let entries: Vec<Result<Entry, String>> = files.par_iter().zip(known).map(read).collect();

    let learned = files.iter().zip(&entries).zip(&new).filter(|(_, new)| **new);
    let learned: Vec<(String, Entry)> =
        learned.filter_map(|((path, entry), _)| Some((key(path), entry.as_ref().ok()?.clone()))).collect();
    // Ids whose bytes were escaped name no path; they are looked at again next time.
    catalogue.keep(learned, |key| config.root.join(key).exists());

    let mut looked = Looked::default();
    let mut complaints = Vec::new();
    let mut entries = entries.into_iter();
    for (number, split) in splits.iter_mut().enumerate() {
        let samples = std::mem::take(&mut split.0);
        for (sample, entry) in samples.into_iter().zip(entries.by_ref()) {
            let reason = match &entry {
                Ok(entry) => entry.verdict.as_ref().err().cloned(),
                Err(reason) => Some(reason.clone()),
            };
            if let (Some(sample), Ok(entry)) = (kept(sample, reason, &mut looked.bad), entry) {
                complaints.extend(entry.complaint.and_then(|_| sample.path().map(Path::to_path_buf)));
                looked.contents.push((sample.id.clone(), entry.sha256));
                looked.seen[number].push(entry.stamp);
                split.0.push(sample);
            }
        }
    }
    if let Some(first) = complaints.first() {
        looked.notes.push(format!(
            "{} picture(s) end early or are damaged; this run began when such were taken as they are, and so they are \
             still, the first: {}",
            complaints.len(),
            shown(first)
        ));
    }
    looked
}

fn digest(classes: &[String], splits: &[Index; 3]) -> String {
    let mut text = classes.join("\n");
    for (split, index) in Split::ALL.iter().zip(splits) {
        text.push_str(&format!("\n#{}\n", split.name()));
        for sample in index.samples() {
            text.push_str(&format!("{}\t{}\n", sample.id, sample.label));
        }
    }
    fsx::sha256_hex(text.as_bytes())
}
