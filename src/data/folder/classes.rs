//! What every layout needs: classes by their folders, and what was found of each.

use super::names;
use super::walk::{self, Left, LeftOut, Searched, Walked, why_no_class, why_not};
use crate::data::error::{DataError, Skipped};
use crate::data::sample::{Index, Sample, Source};
use crate::data::source::FolderConfig;
use crate::fsx;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Class names, the three splits, and what was not taken.
pub(in crate::data) struct Found {
    pub(in crate::data) classes: Vec<String>,
    pub(in crate::data) splits: [Index; 3],
    /// Lines for a person.
    pub(in crate::data) notes: Vec<String>,
    /// What can already be seen to be unreadable.
    pub(in crate::data) bad: Vec<Skipped>,
    /// Why it cannot be trained on, where that is so.
    pub(in crate::data) problem: Option<String>,
}

/// Folders that may be classes, by name, and a count of what else lies there.
pub(super) fn class_names(
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

/// The images of one class in one split.
pub(super) struct OfClass {
    pub(super) samples: Vec<Sample>,
    pub(super) left_out: LeftOut,
}

impl OfClass {
    /// Whether nothing lies there but what driftscope itself wrote.
    pub(super) fn is_ours_alone(&self) -> bool {
        self.samples.is_empty() && [Left::Run, Left::Explained, Left::Figure].iter().any(|why| self.left_out.holds(why))
    }
}

pub(super) fn of_class(
    config: &FolderConfig,
    folder: &Path,
    label: usize,
    searched: &mut Searched,
    bad: &mut Vec<Skipped>,
) -> OfClass {
    let Walked { images, bad: unreadable, left_out } = searched.walk(folder);
    bad.extend(unreadable);
    let sample = |path: PathBuf| {
        let below = path.strip_prefix(&config.root).unwrap_or(&path);
        let id = if config.is_old() { names::old_id_of(below) } else { names::id_of(below) };
        Sample::new(id, label, Source::File { path, options: config.read_options() })
    };
    OfClass { samples: images.into_iter().map(sample).collect(), left_out }
}

/// The first ten, and how many more.
pub(in crate::data) fn shortened(items: &[String]) -> String {
    let more = if items.len() > 10 { format!(" and {} more", items.len() - 10) } else { String::new() };
    items.iter().take(10).cloned().collect::<Vec<_>>().join(", ") + &more
}

pub(super) fn no_images(root: &Path, left: &LeftOut) -> DataError {
    DataError::NoImages { path: root.to_path_buf(), found: left.to_string() }
}

pub(super) fn empty_class(folder: &Path, left: &LeftOut) -> DataError {
    let text = format!("a class without an image: it holds {left}; add images, or remove the folder");
    DataError::layout(folder, text)
}

/// All classes in alphabetical order, or those that were asked for.
pub(super) fn choose_classes(
    config: &FolderConfig,
    found: BTreeMap<String, PathBuf>,
    left: &mut LeftOut,
) -> Result<BTreeMap<String, PathBuf>, DataError> {
    if found.is_empty() {
        return Err(no_images(&config.root, left));
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
