//! Numbers made short for the page: no more digits than a person or a chart can use, and keys named once a table.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Significant digits a number of the page keeps. A chart of 200 pixels and a table of four decimals show fewer.
const DIGITS: i32 = 5;

/// To [`DIGITS`] significant digits; what is not finite stays as it is.
pub(super) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let places = DIGITS - 1 - value.abs().log10().floor() as i32;
    // Far from 1 the power overflows; such a number keeps its digits.
    let short = (value * 10f64.powi(places)).round() / 10f64.powi(places);
    if short.is_finite() { short } else { value }
}

/// The parts of an analysis the page shows.
const PARTS: [&str; 7] = ["drift", "paths", "stabilisation", "spread", "agreement", "layers", "warnings"];

/// An analysis, its tables packed, its numbers rounded, and what the page does not show left out.
///
/// An array of objects becomes `{"rows": n, "columns": {key: column}}`. A column of strings is
/// `{"names": [distinct], "at": [index or null]}`, any other the array of its values, null where an object lacks the key.
pub(super) fn analysis(mut analysis: Value) -> Value {
    if let Value::Object(parts) = &mut analysis {
        parts.retain(|name, _| PARTS.contains(&name.as_str()));
        for part in parts.values_mut() {
            round_all(part);
            if let Some(rows) = objects(part) {
                *part = table(&rows);
            }
        }
    }
    analysis
}

fn round_all(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => *value = number.as_f64().map(rounded).into(),
        Value::Array(items) => items.iter_mut().for_each(round_all),
        Value::Object(parts) => parts.values_mut().for_each(round_all),
        _ => {}
    }
}

/// The rows of an array of objects.
fn objects(value: &Value) -> Option<Vec<&Map<String, Value>>> {
    let items = value.as_array()?;
    let rows: Vec<_> = items.iter().filter_map(Value::as_object).collect();
    (!rows.is_empty() && rows.len() == items.len()).then_some(rows)
}

fn table(rows: &[&Map<String, Value>]) -> Value {
    let mut columns = BTreeMap::<&str, Vec<&Value>>::new();
    for (index, row) in rows.iter().enumerate() {
        for (key, value) in *row {
            let column = columns.entry(key).or_default();
            column.resize(index, &Value::Null);
            column.push(value);
        }
    }
    let packed = columns.into_iter().map(|(key, mut values)| {
        values.resize(rows.len(), &Value::Null);
        (key.to_string(), column(&values))
    });
    json!({"rows": rows.len(), "columns": packed.collect::<Map<_, _>>()})
}

fn column(values: &[&Value]) -> Value {
    let is_text = values.iter().any(|value| value.is_string());
    if !is_text || values.iter().any(|value| !value.is_string() && !value.is_null()) {
        return json!(values);
    }
    let mut names = Vec::<&str>::new();
    let mut found = BTreeMap::<&str, usize>::new();
    let at = values.iter().map(|value| {
        value.as_str().map(|name| {
            *found.entry(name).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            })
        })
    });
    let at: Vec<Option<usize>> = at.collect();
    json!({"names": names, "at": at})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_digits_are_kept_at_every_magnitude() {
        for (value, short) in [(0.123456789, 0.12346), (-1234567.0, -1234600.0), (1.5e-9, 1.5e-9), (0.0, 0.0)] {
            assert_eq!(rounded(value), short);
        }
        assert_eq!(rounded(f64::MIN_POSITIVE), f64::MIN_POSITIVE);
        assert!(rounded(f64::NAN).is_nan() && rounded(f64::INFINITY).is_infinite());
    }

    #[test]
    fn tables_name_their_keys_once_and_fill_what_is_missing() {
        let packed = analysis(json!({
            "drift": [{"group": "all", "value": 0.333333333}, {"group": "all", "value": null, "head": 2}],
            "warnings": ["few images"],
            "paths": [],
            "images": ["x"],
        }));
        let columns = json!({"group": {"names": ["all"], "at": [0, 0]}, "value": [0.33333, null], "head": [null, 2]});
        assert_eq!(packed["drift"], json!({"rows": 2, "columns": columns}));
        assert_eq!(packed["warnings"], json!(["few images"]));
        assert_eq!(packed["paths"], json!([]));
        assert!(packed.get("images").is_none(), "the page has the ids already");
    }
}
