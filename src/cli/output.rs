//! What the commands share that read runs and write a file that a person names.

use super::{print, say};
use crate::fsx::shown;
use crate::run::same_pictures;
use crate::store::{Output, RunReader};
use anyhow::{Context, Result, bail};
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

/// Runs that are measured side by side: under one name they explain one picture.
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

/// Resampled panels, which all are in memory at once.
pub(super) fn resamples(text: &str) -> Result<usize, String> {
    const MOST: usize = 100_000;
    text.parse().ok().filter(|count| *count <= MOST).ok_or_else(|| format!("expected a whole number from 0 to {MOST}"))
}

/// Checks the file that `flag` names, before the work.
pub(super) fn checked(flag: &str, path: &Path) -> Result<Output> {
    Output::open(path).context(flag.to_string())
}

/// Writes the file that was named and says so on stdout, unless that is where it went.
pub(super) fn deliver(output: &Output, path: &Path, bytes: &[u8]) -> Result<()> {
    output.write(bytes)?;
    if output.is_stdout() { Ok(()) } else { print(&format!("{}\n", path.display())) }
}

/// What is to be written, by the ending of the file's name; where there is no file, such as stdout, the first of `formats`
/// unless the name has an ending of them.
pub(super) fn format<'a>(flag: &str, output: &Output, path: &Path, formats: &[&'a str]) -> Result<&'a str> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match formats.iter().find(|format| ending.as_deref() == Some(**format)) {
        Some(format) => Ok(format),
        None if !output.is_file() => Ok(formats.first().copied().unwrap_or_default()),
        None => {
            let endings: Vec<String> = formats.iter().map(|format| format!(".{format}")).collect();
            bail!("{flag} {}: expected a file that ends in {}", path.display(), endings.join(" or "))
        }
    }
}
