//! The measures between two maps, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::correlation::kendall;
use super::descriptor::Descriptor;
use super::heatmap::{Heatmap, MapStatus};
use super::name::{Range, UnknownName};
use super::prepared::Prepared;
use super::{change, distribution, overlap, transport};

/// A way to compare two maps.
///
/// `a` and `b` are the raw signed values of the two maps; `p` and `q` are the shares of the positive evidence in their
/// cells, which sum to 1, so that neither its strength nor evidence against the class enters. Every measure is undefined
/// for maps of different grids and for one that is not finite; those of `p` and `q` also for a map without a positive cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// Overlap of the strongest cells, `|A ∩ B| / |A ∪ B|`, in [0, 1], 1 for the same cells. `A` and `B` are the tenth of the
    /// cells (rounded, at least one) with the largest raw signed values; of equal values the cell with the smaller index is
    /// taken first. So a map with fewer non-zero cells than that fills up with its first zeros, and two such maps share some
    /// by construction: read the value against its chance. Two independent random maps give about `k / (2 - k)` for a share
    /// `k`. Undefined for a constant map.
    ///
    /// Source: Jaccard 1901, on top-k sets.
    #[serde(rename = "top10-iou")]
    TopIou10,
    /// [`Measure::TopIou10`] of the top 15 % of the cells.
    #[serde(rename = "top15-iou")]
    TopIou15,
    /// [`Measure::TopIou10`] of the top fifth of the cells.
    #[serde(rename = "top20-iou")]
    TopIou20,
    /// [`Measure::TopIou10`] of the top 30 % of the cells.
    #[serde(rename = "top30-iou")]
    TopIou30,
    /// Soft intersection over union, `sum min(p, q) / sum max(p, q)`, in [0, 1], 1 for the same distribution and 0 for
    /// disjoint ones.
    ///
    /// Source: Ruzicka 1958; `(1 - b) / (1 + b)` with `b` of `scipy.spatial.distance.braycurtis`.
    #[serde(rename = "soft-iou")]
    SoftIou,
    /// Pearson's correlation of the raw values over all cells, `cov(a, b) / (sd(a) sd(b))`, in [-1, 1], 1 for maps that differ
    /// by a positive factor and an offset. Undefined for a constant map.
    ///
    /// Source: Pearson 1895; `scipy.stats.pearsonr`.
    #[serde(rename = "pearson")]
    Pearson,
    /// Spearman's rank correlation over all cells: Pearson's of the average ranks, in [-1, 1], 1 for the same order of cells,
    /// -1 for the reverse. Undefined for a constant map.
    ///
    /// Source: Spearman 1904; ties as in `scipy.stats.spearmanr`.
    #[serde(rename = "spearman")]
    Spearman,
    /// Kendall's rank correlation, tau-b, in [-1, 1]: pairs of cells in the same order minus those in the opposite one,
    /// divided by the geometric mean of the pairs that each map orders at all. Undefined for a constant map.
    ///
    /// Source: Kendall 1945; `scipy.stats.kendalltau`.
    #[serde(rename = "kendall")]
    Kendall,
    /// Cosine of the angle between the raw values of two maps, `a · b / (|a| |b|)`, in [-1, 1], 1 for maps that differ by a
    /// positive factor. Undefined for a map that is zero everywhere.
    ///
    /// Source: `1 - scipy.spatial.distance.cosine`.
    #[serde(rename = "cosine")]
    Cosine,
    /// Mean structural similarity of the maps stretched to [0, 1], in [-1, 1], 1 for equal ones: over all windows within the
    /// maps `(2 μx μy + c1)(2 σxy + c2) / ((μx² + μy² + c1)(σx² + σy² + c2))` with sample (co)variances, `c1 = (0.01 R)²`,
    /// `c2 = (0.03 R)²` and `R` the range of both stretched maps together, 1. The window is square, its edge the largest odd
    /// number up to half the shorter side of the grid, at least 3 and at most 7. Undefined for a constant map and on a grid
    /// with a side shorter than 3.
    ///
    /// Source: Wang et al. 2004; `skimage.metrics.structural_similarity(im1, im2, win_size=window, data_range=R)`.
    #[serde(rename = "ssim")]
    Ssim,
    /// Jensen-Shannon divergence, `(KL(p || m) + KL(q || m)) / 2` with `m = (p + q) / 2` and logarithms to base 2, in [0, 1],
    /// 0 for the same distribution, 1 for disjoint ones.
    ///
    /// Source: Lin 1991, "Divergence measures based on the Shannon entropy"; the square of
    /// `scipy.spatial.distance.jensenshannon(p, q, base=2)`.
    #[serde(rename = "js-divergence")]
    JensenShannon,
    /// Total variation, `sum |p - q| / 2`, in [0, 1]: the share of the evidence that would have to move.
    ///
    /// Source: half of `scipy.spatial.distance.cityblock(p, q)`.
    #[serde(rename = "total-variation")]
    TotalVariation,
    /// Hellinger distance, `sqrt(sum (sqrt p - sqrt q)² / 2)`, in [0, 1], 1 for disjoint distributions.
    ///
    /// Source: Hellinger 1909; `scipy.spatial.distance.euclidean` of the roots, over the root of 2.
    #[serde(rename = "hellinger")]
    Hellinger,
    /// Earth mover's distance, in units of the grid's sides, in [0, √2): the least `sum flow * distance` that moves `p` into
    /// `q`, with the Euclidean distance of the cells' centres as ground distance, so that grids of different sizes compare.
    /// Exact; takes about ten milliseconds on 14 x 14 cells, a thousand times as long as other measures.
    ///
    /// Source: Rubner, Tomasi & Guibas 2000; `ot.emd2` of POT.
    #[serde(rename = "earth-movers-distance")]
    EarthMovers,
    /// Distance between the centres of the evidence, in units of the grid's sides, in [0, √2): the Euclidean distance of the means
    /// of `((col + 1/2) / cols, (row + 1/2) / rows)` under `p` and `q`. A map that spreads evenly has its centre in the
    /// middle, whatever it shows: read it beside other measures.
    ///
    /// Source: `scipy.ndimage.center_of_mass`, in units of the grid's sides.
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
    /// Sum of the absolute changes of the raw values, `sum |a - b|`, in [0, ∞), in the method's unit.
    ///
    /// Source: `scipy.spatial.distance.cityblock`.
    #[serde(rename = "l1-change")]
    L1Change,
    /// Root of the summed squared changes of the raw values, `sqrt(sum (a - b)²)`, in [0, ∞), in the method's unit.
    ///
    /// Source: `scipy.spatial.distance.euclidean`.
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

    /// The measure of every answer: how far the evidence moved, and when it settled. It has no ties on a small grid (the
    /// overlap of the top fifth takes 30 values on 12 x 12 cells), works on signed maps, needs no positive evidence, and is
    /// bounded, so that "not measurable" means the same everywhere.
    pub const DEFAULT: Measure = Measure::Spearman;

    /// The three measures that training reports at every epoch: where the strongest evidence is, the order of all cells, and
    /// the whole distribution.
    pub const LIVE: [Measure; 3] = [Measure::TopIou20, Measure::Spearman, Measure::JensenShannon];

    /// Every measure that is fast enough to be computed by default: all but [`Measure::Kendall`] and
    /// [`Measure::EarthMovers`].
    pub fn fast() -> Vec<Measure> {
        Measure::ALL.into_iter().filter(|measure| !matches!(measure, Measure::Kendall | Measure::EarthMovers)).collect()
    }

    /// The name in files.
    pub const fn name(self) -> &'static str {
        self.words().name
    }

    /// The name for people.
    pub const fn label(self) -> &'static str {
        self.words().label
    }

    const fn words(self) -> Words {
        let (name, label) = match self {
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
        };
        Words { name, label }
    }

    /// The unit of a value; empty for a plain number.
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

    /// The smallest and the largest value possible on any grid.
    pub const fn range(self) -> Range {
        match self {
            Measure::Pearson | Measure::Spearman | Measure::Kendall | Measure::Cosine | Measure::Ssim => {
                Range { low: -1.0, high: 1.0 }
            }
            Measure::EarthMovers | Measure::CentroidDisplacement => Range::to(std::f64::consts::SQRT_2),
            Measure::L1Change | Measure::L2Change => Range::to(f64::INFINITY),
            _ => match self.change_of() {
                Some(descriptor) => descriptor.range(),
                None => Range::UNIT,
            },
        }
    }

    /// How far apart a value says two maps are, whatever kind of measure it is of: `1 - value` for a similarity, the
    /// value itself for the rest. 0 for equal maps.
    pub const fn distance(self, value: f64) -> f64 {
        if self.higher_is_more_similar() { 1.0 - value } else { value }
    }

    /// The largest distance possible on any grid; infinite where there is no bound.
    pub const fn largest_distance(self) -> f64 {
        let range = self.range();
        if self.higher_is_more_similar() { 1.0 - range.low } else { range.high }
    }

    /// The descriptor whose absolute change this measure is; `None` for the others.
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
        let top = |index| Some(overlap::iou(one.top(index)?, other.top(index)?));
        match self {
            Measure::TopIou10 => top(0),
            Measure::TopIou15 => top(1),
            Measure::TopIou20 => top(2),
            Measure::TopIou30 => top(3),
            Measure::SoftIou => Some(overlap::soft_iou(one.mass()?, other.mass()?)),
            Measure::Pearson => Some(one.centred()?.cosine(other.centred()?)),
            Measure::Spearman => Some(one.ranks()?.cosine(other.ranks()?)),
            Measure::Kendall => both_alive(one, other).then(|| kendall(one.map().values(), other.map().values())),
            Measure::Cosine => Some(one.direction()?.cosine(other.direction()?)),
            Measure::Ssim => one.moments()?.similarity(other.moments()?),
            Measure::JensenShannon => Some(distribution::jensen_shannon(one.mass()?, other.mass()?)),
            Measure::TotalVariation => Some(distribution::total_variation(one.mass()?, other.mass()?)),
            Measure::Hellinger => Some(distribution::hellinger(one.roots()?, other.roots()?)),
            Measure::EarthMovers => {
                Some(transport::earth_movers_distance(one.mass()?, other.mass()?, one.map().grid()))
            }
            Measure::CentroidDisplacement => Some(distribution::displacement(one.centre()?, other.centre()?)),
            Measure::L1Change => Some(change::l1(one.raw()?, other.raw()?)),
            Measure::L2Change => Some(change::l2(one.raw()?, other.raw()?)),
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

/// The name in files and the one for people.
struct Words {
    name: &'static str,
    label: &'static str,
}

/// Whether both maps rank their cells.
fn both_alive(one: &Prepared, other: &Prepared) -> bool {
    one.status() == MapStatus::Alive && other.status() == MapStatus::Alive
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
