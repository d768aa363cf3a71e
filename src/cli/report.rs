//! `driftscope report`: one self-contained HTML page.

use super::print;
use crate::fsx;
use crate::report::html;
use crate::store::RunReader;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope report`.
#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// Run directories; several are shown side by side
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Where to write the page
    #[arg(long, short, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
}

pub(super) fn run(arguments: &ReportArguments) -> Result<ExitCode> {
    let readers = arguments.runs.iter().map(|path| RunReader::open(path)).collect::<Result<Vec<_>, _>>()?;
    let page = html(&readers)?;
    fsx::write_atomic(&arguments.out, page.as_bytes())?;
    print(&format!("{}\n", arguments.out.display()))?;
    Ok(ExitCode::SUCCESS)
}
