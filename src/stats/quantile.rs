//! Quantiles of a sample.

/// The value `share` of the way from the smallest to the largest of `values`, which are reordered: between two values, the
/// straight line. `None` without values, and unless `share` is in [0, 1].
///
/// # Source
///
/// `numpy.quantile`, whose default is this one; type 7 of Hyndman & Fan 1996, "Sample Quantiles in Statistical Packages".
pub fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    if !(0.0..=1.0).contains(&share) {
        return None;
    }
    let place = last as f64 * share;
    let (_, &mut low, above) = values.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
    let high = above.iter().copied().reduce(f64::min).unwrap_or(low);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 0, 1, …, 100 the quantiles 0.025 and 0.975 lie at 2.5 and 97.5; of 0 and 10 the quarter lies at 2.5.
    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        let mut values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        for (share, expected) in [(0.0, 0.0), (0.025, 2.5), (0.5, 50.0), (0.975, 97.5), (1.0, 100.0)] {
            let found = quantile(&mut values, share).unwrap();
            assert!((found - expected).abs() < 1e-12, "{share} {found}");
        }
        assert_eq!(quantile(&mut [10.0, 0.0], 0.25), Some(2.5));
        assert_eq!(quantile(&mut [3.0], 0.7), Some(3.0));
    }

    #[test]
    fn nothing_and_a_share_beyond_the_whole_have_no_quantile() {
        assert_eq!(quantile(&mut [], 0.5), None);
        for share in [-0.1, 1.1, f64::NAN] {
            assert_eq!(quantile(&mut [1.0, 2.0], share), None, "{share}");
        }
    }
}
