//! `driftscope drift`: the figures of a run on stdout.

use super::{Format, print};
use crate::drift;
use crate::report::{drift_csv, drift_table};
use crate::store::RunReader;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `driftscope drift`.
#[derive(Debug, Args)]
pub(super) struct DriftArguments {
    /// The run's directory
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

pub(super) fn run(arguments: &DriftArguments) -> Result<ExitCode> {
    let reader = RunReader::open(&arguments.run)?;
    let figures = drift::of_run(&reader)?;
    let text = match arguments.format {
        Format::Table => drift_table(&figures),
        Format::Csv => drift_csv(&figures),
        Format::Json => serde_json::to_string_pretty(&figures)? + "\n",
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
