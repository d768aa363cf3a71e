//! The measures between two maps, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::correlation::kendall;
use super::heatmap::Heatmap;
use super::name::UnknownName;
use super::prepared::Prepared;
use super::shape::Descriptor;
use super::{change, distribution, overlap, transport};

/// A way to compare two maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// [`top_k_iou`] of the top tenth of the cells.
    #[serde(rename = "top10-iou")]
    TopIou10,
    /// [`top_k_iou`] of the top 15 % of the cells.
    #[serde(rename = "top15-iou")]
    TopIou15,
    /// [`top_k_iou`] of the top fifth of the cells.
    #[serde(rename = "top20-iou")]
    TopIou20,
    /// [`top_k_iou`] of the top 30 % of the cells.
    #[serde(rename = "top30-iou")]
    TopIou30,
    /// [`soft_iou`] of the positive evidence.
    #[serde(rename = "soft-iou")]
    SoftIou,
    /// [`pearson`] of the raw values.
    #[serde(rename = "pearson")]
    Pearson,
    /// [`spearman`].
    #[serde(rename = "spearman")]
    Spearman,
    /// [`kendall`].
    #[serde(rename = "kendall")]
    Kendall,
    /// [`cosine`] of the raw values.
    #[serde(rename = "cosine")]
    Cosine,
    /// [`ssim`] of the maps stretched to [0, 1], through a [`fitting_window`].
    #[serde(rename = "ssim")]
    Ssim,
    /// [`jensen_shannon`] of the positive evidence.
    #[serde(rename = "js-divergence")]
    JensenShannon,
    /// [`total_variation`] of the positive evidence.
    #[serde(rename = "total-variation")]
    TotalVariation,
    /// [`hellinger`] of the positive evidence.
    #[serde(rename = "hellinger")]
    Hellinger,
    /// [`earth_movers_distance`] of the positive evidence.
    #[serde(rename = "earth-movers-distance")]
    EarthMovers,
    /// [`centroid_displacement`] of the positive evidence.
    #[serde(rename = "centroid-displacement")]
    CentroidDisplacement,
    /// How much [`Descriptor::Entropy`] changed, either way.
    #[serde(rename = "entropy-change")]
    EntropyChange,
    /// How much [`Descriptor::EffectiveArea`] changed, either way.
    #[serde(rename = "effective-area-change")]
    EffectiveAreaChange,
    /// How much [`Descriptor::Gini`] changed, either way.
    #[serde(rename = "gini-change")]
    GiniChange,
    /// How much [`Descriptor::TopMass20`] changed, either way.
    #[serde(rename = "top20-mass-change")]
    TopMassChange,
    /// How much [`Descriptor::PositiveMass`] changed, either way.
    #[serde(rename = "positive-mass-change")]
    PositiveMassChange,
    /// How much [`Descriptor::NegativeMass`] changed, either way.
    #[serde(rename = "negative-mass-change")]
    NegativeMassChange,
    /// [`l1_change`] of the raw values.
    #[serde(rename = "l1-change")]
    L1Change,
    /// [`l2_change`] of the raw values.
    #[serde(rename = "l2-change")]
    L2Change,
}

impl Measure {
    /// Every measure, in the order of all reports.
    pub const ALL: [Measure; 23] = [
        Measure::TopIou10,
        Measure::TopIou15,
        Measure::TopIou20,
        Measure::TopIou30,
        Measure::SoftIou,
        Measure::Pearson,
        Measure::Spearman,
        Measure::Kendall,
        Measure::Cosine,
        Measure::Ssim,
        Measure::JensenShannon,
        Measure::TotalVariation,
        Measure::Hellinger,
        Measure::EarthMovers,
        Measure::CentroidDisplacement,
        Measure::EntropyChange,
        Measure::EffectiveAreaChange,
        Measure::GiniChange,
        Measure::TopMassChange,
        Measure::PositiveMassChange,
        Measure::NegativeMassChange,
        Measure::L1Change,
        Measure::L2Change,
    ];

    /// The three of every epoch while a run trains: where the strongest evidence is, the order of all cells, and the
    /// whole distribution.
    pub const LIVE: [Measure; 3] = [Measure::TopIou20, Measure::Spearman, Measure::JensenShannon];

    /// Every measure that is fast enough to be computed without being asked for: all but [`Measure::Kendall`] and
    /// [`Measure::EarthMovers`].
    pub fn fast() -> Vec<Measure> {
        Measure::ALL.into_iter().filter(|measure| !matches!(measure, Measure::Kendall | Measure::EarthMovers)).collect()
    }

    /// The name in files.
    pub const fn name(self) -> &'static str {
        self.words().0
    }

    /// The name for people.
    pub const fn label(self) -> &'static str {
        self.words().1
    }

    /// The name in files and the one for people.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Measure::TopIou10 => ("top10-iou", "IoU of the top 10 %"),
            Measure::TopIou15 => ("top15-iou", "IoU of the top 15 %"),
            Measure::TopIou20 => ("top20-iou", "IoU of the top 20 %"),
            Measure::TopIou30 => ("top30-iou", "IoU of the top 30 %"),
            Measure::SoftIou => ("soft-iou", "Soft IoU (Ruzicka)"),
            Measure::Pearson => ("pearson", "Pearson correlation"),
            Measure::Spearman => ("spearman", "Spearman correlation"),
            Measure::Kendall => ("kendall", "Kendall's tau-b"),
            Measure::Cosine => ("cosine", "Cosine"),
            Measure::Ssim => ("ssim", "SSIM"),
            Measure::JensenShannon => ("js-divergence", "Jensen-Shannon divergence"),
            Measure::TotalVariation => ("total-variation", "Total variation"),
            Measure::Hellinger => ("hellinger", "Hellinger distance"),
            Measure::EarthMovers => ("earth-movers-distance", "Earth mover's distance"),
            Measure::CentroidDisplacement => ("centroid-displacement", "Displacement of the centroid"),
            Measure::EntropyChange => ("entropy-change", "Change of the entropy"),
            Measure::EffectiveAreaChange => ("effective-area-change", "Change of the effective area"),
            Measure::GiniChange => ("gini-change", "Change of the Gini coefficient"),
            Measure::TopMassChange => ("top20-mass-change", "Change of the mass in the top 20 %"),
            Measure::PositiveMassChange => ("positive-mass-change", "Change of the positive evidence"),
            Measure::NegativeMassChange => ("negative-mass-change", "Change of the negative evidence"),
            Measure::L1Change => ("l1-change", "L1 of the signed change"),
            Measure::L2Change => ("l2-change", "L2 of the signed change"),
        }
    }

    /// What a value counts; empty for a plain number.
    pub const fn unit(self) -> &'static str {
        match self {
            Measure::TotalVariation => "share of the evidence",
            Measure::JensenShannon => "bits",
            Measure::EarthMovers | Measure::CentroidDisplacement => "sides of the grid",
            Measure::L1Change | Measure::L2Change => "the method's unit",
            _ => match self.change_of() {
                Some(descriptor) => descriptor.unit(),
                None => "",
            },
        }
    }

    /// Whether a larger value means more alike: true for similarities, false for divergences.
    pub const fn higher_is_more_similar(self) -> bool {
        matches!(
            self,
            Measure::TopIou10
                | Measure::TopIou15
                | Measure::TopIou20
                | Measure::TopIou30
                | Measure::SoftIou
                | Measure::Pearson
                | Measure::Spearman
                | Measure::Kendall
                | Measure::Cosine
                | Measure::Ssim
        )
    }

    /// The smallest and the largest value possible; infinite where there is none.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Measure::Pearson | Measure::Spearman | Measure::Kendall | Measure::Cosine | Measure::Ssim => (-1.0, 1.0),
            Measure::EarthMovers | Measure::CentroidDisplacement => (0.0, std::f64::consts::SQRT_2),
            Measure::L1Change | Measure::L2Change => (0.0, f64::INFINITY),
            _ => match self.change_of() {
                Some(descriptor) => descriptor.range(),
                None => (0.0, 1.0),
            },
        }
    }

    /// How far apart a value says two maps are, whatever kind of measure it is of: `1 - value` for a similarity, the
    /// value itself for the rest. 0 for equal maps.
    pub const fn distance(self, value: f64) -> f64 {
        if self.higher_is_more_similar() { 1.0 - value } else { value }
    }

    /// The property whose change this is.
    const fn change_of(self) -> Option<Descriptor> {
        match self {
            Measure::EntropyChange => Some(Descriptor::Entropy),
            Measure::EffectiveAreaChange => Some(Descriptor::EffectiveArea),
            Measure::GiniChange => Some(Descriptor::Gini),
            Measure::TopMassChange => Some(Descriptor::TopMass20),
            Measure::PositiveMassChange => Some(Descriptor::PositiveMass),
            Measure::NegativeMassChange => Some(Descriptor::NegativeMass),
            _ => None,
        }
    }

    /// The measure between two maps, in [`Measure::range`]; `None` where it is not defined. Where many are wanted of
    /// one map, [`Measure::between_prepared`] is faster.
    pub fn between(self, one: &Heatmap, other: &Heatmap) -> Option<f64> {
        self.between_prepared(&Prepared::new(one.clone()), &Prepared::new(other.clone()))
    }

    /// The measure between two prepared maps, in [`Measure::range`]; `None` where it is not defined.
    pub fn between_prepared(self, one: &Prepared, other: &Prepared) -> Option<f64> {
        if one.map().grid() != other.map().grid() {
            return None;
        }
        let top = |index| Some(overlap::shared_of_all(one.top(index)?, other.top(index)?));
        match self {
            Measure::TopIou10 => top(0),
            Measure::TopIou15 => top(1),
            Measure::TopIou20 => top(2),
            Measure::TopIou30 => top(3),
            Measure::SoftIou => Some(overlap::soft(one.mass()?, other.mass()?)),
            Measure::Pearson => Some(one.centred()?.cosine(other.centred()?)),
            Measure::Spearman => Some(one.ranks()?.cosine(other.ranks()?)),
            Measure::Kendall => kendall(one.map(), other.map()),
            Measure::Cosine => Some(one.direction()?.cosine(other.direction()?)),
            Measure::Ssim => one.moments()?.similarity(other.moments()?),
            Measure::JensenShannon => Some(distribution::divergence(one.mass()?, other.mass()?)),
            Measure::TotalVariation => Some(distribution::variation(one.mass()?, other.mass()?)),
            Measure::Hellinger => Some(distribution::distance_of_roots(one.roots()?, other.roots()?)),
            Measure::EarthMovers => Some(transport::least_work(one.mass()?, other.mass()?, one.map().grid())),
            Measure::CentroidDisplacement => Some(distribution::displacement(one.centre()?, other.centre()?)),
            Measure::L1Change => Some(change::absolute(one.raw()?, other.raw()?)),
            Measure::L2Change => Some(change::euclidean(one.raw()?, other.raw()?)),
            Measure::EntropyChange
            | Measure::EffectiveAreaChange
            | Measure::GiniChange
            | Measure::TopMassChange
            | Measure::PositiveMassChange
            | Measure::NegativeMassChange => {
                let descriptor = self.change_of()?;
                Some((one.descriptor(descriptor)? - other.descriptor(descriptor)?).abs())
            }
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Measure {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Measure::ALL.into_iter().find(|measure| measure.name() == name);
        let known = || Measure::ALL.map(Measure::name).join(", ");
        found.ok_or_else(|| UnknownName { kind: "measure", name: name.to_string(), known: known() })
    }
}
