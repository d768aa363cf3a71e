//! Two runs beside one another, over the images that both panels hold.

use rayon::prelude::*;

use super::agreement::{agreement, name};
use super::error::DriftError;
use super::options::leading;
use super::records::{AgreementEstimate, Analysis, ImageDrift, SpreadDifference};
use super::shared::SharedImages;
use crate::measure::Measure;
use crate::stats::Resamples;

/// The agreement between every explainer of one run and every one of another, by epoch, over the images that both
/// panels hold: a CNN and a ViT that were shown the same pictures. In the leading measures
/// ([`super::Options::leading_measures`]) of those that both runs were analysed in.
///
/// # Errors
///
/// When the panels share no image.
pub fn agreement_between(
    one: &Analysis,
    other: &Analysis,
    resamples: usize,
) -> Result<Vec<AgreementEstimate>, DriftError> {
    let shared = shared(one, other)?;
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
    let of_pair = |(left, right): (&ImageDrift, &ImageDrift)| {
        let names = [format!("{}:{}", one.run, name(left)), format!("{}:{}", other.run, name(right))];
        let values = (&*shared.of_one(&left.values), &*shared.of_other(&right.values));
        agreement([left, right], names, values, &resamples)
    };
    Ok(pairs.into_par_iter().map(of_pair).collect())
}

/// How the descriptors of the maps differ between two runs, for every explainer of one and every one of the other, by
/// epoch, over the images that both panels hold: is a ViT's evidence wider than a CNN's?
///
/// # Errors
///
/// When the panels share no image.
pub fn spread_between(one: &Analysis, other: &Analysis, resamples: usize) -> Result<Vec<SpreadDifference>, DriftError> {
    let shared = shared(one, other)?;
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

fn shared(one: &Analysis, other: &Analysis) -> Result<SharedImages, DriftError> {
    let shared = SharedImages::of(&one.images, &other.images);
    shared.ok_or_else(|| DriftError::NoSharedImages { one: one.run.clone(), other: other.run.clone() })
}
