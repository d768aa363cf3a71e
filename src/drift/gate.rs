//! A limit on drift, for scripts: `MEASURE=VALUE`.

use std::str::FromStr;

use super::paths::distance;
use crate::measure::{Measure, UnknownName};
use crate::store::{ALL_IMAGES, DriftEstimate};

/// A limit that drift must not exceed.
///
/// What is compared is the drift distance ([`Measure::distance`]): `1 - value` for a similarity, the value itself for
/// the rest. So `spearman=0.3` fails below a correlation of 0.7, and `js-divergence=0.3` above a divergence of 0.3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FailAbove {
    /// The measure that is limited.
    pub measure: Measure,
    /// The largest distance that passes.
    pub limit: f64,
}

/// Why a limit was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// There is no `=`.
    #[error("'{0}' is no limit; expected MEASURE=VALUE, as in js-divergence=0.3")]
    NoValue(String),
    /// There is no such measure.
    #[error(transparent)]
    Measure(#[from] UnknownName),
    /// What follows the `=` is no distance.
    #[error("'{0}' is no limit of a distance; expected a number from 0")]
    NotANumber(String),
}

impl FromStr for FailAbove {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let (measure, limit) = text.split_once('=').ok_or_else(|| LimitError::NoValue(text.to_string()))?;
        let measure = measure.trim().parse()?;
        let number = limit.trim().parse().ok().filter(|limit: &f64| limit.is_finite() && *limit >= 0.0);
        let limit = number.ok_or_else(|| LimitError::NotANumber(limit.to_string()))?;
        Ok(FailAbove { measure, limit })
    }
}

/// What a limit says of some estimates.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<'a> {
    /// None is above it.
    Within,
    /// These are above it, in their own order.
    Above(Vec<&'a DriftEstimate>),
    /// No estimate of all images in this measure has a value, so there is nothing to pass.
    NothingToJudge,
}

impl FailAbove {
    /// The verdict on the estimates of all images in this measure, against whichever epochs they are. Estimates of groups
    /// do not count, nor do undefined ones, as long as any is defined.
    pub fn judge<'a>(&self, estimates: &'a [DriftEstimate]) -> Verdict<'a> {
        let ours = estimates.iter().filter(|one| one.group == ALL_IMAGES && one.measure == self.measure.name());
        let judged: Vec<_> = ours.filter_map(|one| distance(one, one.value).map(|distance| (one, distance))).collect();
        if judged.is_empty() {
            return Verdict::NothingToJudge;
        }
        let above: Vec<_> =
            judged.into_iter().filter(|&(_, distance)| distance > self.limit).map(|(estimate, _)| estimate).collect();
        if above.is_empty() { Verdict::Within } else { Verdict::Above(above) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::estimate;
    use super::*;
    use crate::store::Against;

    fn limit(text: &str) -> FailAbove {
        text.parse().unwrap()
    }

    #[test]
    fn a_limit_is_on_the_distance() {
        let estimates = [
            estimate("spearman", Against::Previous, 1, Some(0.75)),
            estimate("spearman", Against::Previous, 2, Some(0.25)),
            estimate("js-divergence", Against::First, 2, Some(0.5)),
        ];
        assert_eq!(limit("spearman=0.5").judge(&estimates), Verdict::Above(vec![&estimates[1]]));
        assert_eq!(limit("spearman=0.75").judge(&estimates), Verdict::Within);
        assert_eq!(limit("js-divergence = 0.4").judge(&estimates), Verdict::Above(vec![&estimates[2]]));
        assert_eq!(limit("js-divergence=0.5").judge(&estimates), Verdict::Within);
    }

    #[test]
    fn what_is_not_defined_does_not_pass() {
        let undefined = estimate("spearman", Against::Previous, 1, None);
        let group =
            DriftEstimate { group: "stays-right".into(), ..estimate("spearman", Against::Previous, 1, Some(0.0)) };
        assert_eq!(limit("spearman=0.5").judge(&[undefined.clone(), group]), Verdict::NothingToJudge);
        let estimates = [undefined, estimate("spearman", Against::Previous, 2, Some(1.0))];
        assert_eq!(limit("spearman=0.5").judge(&estimates), Verdict::Within);
        assert_eq!(limit("ssim=0.5").judge(&estimates), Verdict::NothingToJudge);
    }

    #[test]
    fn a_limit_that_is_not_understood_says_why() {
        let error = |text: &str| text.parse::<FailAbove>().unwrap_err().to_string();
        assert!(error("spearman").contains("expected MEASURE=VALUE"));
        assert!(error("iou=0.5").starts_with("no measure is called 'iou'"));
        for text in ["spearman=", "spearman=x", "spearman=-1", "spearman=nan"] {
            assert!(error(text).contains("expected a number from 0"), "{text}");
        }
    }
}
