//! Every epoch against every other, as the page holds it: a triangle of numbers for each thing that is known of a pair.
//!
//! A triangle has a row an epoch. Row k has k places: epoch k against each of the epochs before it, in their order; null
//! where nothing is known.

use super::packed::rounded;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is known of a pair, by its key in an analysis and its key in the page.
const TRIANGLES: [(&str, &str); 10] = [
    ("moved", "moved"),
    ("value", "value"),
    ("floor", "floor"),
    ("chance", "chance"),
    ("threshold", "threshold"),
    ("images_moved", "images_moved"),
    ("defined", "defined"),
    ("dead", "dead"),
    ("retargeted", "retargeted"),
    ("not_measurable", "why"),
];

/// The matrices of an analysis. One without any has none here.
pub(super) fn matrices(analysis: &Value) -> Value {
    let given = analysis["matrices"].as_array().map(Vec::as_slice).unwrap_or_default();
    given.iter().map(matrix).collect()
}

fn matrix(given: &Value) -> Value {
    let epochs: Vec<u64> = given["epochs"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let pairs = Pairs::of(given, &epochs);
    let mut page = Map::new();
    for key in ["explainer", "target", "measure", "margin", "patience", "epochs"] {
        page.insert(key.into(), given[key].clone());
    }
    for (from, to) in TRIANGLES {
        page.insert(to.into(), pairs.triangle(|pair| &pair[from]));
    }
    page.insert("low".into(), pairs.triangle(|pair| &pair["interval"][0]));
    page.insert("high".into(), pairs.triangle(|pair| &pair["interval"][1]));
    // Nulls alone would be told apart from no second seed by nobody.
    if pairs.any(|pair| !pair["seed_floor"].is_null()) {
        page.insert("seed_floor".into(), pairs.triangle(|pair| &pair["seed_floor"]));
        page.insert("moved_from_seed".into(), pairs.triangle(|pair| &pair["moved_from_seed"]));
    }
    let later = 1..epochs.len();
    let images = |first: bool| -> Value {
        later.clone().map(|row| short(&pairs.at(row, if first { 0 } else { row - 1 })["images"])).collect()
    };
    page.insert("images_previous".into(), images(false));
    page.insert("images_first".into(), images(true));
    let phases = given["phases"].as_array().into_iter().flatten();
    page.insert("phases".into(), phases.map(|phase| json!([phase["from"], phase["to"]])).collect());
    page.insert("settled".into(), settled(&given["settled"]));
    Value::Object(page)
}

/// When the evidence settled, by each floor.
fn settled(given: &Value) -> Value {
    let floors = given.as_array().into_iter().flatten().filter_map(|one| {
        let answer = json!({"epoch": one["epoch"], "interval": one["interval"], "not_yet": short(&one["not_yet"])});
        Some((one["against_floor"].as_str()?.to_string(), answer))
    });
    Value::Object(floors.collect())
}

/// The pairs of a matrix by the places of their epochs, the later first.
struct Pairs<'a> {
    epochs: usize,
    at: BTreeMap<(usize, usize), &'a Value>,
}

impl<'a> Pairs<'a> {
    fn of(given: &'a Value, epochs: &[u64]) -> Self {
        let place = |epoch: &Value| epochs.binary_search(&epoch.as_u64()?).ok();
        let pairs = given["pairs"].as_array().into_iter().flatten().filter_map(|pair| {
            let (one, other) = (place(&pair["epoch"])?, place(&pair["reference_epoch"])?);
            Some(((one.max(other), one.min(other)), pair))
        });
        Pairs { epochs: epochs.len(), at: pairs.collect() }
    }

    fn at(&self, row: usize, column: usize) -> &Value {
        self.at.get(&(row, column)).copied().unwrap_or(&Value::Null)
    }

    fn any(&self, is: impl Fn(&Value) -> bool) -> bool {
        self.at.values().any(|pair| is(pair))
    }

    fn triangle(&self, of: impl Fn(&Value) -> &Value) -> Value {
        let row = |row: usize| -> Value { (0..row).map(|column| short(of(self.at(row, column)))).collect() };
        (0..self.epochs).map(row).collect()
    }
}

/// The value, its numbers with the page's digits.
fn short(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().map(rounded).into(),
        Value::Array(items) => items.iter().map(short).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of three epochs with the pair of the last two missing: rows of 0, 1 and 2 places, a hole for the pair, and images
    /// of the pairs that have them.
    #[test]
    fn pairs_become_triangles_with_holes() {
        let pair = |epoch: usize, reference: usize, moved: f64| {
            json!({"epoch": epoch, "reference_epoch": reference, "moved": moved, "interval": [moved - 1.0, moved + 1.0],
                "value": 0.123456789, "images": [moved, null]})
        };
        let settled = json!([{"against_floor": "noise", "epoch": 4, "interval": [2, null], "not_yet": 0.25}]);
        let analysis = json!({"matrices": [{"explainer": "grad-cam", "target": "label", "measure": "spearman",
            "margin": 5.0, "patience": 2, "epochs": [1, 2, 4], "pairs": [pair(2, 1, 50.0), pair(4, 1, 90.0)],
            "phases": [{"from": 2, "to": 4}], "settled": settled}]});
        let page = &matrices(&analysis)[0];
        assert_eq!(page["moved"], json!([[], [50.0], [90.0, null]]));
        assert_eq!(page["high"], json!([[], [51.0], [91.0, null]]));
        assert_eq!(page["value"], json!([[], [0.12346], [0.12346, null]]));
        assert_eq!(page["images_previous"], json!([[50.0, null], null]));
        assert_eq!(page["images_first"], json!([[50.0, null], [90.0, null]]));
        assert_eq!(page["phases"], json!([[2, 4]]));
        assert_eq!(page["settled"], json!({"noise": {"epoch": 4, "interval": [2, null], "not_yet": 0.25}}));
        assert!(page.get("seed_floor").is_none(), "no second seed was given");
        assert_eq!(matrices(&json!({})), json!([]));
    }
}
