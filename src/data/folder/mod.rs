//! Pictures in folders: DTD's own layout with its official splits, train/ and val/ folders, or a folder a class.
//!
//! Nothing is left out without being counted and said: [`Found::notes`] has a line for each kind.

mod lists;
mod names;
mod split_folders;
#[cfg(test)]
mod tests;
mod walk;

use super::{DataError, Index, Sample, Skipped, Source};
use crate::fsx::{self, shown};
use crate::picture::{Limits, ReadOptions};
use crate::seed::{self, Purpose};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use walk::{Left, LeftOut, Searched, Walked, why_no_class, why_not};

pub(in crate::data) use names::id_of;

/// Where the pictures lie and which of them count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderConfig {
    /// The folder that holds `images/` and `labels/`, or `train/`, `val/` and `test/`, or a folder a class.
    pub root: PathBuf,
    /// DTD's official split, 1 to 10; elsewhere the seed of the split that is made.
    pub split: u64,
    /// Only these classes; empty: all.
    pub classes: Vec<String>,
    /// Whether pictures that cannot be read are left out instead of being an error.
    pub skip_bad_images: bool,
    /// What reading one picture may cost.
    #[serde(default)]
    pub limits: Limits,
    /// The version of the rules by which pictures are found and named, so that a run finds the same ones for ever. Absent
    /// in runs made before there were two: those search no folders below a class's, know eight endings, count hidden
    /// files, and take JPEGs that end early.
    #[serde(default)]
    pub rules: u32,
}

impl FolderConfig {
    /// The rules for new runs.
    pub const RULES: u32 = 2;

    /// A folder with everything as usual.
    pub fn of(root: PathBuf) -> Self {
        Self {
            root,
            split: 1,
            classes: Vec::new(),
            skip_bad_images: false,
            limits: Limits::default(),
            rules: Self::RULES,
        }
    }

    pub(super) fn is_old(&self) -> bool {
        self.rules < Self::RULES
    }

    pub(super) fn read_options(&self) -> ReadOptions {
        ReadOptions { limits: self.limits, lenient: self.is_old() }
    }

    /// Whether the folder is divided by folders named train and val, for which a split has no meaning.
    pub fn has_split_folders(&self) -> bool {
        !is_dtd(&self.root) && self.root.join("train").is_dir()
    }
}

/// DTD in its usual places: `$DRIFTSCOPE_DTD`, then `dtd`, `data/dtd` and `data/dtd/dtd` (torchvision's) here and at
/// home.
///
/// # Errors
///
/// [`DataError::NoDtd`] lists where it was looked for.
pub fn find_dtd() -> Result<PathBuf, DataError> {
    let places = dtd_places();
    let found = places.iter().find(|place| is_dtd(place)).cloned();
    found.ok_or(DataError::NoDtd { places })
}

fn dtd_places() -> Vec<PathBuf> {
    let named = std::env::var_os("DRIFTSCOPE_DTD").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let below = |root: PathBuf| ["dtd", "data/dtd", "data/dtd/dtd"].map(|place| root.join(place));
    let usual = [Some(PathBuf::new()), home].into_iter().flatten().flat_map(below);
    named.into_iter().chain(usual).collect()
}

fn is_dtd(root: &Path) -> bool {
    root.join("labels").is_dir() && root.join("images").is_dir()
}

/// Where the word `dtd` means another folder than the one of that name here: a line that says so.
pub(super) fn namesake_of_dtd(root: &Path) -> Option<String> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let here = Path::new("dtd");
    let usual = dtd_places().iter().any(|place| absolute(place) == absolute(root));
    (here.is_dir() && usual && absolute(here) != absolute(root))
        .then(|| format!("dtd means {}; for the folder dtd that lies here, type ./dtd", shown(root)))
}

/// Shares of a class that go to training and to validation where no split is given; the rest is for testing.
const SHARES: [f64; 2] = [0.8, 0.1];
/// The fewest pictures of a class of which one falls to validation: `round(0.1 · 5) = 1`.
const FEWEST: usize = 5;

/// Class names, the three splits, and what was not taken.
pub(super) struct Found {
    pub(super) classes: Vec<String>,
    pub(super) splits: [Index; 3],
    /// Lines for a person.
    pub(super) notes: Vec<String>,
    /// What can already be seen to be unreadable.
    pub(super) bad: Vec<Skipped>,
    /// Why it cannot be trained on, where that is so.
    pub(super) problem: Option<String>,
}

/// Reads whichever layout is there.
///
/// # Errors
///
/// [`DataError`] where there is none, or a class or a split of it is missing.
pub(super) fn find(config: &FolderConfig) -> Result<Found, DataError> {
    let root = &config.root;
    if !root.is_dir() {
        let what = if root.exists() { "it is a file" } else { "there is no such folder" };
        return Err(DataError::layout(root, format!("{what}; expected {EXPECTED}")));
    }
    if !config.is_old()
        && let Some(whose) = walk::is_ours(root)
    {
        return Err(DataError::layout(root, format!("it is {whose}, not data; expected {EXPECTED}")));
    }
    let mut found = if is_dtd(root) {
        lists::dtd(config)?
    } else if root.join("train").is_dir() {
        split_folders::find(config)?
    } else {
        class_folders(config)?
    };
    if found.problem.is_none() && !config.is_old() && found.classes.len() == 1 {
        let class = &found.classes[0];
        found.problem = Some(format!(
            "there is only one class, '{class}', and nothing to tell it from; expected at least two{}",
            deeper(&root.join(class), config)
        ));
    }
    Ok(found)
}

/// What a folder of pictures should be.
pub(super) const EXPECTED: &str =
    "images/ and labels/ as in DTD, or train/ and val/ with a folder a class, or a folder a class";

/// A hint where the only folder looks like the data itself.
fn deeper(folder: &Path, config: &FolderConfig) -> String {
    let inner = fsx::list_dir(folder).unwrap_or_default();
    let folders = inner.iter().filter(|path| path.is_dir() && why_no_class(path, config.is_old()).is_none()).count();
    match folders {
        0 | 1 => String::new(),
        _ => format!(" (if the folders in it are the classes, give {})", shown(folder)),
    }
}

/// Folders that may be classes, by name, and a count of what else lies there.
fn class_names(
    folder: &Path,
    config: &FolderConfig,
    left: &mut LeftOut,
) -> Result<BTreeMap<String, PathBuf>, DataError> {
    let mut classes = BTreeMap::new();
    let written = walk::written_in(folder, config.is_old());
    for path in fsx::list_dir(folder)? {
        if written.contains(&path) {
            left.add(Left::Figure, &path);
            continue;
        }
        let name = path.file_name().map_or_else(String::new, |name| match config.is_old() {
            true => name.to_string_lossy().into_owned(),
            false => names::escaped(name.as_encoded_bytes()),
        });
        match (path.is_dir(), config.is_old()) {
            (true, old) => match why_no_class(&path, old) {
                Some(why) => left.add(why, &path),
                None => drop(classes.insert(name, path)),
            },
            (false, old) => left.add(why_not(&path, old).unwrap_or(Left::OutsideClass), &path),
        }
    }
    Ok(classes)
}

/// The pictures of one class in one split.
struct OfClass {
    samples: Vec<Sample>,
    left_out: LeftOut,
}

impl OfClass {
    /// Whether nothing lies there but what driftscope itself wrote.
    fn is_ours_alone(&self) -> bool {
        self.samples.is_empty() && [Left::Run, Left::Explained, Left::Figure].iter().any(|why| self.left_out.holds(why))
    }
}

fn of_class(
    config: &FolderConfig,
    folder: &Path,
    label: usize,
    searched: &mut Searched,
    bad: &mut Vec<Skipped>,
) -> OfClass {
    let Walked { pictures, bad: unreadable, left_out } = searched.walk(folder);
    bad.extend(unreadable);
    let sample = |path: PathBuf| {
        let below = path.strip_prefix(&config.root).unwrap_or(&path);
        let id = if config.is_old() { names::old_id_of(below) } else { names::id_of(below) };
        Sample { id, label, source: Source::File { path, options: config.read_options() } }
    };
    OfClass { samples: pictures.into_iter().map(sample).collect(), left_out }
}

/// `class/…`, split class by class in an order drawn from the split's number.
fn class_folders(config: &FolderConfig) -> Result<Found, DataError> {
    let root = &config.root;
    let (mut left, mut bad) = (LeftOut::default(), Vec::new());
    let names = class_names(root, config, &mut left)?;
    if !config.is_old() && !names.is_empty() && names.keys().all(|name| split_folders::is_split_word(name)) {
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
        return Err(no_pictures(root, &left));
    }
    let counts: Vec<(String, usize)> = all.iter().map(|(class, of)| (class.clone(), of.samples.len())).collect();
    let mut splits = [Vec::new(), Vec::new(), Vec::new()];
    let mut classes = Vec::new();
    for (label, (class, OfClass { mut samples, left_out })) in all.into_iter().enumerate() {
        classes.push(class);
        left.append(left_out);
        samples.shuffle(&mut seed::generator(config.split, Purpose::Split, &[label as u64]));
        let [train, val] = SHARES.map(|share| (share * samples.len() as f64).round() as usize);
        let mut rest = samples.split_off(train.min(samples.len()));
        let test = rest.split_off(val.min(rest.len()));
        for (all, mut part) in splits.iter_mut().zip([samples, rest, test]) {
            part.sort_by(|one, other| one.id.cmp(&other.id));
            all.extend(part);
        }
    }
    let mut notes = left.lines();
    let few: Vec<String> =
        counts.iter().filter(|(_, count)| *count < FEWEST).map(|(class, count)| format!("{class} ({count})")).collect();
    let problem = splits[1].is_empty().then(|| {
        format!(
            "too few pictures for a validation split: {}. A folder a class is split 80/10/10, so a class needs at least \
             {FEWEST} pictures for one of them to fall to validation: add pictures, or divide them yourself into train/ \
             and val/ with a folder a class",
            shortened(&few)
        )
    });
    if problem.is_none() && !few.is_empty() && !config.is_old() {
        notes.push(format!("no validation picture of: {}; a class needs at least {FEWEST} pictures", shortened(&few)));
    }
    Ok(Found { classes, splits: splits.map(Index), notes, bad, problem })
}

/// The first ten, and how many more.
pub(super) fn shortened(items: &[String]) -> String {
    let more = if items.len() > 10 { format!(" and {} more", items.len() - 10) } else { String::new() };
    items.iter().take(10).cloned().collect::<Vec<_>>().join(", ") + &more
}

fn no_pictures(root: &Path, left: &LeftOut) -> DataError {
    DataError::NoPictures { path: root.to_path_buf(), found: left.to_string() }
}

fn empty_class(folder: &Path, left: &LeftOut) -> DataError {
    let text = format!("a class without a picture: it holds {left}; add pictures, or remove the folder");
    DataError::layout(folder, text)
}

/// All classes in alphabetical order, or those that were asked for.
fn choose_classes(
    config: &FolderConfig,
    found: BTreeMap<String, PathBuf>,
    left: &mut LeftOut,
) -> Result<BTreeMap<String, PathBuf>, DataError> {
    if found.is_empty() {
        return Err(no_pictures(&config.root, left));
    }
    if let Some(class) = config.classes.iter().find(|class| !found.contains_key(*class)) {
        return Err(DataError::NoClass {
            path: config.root.clone(),
            class: class.clone(),
            found: found.into_keys().collect::<Vec<_>>().join(", "),
        });
    }
    let wanted = |class: &String| config.classes.is_empty() || config.classes.contains(class);
    found.iter().filter(|(class, _)| !wanted(class)).for_each(|(_, path)| left.add(Left::Unwanted, path));
    Ok(found.into_iter().filter(|(class, _)| wanted(class)).collect())
}
