//! A map prepared for many measures: what several of them need is worked out once, when the first of them asks.

use std::sync::OnceLock;

use super::correlation::centred_ranks;
use super::distribution::roots;
use super::heatmap::{Heatmap, MapStatus, Normalise};
use super::shape::{Descriptor, centre, sorted};
use super::structure::{Moments, fitting_window};
use crate::stats::Vector;

/// The shares of the cells whose overlap is measured: 10, 15, 20 and 30 %.
pub(super) const TOP_FRACTIONS: [f64; 4] = [0.1, 0.15, 0.2, 0.3];

/// What is worked out at most once; `None` inside where it does not exist.
type Once<T> = OnceLock<Option<T>>;

/// A map and what has been worked out about it.
#[derive(Clone, Debug)]
pub struct Prepared {
    map: Heatmap,
    status: MapStatus,
    order: Once<Vec<u32>>,
    tops: [Once<Vec<u64>>; TOP_FRACTIONS.len()],
    ranks: Once<Vector>,
    raw: Once<Vec<f64>>,
    direction: Once<Vector>,
    centred: Once<Vector>,
    mass: Once<Vec<f64>>,
    descending_mass: Once<Vec<f64>>,
    roots: Once<Vec<f64>>,
    centre: Once<[f64; 2]>,
    moments: Once<Moments>,
    descriptors: [Once<f64>; Descriptor::ALL.len()],
}

impl Prepared {
    /// Nothing is worked out yet.
    pub fn new(map: Heatmap) -> Self {
        Prepared {
            status: map.status(),
            map,
            order: OnceLock::new(),
            tops: Default::default(),
            ranks: OnceLock::new(),
            raw: OnceLock::new(),
            direction: OnceLock::new(),
            centred: OnceLock::new(),
            mass: OnceLock::new(),
            descending_mass: OnceLock::new(),
            roots: OnceLock::new(),
            centre: OnceLock::new(),
            moments: OnceLock::new(),
            descriptors: Default::default(),
        }
    }

    /// The map itself.
    pub fn map(&self) -> &Heatmap {
        &self.map
    }

    /// What the map is worth.
    pub fn status(&self) -> MapStatus {
        self.status
    }

    /// A property of the map.
    pub fn descriptor(&self, descriptor: Descriptor) -> Option<f64> {
        *self.descriptors[descriptor as usize].get_or_init(|| descriptor.of(self))
    }

    /// The cells from the strongest to the weakest.
    fn order(&self) -> Option<&[u32]> {
        self.order.get_or_init(|| descending(&self.map)).as_deref()
    }

    /// The strongest cells, by index into [`TOP_FRACTIONS`].
    pub(super) fn top(&self, index: usize) -> Option<&[u64]> {
        let count = count_of(self.map.values().len(), TOP_FRACTIONS[index]);
        self.tops[index].get_or_init(|| Some(top_of(self.order()?, count))).as_deref()
    }

    /// Average ranks about their mean.
    pub(super) fn ranks(&self) -> Option<&Vector> {
        let ranks = || centred_ranks(ranks_of(&self.map, self.order()?));
        self.ranks.get_or_init(ranks).as_ref()
    }

    /// The raw values.
    pub(super) fn raw(&self) -> Option<&[f64]> {
        self.raw.get_or_init(|| scaled(&self.map, Normalise::None)).as_deref()
    }

    /// The raw values as a direction.
    pub(super) fn direction(&self) -> Option<&Vector> {
        self.direction.get_or_init(|| Vector::new(self.raw()?.to_vec())).as_ref()
    }

    /// The raw values about their mean.
    pub(super) fn centred(&self) -> Option<&Vector> {
        self.centred.get_or_init(|| Vector::centred(self.raw()?)).as_ref()
    }

    /// The positive evidence as a distribution.
    pub(super) fn mass(&self) -> Option<&[f64]> {
        self.mass.get_or_init(|| self.map.positive_mass()).as_deref()
    }

    /// The positive evidence, the largest share first.
    pub(super) fn descending_mass(&self) -> Option<&[f64]> {
        let shares =
            || {
                let mass = self.mass()?;
                // The order of the raw values, where there is one, is that of the shares.
                Some(self.order().map_or_else(
                    || sorted(mass.to_vec()),
                    |order| order.iter().map(|&cell| mass[cell as usize]).collect(),
                ))
            };
        self.descending_mass.get_or_init(shares).as_deref()
    }

    /// The roots of the shares.
    pub(super) fn roots(&self) -> Option<&[f64]> {
        self.roots.get_or_init(|| self.mass().map(roots)).as_deref()
    }

    /// The centre of the positive evidence.
    pub(super) fn centre(&self) -> Option<[f64; 2]> {
        *self.centre.get_or_init(|| Some(centre(self.mass()?, self.map.grid())))
    }

    /// The map stretched to [0, 1] and seen through the windows that fit it.
    pub(super) fn moments(&self) -> Option<&Moments> {
        let (map, grid) = (&self.map, self.map.grid());
        let moments = || Moments::new(scaled(map, Normalise::MinMax)?, grid, fitting_window(grid)?);
        self.moments.get_or_init(moments).as_ref()
    }
}

/// The map on a common scale, in f64; `None` where [`Heatmap::normalised`] is.
pub(super) fn scaled(map: &Heatmap, normalise: Normalise) -> Option<Vec<f64>> {
    let values = || map.values().iter().map(|&value| f64::from(value));
    match normalise {
        Normalise::None => (map.status() != MapStatus::NonFinite).then(|| values().collect()),
        Normalise::MinMax => {
            (map.status() == MapStatus::Alive).then_some(())?;
            let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
            Some(values().map(|value| (value - low) / (high - low)).collect())
        }
        Normalise::UnitSum => map.positive_mass(),
        Normalise::Rank => {
            let last = (map.values().len() - 1) as f64;
            Some(map.average_ranks()?.into_iter().map(|rank| (rank - 1.0) / last).collect())
        }
    }
}

/// The normalised map, divided by its sum; `None` where it has a negative value or nothing but zeros.
pub(super) fn distribution(map: &Heatmap, normalise: Normalise) -> Option<Vec<f64>> {
    let values = scaled(map, normalise)?;
    if normalise == Normalise::UnitSum {
        return Some(values);
    }
    let sum: f64 = values.iter().sum();
    let shares = sum > 0.0 && values.iter().all(|&value| value >= 0.0);
    shares.then(|| values.iter().map(|value| value / sum).collect())
}

/// The cells from the largest value to the smallest, of equal values the smaller index first; `None` for a map that
/// does not tell its cells apart.
pub(super) fn descending(map: &Heatmap) -> Option<Vec<u32>> {
    (map.status() == MapStatus::Alive).then_some(())?;
    // One whole number a cell sorts much faster than a comparison of two looked-up values, and is the same order.
    let key = |(cell, &value): (usize, &f32)| u64::from(!ascending_bits(value + 0.0)) << 32 | cell as u64;
    let mut keys: Vec<u64> = map.values().iter().enumerate().map(key).collect();
    keys.sort_unstable();
    Some(keys.into_iter().map(|key| key as u32).collect())
}

/// A number that is larger for a larger value: the total order of IEEE 754.
fn ascending_bits(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// [`Heatmap::average_ranks`] of a map whose cells are sorted already.
fn ranks_of(map: &Heatmap, descending: &[u32]) -> Vec<f64> {
    let value = |cell: u32| map.values()[cell as usize];
    let mut ranks = vec![0.0; descending.len()];
    let mut above = 0;
    for ties in descending.chunk_by(|&left, &right| value(left) == value(right)) {
        let shared = (descending.len() - above) as f64 - (ties.len() - 1) as f64 / 2.0;
        ties.iter().for_each(|&cell| ranks[cell as usize] = shared);
        above += ties.len();
    }
    ranks
}

/// How many cells a share of all is: rounded, at least one.
pub(super) fn count_of(cells: usize, fraction: f64) -> usize {
    ((fraction * cells as f64).round() as usize).max(1)
}

/// The first `count` cells of an order, a bit a cell.
pub(super) fn top_of(order: &[u32], count: usize) -> Vec<u64> {
    let mut top = vec![0; order.len().div_ceil(64)];
    for &cell in &order[..count] {
        top[cell as usize / 64] |= 1 << (cell % 64);
    }
    top
}

#[cfg(test)]
mod tests {
    use super::super::testing::{random, row};
    use super::*;

    /// Against the map's own, slower way, ties, negatives and both zeros included.
    #[test]
    fn order_and_ranks_are_those_of_the_map() {
        for map in [random(14, 14, 3), row(&[0.0, -0.0, 2.0, -1.0, 2.0, f32::MIN, -1.0, f32::MIN_POSITIVE])] {
            let prepared = Prepared::new(map.clone());
            let order: Vec<usize> = prepared.order().unwrap().iter().map(|&cell| cell as usize).collect();
            assert_eq!(order, map.cells_by(|left, right| right.total_cmp(&left)));
            assert_eq!(ranks_of(&map, prepared.order().unwrap()), map.average_ranks().unwrap());
        }
        assert!(Prepared::new(row(&[1.0, 1.0])).order().is_none());
    }

    /// The scales in single precision are the ones here, rounded.
    #[test]
    fn scales_are_those_of_the_map() {
        let map = random(7, 7, 4);
        for normalise in [Normalise::None, Normalise::MinMax, Normalise::UnitSum, Normalise::Rank] {
            let here: Vec<f32> = scaled(&map, normalise).unwrap().iter().map(|&value| value as f32).collect();
            assert_eq!(here, map.normalised(normalise).unwrap().values(), "{normalise:?}");
        }
    }
}
