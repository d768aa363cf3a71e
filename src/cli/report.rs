//! `driftscope report`: one self-contained HTML page.

use super::input::finished;
use super::output::{checked, deliver};
use crate::progress::say;
use crate::report::html;
use crate::run::same_pictures;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope report`.
#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// Folders of runs; several are shown side by side
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The file to write; - for stdout
    #[arg(long, short, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
}

pub(super) fn run(arguments: &ReportArguments) -> Result<ExitCode> {
    let out = checked("--out", &arguments.out)?;
    let readers = arguments.runs.iter().map(|path| finished(path)).collect::<Result<Vec<_>, _>>()?;
    for other in &readers[1..] {
        if let Err(difference) = same_pictures(&readers[0], other) {
            say(&format!("{difference}: each is shown as its run saw it"));
        }
    }
    let page = html(&readers)?;
    deliver(&out, &arguments.out, page.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
