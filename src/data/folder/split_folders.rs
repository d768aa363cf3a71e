//! `train/class/…`, `val/class/…`, and `test/class/…` if there is one.

use super::classes::{Found, OfClass, choose_classes, class_names, empty_class, of_class, shortened};
use super::walk::{self, Left, LeftOut, Searched, name_of, why_no_class, why_not};
use crate::data::error::{DataError, Skipped};
use crate::data::sample::Index;
use crate::data::source::{EXPECTED, FolderConfig};
use crate::data::split::Split;
use crate::fsx::{self, shown};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the validation folder may be called.
const VAL: [&str; 3] = ["val", "valid", "validation"];

/// Whether a folder's name is a word for a split, as people write it.
pub(super) fn is_split_word(name: &str) -> bool {
    let words = ["train", "training", "dev", "eval", "test", "testing"];
    let name = name.to_lowercase();
    words.contains(&&*name) || VAL.contains(&&*name)
}

/// Classes by name, and their folders.
type Classes = BTreeMap<String, PathBuf>;

pub(super) fn find(config: &FolderConfig) -> Result<Found, DataError> {
    let root = &config.root;
    let (mut left, mut bad) = (LeftOut::default(), Vec::new());
    let val = validation_folder(config)?;
    let test = root.join("test");
    let folders = [Some(root.join("train")), Some(val), test.is_dir().then_some(test)];
    count_others(config, &folders, &mut left)?;

    let mut of_split: Vec<Classes> = Vec::new();
    for folder in &folders {
        let named = folder.as_ref().map(|folder| class_names(folder, config, &mut left)).transpose()?;
        of_split.push(named.unwrap_or_default());
    }
    let classes = of_split.iter().flat_map(|classes| classes.values());
    let mut searched = Searched::new(root, config.is_old(), classes);
    let train = choose_classes(config, std::mem::take(&mut of_split[0]), &mut left)?;
    let mut found: Vec<(String, [Option<OfClass>; 3])> = Vec::new();
    for (class, folder) in train {
        let label = found.len();
        let of_train = of_class(config, &folder, label, &mut searched, &mut bad);
        let of_others = [1, 2].map(|split: usize| {
            of_split[split].remove(&class).map(|folder| of_class(config, &folder, label, &mut searched, &mut bad))
        });
        if of_train.is_ours_alone() && of_others.iter().flatten().all(|one| one.samples.is_empty()) {
            left.append(of_train.left_out);
            continue;
        }
        if of_train.samples.is_empty() && bad.is_empty() {
            return Err(empty_class(&folder, &of_train.left_out));
        }
        let [of_val, of_test] = of_others;
        found.push((class, [Some(of_train), of_val, of_test]));
    }
    strangers(config, of_split, &folders, &mut searched, &mut left)?;
    if config.is_old() {
        old_rules(config, &found, folders[2].is_some())?;
    }
    Ok(assembled(config, found, left, bad))
}

/// The one validation folder.
fn validation_folder(config: &FolderConfig) -> Result<PathBuf, DataError> {
    let root = &config.root;
    if config.is_old() {
        return Ok(root.join("val"));
    }
    let there: Vec<&str> = VAL.into_iter().filter(|name| root.join(name).is_dir()).collect();
    match there.as_slice() {
        [one] => Ok(root.join(one)),
        [] => Err(DataError::layout(root, format!("{NO_VAL}{}", class_called_train(root)))),
        several => Err(DataError::layout(
            root,
            format!(
                "it has {}/, and it is not clear which of them is for validation: keep one",
                several.join("/ and ")
            ),
        )),
    }
}

const NO_VAL: &str = "it has train/ but no val/ (or valid/ or validation/), and training measures every epoch on images \
                      that it does not learn from: move some there, with one sub-folder per class";

/// A hint where `train` may be the name of a class: there are folders beside it that are no splits.
fn class_called_train(root: &Path) -> String {
    let is_class = |path: &PathBuf| path.is_dir() && why_no_class(path, false).is_none();
    let beside = fsx::list_dir(root).unwrap_or_default().into_iter().filter(is_class).map(|path| name_of(&path));
    let beside: Vec<String> = beside.filter(|name| !is_split_word(name)).collect();
    match beside.as_slice() {
        [] => String::new(),
        _ => format!(
            ". Or, if train is a class beside {}, give its folder another name: train means a split here",
            shortened(&beside)
        ),
    }
}

/// What lies beside the split folders.
fn count_others(config: &FolderConfig, folders: &[Option<PathBuf>; 3], left: &mut LeftOut) -> Result<(), DataError> {
    let written = walk::written_in(&config.root, config.is_old());
    for path in fsx::list_dir(&config.root)? {
        if written.contains(&path) {
            left.add(Left::Figure, &path);
            continue;
        }
        if folders.iter().flatten().any(|folder| *folder == path) {
            continue;
        }
        let why = match path.is_dir() {
            true => why_no_class(&path, config.is_old()).unwrap_or_else(|| match is_split_word(&name_of(&path)) {
                true => Left::OtherSplit,
                false => Left::NoSplit,
            }),
            false => why_not(&path, config.is_old()).unwrap_or(Left::OutsideClass),
        };
        left.add(why, &path);
    }
    Ok(())
}

/// Classes that training does not have: in val/ they are an error, in test/ they are left out.
fn strangers(
    config: &FolderConfig,
    of_split: Vec<Classes>,
    folders: &[Option<PathBuf>; 3],
    searched: &mut Searched,
    left: &mut LeftOut,
) -> Result<(), DataError> {
    let wanted = |class: &String| config.classes.is_empty() || config.classes.contains(class);
    let mut unknown = Vec::new();
    for (split, classes) in of_split.into_iter().enumerate().skip(1) {
        for (class, folder) in classes.into_iter().filter(|(class, _)| wanted(class)) {
            let held = of_class(config, &folder, 0, searched, &mut Vec::new());
            match split {
                1 if !held.samples.is_empty() && !config.is_old() => unknown.push(class),
                _ if held.samples.is_empty() => left.append(held.left_out),
                _ => left.add(Left::TestClass, &folder),
            }
        }
    }
    match (unknown.is_empty(), &folders[1]) {
        (false, Some(val)) => Err(DataError::layout(
            val,
            format!(
                "train/ has no images of {}, so they cannot be learned: add them to train/, or remove them here",
                shortened(&unknown)
            ),
        )),
        _ => Ok(()),
    }
}

/// The first version wanted every class in every split folder that there is.
fn old_rules(config: &FolderConfig, found: &[(String, [Option<OfClass>; 3])], has_test: bool) -> Result<(), DataError> {
    for (class, parts) in found {
        let needed = Split::ALL.iter().zip(parts).take(if has_test { 3 } else { 2 });
        for (split, part) in needed {
            if part.as_ref().is_none_or(|part| part.samples.is_empty()) {
                let folder = config.root.join(split.name()).join(class);
                return Err(DataError::layout(&folder, format!("it holds no images; expected {EXPECTED}")));
            }
        }
    }
    Ok(())
}

fn assembled(
    config: &FolderConfig,
    found: Vec<(String, [Option<OfClass>; 3])>,
    mut left: LeftOut,
    bad: Vec<Skipped>,
) -> Found {
    let mut splits = [Vec::new(), Vec::new(), Vec::new()];
    let (mut classes, mut lacking) = (Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
    for (class, parts) in found {
        for (split, part) in parts.into_iter().enumerate() {
            let (samples, left_out) = part.map_or_else(Default::default, |part| (part.samples, part.left_out));
            if samples.is_empty() {
                lacking[split].push(class.clone());
            }
            splits[split].extend(samples);
            left.append(left_out);
        }
        classes.push(class);
    }
    let mut notes = left.lines();
    for split in [Split::Val, Split::Test] {
        let (place, missing) = (split as usize, &lacking[split as usize]);
        if !missing.is_empty() && !splits[place].is_empty() {
            notes.push(format!("no {split} image of: {}", shortened(missing)));
        }
    }
    let empty = [Split::Train, Split::Val].into_iter().find(|split| splits[*split as usize].is_empty());
    let problem = empty.map(|split| empty_split(&config.root, split));
    Found { classes, splits: splits.map(Index::new), notes, bad, problem }
}

fn empty_split(root: &Path, split: Split) -> String {
    format!("no class has an image in the {split} folder of {}", shown(root))
}
