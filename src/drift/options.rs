//! What is asked of a run.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use super::moved::Margin;
use crate::fsx;
use crate::measure::{Measure, UnknownName};
use crate::stats::RESAMPLES;
use crate::store::{Against, RunReader, StoreError};

/// How many pairings of the panel with itself chance is averaged over.
pub const CHANCE_DERANGEMENTS: usize = 8;

/// How many epochs must follow the one where the evidence settled, unless another number is asked for.
pub const PATIENCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// An epoch to compare every other with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The last one before it.
    Previous,
    /// The first one that is evidence.
    First,
    /// The one of the best validation accuracy; the earliest of several.
    Best,
    /// One by its number.
    Epoch(usize),
}

impl Reference {
    /// The role its estimates have.
    pub const fn against(self) -> Against {
        match self {
            Reference::Previous => Against::Previous,
            Reference::First => Against::First,
            Reference::Best => Against::Best,
            Reference::Epoch(_) => Against::Named,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Epoch(epoch) => write!(formatter, "{epoch}"),
            role => formatter.write_str(role.against().name()),
        }
    }
}

impl FromStr for Reference {
    type Err = UnknownName;

    /// `previous`, `first`, `best` or an epoch's number.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "previous" => Ok(Reference::Previous),
            "first" => Ok(Reference::First),
            "best" => Ok(Reference::Best),
            number => fsx::whole_number(number).map(Reference::Epoch).ok_or_else(|| UnknownName {
                kind: "reference epoch",
                name: name.to_string(),
                known: "previous, first, best and the numbers of epochs".to_string(),
            }),
        }
    }
}

/// What counts as settled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settling {
    /// How much a pair of epochs may have moved and still be still.
    pub(super) margin: Margin,
    /// How many epochs must follow the one where the evidence settled.
    pub(super) patience: usize,
}

/// What [`super::analyse`] computes of a run; defaults are named at each option.
#[derive(Clone, Debug)]
pub struct Options {
    /// The measures, in the order of the estimates. Default: all fast ones.
    pub measures: Vec<Measure>,
    /// The epochs that every other is compared with. Default: previous and first, which paths need both of.
    pub against: Vec<Reference>,
    /// Explainers by name; all where none is named, which is the default.
    pub explainers: Vec<String>,
    /// A run of the same recipe with another seed: the drift from its maps at the same epoch is a second floor.
    pub seed_run: Option<RunReader>,
    /// Whether estimates are also given by outcome of the prediction and by class. Default: yes.
    pub groups: bool,
    /// By which further measures it is also said when the evidence settled, without intervals. Default:
    /// [`Measure::LIVE`], three of different kinds.
    pub settled_by: Vec<Measure>,
    /// How much a pair of epochs may have moved and still be still. Default: none, which is the run's own, and that is 5
    /// unless its settings say otherwise.
    pub margin: Option<Margin>,
    /// How many epochs must follow the one where the evidence settled. Default: none, which is the run's own, and that is 2
    /// unless its settings say otherwise.
    pub patience: Option<NonZeroUsize>,
    /// How many panels are drawn for an interval. Default: 1000.
    pub resamples: usize,
    /// How many pairings of different images chance is averaged over. Default: 8.
    pub shuffles: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            measures: Measure::fast(),
            against: vec![Reference::Previous, Reference::First],
            explainers: Vec::new(),
            seed_run: None,
            groups: true,
            settled_by: Measure::LIVE.to_vec(),
            margin: None,
            patience: None,
            resamples: RESAMPLES,
            shuffles: CHANCE_DERANGEMENTS,
        }
    }
}

impl Options {
    /// What counts as settled in a run: what these options say, else the run's own settings, else what is usual.
    pub(super) fn settling(&self, reader: &RunReader) -> Result<Settling, StoreError> {
        let record = reader.record()?;
        let own = &record["config"]["evidence"];
        let patience = || NonZeroUsize::new(usize::try_from(own["patience"].as_u64()?).ok()?);
        Ok(Settling {
            margin: self.margin.or_else(|| Margin::new(own["margin"].as_f64()?)).unwrap_or_default(),
            patience: self.patience.or_else(patience).unwrap_or(PATIENCE).get(),
        })
    }

    /// The measure of the matrices and of every answer: [`Measure::DEFAULT`], or the first one asked for where that is not
    /// among them.
    pub fn answering_measure(&self) -> Option<Measure> {
        let asked = |measure: &Measure| self.measures.contains(measure);
        Some(Measure::DEFAULT).filter(asked).or(self.measures.first().copied())
    }

    /// The measures of agreement, blocks, heads and warnings, which would be too slow to compute or too much to read in all
    /// measures: those of [`Measure::LIVE`] that were asked for, and where none was, everything asked for.
    pub fn leading_measures(&self) -> Vec<Measure> {
        leading(&self.measures)
    }
}

/// [`Options::leading_measures`] of some measures.
pub(super) fn leading(measures: &[Measure]) -> Vec<Measure> {
    let live: Vec<Measure> = measures.iter().copied().filter(|measure| Measure::LIVE.contains(measure)).collect();
    if live.is_empty() { measures.to_vec() } else { live }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_role_or_a_number() {
        for reference in [Reference::Previous, Reference::First, Reference::Best, Reference::Epoch(7)] {
            assert_eq!(reference.to_string().parse(), Ok(reference));
        }
        for text in ["last", "+5", "-1"] {
            let error = text.parse::<Reference>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("there are previous, first, best"), "{error}");
        }
    }

    #[test]
    fn the_leading_measures_are_the_live_ones_or_all() {
        assert_eq!(Options::default().leading_measures(), Measure::LIVE);
        let options = Options { measures: vec![Measure::Kendall, Measure::Cosine], ..Options::default() };
        assert_eq!(options.leading_measures(), [Measure::Kendall, Measure::Cosine]);
    }
}
