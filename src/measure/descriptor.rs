//! The descriptors of one map, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::name::{Range, UnknownName};

/// A property of one map.
///
/// `p` is the share of the positive evidence in each of the map's `n` cells. Properties of `p` are undefined for a map
/// without a positive cell, and every property is for a map that is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Descriptor {
    /// Shannon entropy, `-sum p ln p`, in nats, in [0, ln n]: 0 for one cell, `ln n` for the uniform map.
    ///
    /// Source: Shannon 1948; `scipy.stats.entropy`; Quantus' `Complexity` of a map without negatives.
    #[serde(rename = "entropy")]
    Entropy,
    /// How many cells would be as uncertain if they shared the evidence equally, as a share of the grid: `exp(entropy) /
    /// n`, in [1 / n, 1]. Maps of different grids compare by it.
    ///
    /// Source: the perplexity of the distribution, over `n`.
    #[serde(rename = "effective-area")]
    EffectiveArea,
    /// Root mean square distance of the evidence from its centre, in units of the grid's sides, in [0, √½]: 0 for one
    /// cell, about 0.41 for the uniform map. Small where the evidence is in one place, wherever that is.
    #[serde(rename = "spread")]
    Spread,
    /// Gini coefficient of the cells, `sum (2 i - n - 1) p_i / n` over ascending `p_i`, in [0, 1 - 1 / n]: 0 for the
    /// uniform map, close to 1 for one cell.
    ///
    /// Source: Gini 1912; Quantus' `Sparseness` of a map without negatives, which adds 1e-7 to every value first.
    #[serde(rename = "gini")]
    Gini,
    /// The share of the evidence in the fifth of the cells (rounded, at least one) that have most of it, in [0, 1].
    #[serde(rename = "top20-mass")]
    TopMass20,
    /// Evidence for the class, `sum max(v, 0)` of the raw map, in [0, ∞), in the method's unit.
    #[serde(rename = "positive-mass")]
    PositiveMass,
    /// Evidence against the class, `sum max(-v, 0)` of the raw map, in [0, ∞), in the method's unit.
    #[serde(rename = "negative-mass")]
    NegativeMass,
}

impl Descriptor {
    /// Every descriptor, in the order of all reports.
    pub const ALL: [Descriptor; 7] = [
        Descriptor::Entropy,
        Descriptor::EffectiveArea,
        Descriptor::Spread,
        Descriptor::Gini,
        Descriptor::TopMass20,
        Descriptor::PositiveMass,
        Descriptor::NegativeMass,
    ];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Descriptor::Entropy => "entropy",
            Descriptor::EffectiveArea => "effective-area",
            Descriptor::Spread => "spread",
            Descriptor::Gini => "gini",
            Descriptor::TopMass20 => "top20-mass",
            Descriptor::PositiveMass => "positive-mass",
            Descriptor::NegativeMass => "negative-mass",
        }
    }

    /// The name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Descriptor::Entropy => "Entropy",
            Descriptor::EffectiveArea => "Effective area",
            Descriptor::Spread => "Spread about the centre",
            Descriptor::Gini => "Gini coefficient",
            Descriptor::TopMass20 => "Mass in the top 20 %",
            Descriptor::PositiveMass => "Positive evidence",
            Descriptor::NegativeMass => "Negative evidence",
        }
    }

    /// The unit of a value; empty for a plain number.
    pub const fn unit(self) -> &'static str {
        match self {
            Descriptor::Entropy => "nats",
            Descriptor::EffectiveArea => "share of the grid",
            Descriptor::Spread => "sides of the grid",
            Descriptor::Gini => "",
            Descriptor::TopMass20 => "share of the evidence",
            Descriptor::PositiveMass | Descriptor::NegativeMass => "the method's unit",
        }
    }

    /// The smallest and the largest value possible on any grid.
    pub const fn range(self) -> Range {
        match self {
            Descriptor::EffectiveArea | Descriptor::Gini | Descriptor::TopMass20 => Range::UNIT,
            Descriptor::Spread => Range::to(std::f64::consts::FRAC_1_SQRT_2),
            Descriptor::Entropy | Descriptor::PositiveMass | Descriptor::NegativeMass => Range::to(f64::INFINITY),
        }
    }
}

impl fmt::Display for Descriptor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Descriptor {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let known = Descriptor::ALL.map(Descriptor::name);
        let found = Descriptor::ALL.into_iter().find(|descriptor| descriptor.name() == name);
        found.ok_or_else(|| UnknownName { kind: "descriptor", name: name.to_string(), known: known.join(", ") })
    }
}
