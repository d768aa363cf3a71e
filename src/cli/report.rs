//! `driftscope report`: one self-contained HTML page.

use super::args::{FloorArguments, StillArguments};
use super::error::wrong;
use super::input::finished;
use super::output::{checked, deliver};
use crate::progress::say;
use crate::report::{PageOptions, html};
use crate::run::same_pictures;
use crate::store::{Output, RunReader};
use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// How often the runs are looked at for a new epoch.
const EVERY: Duration = Duration::from_secs(2);
/// After how many seconds a watched page loads itself again.
const RELOAD: u32 = 10;

/// Flags of `driftscope report`.
#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// Folders of runs; several are shown side by side
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The file to write; - for stdout
    #[arg(long, short, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    #[command(flatten)]
    floor: FloorArguments,
    #[command(flatten)]
    still: StillArguments,
    /// Write the page again after each epoch, until every run has had its last; an open page loads itself again and keeps its
    /// place
    #[arg(long)]
    watch: bool,
}

pub(super) fn run(arguments: &ReportArguments) -> Result<ExitCode> {
    let out = checked("--out", &arguments.out)?;
    if arguments.watch && !out.is_file() {
        return Err(wrong(format!(
            "--watch: expected --out with the name of a file, found {}",
            arguments.out.display()
        )));
    }
    let mut readers = opened(&arguments.runs)?;
    for other in &readers[1..] {
        if let Err(difference) = same_pictures(&readers[0], other) {
            say(&format!("{difference}: each is shown as its run saw it"));
        }
    }
    let floor = arguments.floor.floor.as_deref().map(finished).transpose()?;
    while arguments.watch && readers.iter().map(awaits).collect::<Result<Vec<_>>>()?.contains(&true) {
        write(arguments, &out, &readers, floor.as_ref(), Some(RELOAD))?;
        say(&format!("{} is written again after the next epoch; Ctrl-C ends that", arguments.out.display()));
        readers = next(&arguments.runs, &readers)?;
    }
    write(arguments, &out, &readers, floor.as_ref(), None)?;
    Ok(ExitCode::SUCCESS)
}

fn opened(paths: &[PathBuf]) -> Result<Vec<RunReader>> {
    paths.iter().map(|path| finished(path)).collect()
}

fn write(
    arguments: &ReportArguments,
    out: &Output,
    readers: &[RunReader],
    floor: Option<&RunReader>,
    reload: Option<u32>,
) -> Result<()> {
    let StillArguments { margin, patience } = arguments.still;
    let page = html(readers, &PageOptions { floor, reload, margin, patience })?;
    deliver(out, &arguments.out, page.as_bytes())
}

/// Whether a run has not had the last of the epochs that it was started for.
fn awaits(reader: &RunReader) -> Result<bool> {
    let record = reader.record()?;
    let last = record["config"]["epochs"].as_u64().context("run.json: expected config.epochs, a number")?;
    Ok(reader.epochs().last().is_none_or(|&epoch| (epoch as u64) < last))
}

/// The runs, once any of them has other epochs than it had.
fn next(paths: &[PathBuf], before: &[RunReader]) -> Result<Vec<RunReader>> {
    loop {
        thread::sleep(EVERY);
        let now = paths.iter().map(|path| RunReader::open(path)).collect::<Result<Vec<_>, _>>()?;
        if now.iter().zip(before).any(|(now, before)| now.epochs() != before.epochs()) {
            return Ok(now);
        }
    }
}
