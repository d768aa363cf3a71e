//! Whether the ranking of images by drift survives another method, or another model.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::DriftError;
use super::analysis::{Analysis, ImageDrift};
use super::options::leading;
use super::shared::SharedImages;
use crate::measure::{Descriptor, Measure};
use crate::stats::{PairedRanks, Resamples};
use crate::store::Against;

/// How much two explainers agree on which images moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgreementEstimate {
    /// The measure of the drifts that are compared.
    pub measure: String,
    /// One explainer and target: `"grad-cam/label"`; between two runs with the run before it:
    /// `"resnet:grad-cam/label"`.
    pub one: String,
    /// The other.
    pub other: String,
    /// The epoch that is measured.
    pub epoch: usize,
    /// Which other epoch the drifts are from.
    pub against: Against,
    /// The epochs of the reference, of one and of the other.
    pub reference_epochs: [usize; 2],
    /// Spearman's correlation over images of the two drifts, in [-1, 1]: 1 where both rank the images alike, 0 where
    /// the ranking of one says nothing about that of the other, which is also what chance gives. None where it is
    /// undefined.
    pub value: Option<f64>,
    /// 95 % bootstrap interval over the images, ranks taken anew in every panel.
    pub interval: Option<[f64; 2]>,
    /// Images that both drifts are defined for.
    pub defined: usize,
    /// Images where one is not.
    pub undefined: usize,
}

/// The agreement of every two explainers of one run, by epoch, in the given measures.
pub(super) fn agreements(drifts: &[ImageDrift], measures: &[Measure], resamples: &Resamples) -> Vec<AgreementEstimate> {
    let ours: Vec<&ImageDrift> =
        drifts.iter().filter(|drift| measures.iter().any(|measure| measure.name() == drift.measure)).collect();
    let same = |one: &ImageDrift, other: &ImageDrift| {
        let question = |drift: &ImageDrift| (drift.epoch, drift.against, drift.measure.clone());
        question(one) == question(other)
            && (one.against != Against::Named || one.reference_epoch == other.reference_epoch)
    };
    let mut pairs = Vec::new();
    for (index, one) in ours.iter().enumerate() {
        // Sorted by epoch, so that later ones are of no interest.
        let rest = ours[index + 1..].iter().take_while(|other| other.epoch == one.epoch);
        pairs.extend(
            rest.filter(|other| other.explainer != one.explainer && same(one, other)).map(|other| (*one, *other)),
        );
    }
    let agreement = |(one, other): (&ImageDrift, &ImageDrift)| {
        figure([one, other], [name(one), name(other)], (&one.values, &other.values), resamples)
    };
    pairs.into_par_iter().map(agreement).collect()
}

/// The agreement between every explainer of one run and every one of another, by epoch, over the images that both
/// panels hold: a CNN and a ViT that were shown the same pictures. In the leading measures
/// ([`super::Options::leading_measures`]) of those both runs were analysed in.
///
/// # Errors
///
/// When the panels share no image.
pub fn agreement_between(
    one: &Analysis,
    other: &Analysis,
    resamples: usize,
) -> Result<Vec<AgreementEstimate>, DriftError> {
    let shared = SharedImages::of(one, other)?;
    let resamples = Resamples::new(resamples, shared.count());
    let measured = |measure: &Measure| {
        [one, other].iter().all(|run| run.image_drift.iter().any(|drift| drift.measure == measure.name()))
    };
    let measures: Vec<Measure> = leading(&Measure::ALL.into_iter().filter(measured).collect::<Vec<_>>());
    let same = |left: &ImageDrift, right: &ImageDrift| {
        (left.epoch, left.against, &left.measure) == (right.epoch, right.against, &right.measure)
            && measures.iter().any(|measure| measure.name() == left.measure)
    };
    let pairs: Vec<(&ImageDrift, &ImageDrift)> = one
        .image_drift
        .iter()
        .flat_map(|left| {
            other.image_drift.iter().filter(move |right| same(left, right)).map(move |right| (left, right))
        })
        .collect();
    let agreement = |(left, right): (&ImageDrift, &ImageDrift)| {
        let names = [format!("{}:{}", one.run, name(left)), format!("{}:{}", other.run, name(right))];
        let values = (&*shared.of_one(&left.values), &*shared.of_other(&right.values));
        figure([left, right], names, values, &resamples)
    };
    Ok(pairs.into_par_iter().map(agreement).collect())
}

fn name(drift: &ImageDrift) -> String {
    format!("{}/{}", drift.explainer, drift.target)
}

/// The agreement of two drifts given image by image.
fn figure(
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

/// How much more a property of one run's maps is than of another's, over the images that both panels hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpreadDifference {
    /// The property.
    pub descriptor: Descriptor,
    /// `"run:explainer/target"`.
    pub one: String,
    /// The other.
    pub other: String,
    /// The epoch, of both.
    pub epoch: usize,
    /// Mean over the images of the value of `one` minus that of `other`. None where it is defined for no image.
    pub value: Option<f64>,
    /// 95 % bootstrap interval over the images, which are paired.
    pub interval: Option<[f64; 2]>,
    /// Images that both are defined for.
    pub defined: usize,
    /// Images where one is not.
    pub undefined: usize,
}

/// How the spread of the evidence differs between two runs, for every explainer of one and every one of the other, by
/// epoch, over the images that both panels hold: is a ViT's evidence wider than a CNN's?
///
/// # Errors
///
/// When the panels share no image.
pub fn spread_between(one: &Analysis, other: &Analysis, resamples: usize) -> Result<Vec<SpreadDifference>, DriftError> {
    let shared = SharedImages::of(one, other)?;
    let resamples = Resamples::new(resamples, shared.count());
    let mut all = Vec::new();
    for left in &one.image_spread {
        let same = other.image_spread.iter();
        for right in same.filter(|right| (right.epoch, right.descriptor) == (left.epoch, left.descriptor)) {
            let pairs = shared.of_one(&left.values).into_iter().zip(shared.of_other(&right.values));
            let values: Vec<Option<f64>> = pairs.map(|(left, right)| Some(left? - right?)).collect();
            let defined = values.iter().flatten().count();
            all.push(SpreadDifference {
                descriptor: left.descriptor,
                one: format!("{}:{}/{}", one.run, left.explainer, left.target),
                other: format!("{}:{}/{}", other.run, right.explainer, right.target),
                epoch: left.epoch,
                value: (defined > 0).then(|| values.iter().flatten().sum::<f64>() / defined as f64),
                interval: resamples.interval(&values),
                defined,
                undefined: values.len() - defined,
            });
        }
    }
    Ok(all)
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

    fn agreement(one: &[Option<f64>], other: &[Option<f64>]) -> AgreementEstimate {
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
        let found = agreement(&one, &[Some(1.0), Some(3.0), Some(2.0), Some(4.0), Some(0.0)]);
        assert!((found.value.unwrap() - 0.9f64.sqrt()).abs() < 1e-12, "{found:?}");
        assert_eq!((found.defined, found.undefined), (4, 1));
        assert_eq!((found.one.as_str(), found.other.as_str()), ("grad-cam/label", "rollout/label"));
        assert_eq!(agreement(&[Some(0.0); 4], &one[..4]).value, None);
    }

    /// 300 independent drifts: the interval holds 0; the same drift twice agrees exactly.
    #[test]
    fn independent_drifts_do_not_agree() {
        use super::super::testing::explanations;
        let values = |seed| {
            explanations("cam", seed, 300).maps[..300].iter().map(|&value| Some(f64::from(value))).collect::<Vec<_>>()
        };
        let [low, high] = agreement(&values(1), &values(2)).interval.unwrap();
        assert!(low < 0.0 && 0.0 < high && high - low < 0.4, "{low} {high}");
        let same = agreement(&values(1), &values(1));
        assert_eq!((same.value, same.interval), (Some(1.0), Some([1.0, 1.0])));
    }
}
