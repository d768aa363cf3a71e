//! `driftscope data`: what a run would learn from, checked.

use super::limits::LimitArguments;
use super::watch::Watch;
use super::{Format, print, say};
use crate::config::file::Settings;
use crate::data::{DataSet, Split};
use crate::report::{aligned, csv_row};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// Flags of `driftscope data`.
#[derive(Debug, Args)]
pub(super) struct DataArguments {
    /// `textures`, `dtd` (in its usual places), or a folder of pictures: JPEG, PNG, WebP, GIF, BMP, TIFF or PNM
    #[arg(value_name = "SOURCE")]
    source: String,
    /// DTD's official split, 1 to 10; for a folder a class, the seed of the split that is made
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    split: Option<u64>,
    /// Leave out pictures that cannot be read, and list them, instead of failing
    #[arg(long)]
    skip_bad_images: bool,
    #[command(flatten)]
    limits: LimitArguments,
    /// Read the headers of pictures alone: quick, and finds no picture that is damaged further on
    #[arg(long)]
    quick: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
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
        let watch = Watch::new("reading pictures");
        let data = DataSet::survey(&config, &|done, all| watch.told(done, all));
        watch.finish();
        data?
    };
    data.skipped.iter().for_each(|skipped| say(&format!("skipped: {skipped}")));
    let not_trainable = data.trainable().err().map(|error| format!("cannot be trained on: {error}"));
    let notes: Vec<String> = data.notes.iter().cloned().chain(not_trainable).collect();
    print(&match arguments.format {
        Format::Table => table(&data, &notes, arguments.quick),
        Format::Csv => {
            notes.iter().for_each(|note| say(note));
            csv(&data)
        }
        Format::Json => json(&data, &notes, arguments.quick)?,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Pictures of each class in each split: `[split][class]`.
fn counts(data: &DataSet) -> [Vec<usize>; 3] {
    Split::ALL.map(|split| {
        let mut counts = vec![0; data.classes.len()];
        data.split(split).samples().iter().for_each(|sample| counts[sample.label] += 1);
        counts
    })
}

fn rows(data: &DataSet) -> Vec<Vec<String>> {
    let counts = counts(data);
    let row = |(label, class): (usize, &String)| {
        std::iter::once(class.clone()).chain(counts.iter().map(|of_split| of_split[label].to_string())).collect()
    };
    data.classes.iter().enumerate().map(row).collect()
}

const HEADINGS: [&str; 4] = ["class", "train", "val", "test"];

fn table(data: &DataSet, notes: &[String], quick: bool) -> String {
    let [train, val, test] = Split::ALL.map(|split| data.split(split).samples().len());
    let mut text = format!(
        "{}: {} classes, {train} train, {val} val, {test} test images, {} skipped\ndigest {}\n",
        data.name,
        data.classes.len(),
        data.skipped.len(),
        data.digest,
    );
    match &data.content_digest {
        Some(digest) => text += &format!("digest of the files' bytes {digest}\n"),
        None if quick => text += "only headers were read: a picture that is damaged further on is not found\n",
        None => {}
    }
    notes.iter().for_each(|note| text += &format!("{note}\n"));
    text + "\n" + &aligned(&HEADINGS, &rows(data), 1)
}

/// A row a class; what was skipped, and notes, go to stderr.
fn csv(data: &DataSet) -> String {
    rows(data).into_iter().fold(csv_row(HEADINGS), |table, row| table + &csv_row(row))
}

fn json(data: &DataSet, notes: &[String], quick: bool) -> Result<String> {
    let [train, val, test] = counts(data);
    let skipped =
        data.skipped.iter().map(|one| json!({ "path": one.path.display().to_string(), "reason": one.reason }));
    let value = json!({
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
    });
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}
