//! Flags that several commands take: each is declared once, with one meaning.

use super::run_spec::RunSpec;
use crate::device::DeviceChoice;
use crate::drift::Margin;
use crate::explain::{Explainer, Target};
use crate::fsx;
use crate::measure::Measure;
use crate::models::ModelName;
use crate::stats::RESAMPLES;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command};
use std::ffi::OsStr;
use std::fmt::Display;
use std::num::NonZeroUsize;
use std::ops::Bound::Included;
use std::ops::RangeBounds;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::LazyLock;

/// Where to compute.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct DeviceArguments {
    /// Where to compute: auto, cpu, cuda, cuda:N or flex; `driftscope list devices` says what there is
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(super) device: DeviceChoice,
}

/// Which weights of a checkpoint.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct WeightArguments {
    /// Use the trained weights, not their moving average (EMA), in a run that keeps both
    #[arg(long)]
    pub(super) raw: bool,
}

/// One checkpoint of a run.
#[derive(Clone, Debug, Args)]
pub(super) struct CheckpointArguments {
    /// The run's folder, and its epoch: RUN or RUN@last (the last one), RUN@N or RUN@best
    #[arg(value_name = "RUN[@EPOCH]")]
    pub(super) run: RunSpec,
    #[command(flatten)]
    pub(super) weights: WeightArguments,
}

/// Which of the methods whose maps a run holds.
#[derive(Clone, Debug, Args)]
pub(super) struct StoredMethodArguments {
    /// Only these methods, separated by commas, by their names in the run [default: all]
    #[arg(long, value_name = "METHODS", value_delimiter = ',')]
    pub(super) methods: Vec<String>,
}

/// Which classes are explained.
#[derive(Clone, Debug, Args)]
pub(super) struct TargetArguments {
    /// Classes to explain, separated by commas: label, prediction, or the name of a class (class:NAME where a class is
    /// called label or prediction, or has a comma); may be repeated [default: the run's; of new images prediction]
    #[arg(long, value_name = "TARGETS")]
    targets: Vec<String>,
}

impl TargetArguments {
    /// What was typed, in a run with these classes; nothing where nothing was.
    pub(super) fn words(&self, classes: &[String]) -> Vec<String> {
        Target::words(&self.targets, classes)
    }
}

/// A second seed of the same recipe.
#[derive(Clone, Debug, Args)]
pub(super) struct FloorArguments {
    /// A run of the same recipe with another seed: the drift between the two at the same epoch is the seed floor
    #[arg(long, value_name = "RUN")]
    pub(super) floor: Option<PathBuf>,
}

/// What counts as still.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct StillArguments {
    /// Two epochs are still where they moved at most this much: 0 is what noise does, 100 is another image's map
    /// [default: the run's evidence.margin, which is 5 unless it was set]
    #[arg(long, value_name = "MOVED")]
    pub(super) margin: Option<Margin>,
    /// How many epochs must follow the one at which the evidence settled [default: the run's evidence.patience, which is 2
    /// unless it was set]
    #[arg(long, value_name = "N", value_parser = whole(NonZeroUsize::MIN..))]
    pub(super) patience: Option<NonZeroUsize>,
}

/// How intervals are made.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ResampleArguments {
    /// Bootstrap resamples of the panel for each 95 % interval; 0 for no intervals
    #[arg(long, value_name = "N", default_value_t = RESAMPLES, value_parser = whole::<usize>(0..=MOST_RESAMPLES))]
    pub(super) resamples: usize,
}

/// Resampled panels are all in memory at once.
const MOST_RESAMPLES: usize = 100_000;

/// Parses a whole number in a range, from digits alone.
pub(super) fn whole<T>(range: impl RangeBounds<T> + Clone + Send + Sync + 'static) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Display + PartialOrd + Clone + Send + Sync + 'static,
{
    move |text: &str| -> Result<T, String> {
        let number = fsx::whole_number(text).filter(|number| range.contains(number));
        number.ok_or_else(|| match (range.start_bound(), range.end_bound()) {
            (Included(low), Included(high)) => format!("expected a whole number from {low} to {high}"),
            (Included(low), _) => format!("expected a whole number, at least {low}"),
            _ => "expected a whole number".to_string(),
        })
    }
}

/// Parses one of several names, and tells a shell which there are, for completion.
#[derive(Clone)]
pub(super) struct Names<T> {
    names: fn() -> Vec<&'static str>,
    parse: fn(&str) -> Result<T, String>,
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Names<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let parse = self.parse;
        StringValueParser::new().try_map(move |text| parse(&text)).parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.names)().into_iter().map(PossibleValue::new)))
    }
}

/// One value, or all there are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum OrAll<T> {
    One(T),
    All,
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn or_all<T: FromStr<Err: Display>>(text: &str) -> Result<OrAll<T>, String> {
    if text == "all" { Ok(OrAll::All) } else { parse(text).map(OrAll::One) }
}

fn method_names() -> Vec<&'static str> {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| Explainer::all().iter().map(Explainer::name).collect());
    NAMES.iter().map(String::as_str).collect()
}

fn measure_names() -> Vec<&'static str> {
    Measure::ALL.map(Measure::name).to_vec()
}

/// The name of a model.
pub(super) fn model() -> Names<ModelName> {
    Names { names: || ModelName::ALL.map(ModelName::as_str).to_vec(), parse }
}

/// The name of a method, with its settings behind colons.
pub(super) fn method() -> Names<Explainer> {
    Names { names: method_names, parse }
}

/// The same, kept as it was typed.
pub(super) fn method_text() -> Names<String> {
    Names { names: method_names, parse: |text| parse::<Explainer>(text).map(|_| text.to_string()) }
}

/// The same, or `all`.
pub(super) fn method_or_all() -> Names<OrAll<Explainer>> {
    Names { names: || [method_names(), vec!["all"]].concat(), parse: or_all }
}

/// The name of a measure.
pub(super) fn measure() -> Names<Measure> {
    Names { names: measure_names, parse }
}

/// The same, or `all`.
pub(super) fn measure_or_all() -> Names<OrAll<Measure>> {
    Names { names: || [measure_names(), vec!["all"]].concat(), parse: or_all }
}
