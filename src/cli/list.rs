//! `driftscope list`: what there is to choose from, as the tables of the program have it.

use super::output::FormatArguments;
use crate::device::{self, DeviceChoice};
use crate::explain::{Explainer, LAST};
use crate::measure::{Measure, Range};
use crate::models::ModelName;
use crate::report::{Table, text};
use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
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

/// What there is of one kind, by value: a row each, as many values as there are headings.
struct Listing {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
    /// How many columns, the first ones, hold text.
    left: usize,
}

impl Listing {
    /// For a person: yes and no, a number as it is written, and nothing where there is no value.
    fn table(&self) -> Table {
        let cell = |value: &Value| match value {
            Value::Null => None,
            Value::Bool(yes) => text(if *yes { "yes" } else { "no" }),
            Value::String(words) => text(words),
            number => number.as_f64().map_or(text(number), text),
        };
        let rows = self.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        Table { headings: self.headings.clone(), rows, left: self.left }
    }

    /// For a program: one object per row, with the headings as names; `class specific` becomes `class_specific`.
    fn objects(&self) -> Vec<Value> {
        let names: Vec<String> = self.headings.iter().map(|heading| heading.replace(' ', "_")).collect();
        let object = |row: &Vec<Value>| names.iter().cloned().zip(row.iter().cloned()).collect::<Map<_, _>>().into();
        self.rows.iter().map(object).collect()
    }
}

pub(super) fn run(arguments: ListArguments) -> Result<ExitCode> {
    let (name, listing) = match arguments.what {
        What::Models => ("models", models()),
        What::Methods => ("methods", methods()),
        What::Measures => ("measures", measures()),
        What::Devices => ("devices", devices()),
    };
    arguments.format.print(&listing.table(), || json!({ name: listing.objects() }))?;
    Ok(ExitCode::SUCCESS)
}

fn models() -> Listing {
    let row = |model: ModelName| {
        let spec = model.spec();
        vec![
            json!(spec.name),
            json!(if spec.has_attention() { "ViT" } else { "CNN" }),
            json!(spec.image_size()),
            json!(spec.resize),
            json!(spec.learning_rate),
            json!(spec.timm),
            json!(spec.repository),
        ]
    };
    let headings = vec!["model", "family", "input", "resize", "learning rate", "timm", "pretrained weights"];
    Listing { headings, rows: ModelName::ALL.map(row).to_vec(), left: 2 }
}

fn methods() -> Listing {
    // A setting without a value is a layer or block that is not chosen.
    let value = |value: &Value| match value {
        Value::Null => LAST.to_string(),
        Value::String(word) => word.clone(),
        other => other.to_string(),
    };
    let row = |explainer: &Explainer| {
        let settings = explainer.settings();
        let settings = settings.iter().filter(|(key, _)| *key != "kind");
        let settings: Vec<String> = settings.map(|(key, of)| format!("{key}={}", value(of))).collect();
        let method = explainer.method();
        vec![
            json!(method.name),
            json!(method.title),
            json!(method.reads.to_string()),
            json!(method.class_specific),
            json!(method.reads.is_in(false)),
            json!(method.reads.is_in(true)),
            json!(Some(settings.join(" ")).filter(|settings| !settings.is_empty())),
        ]
    };
    let headings =
        vec!["method", "title", "reads", "class specific", "for a CNN", "for a ViT", "settings and their defaults"];
    Listing { headings, rows: Explainer::all().iter().map(row).collect(), left: 7 }
}

fn measures() -> Listing {
    let fast = Measure::fast();
    let bound = |value: f64| json!(Some((value * 1e4).round() / 1e4).filter(|value| value.is_finite()));
    let row = |measure: Measure| {
        let Range { low: least, high: greatest } = measure.range();
        vec![
            json!(measure.name()),
            json!(measure.label()),
            json!(if measure.higher_is_more_similar() { "similarity" } else { "distance" }),
            json!(!fast.contains(&measure)),
            bound(least),
            bound(greatest),
            json!(Some(measure.unit()).filter(|unit| !unit.is_empty())),
        ]
    };
    let headings = vec!["measure", "meaning", "kind", "slow", "least", "greatest", "unit"];
    Listing { headings, rows: Measure::ALL.map(row).to_vec(), left: 4 }
}

fn devices() -> Listing {
    let auto = DeviceChoice::Auto.open().ok().map(|(_, choice)| choice);
    let row =
        |choice: DeviceChoice| vec![json!(choice.to_string()), json!(choice.meaning()), json!(auto == Some(choice))];
    let rows = device::available().into_iter().map(row).collect();
    Listing { headings: vec!["device", "what it is", "auto"], rows, left: 3 }
}
