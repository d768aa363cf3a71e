//! `driftscope data`: what a run would learn from, checked.

use super::{Format, print};
use crate::config::file::Settings;
use crate::data::{DataSet, Split};
use crate::report::{aligned, csv_row};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

/// Flags of `driftscope data`.
#[derive(Debug, Args)]
pub(super) struct DataArguments {
    /// `textures`, `dtd` (in its usual places), or a folder
    #[arg(value_name = "SOURCE")]
    source: String,
    /// DTD's official split, 1 to 10; for a folder a class, the seed of the split that is made
    #[arg(long, value_name = "N")]
    split: Option<u64>,
    /// Read every picture whole, and list those that cannot be read instead of stopping at the first
    #[arg(long)]
    skip_bad_images: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

pub(super) fn run(arguments: &DataArguments) -> Result<ExitCode> {
    let mut settings = Settings::default();
    settings.set("source", arguments.source.as_str())?;
    if let Some(split) = arguments.split {
        settings.set("split", split as i64)?;
    }
    if arguments.skip_bad_images {
        settings.set("skip_bad_images", true)?;
    }
    let data = DataSet::open(&settings.resolve_data()?)?;
    let count =
        |split: Split, label: usize| data.split(split).samples().iter().filter(|sample| sample.label == label).count();
    let row = |(label, class): (usize, &String)| {
        let counts = Split::ALL.map(|split| count(split, label).to_string());
        std::iter::once(class.clone()).chain(counts).collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = data.classes.iter().enumerate().map(row).collect();
    let totals = Split::ALL.map(|split| data.split(split).samples().len());
    let headings = ["class", "train", "val", "test"];
    for path in &data.skipped {
        writeln!(std::io::stderr(), "skipped: {}", path.display())?;
    }
    print(&match arguments.format {
        Format::Table => format!(
            "{}: {} classes, {} train, {} val, {} test images, {} skipped\ndigest {}\n\n{}",
            data.name,
            data.classes.len(),
            totals[0],
            totals[1],
            totals[2],
            data.skipped.len(),
            data.digest,
            aligned(&headings, &rows, 1)
        ),
        Format::Csv => rows.into_iter().fold(csv_row(headings), |table, row| table + &csv_row(row)),
        Format::Json => {
            let counts = |split| (0..data.classes.len()).map(|label| count(split, label)).collect::<Vec<_>>();
            let [train, val, test] = Split::ALL.map(counts);
            let value = json!({
                "name": data.name, "digest": data.digest, "classes": data.classes,
                "train": train, "val": val, "test": test, "skipped": data.skipped,
            });
            serde_json::to_string_pretty(&value)? + "\n"
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
