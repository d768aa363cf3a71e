//! `driftscope list`: what there is to choose from, as the tables of the program have it.

use super::output::FormatArguments;
use crate::device::{self, DeviceChoice};
use crate::explain::Explainer;
use crate::measure::{Measure, Range};
use crate::models::ModelName;
use crate::report::{Cell, Table, text};
use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Flags of `driftscope list`.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ListArguments {
    /// What to list
    what: What,
    #[command(flatten)]
    format: FormatArguments,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Models, for --model
    Models,
    /// Methods of explanation, for --methods
    Methods,
    /// Measures of drift between two maps, for --measures
    Measures,
    /// Devices, for --device
    Devices,
}

pub(super) fn run(arguments: ListArguments) -> Result<ExitCode> {
    let (name, table) = match arguments.what {
        What::Models => ("models", models()),
        What::Methods => ("methods", methods()),
        What::Measures => ("measures", measures()),
        What::Devices => ("devices", devices()),
    };
    arguments.format.print(&table, || json!({ name: objects(&table) }))?;
    Ok(ExitCode::SUCCESS)
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn models() -> Table {
    let row = |model: ModelName| {
        let spec = model.spec();
        vec![
            text(spec.name),
            text(if spec.has_attention() { "ViT" } else { "CNN" }),
            text(spec.image_size()),
            text(spec.resize),
            text(spec.learning_rate),
            spec.timm.and_then(text),
            spec.repository.and_then(text),
        ]
    };
    let headings = vec!["model", "family", "input", "resize", "learning rate", "timm", "pretrained weights"];
    Table { headings, rows: ModelName::ALL.map(row).to_vec(), left: 2 }
}

fn methods() -> Table {
    let fits = |method: &Explainer, attention: bool| {
        let models = ModelName::ALL.into_iter().filter(|model| model.spec().has_attention() == attention);
        models.into_iter().all(|model| method.fits(&model.taps()).unwrap_or(false))
    };
    let row = |method: &Explainer| {
        let settings: Vec<String> = method
            .settings()
            .iter()
            .filter(|(key, _)| *key != "kind")
            .map(|(key, value)| format!("{key}={}", value.as_str().map_or(value.to_string(), str::to_string)))
            .collect();
        vec![
            text(method.name()),
            text(method.title()),
            text(method.method().reads),
            text(yes_or_no(method.class_specific())),
            text(yes_or_no(fits(method, false))),
            text(yes_or_no(fits(method, true))),
            Some(settings.join(" ")).filter(|settings| !settings.is_empty()),
        ]
    };
    let headings =
        vec!["method", "title", "reads", "class specific", "for a CNN", "for a ViT", "settings and their defaults"];
    Table { headings, rows: Explainer::all().iter().map(row).collect(), left: 7 }
}

fn measures() -> Table {
    let fast = Measure::fast();
    let bound = |value: f64| if value.is_finite() { text((value * 1e4).round() / 1e4) } else { None };
    let row = |measure: Measure| {
        let Range { low: least, high: greatest } = measure.range();
        vec![
            text(measure.name()),
            text(measure.label()),
            text(if measure.higher_is_more_similar() { "similarity" } else { "distance" }),
            text(yes_or_no(!fast.contains(&measure))),
            bound(least),
            bound(greatest),
            Some(measure.unit().to_string()).filter(|unit| !unit.is_empty()),
        ]
    };
    let headings = vec!["measure", "meaning", "kind", "slow", "least", "greatest", "unit"];
    Table { headings, rows: Measure::ALL.map(row).to_vec(), left: 4 }
}

fn devices() -> Table {
    let auto = DeviceChoice::Auto.open().ok().map(|(_, choice)| choice);
    let row = |choice: DeviceChoice| vec![text(choice), text(choice.meaning()), text(yes_or_no(auto == Some(choice)))];
    let rows = device::available().into_iter().map(row).collect();
    Table { headings: vec!["device", "what it is", "auto"], rows, left: 3 }
}

/// One object per row, with the headings as names: `class specific` becomes `class_specific`, yes and no become true and
/// false, and a number is a number.
fn objects(table: &Table) -> Vec<Value> {
    let value = |cell: &Cell| match cell.as_deref() {
        None => Value::Null,
        Some("yes") => Value::Bool(true),
        Some("no") => Value::Bool(false),
        Some(text) => serde_json::from_str(text).ok().filter(Value::is_number).unwrap_or_else(|| text.into()),
    };
    let object = |row: &Vec<Cell>| {
        let names = table.headings.iter().map(|heading| heading.replace(' ', "_"));
        names.zip(row.iter().map(value)).collect::<serde_json::Map<_, _>>().into()
    };
    table.rows.iter().map(object).collect()
}
