//! Ranks: of two values per image, in a panel that may hold an image several times; and the greatest of several values.

/// The index of the greatest value; the first of several, and 0 where there is none.
pub fn largest(values: &[f32]) -> usize {
    let better = |best: usize, (index, value): (usize, &f32)| if *value > values[best] { index } else { best };
    values.iter().enumerate().fold(0, better)
}

/// The rankings of a panel's images by two values each, of those images that both values are defined for.
pub struct PairedRanks {
    /// The indices of these images, ascending.
    images: Vec<usize>,
    /// By the values of one side and of the other.
    orders: [Order; 2],
}

/// Items from the smallest value to the largest.
struct Order {
    items: Vec<u32>,
    /// How many of them in a row are equal, run by run.
    ties: Vec<u32>,
}

impl PairedRanks {
    /// Ranks images by `left` and by `right`, one value per image each, in one order of images.
    pub fn of(left: &[Option<f64>], right: &[Option<f64>]) -> Self {
        let images: Vec<usize> =
            (0..left.len()).filter(|&image| left[image].is_some() && right[image].is_some()).collect();
        let order = |values: &[Option<f64>]| {
            let value = |place: usize| values[images[place]].unwrap_or_default();
            let value = |place: u32| value(place as usize);
            let mut items: Vec<u32> = (0..images.len() as u32).collect();
            items.sort_by(|&one, &other| value(one).total_cmp(&value(other)));
            let ties =
                items.chunk_by(|&one, &other| value(one) == value(other)).map(|ties| ties.len() as u32).collect();
            Order { items, ties }
        };
        PairedRanks { orders: [order(left), order(right)], images }
    }

    /// How many images both values are defined for.
    pub fn defined(&self) -> usize {
        self.images.len()
    }

    /// Spearman's correlation of the two values, in [-1, 1], in a panel that holds each image as often as `panel` says;
    /// equal values share their average rank. `None` where the values of either side are all equal.
    ///
    /// # Source
    ///
    /// Spearman 1904; ties as in `scipy.stats.spearmanr`.
    pub fn correlation(&self, panel: &[u16]) -> Option<f64> {
        let times: Vec<f64> = self.images.iter().map(|&image| f64::from(panel[image])).collect();
        let mean = (times.iter().sum::<f64>() + 1.0) / 2.0;
        let [left, right] = [&self.orders[0], &self.orders[1]].map(|order| ranks(order, &times, mean));
        let (mut both, mut squares) = (0.0, [0.0; 2]);
        for ((times, left), right) in times.iter().zip(&left).zip(&right) {
            both += times * left * right;
            squares[0] += times * left * left;
            squares[1] += times * right * right;
        }
        let scale = (squares[0] * squares[1]).sqrt();
        (scale > 0.0).then(|| (both / scale).clamp(-1.0, 1.0))
    }
}

/// Average ranks minus their mean, when every item counts as often as `times` says.
fn ranks(order: &Order, times: &[f64], mean: f64) -> Vec<f64> {
    let mut ranks = vec![0.0; times.len()];
    let (mut below, mut rest) = (0.0, order.items.as_slice());
    for &ties in &order.ties {
        let (tied, larger) = rest.split_at(ties as usize);
        let here: f64 = tied.iter().map(|&item| times[item as usize]).sum();
        tied.iter().for_each(|&item| ranks[item as usize] = below + (here + 1.0) / 2.0 - mean);
        (below, rest) = (below + here, larger);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_greatest_is_the_largest() {
        assert_eq!(largest(&[1.0, 3.0, 3.0, 2.0]), 1);
        assert_eq!(largest(&[]), 0);
    }

    /// A panel of images drawn several times is ranked like one that lists them several times.
    #[test]
    fn a_resampled_panel_is_ranked_anew() {
        let left = [3.0, 1.0, 2.0, 2.0, 5.0].map(Some);
        let right = [1.0, 2.0, 4.0, 3.0, 3.0].map(Some);
        let panel = [2, 0, 1, 1, 1];
        let listed: Vec<usize> = vec![0, 0, 2, 3, 4];
        let pick = |values: &[Option<f64>]| listed.iter().map(|&image| values[image]).collect::<Vec<_>>();
        let expected = PairedRanks::of(&pick(&left), &pick(&right)).correlation(&[1; 5]).unwrap();
        let found = PairedRanks::of(&left, &right).correlation(&panel).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}
