//! One number a sample, summed up over a panel.

use std::num::NonZeroUsize;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::seed::{Purpose, generator};
use crate::stats::quantile;

/// How an interval is found by resampling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How many panels of the same size are drawn from the panel, with replacement. 2000.
    pub resamples: NonZeroUsize,
    /// How often the interval should hold the true mean, in (0, 1). 0.95.
    pub level: f64,
    /// Base seed of the draws. Panels of one size are resampled alike.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Bootstrap { resamples: NonZeroUsize::MIN.saturating_add(1999), level: 0.95, seed: 0 }
    }
}

/// What is known of a measure over a panel, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Of the defined values.
    pub mean: Option<f64>,
    /// Of the defined values; of an even number the mean of the middle two.
    pub median: Option<f64>,
    /// Bootstrap interval of the mean, low and high: how far it would move with other images, not how far images differ.
    /// Takes two defined values.
    pub interval: Option<[f64; 2]>,
    /// Samples with a value.
    pub defined: usize,
    /// Samples without.
    pub undefined: usize,
}

impl Summary {
    /// Sums up one value a sample. A value that is not finite counts as undefined.
    ///
    /// # Source
    ///
    /// Efron 1979; the percentile interval, with percentiles as numpy's.
    pub fn of(values: &[Option<f64>], bootstrap: &Bootstrap) -> Self {
        let mut defined: Vec<f64> = values.iter().flatten().copied().filter(|value| value.is_finite()).collect();
        let interval = interval(&defined, bootstrap);
        let mean = mean(&defined);
        let undefined = values.len() - defined.len();
        Summary { mean, median: quantile(&mut defined, 0.5), interval, defined: defined.len(), undefined }
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Where the middle share of the resampled means lies.
fn interval(values: &[f64], bootstrap: &Bootstrap) -> Option<[f64; 2]> {
    if values.len() < 2 {
        return None;
    }
    let mut generator = generator(bootstrap.seed, Purpose::Bootstrap, &[]);
    let mut resampled = || {
        let draws = (0..values.len()).map(|_| values[generator.random_range(0..values.len())]);
        draws.sum::<f64>() / values.len() as f64
    };
    let mut means: Vec<f64> = (0..bootstrap.resamples.get()).map(|_| resampled()).collect();
    let outside = (1.0 - bootstrap.level) / 2.0;
    Some([quantile(&mut means, outside)?, quantile(&mut means, 1.0 - outside)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_median_are_of_the_defined_values() {
        let values = [Some(4.0), None, Some(1.0), Some(f64::NAN), Some(3.0), Some(0.0)];
        let found = Summary::of(&values, &Bootstrap::default());
        assert_eq!((found.mean, found.median), (Some(2.0), Some(2.0)));
        assert_eq!((found.defined, found.undefined), (4, 2));
        let none = Summary::of(&[None], &Bootstrap::default());
        assert_eq!((none.mean, none.median, none.interval, none.undefined), (None, None, None, 1));
        assert_eq!(Summary::of(&[Some(2.0)], &Bootstrap::default()).interval, None);
    }

    /// A resampled mean of 0 and 1 is 0, 1/2 or 1, with chances 1/4, 1/2, 1/4: the middle 95 % reach from 0 to 1, the
    /// middle 40 % are all 1/2.
    #[test]
    fn an_interval_holds_the_middle_of_the_resampled_means() {
        let of = |level| Summary::of(&[Some(0.0), Some(1.0)], &Bootstrap { level, ..Bootstrap::default() });
        assert_eq!(of(0.95).interval, Some([0.0, 1.0]));
        assert_eq!(of(0.4).interval, Some([0.5, 0.5]));
        assert_eq!(of(f64::NAN).interval, None);
        assert_eq!(Summary::of(&[Some(3.0); 9], &Bootstrap::default()).interval, Some([3.0, 3.0]));
    }

    /// 400 values in turn 0 and 1: the mean's standard error is 0.5 / 20 = 0.025, so about 0.5 ± 1.96 * 0.025.
    #[test]
    fn an_interval_is_as_wide_as_the_standard_error_says_and_repeatable() {
        let values: Vec<Option<f64>> = (0..400).map(|index| Some(f64::from(index % 2))).collect();
        let found = Summary::of(&values, &Bootstrap::default());
        let [low, high] = found.interval.unwrap();
        assert!((low - 0.451).abs() < 0.006 && (high - 0.549).abs() < 0.006, "{low} {high}");
        assert_eq!(Summary::of(&values, &Bootstrap::default()), found);
        assert_ne!(Summary::of(&values, &Bootstrap { seed: 1, ..Bootstrap::default() }).interval, found.interval);
    }
}
