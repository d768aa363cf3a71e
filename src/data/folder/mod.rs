//! Images in folders: DTD's own layout with its official splits, train/ and val/ folders, or one sub-folder per class.
//!
//! Nothing is left out without being counted and said: [`Found::notes`] has a line for each kind.

mod class_folders;
mod classes;
mod lists;
mod names;
mod places;
mod split_folders;
#[cfg(test)]
mod tests;
mod walk;

pub(super) use classes::{Found, shortened};
pub(super) use names::id_of;
pub use places::find_dtd;
pub(super) use places::namesake_of_dtd;

use super::error::DataError;
use super::source::{EXPECTED, FolderConfig, is_dtd};
use crate::fsx::{self, shown};
use std::path::Path;
use walk::why_no_class;

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
        class_folders::find(config)?
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

/// A hint where the only folder looks like the data itself.
fn deeper(folder: &Path, config: &FolderConfig) -> String {
    let inner = fsx::list_dir(folder).unwrap_or_default();
    let folders = inner.iter().filter(|path| path.is_dir() && why_no_class(path, config.is_old()).is_none()).count();
    match folders {
        0 | 1 => String::new(),
        _ => format!(" (if the folders in it are the classes, give {})", shown(folder)),
    }
}
