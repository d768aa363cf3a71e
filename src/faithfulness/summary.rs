//! One number an image, summed up over a panel.

use serde::{Deserialize, Serialize};

use crate::stats::{Resamples, quantile};

/// What is known of a number over a panel, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Of the defined values.
    pub mean: Option<f64>,
    /// Of the defined values; of an even number the mean of the middle two.
    pub median: Option<f64>,
    /// 95 % bootstrap interval of the mean, low and high: how far it would move with other images, not how far images
    /// differ. None where fewer than two values are defined.
    pub interval: Option<[f64; 2]>,
    /// Images with a value.
    pub defined: usize,
    /// Images without.
    pub undefined: usize,
}

impl Summary {
    /// Sums up one value an image of the panel that `resamples` were drawn from. A value that is not finite counts as
    /// undefined.
    pub fn of(values: &[Option<f64>], resamples: &Resamples) -> Self {
        let values: Vec<Option<f64>> = values.iter().map(|value| value.filter(|value| value.is_finite())).collect();
        let mut defined: Vec<f64> = values.iter().flatten().copied().collect();
        let undefined = values.len() - defined.len();
        let mean = (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64);
        let (median, interval) = (quantile(&mut defined, 0.5), resamples.interval(&values));
        Summary { mean, median, interval, defined: defined.len(), undefined }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::RESAMPLES;

    fn of(values: &[Option<f64>]) -> Summary {
        Summary::of(values, &Resamples::new(RESAMPLES, values.len()))
    }

    #[test]
    fn mean_and_median_are_of_the_defined_values() {
        let found = of(&[Some(4.0), None, Some(1.0), Some(f64::NAN), Some(3.0), Some(0.0)]);
        assert_eq!((found.mean, found.median), (Some(2.0), Some(2.0)));
        assert_eq!((found.defined, found.undefined), (4, 2));
        let none = of(&[None]);
        assert_eq!((none.mean, none.median, none.interval, none.undefined), (None, None, None, 1));
    }

    /// A resampled mean of 0 and 1 is 0, 1/2 or 1, with chances 1/4, 1/2, 1/4: the middle 95 % reach from 0 to 1. A value
    /// that is not finite is drawn into panels and counts in none.
    #[test]
    fn an_interval_is_that_of_the_panels_resamples() {
        assert_eq!(of(&[Some(0.0), Some(1.0)]).interval, Some([0.0, 1.0]));
        assert_eq!(of(&[Some(3.0); 9]).interval, Some([3.0, 3.0]));
        assert_eq!(of(&[Some(2.0), Some(f64::INFINITY)]).interval, None);
        let values = [Some(1.0), Some(f64::NAN), Some(5.0), Some(2.0), None];
        let expected = Resamples::new(RESAMPLES, 5).interval(&[Some(1.0), None, Some(5.0), Some(2.0), None]);
        assert_eq!(of(&values).interval, expected);
    }
}
