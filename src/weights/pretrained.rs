//! Where the pretrained weights of a model lie, if somebody has downloaded them.

use super::error::{FileError, WeightsError};
use crate::fsx;
use crate::models::ModelName;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The file that timm's repositories keep weights in.
const FILE: &str = "model.safetensors";

/// The model's timm file in the Hugging Face cache: `$HF_HUB_CACHE`, `$HF_HOME/hub`, `$XDG_CACHE_HOME/huggingface/hub` or
/// `~/.cache/huggingface/hub`.
///
/// # Errors
///
/// Where nobody has pretrained the model, the file is not there (the error says what to download, and how to pass it), or
/// the cache cannot be read.
pub fn pretrained(model: ModelName) -> Result<PathBuf, WeightsError> {
    let name = model.to_string();
    let Some(repository) = model.spec().repository else { return Err(WeightsError::NeverPretrained { model: name }) };
    let cache = cache(|name| env::var_os(name));
    let url = format!("https://huggingface.co/{repository}/resolve/main/{FILE}");
    let found = newest(&cache.join(format!("models--{}", repository.replace('/', "--"))))?;
    found.ok_or(WeightsError::NotInCache { model: name, url, cache })
}

/// The file in a repository's folder of the cache: that of the branch `main` where it is there, or else of any revision.
fn newest(repository: &Path) -> Result<Option<PathBuf>, FileError> {
    let snapshots = repository.join("snapshots");
    let folders = match fsx::list_dir(&snapshots) {
        Err(error) if error.is_not_found() => Vec::new(),
        listed => listed?,
    };
    let mut found = Vec::new();
    for path in folders.into_iter().map(|folder| folder.join(FILE)) {
        if fsx::kind(&path)?.is_some() {
            found.push(path);
        }
    }
    let main = match fsx::read_to_string(&repository.join("refs/main")) {
        Err(error) if error.is_not_found() => None,
        read => Some(snapshots.join(read?.trim()).join(FILE)),
    };
    // The cache links into its own store: a link that leads nowhere is a download that broke off, and reading says so.
    let whole = |path: &&PathBuf| path.is_file();
    let newest = found.iter().filter(|path| Some(*path) == main.as_ref()).find(whole);
    Ok(newest.or(found.iter().rfind(whole)).or(found.last()).cloned())
}

/// As `huggingface_hub` finds it, from the variables of the environment.
fn cache(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let path = |name| variable(name).map(PathBuf::from);
    let user = || path("XDG_CACHE_HOME").unwrap_or_else(|| path("HOME").unwrap_or_default().join(".cache"));
    let home = || path("HF_HOME").unwrap_or_else(|| user().join("huggingface"));
    path("HF_HUB_CACHE").unwrap_or_else(|| home().join("hub"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// `huggingface_hub/constants.py`, version 0.36.
    #[test]
    fn the_cache_is_where_hugging_face_keeps_it() {
        let all = [("HOME", "/h"), ("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/f"), ("HF_HUB_CACHE", "/c")];
        for (set, expected) in [(1, "/h/.cache/huggingface/hub"), (2, "/x/huggingface/hub"), (3, "/f/hub"), (4, "/c")] {
            let variable = |name: &str| all[..set].iter().find(|(one, _)| *one == name).map(|(_, value)| value.into());
            assert_eq!(cache(variable), Path::new(expected));
        }
    }

    #[test]
    fn of_several_revisions_the_branch_main_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let repository = dir.path();
        assert_eq!(newest(repository).unwrap(), None);
        for revision in ["aaa", "bbb", "ccc"] {
            fs::create_dir_all(repository.join("snapshots").join(revision)).unwrap();
        }
        assert_eq!(newest(repository).unwrap(), None, "revisions without the file");
        let file = |revision: &str| repository.join("snapshots").join(revision).join(FILE);
        fs::write(file("aaa"), "a").unwrap();
        fs::write(file("ccc"), "c").unwrap();
        assert_eq!(newest(repository).unwrap(), Some(file("ccc")));
        fs::create_dir(repository.join("refs")).unwrap();
        fs::write(repository.join("refs/main"), "aaa\n").unwrap();
        assert_eq!(newest(repository).unwrap(), Some(file("aaa")));
        fs::write(repository.join("refs/main"), "bbb").unwrap();
        assert_eq!(newest(repository).unwrap(), Some(file("ccc")), "main has not been downloaded");
    }
}
