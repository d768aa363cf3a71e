//! What measures and descriptors are called and how far their values reach.

/// A name that no measure, descriptor or protocol has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} is called '{name}'; there are {known}")]
pub struct UnknownName {
    /// What kind of name was expected: `"measure"`.
    pub kind: &'static str,
    /// The name that was given.
    pub name: String,
    /// All names of that kind, separated by commas.
    pub known: String,
}

/// The smallest and the largest value possible; infinite where there is no bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The smallest possible value.
    pub low: f64,
    /// The largest possible value.
    pub high: f64,
}

impl Range {
    /// From 0 to 1.
    pub(super) const UNIT: Range = Range::to(1.0);

    /// From 0 to `high`.
    pub(super) const fn to(high: f64) -> Self {
        Range { low: 0.0, high }
    }

    /// Whether a value is within, bounds included.
    pub fn contains(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}
