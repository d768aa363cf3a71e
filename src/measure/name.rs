//! What measures and descriptors are called and how far their values reach.

/// A name that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} is called '{name}'; there are {known}")]
pub struct UnknownName {
    /// What was looked for: `"measure"`.
    pub kind: &'static str,
    /// What was written.
    pub name: String,
    /// All names there are.
    pub known: String,
}

/// The smallest and the largest value possible; infinite where there is no bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The smallest.
    pub low: f64,
    /// The largest.
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
