//! DTD's layout: `labels/train1.txt` lists `class/picture.jpg` below `images/`.

use super::classes::{Found, choose_classes, shortened};
use super::walk::{Left, LeftOut, Searched};
use crate::data::error::{DataError, Skipped};
use crate::data::sample::{Index, Sample, Source};
use crate::data::source::FolderConfig;
use crate::data::split::Split;
use crate::fsx::{self, shown};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// One line of a list.
struct Line {
    id: String,
    /// Which line, from 1.
    number: usize,
}

pub(super) fn dtd(config: &FolderConfig) -> Result<Found, DataError> {
    let mut left = LeftOut::default();
    for path in fsx::list_dir(&config.root)?.into_iter().filter(|_| !config.is_old()) {
        if !["images", "labels"].iter().any(|part| config.root.join(part) == path) {
            left.add(Left::NoPartOfDtd, &path);
        }
    }
    let lists = read_lists(config)?;
    if !config.is_old() {
        each_once(config, &lists)?;
    }
    let class = |line: &Line| line.id.split('/').next().unwrap_or_default().to_string();
    let folder = |class: &String| (class.clone(), config.root.join("images").join(class));
    let trained: BTreeSet<String> = lists[0].iter().map(class).collect();
    let classes = choose_classes(config, trained.iter().map(folder).collect(), &mut left)?;
    let classes: Vec<String> = classes.into_keys().collect();
    if !config.is_old() {
        let wanted = |class: &String| config.classes.is_empty() || config.classes.contains(class);
        let unknown: BTreeSet<String> =
            lists[1].iter().map(class).filter(|class| !trained.contains(class) && wanted(class)).collect();
        if !unknown.is_empty() {
            let names = shortened(&unknown.into_iter().collect::<Vec<_>>());
            let text = format!("no line of the train list is of {names}, so they cannot be learned");
            return Err(DataError::layout(&list_path(config, Split::Val), text));
        }
        let strangers: BTreeSet<String> = lists[2].iter().map(class).filter(|class| !trained.contains(class)).collect();
        strangers.iter().for_each(|class| left.add(Left::TestClass, &folder(class).1));
        count_unlisted(config, &lists, &mut left);
    }
    let mut bad = Vec::new();
    let mut split_number = 0;
    let splits = lists.map(|lines| {
        let list = list_path(config, Split::ALL[split_number]);
        split_number += 1;
        let mut samples = Vec::new();
        for line in lines {
            let Ok(label) = classes.binary_search(&class(&line)) else { continue };
            let path = config.root.join("images").join(&line.id);
            if !config.is_old() && path.symlink_metadata().is_err() {
                bad.push(Skipped {
                    path,
                    reason: format!("line {} of {} names it, and it is not there", line.number, shown(&list)),
                });
                continue;
            }
            samples.push(Sample::new(line.id, label, Source::File { path, options: config.read_options() }));
        }
        samples
    });
    let empty = Split::ALL.into_iter().take(2).find(|split| splits[*split as usize].is_empty());
    let problem = empty.map(|split| format!("{} names no image", shown(&list_path(config, split))));
    Ok(Found { classes, splits: splits.map(Index::new), notes: left.lines(), bad, problem })
}

fn list_path(config: &FolderConfig, split: Split) -> PathBuf {
    config.root.join("labels").join(format!("{}{}.txt", split.name(), config.split))
}

/// The lists of training, validation and testing; the last may be missing.
fn read_lists(config: &FolderConfig) -> Result<[Vec<Line>; 3], DataError> {
    let there = |split: Split| list_path(config, split).is_file();
    if let Some(missing) = Split::ALL.into_iter().take(2).find(|split| !there(*split)) {
        let splits = complete_splits(&config.root.join("labels"));
        let text = match splits.is_empty() {
            true => "it holds no lists named train1.txt, val1.txt and test1.txt, as DTD's does".to_string(),
            false => format!(
                "there is no {}{}.txt for split {}; there are splits {}",
                missing.name(),
                config.split,
                config.split,
                ranges(&splits)
            ),
        };
        return Err(DataError::layout(&config.root.join("labels"), text));
    }
    let read = |split: Split| match split == Split::Test && !there(split) && !config.is_old() {
        true => Ok(Vec::new()),
        false => read_list(config, split),
    };
    Ok([read(Split::Train)?, read(Split::Val)?, read(Split::Test)?])
}

/// Numbers of which a train and a val list lie there, ascending.
fn complete_splits(labels: &Path) -> Vec<u64> {
    let paths = fsx::list_dir(labels).unwrap_or_default();
    let names: BTreeSet<String> =
        paths.iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect();
    let number = |name: &String| fsx::whole_number::<u64>(name.strip_prefix("train")?.strip_suffix(".txt")?);
    let numbers: BTreeSet<u64> = names.iter().filter_map(number).collect();
    numbers.into_iter().filter(|number| names.contains(&format!("val{number}.txt"))).collect()
}

/// `1 to 10`, or `1, 3 to 5`.
fn ranges(numbers: &[u64]) -> String {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let words = runs.filter_map(|run| match (run.first()?, run.last()?) {
        (first, last) if first == last => Some(first.to_string()),
        (first, last) => Some(format!("{first} to {last}")),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn read_list(config: &FolderConfig, split: Split) -> Result<Vec<Line>, DataError> {
    let path = list_path(config, split);
    if config.is_old() {
        let text = fsx::read_to_string(&path)?;
        let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
        return Ok(lines.map(|(index, line)| Line { id: line.to_string(), number: index + 1 }).collect());
    }
    let bytes = fsx::read(&path)?;
    let text = str::from_utf8(&bytes).map_err(|_| DataError::layout(&path, "the list is no UTF-8 text".to_string()))?;
    let mut lines = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().map(str::trim).enumerate() {
        if line.is_empty() {
            continue;
        }
        let wrong = |what: &str| {
            let text = format!("line {} is '{line}': {what}; expected class/picture.jpg below images/", index + 1);
            DataError::layout(&path, text)
        };
        let parts: Vec<&str> = line.split('/').collect();
        match () {
            () if line.starts_with('/') => return Err(wrong("an absolute path")),
            () if parts.len() < 2 => return Err(wrong("no class folder")),
            () if parts.contains(&"..") => return Err(wrong("a path that leads out of its folder")),
            () if parts.iter().any(|part| part.is_empty() || *part == ".") => {
                return Err(wrong("a part without a name"));
            }
            () => lines.push(Line { id: line.to_string(), number: index + 1 }),
        }
    }
    Ok(lines)
}

/// No image is in two places of the lists.
fn each_once(config: &FolderConfig, lists: &[Vec<Line>; 3]) -> Result<(), DataError> {
    let mut places: HashMap<&str, (Split, usize)> = HashMap::new();
    for (split, lines) in Split::ALL.into_iter().zip(lists) {
        for line in lines {
            if let Some((first, number)) = places.insert(&line.id, (split, line.number)) {
                let where_first = match first == split {
                    true => format!("line {number} already names it"),
                    false => format!("line {number} of {} names it too", shown(&list_path(config, first))),
                };
                let text =
                    format!("line {} is '{}': {where_first}; an image belongs to one split", line.number, line.id);
                return Err(DataError::layout(&list_path(config, split), text));
            }
        }
    }
    Ok(())
}

/// Images that lie in images/ and in no list.
fn count_unlisted(config: &FolderConfig, lists: &[Vec<Line>; 3], left: &mut LeftOut) {
    let images = config.root.join("images");
    let listed: BTreeSet<PathBuf> = lists.iter().flatten().map(|line| images.join(&line.id)).collect();
    let walked = Searched::new(&config.root, false, [&images]).walk(&images);
    walked.images.iter().filter(|path| !listed.contains(*path)).for_each(|path| left.add(Left::Unlisted, path));
    left.append(walked.left_out);
}
