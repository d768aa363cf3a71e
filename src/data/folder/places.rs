//! Where DTD is looked for when it is asked for by name.

use crate::data::error::DataError;
use crate::data::source::is_dtd;
use crate::fsx::shown;
use std::path::{Path, PathBuf};

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

/// Where the word `dtd` means another folder than the one of that name here: a line that says so.
pub(in crate::data) fn namesake_of_dtd(root: &Path) -> Option<String> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let here = Path::new("dtd");
    let usual = dtd_places().iter().any(|place| absolute(place) == absolute(root));
    (here.is_dir() && usual && absolute(here) != absolute(root))
        .then(|| format!("dtd means {}; for the folder dtd that lies here, type ./dtd", shown(root)))
}
