//! The parts of a drift analysis beside its drift estimates, as columns for a person and as rows for a dataframe.

use super::drift_table::{interval, number};
use super::table::{aligned, csv_row};
use crate::drift::{AgreementEstimate, Analysis, ImageDrift, ProtocolEstimate, SpreadEstimate};
use crate::measure::Measure;
use crate::store::Against;

/// The images that drifted most at `epoch` (by default the last one), the greatest drift first: one row for each image,
/// explainer and target, `count` rows at most. Images for which the measure is undefined are left out.
pub fn image_table(
    analysis: &Analysis,
    measure: Measure,
    against: Against,
    epoch: Option<usize>,
    count: usize,
) -> String {
    let ours = || analysis.image_drift.iter().filter(|one| one.measure == measure.name() && one.against == against);
    let epoch = epoch.or_else(|| ours().map(|one| one.epoch).max());
    let values = |drift: &'_ ImageDrift| {
        let (explainer, target, reference) = (drift.explainer.clone(), drift.target.clone(), drift.reference_epoch);
        let images = analysis.images.iter().zip(drift.values.clone());
        let row = move |(image, value): (&String, Option<f64>)| {
            let value = value?;
            let cells = [
                image.clone(),
                explainer.clone(),
                target.clone(),
                format!("{} {reference}", against.name()),
                format!("{value:.4}"),
            ];
            Some((measure.distance(value), cells.to_vec()))
        };
        images.filter_map(row).collect::<Vec<_>>()
    };
    let mut rows: Vec<(f64, Vec<String>)> = ours().filter(|one| Some(one.epoch) == epoch).flat_map(values).collect();
    rows.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    rows.truncate(count);
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(_, cells)| cells).collect();
    aligned(&["image", "explainer", "target", "against", measure.name()], &rows, 4)
}

/// Tidy CSV of the values behind the estimates: one row for each image and estimate, with all digits; undefined values are
/// empty cells.
pub fn image_csv(analysis: &Analysis) -> String {
    let mut table = String::from("explainer,target,measure,epoch,against,reference_epoch,image,value\n");
    for drift in &analysis.image_drift {
        for (image, value) in analysis.images.iter().zip(&drift.values) {
            table += &csv_row([
                drift.explainer.as_str(),
                &drift.target,
                &drift.measure,
                &drift.epoch.to_string(),
                drift.against.name(),
                &drift.reference_epoch.to_string(),
                image,
                &value.map_or(String::new(), |value| value.to_string()),
            ]);
        }
    }
    table
}

/// The estimates of a published study's metrics, one row each.
pub fn protocol_table(estimates: &[ProtocolEstimate]) -> String {
    let row = |estimate: &ProtocolEstimate| {
        vec![
            estimate.explainer.clone(),
            estimate.target.clone(),
            estimate.metric.name().to_string(),
            format!("{} to {}", estimate.reference_epoch, estimate.epoch),
            number(estimate.value),
            interval(estimate.interval),
            number(estimate.floor),
            number(estimate.chance),
            images(estimate.defined, estimate.undefined),
        ]
    };
    let headings = ["explainer", "target", "metric", "epochs", "value", "95 % interval", "floor", "chance", "images"];
    aligned(&headings, &estimates.iter().map(row).collect::<Vec<_>>(), 4)
}

/// How far two methods agree on which images drifted most: one row for each pair of methods.
pub fn agreement_table(estimates: &[AgreementEstimate]) -> String {
    let row = |estimate: &AgreementEstimate| {
        vec![
            estimate.one.clone(),
            estimate.other.clone(),
            estimate.measure.clone(),
            estimate.against.name().to_string(),
            estimate.epoch.to_string(),
            number(estimate.value),
            interval(estimate.interval),
            images(estimate.defined, estimate.undefined),
        ]
    };
    let headings = ["one", "other", "measure", "against", "epoch", "agreement", "95 % interval", "images"];
    aligned(&headings, &estimates.iter().map(row).collect::<Vec<_>>(), 4)
}

/// Descriptors of the maps (how concentrated they are, for example), one row for each descriptor and epoch; `floor` is that
/// of the perturbed images.
pub fn spread_table(estimates: &[SpreadEstimate]) -> String {
    let part = |index: Option<usize>| index.map_or(String::new(), |index| index.to_string());
    let row = |estimate: &SpreadEstimate| {
        vec![
            estimate.explainer.clone(),
            estimate.target.clone(),
            estimate.descriptor.clone(),
            part(estimate.layer),
            part(estimate.head),
            estimate.epoch.to_string(),
            number(estimate.value),
            interval(estimate.interval),
            number(estimate.floor),
            images(estimate.defined, estimate.undefined),
        ]
    };
    let headings =
        ["explainer", "target", "property", "layer", "head", "epoch", "value", "95 % interval", "floor", "images"];
    aligned(&headings, &estimates.iter().map(row).collect::<Vec<_>>(), 3)
}

/// Of how many images a value is defined, of all: `3/4`.
fn images(defined: usize, undefined: usize) -> String {
    format!("{defined}/{}", defined + undefined)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn analysis() -> Analysis {
        let drift = |measure: &str, epoch, values: [Option<f64>; 3]| ImageDrift {
            explainer: "rollout".into(),
            target: "any".into(),
            measure: measure.into(),
            against: Against::First,
            epoch,
            reference_epoch: 0,
            values: values.to_vec(),
        };
        Analysis {
            run: "dtd".into(),
            model: "deit_tiny".into(),
            images: ["a.jpg", "b.jpg", "c, d.jpg"].map(String::from).to_vec(),
            titles: BTreeMap::new(),
            accuracy: BTreeMap::new(),
            drift: vec![],
            image_drift: vec![
                drift("spearman", 1, [Some(0.0), Some(0.0), Some(0.0)]),
                drift("spearman", 2, [Some(0.9), None, Some(0.1)]),
            ],
            paths: vec![],
            matrices: vec![],
            settled: vec![],
            spread: vec![],
            image_spread: vec![],
            agreement: vec![],
            layers: vec![],
            warnings: vec![],
        }
    }

    /// The least correlated is the farthest.
    #[test]
    fn images_are_sorted_by_how_far_they_drifted() {
        let table = image_table(&analysis(), Measure::Spearman, Against::First, None, 10);
        let rows: Vec<&str> = table.lines().skip(1).collect();
        assert_eq!(
            rows,
            ["c, d.jpg  rollout    any     first 0    0.1000", "a.jpg     rollout    any     first 0    0.9000"]
        );
        assert_eq!(image_table(&analysis(), Measure::Spearman, Against::First, Some(1), 2).lines().count(), 3);
    }

    #[test]
    fn every_value_by_image_is_a_row() {
        let csv = image_csv(&analysis());
        assert_eq!(csv.lines().count(), 1 + 6);
        assert_eq!(csv.lines().nth(5), Some("rollout,any,spearman,2,first,0,b.jpg,"));
        assert_eq!(csv.lines().nth(6), Some("rollout,any,spearman,2,first,0,\"c, d.jpg\",0.1"));
    }
}
