//! `driftscope data`: what a run would learn from, checked.

use super::args;
use super::limits::LimitArguments;
use super::output::print;
use super::output::{Format, FormatArguments, json};
use crate::config::file::Settings;
use crate::data::{DataSet, Split};
use crate::progress::{Progress, say};
use crate::report::{Cell, Table, text};
use anyhow::Result;
use clap::Args;
use serde_json::{Value, json as object};
use std::process::ExitCode;

/// Flags of `driftscope data`.
#[derive(Debug, Args)]
pub(super) struct DataArguments {
    /// `textures` (embedded), `dtd` (in its usual places), or a folder of JPEG, PNG, WebP, GIF, BMP, TIFF or PNM files
    #[arg(value_name = "SOURCE")]
    source: String,
    /// DTD's official split, 1 to 10; for a folder with one sub-folder per class, the seed of the split that is drawn
    #[arg(long, value_name = "N", value_parser = args::whole::<u64>(0..=i64::MAX as u64))]
    split: Option<u64>,
    /// Leave out images that cannot be read, and list them, instead of failing
    #[arg(long)]
    skip_bad_images: bool,
    #[command(flatten)]
    limits: LimitArguments,
    /// Read only the headers of image files: fast, but finds no damage behind them
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    format: FormatArguments,
}

pub(super) fn run(arguments: &DataArguments) -> Result<ExitCode> {
    let mut settings = Settings::default();
    settings.set("source", arguments.source.as_str())?;
    if let Some(split) = arguments.split {
        settings.set("split", i64::try_from(split)?)?;
    }
    if arguments.skip_bad_images {
        settings.set("skip_bad_images", true)?;
    }
    for (key, limit) in arguments.limits.settings() {
        if let Some(limit) = limit {
            settings.set(key, limit)?;
        }
    }
    let config = settings.resolve_data()?;
    let data = if arguments.quick {
        DataSet::quick(&config)?
    } else {
        let progress = Progress::new();
        let phase = progress.phase("reading images");
        DataSet::survey(&config, &|done, all| phase.done(done, all))?
    };
    data.skipped.iter().for_each(|skipped| say(&format!("skipped: {skipped}")));
    let not_trainable = data.trainable().err().map(|error| format!("cannot be trained on: {error}"));
    let notes: Vec<String> = data.notes.iter().cloned().chain(not_trainable).collect();
    print(&match arguments.format.format {
        Format::Table => table(&data, &notes, arguments.quick),
        Format::Csv => {
            notes.iter().for_each(|note| say(note));
            classes(&data).csv()
        }
        Format::Json => json(&answer(&data, &notes, arguments.quick))?,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Images of each class in each split: `[split][class]`.
fn counts(data: &DataSet) -> [Vec<usize>; 3] {
    Split::ALL.map(|split| {
        let mut counts = vec![0; data.classes.len()];
        data.split(split).samples().iter().for_each(|sample| counts[sample.label] += 1);
        counts
    })
}

/// One row per class; what was skipped, and notes, are elsewhere.
fn classes(data: &DataSet) -> Table {
    let counts = counts(data);
    let row = |(label, class): (usize, &String)| -> Vec<Cell> {
        std::iter::once(text(class)).chain(counts.iter().map(|of_split| text(of_split[label]))).collect()
    };
    let rows = data.classes.iter().enumerate().map(row).collect();
    Table { headings: vec!["class", "train", "val", "test"], rows, left: 1 }
}

fn table(data: &DataSet, notes: &[String], quick: bool) -> String {
    let [train, val, test] = Split::ALL.map(|split| data.split(split).samples().len());
    let mut lines = format!(
        "{}: {} classes, {train} train, {val} val, {test} test images, {} skipped\ndigest {}\n",
        data.name,
        data.classes.len(),
        data.skipped.len(),
        data.digest,
    );
    match &data.content_digest {
        Some(digest) => lines += &format!("digest of the files' bytes {digest}\n"),
        None if quick => lines += "only headers were read: an image that is damaged further on is not found\n",
        None => {}
    }
    notes.iter().for_each(|note| lines += &format!("{note}\n"));
    lines + "\n" + &classes(data).aligned()
}

fn answer(data: &DataSet, notes: &[String], quick: bool) -> Value {
    let [train, val, test] = counts(data);
    let skipped =
        data.skipped.iter().map(|one| object!({ "path": one.path.display().to_string(), "reason": one.reason }));
    object!({
        "name": data.name,
        "digest": data.digest,
        "content_digest": data.content_digest,
        "quick": quick,
        "classes": data.classes,
        "train": train,
        "val": val,
        "test": test,
        "skipped": skipped.collect::<Vec<_>>(),
        "notes": notes,
    })
}
