//! An opened data set: every image found, read, checked and hashed.

mod doubles;
mod survey;
#[cfg(test)]
mod tests;

pub use survey::Watcher;

use super::augment::Preprocessing;
use super::cache::Cache;
use super::catalogue::{Stamp, cache_folder};
use super::drawn;
use super::error::{DataError, Skipped};
use super::folder;
use super::sample::{FileDigest, Index, Sample, Source};
use super::source::{DataConfig, FolderConfig};
use super::split::Split;
use super::textures;
use crate::fsx;
use crate::picture::bytes_of;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use survey::{Survey, headers, whole};

/// A data set: class names and its splits.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// The name of its folder, or `textures`.
    pub name: String,
    /// Class names in label order.
    pub classes: Vec<String>,
    splits: [Index; 3],
    /// SHA-256 over class names, splits, ids and labels.
    pub digest: String,
    /// SHA-256 over the id of every image and the SHA-256 of its file, in the order of the splits. None where images
    /// are drawn, or only their headers were read.
    pub content_digest: Option<String>,
    /// Lines for a person: what was left out and why, with counts, and what makes results doubtful, such as duplicates.
    pub notes: Vec<String>,
    /// Images that could not be read and were left out because the config says so.
    pub skipped: Vec<Skipped>,
    digests: Vec<FileDigest>,
    seen: [Vec<Stamp>; 3],
    /// Bytes of all pixels of each split; 0 where they are not known.
    pixels: [u64; 3],
    problem: Option<Problem>,
}

/// Why data cannot be trained on, though it can be counted.
#[derive(Clone, Debug)]
struct Problem {
    path: PathBuf,
    problem: String,
}

/// How much of each file is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closely {
    Headers,
    Whole,
}

impl DataSet {
    /// Finds the data and decodes every image, unless it is known from an earlier time and has not changed, so that one
    /// that cannot be read is found before training begins.
    ///
    /// # Errors
    ///
    /// [`DataError`] names the folder, or all the files and what is wrong with each; also where the data cannot be trained
    /// on.
    pub fn open(config: &DataConfig) -> Result<Self, DataError> {
        Self::open_watched(config, &|_, _| {})
    }

    /// The same; `watch` is called with the progress over the files that are not in the cache.
    ///
    /// # Errors
    ///
    /// As [`DataSet::open`].
    pub fn open_watched(config: &DataConfig, watch: Watcher<'_>) -> Result<Self, DataError> {
        let data = Self::survey(config, watch)?;
        data.trainable().map(|()| data)
    }

    /// The same for counting: data that cannot be trained on is no error.
    ///
    /// # Errors
    ///
    /// [`DataError`] names the folder, or all the files and what is wrong with each.
    pub fn survey(config: &DataConfig, watch: Watcher<'_>) -> Result<Self, DataError> {
        Self::survey_with(config, Closely::Whole, cache_folder().as_deref(), watch)
    }

    /// Finds the data and reads only the headers of its images, for counting. [`DataSet::content_digest`] is then `None`.
    ///
    /// # Errors
    ///
    /// As [`DataSet::survey`].
    pub fn quick(config: &DataConfig) -> Result<Self, DataError> {
        Self::survey_with(config, Closely::Headers, None, &|_, _| {})
    }

    fn survey_with(
        config: &DataConfig,
        closely: Closely,
        cache: Option<&Path>,
        watch: Watcher<'_>,
    ) -> Result<Self, DataError> {
        let data = match config {
            DataConfig::Textures(config) => {
                let classes = textures::CLASSES.iter().map(|name| name.to_string()).collect();
                let mut data = Self::of("textures".to_string(), classes, drawn::splits(*config));
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
            digests: Vec::new(),
            seen: Default::default(),
            pixels: [0; 3],
            problem,
        }
    }

    fn of_folder(
        config: &FolderConfig,
        closely: Closely,
        cache: Option<&Path>,
        watch: Watcher<'_>,
    ) -> Result<Self, DataError> {
        let found = folder::find(config)?;
        let listed = found.splits.each_ref().map(labels);
        let all = found.splits.iter().map(|split| split.samples().len()).sum::<usize>() + found.bad.len();
        let Survey { samples, bad: unreadable, notes, digests, seen, pixels } = match closely {
            Closely::Headers => headers(&found.splits, &config.read_options()),
            Closely::Whole => whole(&found.splits, config, cache, watch),
        };
        let mut bad = found.bad;
        bad.extend(unreadable);
        bad.sort_by(|one, other| one.path.cmp(&other.path));
        if !bad.is_empty() && !config.skip_bad_images {
            return Err(DataError::BadImages { bad, all });
        }
        let name = config.root.file_name().map(|name| name.to_string_lossy().into_owned());
        let mut data = Self::of(name.unwrap_or_else(|| "images".to_string()), found.classes, samples.map(Index::new));
        data.notes = found.notes;
        data.notes.extend(notes);
        data.notes.extend(folder::namesake_of_dtd(&config.root));
        if !bad.is_empty() {
            data.without_images(config, &listed);
        }
        data.skipped = bad;
        let problem = found.problem.or(data.problem.map(|problem| problem.problem));
        data.problem = problem.map(|problem| Problem { path: config.root.clone(), problem });
        (data.digests, data.seen, data.pixels) = (digests, seen, pixels);
        if closely == Closely::Whole {
            let lines: String = data.digests.iter().map(|file| format!("{}\t{}\n", file.id, file.sha256)).collect();
            data.content_digest = Some(fsx::sha256_hex(lines.as_bytes()));
            data.notes.extend(doubles::notes(&data.splits, &data.digests, &data.seen));
        }
        Ok(data)
    }

    /// Says which classes lost all images of a split to skipping; without any to learn from, nothing can be trained.
    /// `listed` are the labels that the splits had before.
    fn without_images(&mut self, config: &FolderConfig, listed: &[BTreeSet<usize>; 3]) {
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

    /// Whether a model can be trained on it: at least two classes, and images to learn from and to measure on.
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

    /// The images of one split.
    pub fn split(&self, split: Split) -> &Index {
        &self.splits[split as usize]
    }

    /// The digest of every file, in the order of the splits; empty where
    /// [`DataSet::content_digest`] is none.
    pub fn content_digests(&self) -> &[FileDigest] {
        &self.digests
    }

    /// Keeps the pixels that a run reads in every epoch in `bytes` of memory, as far as they fit: training images decoded,
    /// validation images as `preprocessing` makes them. Returns the share that fits, 0 to 1.
    pub fn keep_pixels(&mut self, bytes: u64, preprocessing: &Preprocessing) -> f64 {
        let square = |side: usize| 3 * (side * side) as u64;
        let [train, val] = [Split::Train, Split::Val].map(|split| self.split(split).samples().len());
        let decoded = match self.pixels[Split::Train as usize] {
            0 => train as u64 * square(preprocessing.resize), // drawn, at this size
            pixels => pixels,
        };
        let cache = Arc::new(Cache::new(bytes));
        for split in [Split::Train, Split::Val] {
            self.splits[split as usize] = self.split(split).keeping(&cache);
        }
        Cache::share(bytes, decoded + val as u64 * square(preprocessing.size), train + val)
    }

    /// Checks that the files of a split have not changed since they were opened. Only a file whose size, times or inode differ
    /// is read again.
    ///
    /// # Errors
    ///
    /// [`DataError::Changed`] names the first file that changed.
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
                bytes.is_ok_and(|bytes| fsx::sha256_hex(&bytes) == self.digests[before + place].sha256)
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
