//! Whatever is typed: a valid value means in text what it means in a file, and no text makes the program panic.

use super::file::Settings;
use super::keys::{self, KEYS, Kind};
use crate::explain::Explainer;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

/// The same cases every time.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() }
}

/// Texts without control characters, quotes, `#`, brackets and blanks at their ends, which are what TOML or the shell makes
/// of them.
fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9ä日./_@,:-]([a-zA-Z0-9ä日 ./_@,:-]{0,14}[a-zA-Z0-9ä日./_@,:-])?"
}

fn number(least: f64, greatest: f64) -> BoxedStrategy<f64> {
    let between = (0.0..=1.0).prop_map(move |share: f64| (least + (greatest - least) * share).clamp(least, greatest));
    prop_oneof![Just(least), Just(greatest), between].boxed()
}

/// A value that a key takes, as TOML writes it.
fn literal(key: &'static str, kind: Kind) -> BoxedStrategy<String> {
    let shown = |number: f64| format!("{number:?}");
    match kind {
        Kind::Text => text().prop_map(|text| toml::Value::from(text).to_string()).boxed(),
        Kind::Texts => vec(text(), 0..4).prop_map(|texts| toml::Value::from(texts).to_string()).boxed(),
        Kind::Word(words) => select(words).prop_map(|word| format!("\"{word}\"")).boxed(),
        Kind::Flag => any::<bool>().prop_map(|flag| flag.to_string()).boxed(),
        Kind::Whole(least, greatest) => (least..=greatest).prop_map(|number| number.to_string()).boxed(),
        Kind::Number(least, greatest) => number(least, greatest).prop_map(shown).boxed(),
        Kind::ZeroOr(least, greatest) => prop_oneof![Just(0.0), number(least, greatest)].prop_map(shown).boxed(),
        Kind::Range(least, greatest) => (number(least, greatest), number(least, greatest))
            .prop_map(move |(one, other)| format!("[{}, {}]", shown(one.min(other)), shown(one.max(other))))
            .boxed(),
        Kind::Numbers(count) => {
            let part = |index: usize| KEYS.iter().find(|(name, _)| *name == format!("{key}[{index}]")).unwrap();
            let parts: Vec<_> = (0..count).map(part).map(|&(name, kind)| literal(name, kind)).collect();
            parts.prop_map(|parts| format!("[{}]", parts.join(", "))).boxed()
        }
        Kind::Table => select(&[
            "{ kind = \"trivial-augment-wide\" }",
            "{ kind = \"rand-augment\", operations = 2, magnitude = 9 }",
        ])
        .prop_map(str::to_string)
        .boxed(),
        Kind::Explainers => {
            let names: Vec<String> = Explainer::all().iter().map(Explainer::name).collect();
            vec(select(names), 0..4).prop_map(|names| toml::Value::from(names).to_string()).boxed()
        }
    }
}

/// A key and a value that it takes.
fn setting() -> impl Strategy<Value = (&'static str, String)> {
    let keys: Vec<_> = KEYS.iter().copied().filter(|(key, _)| !key.contains('[')).collect();
    select(keys).prop_flat_map(|(key, kind)| (Just(key), literal(key, kind)))
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn a_valid_value_means_in_text_what_it_means_in_a_file((key, literal) in setting()) {
        let mut typed = Settings::default();
        typed.set_text(&format!("{key} = {literal}")).unwrap();
        let mut file: toml::Table = toml::from_str(&format!("{key} = {literal}")).unwrap();
        prop_assert_eq!(&typed.0, &file);
        // A run keeps it as JSON.
        let kept: Settings = serde_json::from_str(&serde_json::to_string(&typed).unwrap()).unwrap();
        prop_assert_eq!(&kept, &typed);
        // A part of the policy is no policy.
        if !key.starts_with("augmentation.policy.") {
            prop_assert_eq!(keys::misfits(&mut file), Vec::<String>::new());
        }
    }

    #[test]
    fn a_bare_text_is_that_text_whatever_else_it_might_mean(text in text()) {
        for (key, kind) in KEYS.iter().filter(|(_, kind)| matches!(kind, Kind::Text | Kind::Texts)) {
            let mut typed = Settings::default();
            typed.set_text(&format!("{key}={text}")).unwrap();
            let text = toml::Value::from(text.clone());
            let expected = if *kind == Kind::Text { text } else { toml::Value::from(vec![text]) };
            prop_assert_eq!(keys::find(&typed.0, key), Some(&expected));
        }
    }

    #[test]
    fn no_text_makes_settings_panic(text in any::<String>(), (key, literal) in setting()) {
        let mut settings = Settings::default();
        settings.set_text("model=deit_mini").unwrap();
        for text in [&text, &format!("{key}={text}"), &format!("{key}.x={text}"), &format!("{key}={literal}{text}")] {
            let _ = settings.set_text(text);
        }
        let _ = settings.resolve();
    }
}
