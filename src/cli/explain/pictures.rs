//! The figures of `driftscope explain`: one an image, a row a run.

use super::looked::{Looked, Scale, file_name};
use crate::draw::{Figure, FigureFormat, Row, Style};
use crate::report::{Scales, Sight};
use crate::store::Output;
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::Path;

/// Writes a figure of every image into a folder that is there, under these names, in the images' order.
pub(super) fn write(
    all: &[Looked],
    out: &Path,
    names: &[String],
    style: &Style,
    scale: Scale,
    format: FigureFormat,
) -> Result<()> {
    let sights: Vec<Sight> = all.iter().map(sight).collect();
    let scales = |sight: &Sight| match scale {
        Scale::Own => Scales::Own,
        Scale::Stretched => Scales::Stretched,
        Scale::Common => sight.common_scales(),
    };
    let scales: Vec<Scales> = sights.iter().map(scales).collect();
    for (index, id) in all[0].images.ids.iter().enumerate() {
        let row = |((looked, sight), scales): ((&Looked, &Sight), &Scales)| -> Row {
            sight.row(index, looked.images.pictures[index].clone(), scales)
        };
        let rows = all.iter().zip(&sights).zip(&scales).map(row).collect();
        let figure = Figure { title: id.clone(), rows };
        Output::open(&out.join(&names[index]))?.write(&figure.scene(style)?.encoded(format)?)?;
    }
    Ok(())
}

/// A file's name for the figure of each image, in their order.
pub(super) fn names(ids: &[String], format: FigureFormat) -> Vec<String> {
    let mut taken = BTreeSet::new();
    ids.iter().map(|id| unique(&file_name(id), format, &mut taken)).collect()
}

fn sight(looked: &Looked) -> Sight<'_> {
    let record = &looked.reopened.record;
    let heading = format!("{} · {} · epoch {}", record.name, record.model, looked.reopened.position.epoch);
    Sight { heading, seen: &looked.seen, classes: &record.classes }
}

/// A file name that no other figure has.
fn unique(stem: &str, format: FigureFormat, taken: &mut BTreeSet<String>) -> String {
    let name = |number| match number {
        1 => format!("{stem}.{format}"),
        number => format!("{stem}-{number}.{format}"),
    };
    let names = (1..).map(name);
    let name = names.into_iter().find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(name.clone());
    name
}
