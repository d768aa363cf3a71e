//! What one map is like: how widely its evidence spreads, how unevenly, and how much of it there is.
//!
//! `p` is the normalised map, divided by its sum, and `n` the number of cells. With [`Normalise::UnitSum`] that is the
//! share of the positive evidence. Functions of `p` are `None` where the normalisation does not exist, and where it
//! leaves a negative value or nothing but zeros.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownName;
use super::heatmap::{Heatmap, MapStatus, Normalise};
use super::prepared::{Prepared, count_of, distribution};

/// A property of one map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Descriptor {
    /// [`entropy`] of the positive evidence.
    #[serde(rename = "entropy")]
    Entropy,
    /// [`effective_area`] of the positive evidence.
    #[serde(rename = "effective-area")]
    EffectiveArea,
    /// [`spread`] of the positive evidence.
    #[serde(rename = "spread")]
    Spread,
    /// [`gini`] of the positive evidence.
    #[serde(rename = "gini")]
    Gini,
    /// [`top_mass`] of the positive evidence in the top fifth of the cells.
    #[serde(rename = "top20-mass")]
    TopMass20,
    /// [`positive_mass`].
    #[serde(rename = "positive-mass")]
    PositiveMass,
    /// [`negative_mass`].
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

    /// What a value counts.
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

    /// The smallest and the largest value possible; infinite where there is none.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Descriptor::EffectiveArea | Descriptor::Gini | Descriptor::TopMass20 => (0.0, 1.0),
            Descriptor::Spread => (0.0, std::f64::consts::FRAC_1_SQRT_2),
            Descriptor::Entropy | Descriptor::PositiveMass | Descriptor::NegativeMass => (0.0, f64::INFINITY),
        }
    }

    /// The property of a map, in [`Descriptor::range`]; `None` where it is not defined.
    pub fn of(self, map: &Prepared) -> Option<f64> {
        let cells = map.map().values().len();
        let shares = || map.mass();
        match self {
            Descriptor::Entropy => Some(entropy_of(shares()?)),
            Descriptor::EffectiveArea => Some(entropy_of(shares()?).exp() / cells as f64),
            Descriptor::Spread => Some(spread_of(shares()?, map.map().grid())),
            Descriptor::Gini => Some(gini_of(map.descending_mass()?)),
            Descriptor::TopMass20 => Some(top_mass_of(map.descending_mass()?, 0.2)),
            Descriptor::PositiveMass => positive_mass(map.map()),
            Descriptor::NegativeMass => negative_mass(map.map()),
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

/// Shannon entropy, `-sum p ln p`, in nats, in [0, ln n]: 0 for one cell, `ln n` for the uniform map.
///
/// # Source
///
/// Shannon 1948; `scipy.stats.entropy`; Quantus' `Complexity` of a map without negatives.
pub fn entropy(map: &Heatmap, normalise: Normalise) -> Option<f64> {
    Some(entropy_of(&distribution(map, normalise)?))
}

fn entropy_of(shares: &[f64]) -> f64 {
    // Adding 0 makes the 0 of a single cell a positive one.
    -shares.iter().filter(|&&share| share > 0.0).map(|share| share * share.ln()).sum::<f64>() + 0.0
}

/// How many cells would be as uncertain if they shared the evidence equally, as a share of the grid: `exp(entropy) /
/// n`, in [1 / n, 1]. Maps of different grids compare by it.
///
/// # Source
///
/// The perplexity of the distribution, over `n`.
pub fn effective_area(map: &Heatmap, normalise: Normalise) -> Option<f64> {
    Some(entropy(map, normalise)?.exp() / map.values().len() as f64)
}

/// Gini coefficient of the cells, `sum (2 i - n - 1) p_i / n` over ascending `p_i`, in [0, 1 - 1 / n]: 0 for the
/// uniform map, close to 1 for one cell.
///
/// # Source
///
/// Gini 1912; Quantus' `Sparseness` of a map without negatives, which adds 1e-7 to every value first.
pub fn gini(map: &Heatmap, normalise: Normalise) -> Option<f64> {
    Some(gini_of(&sorted(distribution(map, normalise)?)))
}

/// [`gini`] of shares in descending order.
fn gini_of(descending: &[f64]) -> f64 {
    let count = descending.len() as f64;
    let weighted = |(rank, share): (usize, &f64)| (count - 1.0 - 2.0 * rank as f64) * share;
    (descending.iter().enumerate().map(weighted).sum::<f64>() / count).max(0.0)
}

/// The share of the evidence in the `round(fraction * n)` cells (at least one) that have most of it, in [0, 1];
/// `fraction` is in (0, 1].
pub fn top_mass(map: &Heatmap, fraction: f64, normalise: Normalise) -> Option<f64> {
    (fraction > 0.0 && fraction <= 1.0).then_some(())?;
    Some(top_mass_of(&sorted(distribution(map, normalise)?), fraction))
}

fn top_mass_of(descending: &[f64], fraction: f64) -> f64 {
    descending[..count_of(descending.len(), fraction)].iter().sum::<f64>().min(1.0)
}

/// Shares in descending order.
pub(super) fn sorted(mut shares: Vec<f64>) -> Vec<f64> {
    shares.sort_by(|left, right| right.total_cmp(left));
    shares
}

/// Where the evidence lies on average, `[x, y]` in units of the grid's sides, from the top left corner, each in (0, 1).
///
/// # Source
///
/// `scipy.ndimage.center_of_mass`, whose cells have their centres at whole numbers.
pub fn centroid(map: &Heatmap, normalise: Normalise) -> Option<[f64; 2]> {
    Some(centre(&distribution(map, normalise)?, map.grid()))
}

/// [`centroid`] of a distribution.
pub(super) fn centre(shares: &[f64], grid: [usize; 2]) -> [f64; 2] {
    let places = places(grid).zip(shares);
    places.fold([0.0; 2], |sum, ([x, y], share)| [sum[0] + x * share, sum[1] + y * share])
}

/// Root mean square distance of the evidence from its centre, in units of the grid's sides, in [0, √½]: 0 for one cell,
/// about 0.41 for the uniform map. Small evidence is local, wherever it is.
pub fn spread(map: &Heatmap, normalise: Normalise) -> Option<f64> {
    Some(spread_of(&distribution(map, normalise)?, map.grid()))
}

fn spread_of(shares: &[f64], grid: [usize; 2]) -> f64 {
    let [centre_x, centre_y] = centre(shares, grid);
    let squared = |([x, y], share): ([f64; 2], &f64)| ((x - centre_x).powi(2) + (y - centre_y).powi(2)) * share;
    places(grid).zip(shares).map(squared).sum::<f64>().sqrt()
}

/// The centres of all cells, `[x, y]` in units of the grid's sides, row by row.
pub(super) fn places([rows, cols]: [usize; 2]) -> impl Iterator<Item = [f64; 2]> {
    let middle = |index: usize, count: usize| (index as f64 + 0.5) / count as f64;
    (0..rows).flat_map(move |row| (0..cols).map(move |col| [middle(col, cols), middle(row, rows)]))
}

/// Evidence for the class, `sum max(v, 0)` of the raw map, in [0, ∞), in the method's unit. `None` for a map that is
/// not finite; 0 for one without any.
pub fn positive_mass(map: &Heatmap) -> Option<f64> {
    sum_of(map, |value| value.max(0.0))
}

/// Evidence against the class, `sum max(-v, 0)` of the raw map, in [0, ∞), in the method's unit. `None` for a map that
/// is not finite; 0 for one without any.
pub fn negative_mass(map: &Heatmap) -> Option<f64> {
    sum_of(map, |value| (-value).max(0.0))
}

fn sum_of(map: &Heatmap, of: fn(f64) -> f64) -> Option<f64> {
    (map.status() != MapStatus::NonFinite).then(|| map.values().iter().map(|&value| of(f64::from(value))).sum())
}

#[cfg(test)]
mod tests {
    use super::super::testing::row;
    use super::*;

    const POSITIVE: Normalise = Normalise::UnitSum;

    /// p = (1/2, 1/4, 1/4, 0) after clipping: entropy ½ ln 2 + ½ ln 4 = 1.5 ln 2, effective area 2√2 / 4; ascending 0,
    /// ¼, ¼, ½ weighted by -3, -1, 1, 3: Gini 1.5 / 4; half of the mass in the top quarter of the cells.
    #[test]
    fn concentration_follows_its_formulas() {
        let map = row(&[2.0, 1.0, 1.0, -7.0]);
        let close = |found: Option<f64>, expected: f64| assert!((found.unwrap() - expected).abs() < 1e-15, "{found:?}");
        close(entropy(&map, POSITIVE), 1.5 * 2f64.ln());
        close(effective_area(&map, POSITIVE), 0.5f64.sqrt());
        close(gini(&map, POSITIVE), 0.375);
        close(top_mass(&map, 0.25, POSITIVE), 0.5);
        close(top_mass(&map, 0.75, POSITIVE), 1.0);
        assert_eq!(top_mass(&map, 0.0, POSITIVE), None);
    }

    #[test]
    fn one_cell_and_the_uniform_map_are_the_extremes() {
        let (one, uniform) = (row(&[0.0, 5.0, 0.0, 0.0]), row(&[3.0; 4]));
        assert_eq!((entropy(&one, POSITIVE), effective_area(&one, POSITIVE)), (Some(0.0), Some(0.25)));
        assert_eq!((gini(&one, POSITIVE), spread(&one, POSITIVE)), (Some(0.75), Some(0.0)));
        assert!((effective_area(&uniform, POSITIVE).unwrap() - 1.0).abs() < 1e-15);
        assert_eq!(gini(&uniform, POSITIVE), Some(0.0));
    }

    /// Half of the evidence at x = 1/8 and half at 7/8 of a row: the centre is the middle, each 3/8 away from it.
    #[test]
    fn spread_is_the_distance_from_the_centre() {
        let map = row(&[1.0, 0.0, 0.0, 1.0]);
        assert_eq!(centroid(&map, POSITIVE), Some([0.5, 0.5]));
        assert_eq!(spread(&map, POSITIVE), Some(0.375));
    }

    #[test]
    fn evidence_for_and_against_is_counted_apart_and_raw() {
        let map = row(&[2.0, -0.5, 1.0, -0.25]);
        assert_eq!((positive_mass(&map), negative_mass(&map)), (Some(3.0), Some(0.75)));
        assert_eq!((positive_mass(&row(&[0.0; 2])), negative_mass(&row(&[f32::NAN; 2]))), (Some(0.0), None));
    }

    #[test]
    fn descriptors_are_their_functions_on_the_positive_evidence() {
        let map = row(&[2.0, 1.0, 1.5, -7.0, 0.1, 3.0]);
        let prepared = Prepared::new(map.clone());
        for descriptor in Descriptor::ALL {
            let expected = match descriptor {
                Descriptor::Entropy => entropy(&map, POSITIVE),
                Descriptor::EffectiveArea => effective_area(&map, POSITIVE),
                Descriptor::Spread => spread(&map, POSITIVE),
                Descriptor::Gini => gini(&map, POSITIVE),
                Descriptor::TopMass20 => top_mass(&map, 0.2, POSITIVE),
                Descriptor::PositiveMass => positive_mass(&map),
                Descriptor::NegativeMass => negative_mass(&map),
            };
            let found = descriptor.of(&prepared).unwrap();
            assert!((found - expected.unwrap()).abs() < 1e-15, "{descriptor}");
            let (low, high) = descriptor.range();
            assert!((low..=high).contains(&found), "{descriptor} {found}");
            assert_eq!(serde_json::to_value(descriptor).unwrap(), descriptor.name());
            assert_eq!(descriptor.name().parse(), Ok(descriptor));
        }
    }
}
