//! What `driftscope explain` wrote into a folder, by the summary that it leaves there.

use super::layout::own_json;
use crate::fsx::{self, FsError, Kind};
use std::ffi::OsStr;
use std::path::Path;

/// Where `driftscope explain` says what it wrote into a folder.
pub const SUMMARY_FILE: &str = "summary.json";

/// Names of what `driftscope explain` wrote into a folder, beside its summary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// Files with figures.
    pub figures: Vec<String>,
    /// Folders with maps, one a run.
    pub folders: Vec<String>,
}

impl Explained {
    /// None where the folder has no summary of `driftscope explain`; none within where the summary does not name the files.
    pub fn read(folder: &Path) -> Option<Option<Self>> {
        let summary = own_json(&folder.join(SUMMARY_FILE), &["driftscope", "schema", "runs"])?;
        let named = || {
            let words = |value: &serde_json::Value| value.as_str().map(str::to_string);
            let figures = summary.get("figures")?.as_array()?.iter().filter_map(words).collect();
            let runs = summary.get("runs")?.as_array()?.iter();
            Some(Self { figures, folders: runs.filter_map(|run| words(run.get("folder")?)).collect() })
        };
        Some(named())
    }
}

/// Removes figures that an earlier `driftscope explain` wrote into `folder`, by the names in its summary. One that is not
/// there is no error. What has a name that no figure has, or is no file, is left: a summary may have come from anywhere.
///
/// # Errors
///
/// When the operating system refuses.
pub fn remove_figures<'a>(folder: &Path, names: impl IntoIterator<Item = &'a String>) -> Result<(), FsError> {
    for name in names {
        let name = Path::new(name);
        let is_plain = name.file_name() == Some(name.as_os_str());
        let is_figure = [OsStr::new("png"), OsStr::new("svg")].map(Some).contains(&name.extension());
        let path = folder.join(name);
        if is_plain && is_figure && fsx::kind(&path)? == Some(Kind::File) {
            fsx::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn figures_go_by_their_names_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("seen");
        fs::create_dir_all(folder.join("folder.png")).unwrap();
        for kept in ["outside.png", "seen/notes.txt", "seen/other.png", "seen/run.json"] {
            fs::write(dir.path().join(kept), "mine").unwrap();
        }
        symlink(dir.path().join("outside.png"), folder.join("link.png")).unwrap();
        fs::write(folder.join("a.png"), "a figure").unwrap();
        fs::write(folder.join("b.svg"), "a figure").unwrap();
        let outside = dir.path().join("outside.png").display().to_string();
        let names = [
            "a.png",
            "b.svg",
            "gone.png",
            "../outside.png",
            &outside,
            "notes.txt",
            "folder.png",
            "link.png",
            "run.json",
            "./other.png",
            "",
            ".png",
        ];
        remove_figures(&folder, &names.map(String::from)).unwrap();
        let mut left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["folder.png", "link.png", "notes.txt", "other.png", "run.json"]);
        assert!(dir.path().join("outside.png").exists());
    }
}
