//! Whether two explainers rank the images alike by their drift.

use rayon::prelude::*;

use super::records::{AgreementEstimate, ImageDrift};
use crate::measure::Measure;
use crate::stats::{PairedRanks, Resamples};
use crate::store::Against;

/// The agreement of every two explainers of one run, by epoch, in the given measures.
pub(super) fn agreements(drifts: &[ImageDrift], measures: &[Measure], resamples: &Resamples) -> Vec<AgreementEstimate> {
    let ours: Vec<&ImageDrift> =
        drifts.iter().filter(|drift| measures.iter().any(|measure| measure.name() == drift.measure)).collect();
    let same = |one: &ImageDrift, other: &ImageDrift| {
        let facts = |drift: &ImageDrift| (drift.epoch, drift.against, drift.measure.clone());
        facts(one) == facts(other) && (one.against != Against::Named || one.reference_epoch == other.reference_epoch)
    };
    let mut pairs = Vec::new();
    for (index, one) in ours.iter().enumerate() {
        // Sorted by epoch, so that later ones are of no interest.
        let rest = ours[index + 1..].iter().take_while(|other| other.epoch == one.epoch);
        pairs.extend(
            rest.filter(|other| other.explainer != one.explainer && same(one, other)).map(|other| (*one, *other)),
        );
    }
    let of_pair = |(one, other): (&ImageDrift, &ImageDrift)| {
        agreement([one, other], [name(one), name(other)], (&one.values, &other.values), resamples)
    };
    pairs.into_par_iter().map(of_pair).collect()
}

/// An explainer and target, for people.
pub(super) fn name(drift: &ImageDrift) -> String {
    format!("{}/{}", drift.explainer, drift.target)
}

/// The agreement of two drifts given image by image.
pub(super) fn agreement(
    [one, other]: [&ImageDrift; 2],
    names: [String; 2],
    (left, right): (&[Option<f64>], &[Option<f64>]),
    resamples: &Resamples,
) -> AgreementEstimate {
    let ranks = PairedRanks::of(left, right);
    let once = vec![1; left.len()];
    let [one_name, other_name] = names;
    let value = ranks.correlation(&once);
    AgreementEstimate {
        measure: one.measure.clone(),
        one: one_name,
        other: other_name,
        epoch: one.epoch,
        against: one.against,
        reference_epochs: [one.reference_epoch, other.reference_epoch],
        value,
        interval: value.and_then(|_| resamples.interval_of(|panel| ranks.correlation(panel))),
        defined: ranks.defined(),
        undefined: left.len() - ranks.defined(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(explainer: &str, values: &[Option<f64>]) -> ImageDrift {
        ImageDrift {
            explainer: explainer.into(),
            target: "label".into(),
            measure: "js-divergence".into(),
            against: Against::First,
            epoch: 1,
            reference_epoch: 0,
            values: values.to_vec(),
        }
    }

    fn agreement_of(one: &[Option<f64>], other: &[Option<f64>]) -> AgreementEstimate {
        let drifts = [drift("grad-cam", one), drift("rollout", other)];
        let resamples = Resamples::new(200, one.len());
        let mut found = agreements(&drifts, &[Measure::JensenShannon], &resamples);
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    /// Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4 correlate by sqrt(0.9); the fifth image is defined on one side only.
    #[test]
    fn agreement_is_the_rank_correlation_of_the_drifts() {
        let one = [Some(0.1), Some(0.2), Some(0.2), Some(0.4), None];
        let found = agreement_of(&one, &[Some(1.0), Some(3.0), Some(2.0), Some(4.0), Some(0.0)]);
        assert!((found.value.unwrap() - 0.9f64.sqrt()).abs() < 1e-12, "{found:?}");
        assert_eq!((found.defined, found.undefined), (4, 1));
        assert_eq!((found.one.as_str(), found.other.as_str()), ("grad-cam/label", "rollout/label"));
        assert_eq!(agreement_of(&[Some(0.0); 4], &one[..4]).value, None);
    }

    /// 300 independent drifts: the interval holds 0; the same drift twice agrees exactly.
    #[test]
    fn independent_drifts_do_not_agree() {
        use super::super::testing::explanations;
        let values = |seed| {
            explanations("cam", seed, 300).maps[..300].iter().map(|&value| Some(f64::from(value))).collect::<Vec<_>>()
        };
        let [low, high] = agreement_of(&values(1), &values(2)).interval.unwrap();
        assert!(low < 0.0 && 0.0 < high && high - low < 0.4, "{low} {high}");
        let same = agreement_of(&values(1), &values(1));
        assert_eq!((same.value, same.interval), (Some(1.0), Some([1.0, 1.0])));
    }
}
