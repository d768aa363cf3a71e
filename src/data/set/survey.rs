//! Every file of a data set read and judged, or known from an earlier time.

use crate::data::catalogue::{Catalogue, Entry, Stamp, judge};
use crate::data::error::Skipped;
use crate::data::folder;
use crate::data::sample::{FileDigest, Index, Sample, Source};
use crate::data::source::FolderConfig;
use crate::fsx::shown;
use crate::picture::{ReadOptions, bytes_of, dimensions};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Called with the number of files read so far and the number of all files to be read.
pub type Watcher<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// The result of reading every file.
#[derive(Default)]
pub(super) struct Survey {
    /// The images that can be read.
    pub(super) samples: [Vec<Sample>; 3],
    /// The files that cannot be read.
    pub(super) bad: Vec<Skipped>,
    /// Lines for a person.
    pub(super) notes: Vec<String>,
    /// Of each image, in the order of the splits; empty where only headers were read.
    pub(super) digests: Vec<FileDigest>,
    /// What is known of each file beside its bytes; empty where only headers were read.
    pub(super) seen: [Vec<Stamp>; 3],
    /// Bytes of all pixels of each split; 0 where only headers were read.
    pub(super) pixels: [u64; 3],
}

impl Survey {
    /// Keeps the sample, unless there is a reason against it; says whether it did.
    fn take(&mut self, split: usize, sample: &Sample, reason: Option<String>) -> bool {
        match reason {
            None => self.samples[split].push(sample.clone()),
            Some(reason) => {
                self.bad.extend(sample.path().map(|path| Skipped { path: path.to_path_buf(), reason }));
                return false;
            }
        }
        true
    }
}

/// Reads the headers alone.
pub(super) fn headers(splits: &[Index; 3], options: &ReadOptions) -> Survey {
    let mut survey = Survey::default();
    let check = |sample: &Sample| match &sample.source {
        Source::File { path, .. } => {
            bytes_of(path, &options.limits).and_then(|bytes| dimensions(&bytes, &options.limits)).err()
        }
        Source::Texture { .. } => None,
    };
    for (split, index) in splits.iter().enumerate() {
        let reasons: Vec<Option<String>> = index.samples().par_iter().map(check).collect();
        for (sample, reason) in index.samples().iter().zip(reasons) {
            survey.take(split, sample, reason);
        }
    }
    survey
}

/// Reads and decodes every file that is not known to be as it was; `watch` is told of those.
pub(super) fn whole(splits: &[Index; 3], config: &FolderConfig, cache: Option<&Path>, watch: Watcher<'_>) -> Survey {
    let samples: Vec<(usize, &Sample)> = splits
        .iter()
        .enumerate()
        .flat_map(|(split, index)| index.samples().iter().map(move |one| (split, one)))
        .collect();
    let files: Vec<PathBuf> = samples.iter().filter_map(|(_, sample)| sample.path().map(Path::to_path_buf)).collect();
    let entries = judged(&files, config, cache, watch);

    let mut survey = Survey::default();
    let mut complaints = Vec::new();
    for ((split, sample), entry) in samples.into_iter().zip(entries) {
        let reason = match &entry {
            Ok(entry) => entry.verdict.as_ref().err().cloned(),
            Err(reason) => Some(reason.clone()),
        };
        if let (true, Ok(entry)) = (survey.take(split, sample, reason), entry) {
            complaints.extend(entry.complaint.and_then(|_| sample.path()));
            survey.digests.push(FileDigest { id: sample.id.clone(), sha256: entry.sha256 });
            survey.seen[split].push(entry.stamp);
            let [width, height] = entry.verdict.unwrap_or_default();
            survey.pixels[split] += 3 * width as u64 * height as u64;
            if let Some(taken) = survey.samples[split].last_mut() {
                taken.known.judged = Some(entry.stamp);
            }
        }
    }
    if let Some(first) = complaints.first() {
        survey.notes.push(format!(
            "{} image(s) end early or are damaged; this run began when such were taken as they are, and so they are \
             still, the first: {}",
            complaints.len(),
            shown(first)
        ));
    }
    survey
}

/// What each file comes to, from the catalogue or by reading it, which the catalogue then learns.
fn judged(
    files: &[PathBuf],
    config: &FolderConfig,
    cache: Option<&Path>,
    watch: Watcher<'_>,
) -> Vec<Result<Entry, String>> {
    let catalogue = Catalogue::open(cache, &config.root);
    let options = config.read_options();
    let key = |path: &Path| folder::id_of(path.strip_prefix(&config.root).unwrap_or(path));
    let known: Vec<Option<Entry>> =
        files.par_iter().map(|path| catalogue.known(&key(path), path, &options).cloned()).collect();
    let new: Vec<bool> = known.iter().map(Option::is_none).collect();
    let (done, all) = (AtomicUsize::new(0), new.iter().filter(|new| **new).count());
    let judge_new = |path: &Path| {
        let entry = judge(path, &options);
        watch(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        entry
    };
    let entries: Vec<Result<Entry, String>> =
        files.par_iter().zip(known).map(|(path, known)| known.map_or_else(|| judge_new(path), Ok)).collect();

    let learned = files.iter().zip(&entries).zip(&new).filter(|(_, new)| **new);
    let learned: Vec<(String, Entry)> =
        learned.filter_map(|((path, entry), _)| Some((key(path), entry.as_ref().ok()?.clone()))).collect();
    // Ids whose bytes were escaped name no path; they are read again next time.
    catalogue.keep(learned, |key| config.root.join(key).exists());
    entries
}
