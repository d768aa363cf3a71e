//! Opening what a person names: runs and data.

use crate::data::{DataConfig, DataSet};
use crate::fsx::shown;
use crate::progress::{Progress, say};
use crate::run::same_pictures;
use crate::store::RunReader;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// Opens a run that holds something: at least one finished epoch.
pub(super) fn finished(path: &Path) -> Result<RunReader> {
    let reader = RunReader::open(path)?;
    if reader.epochs().is_empty() {
        bail!("{} holds no finished epoch yet", path.display());
    }
    for epoch in reader.unsealed()? {
        let dir = reader.epoch_dir(epoch);
        say(&format!("{} has no manifest.json: it is left out", shown(&dir)));
    }
    Ok(reader)
}

/// Runs that are measured side by side: under one name they explain one image.
pub(super) fn side_by_side(paths: &[PathBuf]) -> Result<Vec<RunReader>> {
    let runs = paths.iter().map(|path| finished(path)).collect::<Result<Vec<_>>>()?;
    runs.iter().skip(1).try_for_each(|run| same_pictures(&runs[0], run))?;
    Ok(runs)
}

/// The run that another one's drift is held against, where one is named.
pub(super) fn floor(run: &RunReader, floor: Option<&PathBuf>) -> Result<Option<RunReader>> {
    let floor = floor.map(|path| finished(path)).transpose()?;
    floor.iter().try_for_each(|floor| same_pictures(run, floor))?;
    Ok(floor)
}

/// A run's data, with progress on stderr where it takes long.
pub(super) fn open_data(config: &DataConfig) -> Result<DataSet> {
    let progress = Progress::new();
    let phase = progress.phase("checking images");
    Ok(DataSet::open_watched(config, &|done, all| phase.done(done, all))?)
}

/// What of the data is not used, and why: lines for a person.
pub(super) fn left_out(data: &DataSet) -> Vec<String> {
    let mut lines = data.notes.clone();
    lines.extend(data.skipped.iter().map(|skipped| format!("skipped, cannot be read: {skipped}")));
    if !data.skipped.is_empty() {
        lines.push(format!("{} image(s) skipped", data.skipped.len()));
    }
    lines
}
