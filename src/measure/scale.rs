//! The scales that a map is brought to before it is measured, and the order of its cells.

use super::heatmap::{Heatmap, MapStatus};

/// How to bring a raw map to a common scale. See [`Heatmap::normalised`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Normalise {
    /// The raw values, as the method gives them.
    None,
    /// `(v - min) / (max - min)`, in [0, 1]. Hides how strong the evidence is.
    MinMax,
    /// `max(v, 0) / sum(max(v, 0))`: a probability over cells, positive evidence only.
    UnitSum,
    /// `(rank - 1) / (n - 1)` in [0, 1], ascending, ties sharing their average rank.
    Rank,
}

impl Heatmap {
    /// The map on a common scale, computed in f64 and rounded to f32. `None` where that scale does not exist: for any
    /// non-finite map; for [`Normalise::MinMax`] and [`Normalise::Rank`] when all cells are equal; for
    /// [`Normalise::UnitSum`] when no cell is positive.
    pub fn normalised(&self, normalise: Normalise) -> Option<Heatmap> {
        let values = scaled(self, normalise)?.into_iter().map(|value| value as f32).collect();
        Heatmap::new(self.rows(), self.cols(), values).ok()
    }
}

/// The map on a common scale, in f64, where no difference of two f32 overflows; `None` where [`Heatmap::normalised`] is.
pub(super) fn scaled(map: &Heatmap, normalise: Normalise) -> Option<Vec<f64>> {
    let values = || map.values().iter().map(|&value| f64::from(value));
    match normalise {
        Normalise::None => (map.status() != MapStatus::NonFinite).then(|| values().collect()),
        Normalise::MinMax => {
            (map.status() == MapStatus::Alive).then_some(())?;
            let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
            Some(values().map(|value| (value - low) / (high - low)).collect())
        }
        Normalise::UnitSum => distribution(map),
        Normalise::Rank => {
            let last = (map.values().len() - 1) as f64;
            Some(ranks(map, &descending(map)?).into_iter().map(|rank| (rank - 1.0) / last).collect())
        }
    }
}

/// The positive evidence as a probability over cells: negatives clipped to 0, then divided by the sum. `None` for a
/// non-finite map and for one without a positive cell.
pub(super) fn distribution(map: &Heatmap) -> Option<Vec<f64>> {
    if map.status() == MapStatus::NonFinite {
        return None;
    }
    let positive = || map.values().iter().map(|&value| f64::from(value).max(0.0));
    let sum: f64 = positive().sum();
    (sum > 0.0).then(|| positive().map(|value| value / sum).collect())
}

/// The cells from the largest value to the smallest, of equal values the smaller index first; `None` unless the map is
/// [`MapStatus::Alive`].
pub(super) fn descending(map: &Heatmap) -> Option<Vec<u32>> {
    (map.status() == MapStatus::Alive).then_some(())?;
    // One whole number per cell sorts much faster than a comparison of two looked-up values, and is the same order.
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

/// The rank of every cell, from 1 for the smallest value to `n`; equal values share the average of their ranks.
/// `descending` is the map's order of cells.
///
/// # Source
///
/// `scipy.stats.rankdata(method="average")`.
pub(super) fn ranks(map: &Heatmap, descending: &[u32]) -> Vec<f64> {
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

/// The first `count` cells of an order, a bit per cell.
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

    const ALL: [Normalise; 4] = [Normalise::None, Normalise::MinMax, Normalise::UnitSum, Normalise::Rank];

    fn normalised(values: &[f32], normalise: Normalise) -> Option<Vec<f32>> {
        row(values).normalised(normalise).map(|map| map.values().to_vec())
    }

    fn ranked(map: &Heatmap) -> Vec<f64> {
        ranks(map, &descending(map).unwrap())
    }

    /// [-1, 1, 3]: the range is 4, so 0, 1/2, 1; the positive sum is 4, so 0, 1/4, 3/4.
    #[test]
    fn normalisations_follow_their_formulas() {
        let values = [-1.0, 1.0, 3.0];
        assert_eq!(normalised(&values, Normalise::None), Some(values.to_vec()));
        assert_eq!(normalised(&values, Normalise::MinMax), Some(vec![0.0, 0.5, 1.0]));
        assert_eq!(normalised(&values, Normalise::UnitSum), Some(vec![0.0, 0.25, 0.75]));
    }

    /// Sorted: -1, then 5 three times, then 9. Ranks 1, (2+3+4)/3 = 3, and 5; as fractions 0, (3-1)/4 = 1/2, 1.
    #[test]
    fn ties_share_their_average_rank() {
        let values = [5.0, 9.0, 5.0, -1.0, 5.0];
        assert_eq!(ranked(&row(&values)), [3.0, 5.0, 3.0, 1.0, 3.0]);
        assert_eq!(normalised(&values, Normalise::Rank), Some(vec![0.5, 1.0, 0.5, 0.0, 0.5]));
        assert_eq!(ranked(&row(&[0.0, 1.0, -0.0])), [1.5, 3.0, 1.5]);
    }

    /// A cell's average rank is the number of smaller values, and the middle of the equal ones. Ties, negatives and both
    /// zeros included.
    #[test]
    fn order_and_ranks_are_those_found_by_counting() {
        for map in [random(14, 14, 3), row(&[0.0, -0.0, 2.0, -1.0, 2.0, f32::MIN, -1.0, f32::MIN_POSITIVE])] {
            let order: Vec<usize> = descending(&map).unwrap().iter().map(|&cell| cell as usize).collect();
            assert_eq!(order, map.cells_by(|left, right| right.total_cmp(&left)));
            let count = |of: &dyn Fn(f32) -> bool| map.values().iter().filter(|&&value| of(value)).count() as f64;
            let by_counting =
                |&value: &f32| count(&|other| other < value) + (count(&|other| other == value) + 1.0) / 2.0;
            assert_eq!(ranked(&map), map.values().iter().map(by_counting).collect::<Vec<_>>());
        }
        assert!(descending(&row(&[1.0, 1.0])).is_none());
    }

    #[test]
    fn a_scale_that_does_not_exist_is_none() {
        for normalise in ALL {
            assert_eq!(normalised(&[f32::NAN, 1.0], normalise), None);
        }
        assert_eq!(normalised(&[2.0, 2.0], Normalise::MinMax), None);
        assert_eq!(normalised(&[2.0, 2.0], Normalise::Rank), None);
        assert_eq!(normalised(&[2.0, 2.0], Normalise::UnitSum), Some(vec![0.5, 0.5]));
        assert_eq!(normalised(&[-2.0, 0.0], Normalise::UnitSum), None);
        assert_eq!(normalised(&[f32::MIN, f32::MAX], Normalise::MinMax), Some(vec![0.0, 1.0]));
    }
}
