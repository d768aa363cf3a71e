//! The figures of `driftscope explain`: one an image, a row a run.

use super::{Looked, Scale, file_name};
use crate::draw::{Figure, Row, Style};
use crate::report::{Scales, Sight};
use crate::store::Output;
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::Path;

/// Writes a PNG for every picture; their names, in the pictures' order.
pub(super) fn write(all: &[Looked], out: &Path, style: &Style, scale: Scale) -> Result<Vec<String>> {
    let sights: Vec<Sight> = all.iter().map(sight).collect();
    let scales = |sight: &Sight| match scale {
        Scale::Own => Scales::Own,
        Scale::Stretched => Scales::Stretched,
        Scale::Common => sight.common_scales(),
    };
    let scales: Vec<Scales> = sights.iter().map(scales).collect();
    let names = names(&all[0].subjects.ids);
    for (index, id) in all[0].subjects.ids.iter().enumerate() {
        let row = |((looked, sight), scales): ((&Looked, &Sight), &Scales)| -> Row {
            sight.row(index, looked.subjects.pictures[index].clone(), scales)
        };
        let rows = all.iter().zip(&sights).zip(&scales).map(row).collect();
        let figure = Figure { title: id.clone(), rows };
        Output::open(&out.join(&names[index]))?.write(&figure.scene(style)?.png()?)?;
    }
    Ok(names)
}

/// A file's name for each picture, in their order.
pub(super) fn names(ids: &[String]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    ids.iter().map(|id| unique(&file_name(id), &mut taken)).collect()
}

fn sight(looked: &Looked) -> Sight<'_> {
    let record = &looked.reopened.record;
    let heading = format!("{} · {} · epoch {}", record.name, record.model, looked.reopened.position.epoch);
    Sight { heading, seen: &looked.seen, classes: &record.classes }
}

/// A file name that no other picture has.
fn unique(stem: &str, taken: &mut BTreeSet<String>) -> String {
    let names = (1..).map(|number| if number == 1 { format!("{stem}.png") } else { format!("{stem}-{number}.png") });
    let name = names.into_iter().find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(name.clone());
    name
}
