//! One sub-folder per class and no splits: the splits are drawn here.

use super::classes::{Found, OfClass, choose_classes, class_names, empty_class, no_images, of_class, shortened};
use super::split_folders::is_split_word;
use super::walk::{LeftOut, Searched};
use crate::data::error::DataError;
use crate::data::sample::{Index, Sample};
use crate::data::source::{EXPECTED, FolderConfig};
use crate::seed::{self, Purpose};
use rand::seq::SliceRandom;

/// Shares of a class that go to training and to validation where no split is given; the rest is for testing.
const SHARES: [f64; 2] = [0.8, 0.1];
/// The fewest images of a class of which one falls to validation: `round(0.1 · 5) = 1`.
const FEWEST: usize = 5;

/// Finds the classes, and splits each in an order drawn from the split's number.
pub(super) fn find(config: &FolderConfig) -> Result<Found, DataError> {
    let root = &config.root;
    let (mut left, mut bad) = (LeftOut::default(), Vec::new());
    let names = class_names(root, config, &mut left)?;
    if !config.is_old() && !names.is_empty() && names.keys().all(|name| is_split_word(name)) {
        let there = names.into_keys().collect::<Vec<_>>().join("/, ");
        let text = format!(
            "it has {there}/ but no train/: these look like splits and not like classes; call them train/, val/ (or \
             valid/ or validation/) and test/. Expected {EXPECTED}"
        );
        return Err(DataError::layout(root, text));
    }
    let mut searched = Searched::new(root, config.is_old(), names.values());
    let mut folders = choose_classes(config, names, &mut left)?;
    let mut all: Vec<(String, OfClass)> = Vec::new();
    for (class, folder) in std::mem::take(&mut folders) {
        let found = of_class(config, &folder, all.len(), &mut searched, &mut bad);
        if found.is_ours_alone() {
            left.append(found.left_out);
            continue;
        }
        if found.samples.is_empty() && bad.is_empty() {
            return Err(empty_class(&folder, &found.left_out));
        }
        all.push((class, found));
    }
    if all.is_empty() {
        return Err(no_images(root, &left));
    }
    let few: Vec<String> = all
        .iter()
        .map(|(class, of)| (class, of.samples.len()))
        .filter(|(_, count)| *count < FEWEST)
        .map(|(class, count)| format!("{class} ({count})"))
        .collect();
    let (mut splits, mut classes) = ([Vec::new(), Vec::new(), Vec::new()], Vec::new());
    for (label, (class, OfClass { samples, left_out })) in all.into_iter().enumerate() {
        classes.push(class);
        left.append(left_out);
        divide(samples, label, config.split, &mut splits);
    }
    let mut notes = left.lines();
    let problem = splits[1].is_empty().then(|| {
        format!(
            "too few images for a validation split: {}. A folder with one sub-folder per class is split 80/10/10, so a class needs at least \
             {FEWEST} images for one of them to fall to validation: add images, or divide them yourself into train/ \
             and val/ with one sub-folder per class",
            shortened(&few)
        )
    });
    if problem.is_none() && !few.is_empty() && !config.is_old() {
        notes.push(format!("no validation image of: {}; a class needs at least {FEWEST} images", shortened(&few)));
    }
    Ok(Found { classes, splits: splits.map(Index::new), notes, bad, problem })
}

/// Shares the samples of a class among the splits, by an order drawn from `seed` and the class's label.
fn divide(mut samples: Vec<Sample>, label: usize, seed: u64, splits: &mut [Vec<Sample>; 3]) {
    samples.shuffle(&mut seed::generator(seed, Purpose::Split, &[label as u64]));
    let [train, val] = SHARES.map(|share| (share * samples.len() as f64).round() as usize);
    let mut rest = samples.split_off(train.min(samples.len()));
    let test = rest.split_off(val.min(rest.len()));
    for (all, mut part) in splits.iter_mut().zip([samples, rest, test]) {
        part.sort_by(|one, other| one.id.cmp(&other.id));
        all.extend(part);
    }
}
