//! Properties of explainers that hold whatever their settings are.

use super::Explainer;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value, json};

/// A method, and settings in their ranges as `numbers` choose them.
fn explainer(method: &Explainer, numbers: &[u64]) -> Explainer {
    let mut settings = method.settings();
    let keys: Vec<String> = settings.keys().filter(|key| *key != "kind").cloned().collect();
    for (key, &number) in keys.iter().zip(numbers) {
        let share = number as f64 / u64::MAX as f64; // in 0..=1
        settings[key] = match key.as_str() {
            "layer" | "block" => (number % 13).checked_sub(1).map_or(Value::Null, Value::from),
            "start_block" => json!(number % 12),
            "fusion" => json!(["mean", "max", "min"][number as usize % 3]),
            "discard" => json!(share * 0.999),
            "residual" => json!(share),
            "noise" => json!(share * 100.0),
            "per_head" | "times_input" => json!(number % 2 == 0),
            "samples" | "steps" | "window" => json!(1 + number % 10_000),
            "seed" => json!(number),
            other => panic!("{} has a setting {other}, whose range is not known here", method.name()),
        };
    }
    serde_json::from_value(Value::Object(settings)).unwrap()
}

/// As a person types it, every setting named.
fn specification(settings: &Map<String, Value>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
    let others = settings.iter().filter(|(key, _)| *key != "kind");
    others.fold(text(&settings["kind"]), |all, (key, value)| format!("{all}:{key}={}", text(value)))
}

fn any_explainer() -> impl Strategy<Value = Explainer> {
    (select(Explainer::all()), vec(any::<u64>(), 5)).prop_map(|(method, numbers)| explainer(&method, &numbers))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_typed_and_what_is_stored_is_read_back_whole(one in any_explainer()) {
        prop_assert_eq!(specification(&one.settings()).parse::<Explainer>(), Ok(one.clone()));
        let json = serde_json::to_string(&one).unwrap();
        prop_assert_eq!(serde_json::from_str::<Explainer>(&json).unwrap(), one);
    }

    /// Files are called by it, so it must tell explainers apart; and it begins with the method's name.
    #[test]
    fn a_name_belongs_to_one_explainer(method in select(Explainer::all()), numbers in vec(vec(any::<u64>(), 5), 2)) {
        let [one, other] = [0, 1].map(|index| explainer(&method, &numbers[index]));
        prop_assert_eq!(one.name() == other.name(), one == other, "{} and {}", one.name(), other.name());
        prop_assert!(one.name().starts_with(method.method().name) && one.title().starts_with(method.method().title));
        prop_assert!(one.name().chars().all(|letter| letter.is_ascii_alphanumeric() || "-.".contains(letter)));
    }
}
