//! Every key of a config file: what kind of value it takes, and the range of its numbers.
//!
//! The limits are wide: they exclude values that make no sense, that would overflow or exhaust memory, and that would make
//! a run endless. Learning rate and weight decay have no upper limit, because a run that diverges says so itself.

use super::error::table_problem;
use crate::data::Policy;
use crate::explain::Explainer;
use crate::fsx::one_line;
use serde::Deserialize;

/// The kind of value that a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A word, a name or a path.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// `true` or `false`.
    Flag,
    /// A whole number, both ends included.
    Whole(u64, u64),
    /// A number, both ends included.
    Number(f64, f64),
    /// 0, or a number between these, both ends included.
    ZeroOr(f64, f64),
    /// Two numbers in ascending order, both within these ends.
    Range(f64, f64),
    /// A list of this many numbers; each has a range of its own, under the name `KEY[INDEX]`.
    Numbers(usize),
    /// A table; its keys are listed below it.
    Table,
    /// A list of explainers, which check their own settings.
    Explainers,
}

use Kind::{Explainers, Flag, Number, Numbers, Range, Table, Text, Texts, Whole, Word, ZeroOr};

/// Any seed that a TOML file can hold.
const SEED: Kind = Whole(0, i64::MAX as u64);
/// An upper limit for counts: more than anybody trains, and small enough that products of two or three fit 64 bits.
const COUNT: u64 = 1_000_000;
/// Any finite positive number.
const POSITIVE: Kind = Number(f64::MIN_POSITIVE, f64::MAX);
/// A decay of 1 would never forget, so it is excluded.
const DECAY: Kind = Number(0.0, 0.999_999);
/// The ratio of two sides, at most 1000 to 1.
const RATIO: Kind = Range(0.001, 1000.0);
/// A factor of brightness, contrast or saturation is at most 1 more than this; at 100 an image is black and white.
const STRENGTH: Kind = Number(0.0, 100.0);
/// Beyond these a draw of the Beta distribution is always an end of the range, or always its middle.
const ALPHA: Kind = ZeroOr(0.001, 1000.0);

/// Each key by its dotted name, in the order of a file. A name with brackets is an element of a list and cannot be set by
/// itself.
pub(super) const KEYS: &[(&str, Kind)] = &[
    ("model", Text),
    ("weights", Text),
    ("weights_key", Text),
    ("allow_missing", Texts),
    ("drop_path", Number(0.0, 0.99)),
    ("epochs", Whole(1, COUNT)),
    ("batch_size", Whole(1, COUNT)),
    ("accumulate", Whole(1, COUNT)),
    ("seed", SEED),
    ("label_smoothing", Number(0.0, 0.99)),
    ("precision", Word(&["auto", "f32", "tf32", "bf16"])),
    ("data.source", Text),
    ("data.split", SEED),
    ("data.classes", Texts),
    ("data.skip_bad_images", Flag),
    // A million megapixels are an image of a million pixels a side, and more memory than a machine has.
    ("data.max_megapixels", Whole(1, 1_000_000)),
    ("data.max_decoder_mib", Whole(1, 16_000_000)),
    // The samples are listed in memory, about 200 bytes each, and there are ten classes and three splits.
    ("data.train_per_class", Whole(1, 100_000)),
    ("data.val_per_class", Whole(1, 100_000)),
    ("data.seed", SEED),
    // An image of this side takes 12 MB, and each worker holds a few at a time.
    ("preprocessing.resize", Whole(1, 2048)),
    ("preprocessing.interpolation", Word(&["bicubic", "bilinear"])),
    ("augmentation.crop_scale", Range(1e-6, 1.0)),
    ("augmentation.crop_ratio", RATIO),
    ("augmentation.flip", Number(0.0, 1.0)),
    ("augmentation.colour_jitter", Numbers(4)),
    ("augmentation.colour_jitter[0]", STRENGTH),
    ("augmentation.colour_jitter[1]", STRENGTH),
    ("augmentation.colour_jitter[2]", STRENGTH),
    ("augmentation.colour_jitter[3]", Number(0.0, 0.5)),
    ("augmentation.policy", Table),
    ("augmentation.policy.kind", Word(&["rand-augment", "trivial-augment-wide"])),
    ("augmentation.policy.operations", Whole(1, 100)),
    ("augmentation.policy.magnitude", Whole(0, 30)),
    ("augmentation.erasing", Number(0.0, 1.0)),
    ("augmentation.erasing_area", Range(1e-6, 1.0)),
    ("augmentation.erasing_ratio", RATIO),
    ("augmentation.mixup", ALPHA),
    ("augmentation.cutmix", ALPHA),
    ("optimizer.kind", Word(&["adamw", "adam", "sgd"])),
    ("optimizer.betas", Numbers(2)),
    ("optimizer.betas[0]", DECAY),
    ("optimizer.betas[1]", DECAY),
    // In float32 a smaller one is zero, and a parameter without a gradient would be divided by it.
    ("optimizer.epsilon", Number(1e-30, 1e30)),
    ("optimizer.momentum", DECAY),
    ("optimizer.nesterov", Flag),
    ("optimizer.weight_decay", Number(0.0, f64::MAX)),
    ("optimizer.decay_all", Flag),
    ("optimizer.layer_decay", Number(f64::MIN_POSITIVE, 1.0)),
    ("optimizer.clip_norm", POSITIVE),
    ("schedule.learning_rate", POSITIVE),
    ("schedule.decay", Word(&["cosine", "step", "constant"])),
    ("schedule.minimum", Number(0.0, f64::MAX)),
    ("schedule.step_epochs", Whole(1, COUNT)),
    ("schedule.step_factor", Number(f64::MIN_POSITIVE, 1.0)),
    ("schedule.warmup_epochs", Number(0.0, COUNT as f64)),
    ("schedule.warmup_start", Number(0.0, 1.0)),
    ("freeze.head_only_epochs", Whole(0, COUNT)),
    ("freeze.batch_norm", Flag),
    ("ema.decay", Number(0.0, 0.999_999_999)),
    ("ema.warmup", Flag),
    ("early_stopping.patience", Whole(1, COUNT)),
    ("early_stopping.stable_epochs", Whole(1, COUNT)),
    ("checkpoints.keep_best", Whole(0, COUNT)),
    ("checkpoints.keep_last", Whole(1, COUNT)),
    ("checkpoints.stable_within", Number(0.0, 1.0)),
    ("panel.per_class", Whole(1, COUNT)),
    ("panel.seed", SEED),
    ("panel.overlays", Whole(0, COUNT)),
    ("panel.list", Text),
    ("panel.targets", Texts),
    ("evidence.margin", Number(0.0, 100.0)),
    ("evidence.patience", Whole(1, COUNT)),
    ("explainers", Explainers),
];

/// The kind of value that a key takes; `None` for an unknown key.
pub(super) fn kind(key: &str) -> Option<Kind> {
    KEYS.iter().find(|(name, _)| *name == key).map(|(_, kind)| *kind)
}

/// Whether this is a key that can be set.
pub(super) fn is_key(key: &str) -> bool {
    kind(key).is_some() && !key.contains('[')
}

impl Kind {
    /// The words that follow "expected" in an error.
    pub(super) fn expected(self) -> String {
        match self {
            Text => "a text".to_string(),
            Word(words) => match words {
                [first @ .., last] => format!("{} or {last}", first.join(", ")),
                [] => String::new(),
            },
            Texts => "a list of texts, such as [\"a\", \"b\"]".to_string(),
            Flag => "true or false".to_string(),
            Whole(least, greatest) => format!("a whole number between {least} and {greatest}"),
            Number(least, greatest) => match (least == f64::MIN_POSITIVE, greatest == f64::MAX) {
                (true, true) => "a positive number".to_string(),
                (true, false) => format!("a positive number up to {}", shown(greatest)),
                (false, true) => format!("a number, at least {}", shown(least)),
                (false, false) => format!("a number between {} and {}", shown(least), shown(greatest)),
            },
            ZeroOr(least, greatest) => format!("0, or a number between {} and {}", shown(least), shown(greatest)),
            Range(least, greatest) => {
                format!("two numbers in ascending order between {} and {}", shown(least), shown(greatest))
            }
            Numbers(count) => format!("a list of {count} numbers"),
            Table => "a table with its kind, such as { kind = \"trivial-augment-wide\" }".to_string(),
            Explainers => "a list of methods, such as [\"grad-cam\"]".to_string(),
        }
    }

    /// Whether a value is of this kind, in its range or not.
    fn fits(self, value: &toml::Value) -> bool {
        let number = |value: &toml::Value| value.is_float() || value.is_integer();
        let list = |count: usize| value.as_array().is_some_and(|all| all.len() == count && all.iter().all(number));
        match self {
            Text => value.is_str(),
            Word(words) => value.as_str().is_some_and(|value| words.contains(&value)),
            Texts => value.as_array().is_some_and(|all| all.iter().all(toml::Value::is_str)),
            Flag => value.is_bool(),
            Whole(..) => value.as_integer().is_some_and(|value| value >= 0),
            Number(..) | ZeroOr(..) => number(value),
            Range(..) => list(2),
            Numbers(count) => list(count),
            Table => value.is_table(),
            Explainers => value.is_array(),
        }
    }
}

/// A number as text, with an exponent where it would have many zeros.
pub(super) fn shown(value: f64) -> String {
    let plain = value == 0.0 || !value.is_finite() || (1e-3..1e15).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// `NAME is X, expected …`.
pub(super) fn problem(name: &str, found: &str, kind: Kind) -> String {
    format!("{name} is {found}, expected {}", kind.expected())
}

/// What is wrong with a whole number if it is out of its key's range.
pub(super) fn whole_problem(key: &str, value: u64) -> Option<String> {
    let kind = kind(key)?;
    let Whole(least, greatest) = kind else { return None };
    (!(least..=greatest).contains(&value)).then(|| problem(key, &value.to_string(), kind))
}

/// Removes from a file's table every value that is not of its key's kind, and returns a line about each. Unknown keys stay.
pub(super) fn misfits(table: &mut toml::Table) -> Vec<String> {
    let mut problems = Vec::new();
    for &(key, kind) in KEYS.iter().filter(|(key, _)| !key.contains('[')) {
        let Some(value) = find(table, key) else { continue };
        let wrong = match kind {
            _ if !kind.fits(value) => vec![problem(key, &short(value), kind)],
            Explainers => explainers(value),
            _ => Vec::new(),
        };
        if !wrong.is_empty() {
            problems.extend(wrong);
            // A table that lacks a part would be said to lack it.
            remove(table, if key.starts_with(POLICY_PARTS) { POLICY } else { key });
        }
    }
    let lacking = find(table, POLICY).and_then(|policy| Policy::deserialize(policy.clone()).err());
    if let Some(error) = lacking {
        problems.push(format!("{POLICY}: {}", table_problem(&error)));
        remove(table, POLICY);
    }
    problems
}

const POLICY: &str = "augmentation.policy";
const POLICY_PARTS: &str = "augmentation.policy.";

/// What is wrong with each of a list of explainers.
fn explainers(value: &toml::Value) -> Vec<String> {
    let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
    // Explainer::deserialize would be the derived function, which takes tables alone.
    let wrong = |value: &toml::Value| <Explainer as Deserialize>::deserialize(value.clone()).err();
    all.iter().filter_map(wrong).map(|error| format!("explainers: {}", table_problem(&error))).collect()
}

/// A value on one line.
fn short(value: &toml::Value) -> String {
    const SHOWN: usize = 80;
    let text = match value {
        toml::Value::Float(number) => shown(*number),
        toml::Value::String(text) => format!("'{text}'"),
        value => value.to_string(),
    };
    let text = one_line(&text);
    if text.chars().count() > SHOWN { text.chars().take(SHOWN).chain(['…']).collect() } else { text.into_owned() }
}

/// The value of a dotted key.
pub(super) fn find<'a>(table: &'a toml::Table, key: &str) -> Option<&'a toml::Value> {
    match key.split_once('.') {
        None => table.get(key),
        Some((name, rest)) => find(table.get(name)?.as_table()?, rest),
    }
}

/// Takes a dotted key out.
pub(super) fn remove(table: &mut toml::Table, key: &str) -> Option<toml::Value> {
    match key.split_once('.') {
        None => table.remove(key),
        Some((name, rest)) => remove(table.get_mut(name)?.as_table_mut()?, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::FileConfig;
    use std::collections::BTreeSet;

    /// The names that a table takes, as the reader lists them when it meets one that it does not know.
    fn fields(section: Option<&str>) -> Vec<String> {
        let mut table = toml::Table::from_iter([("no_such_key".to_string(), toml::Value::from(1))]);
        if let Some(section) = section {
            table = toml::Table::from_iter([(section.to_string(), toml::Value::Table(table))]);
        }
        let message = FileConfig::deserialize(toml::Value::Table(table)).unwrap_err().to_string();
        let (_, expected) = message.split_once("expected ").unwrap();
        expected.split('`').skip(1).step_by(2).filter(|name| Some(*name) != section).map(str::to_string).collect()
    }

    #[test]
    fn every_key_of_a_file_has_a_kind_and_no_other_has() {
        let mut expected = BTreeSet::new();
        for name in fields(None) {
            let table = toml::Table::from_iter([(name.clone(), toml::Value::Table(toml::Table::new()))]);
            let is_section = kind(&name).is_none() && FileConfig::deserialize(toml::Value::Table(table)).is_ok();
            match is_section {
                true => expected.extend(fields(Some(&name)).into_iter().map(|key| format!("{name}.{key}"))),
                false => drop(expected.insert(name)),
            }
        }
        let part = |key: &str| key.contains('[') || key.starts_with(POLICY_PARTS);
        let found: BTreeSet<String> = KEYS.iter().map(|(key, _)| key.to_string()).filter(|key| !part(key)).collect();
        assert_eq!(found, expected);
    }
}
