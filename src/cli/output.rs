//! What commands share that print an answer or write a file that a person names.

use super::error::wrong;
use crate::fsx;
use crate::report::Table;
use crate::store::Output;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::Path;

/// Version of what `--format json` prints, its field `schema`. A new field is no new version; one that goes or means
/// something else is.
const SCHEMA: u32 = 1;

/// How an answer goes to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Columns for a person
    Table,
    /// One row per value, for a data frame
    Csv,
    /// Names and values, for a program
    Json,
}

/// The flag for it.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct FormatArguments {
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(super) format: Format,
}

impl FormatArguments {
    /// Prints a table as it is asked for; `answer` makes what JSON has instead of it, an object.
    pub(super) fn print<T: Serialize>(self, table: &Table, answer: impl FnOnce() -> T) -> Result<()> {
        print(&match self.format {
            Format::Table => table.aligned(),
            Format::Csv => table.csv(),
            Format::Json => json(&answer())?,
        })
    }
}

/// An object as JSON for programs, with the version of its fields first.
pub(super) fn json<T: Serialize>(answer: &T) -> Result<String> {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        schema: u32,
        #[serde(flatten)]
        answer: &'a T,
    }
    Ok(serde_json::to_string_pretty(&Versioned { schema: SCHEMA, answer })? + "\n")
}

/// Writes data to stdout.
pub(super) fn print(text: &str) -> Result<()> {
    Ok(fsx::write_stdout(text.as_bytes())?)
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
            Err(wrong(format!("{flag} {}: expected a file that ends in {}", path.display(), endings.join(" or "))))
        }
    }
}
