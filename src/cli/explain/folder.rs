//! The folder that `driftscope explain` writes into: what is somebody else's there, and what it wrote there before.

use super::looked::{Looked, short};
use super::summary;
use crate::fsx::{self, Kind};
use crate::store::{Explained, Output, SUMMARY_FILE, output_folder, remove_figures};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// A folder for figures, maps and a summary.
pub(super) struct Folder {
    path: PathBuf,
    /// Figures that an earlier `explain` wrote there.
    before: Vec<String>,
}

impl Folder {
    /// Checks before the work that the summary can be written there. Where the folder is not there yet, nothing is in
    /// its way.
    pub(super) fn check(path: &Path) -> Result<Self> {
        let written = Explained::read(path);
        let has_summary = written.is_some();
        let folder = Self { path: path.to_path_buf(), before: written.flatten().unwrap_or_default().figures };
        folder.check_file(SUMMARY_FILE, has_summary)?;
        Ok(folder)
    }

    /// Checks that figures of these names can be written, and replace none but figures that an earlier `explain` wrote.
    pub(super) fn check_figures(&self, names: &[String]) -> Result<()> {
        names.iter().try_for_each(|name| self.check_file(name, self.before.contains(name)))
    }

    fn check_file(&self, name: &str, is_ours: bool) -> Result<()> {
        let file = self.path.join(name);
        if !self.path.is_dir() {
            return Ok(());
        }
        if fsx::kind(&file)? == Some(Kind::File) && !is_ours {
            bail!("--out: {} was not written by driftscope explain; name another folder", file.display());
        }
        Ok(Output::open(&file).map(drop)?)
    }

    /// Writes a summary before the files, which names the figures of an earlier `explain` too. Killed in between, all
    /// that lies there is known to be `explain`'s own, so that it can be repeated.
    pub(super) fn begin(&self, all: &[Looked], figures: &[String]) -> Result<()> {
        output_folder(&self.path).context("--out")?;
        let names: Vec<String> = figures.iter().chain(self.old(figures)).cloned().collect();
        self.write(SUMMARY_FILE, summary::json(all, &names)?.as_bytes())
    }

    /// Writes the raw maps, in a folder for each run.
    pub(super) fn write_maps(&self, all: &[Looked]) -> Result<()> {
        for looked in all {
            let name = short(&looked.title);
            output_folder(&self.path.join(&name))?;
            for seen in &looked.seen {
                self.write(&format!("{name}/{}.safetensors", seen.explainer), &seen.encode()?)?;
            }
        }
        Ok(())
    }

    /// Removes figures of an earlier `explain` that were not made again, and writes the summary of these.
    pub(super) fn finish(&self, all: &[Looked], figures: &[String]) -> Result<()> {
        remove_figures(&self.path, self.old(figures))?;
        self.write(SUMMARY_FILE, summary::json(all, figures)?.as_bytes())
    }

    fn old<'a>(&'a self, figures: &'a [String]) -> impl Iterator<Item = &'a String> {
        self.before.iter().filter(|name| !figures.contains(name))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        Ok(Output::open(&self.path.join(name))?.write(bytes)?)
    }
}
