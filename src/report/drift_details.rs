//! The parts of a drift analysis that are no drift figures, as columns for a person and rows for a dataframe.

use super::drift_table::{interval, number};
use super::table::{aligned, csv_row};
use crate::drift::{AgreementEstimate, Analysis, ImageDrift, ProtocolEstimate, SpreadEstimate};
use crate::measure::Measure;
use crate::store::Against;

/// The images that moved most at `epoch` (the last one unless it is named), the farthest first: a row an image,
/// explainer and target. At most `count` rows; images where the measure is undefined are left out.
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

/// Tidy CSV of the values behind the figures, one row an image and figure, every digit; an empty cell where it is
/// undefined.
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

/// A published study's figures, a row each.
pub fn protocol_table(figures: &[ProtocolEstimate]) -> String {
    let row = |figure: &ProtocolEstimate| {
        vec![
            figure.explainer.clone(),
            figure.target.clone(),
            figure.metric.name().to_string(),
            format!("{} to {}", figure.reference_epoch, figure.epoch),
            number(figure.value),
            interval(figure.interval),
            number(figure.floor),
            number(figure.chance),
            images(figure.defined, figure.undefined),
        ]
    };
    let headings = ["explainer", "target", "figure", "epochs", "value", "95 % interval", "floor", "chance", "images"];
    aligned(&headings, &figures.iter().map(row).collect::<Vec<_>>(), 4)
}

/// Whether the ranking of images survives another method, a row a pair.
pub fn agreement_table(figures: &[AgreementEstimate]) -> String {
    let row = |figure: &AgreementEstimate| {
        vec![
            figure.one.clone(),
            figure.other.clone(),
            figure.measure.clone(),
            figure.against.name().to_string(),
            figure.epoch.to_string(),
            number(figure.value),
            interval(figure.interval),
            images(figure.defined, figure.undefined),
        ]
    };
    let headings = ["one", "other", "measure", "against", "epoch", "agreement", "95 % interval", "images"];
    aligned(&headings, &figures.iter().map(row).collect::<Vec<_>>(), 4)
}

/// What the maps are like, a row a property and epoch; `floor` is of the perturbed images.
pub fn spread_table(figures: &[SpreadEstimate]) -> String {
    let part = |index: Option<usize>| index.map_or(String::new(), |index| index.to_string());
    let row = |figure: &SpreadEstimate| {
        vec![
            figure.explainer.clone(),
            figure.target.clone(),
            figure.descriptor.clone(),
            part(figure.layer),
            part(figure.head),
            figure.epoch.to_string(),
            number(figure.value),
            interval(figure.interval),
            number(figure.floor),
            images(figure.defined, figure.undefined),
        ]
    };
    let headings =
        ["explainer", "target", "property", "layer", "head", "epoch", "value", "95 % interval", "floor", "images"];
    aligned(&headings, &figures.iter().map(row).collect::<Vec<_>>(), 3)
}

/// Defined, of all.
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
            accuracy: BTreeMap::new(),
            drift: vec![],
            image_drift: vec![
                drift("spearman", 1, [Some(0.0), Some(0.0), Some(0.0)]),
                drift("spearman", 2, [Some(0.9), None, Some(0.1)]),
            ],
            paths: vec![],
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
    fn images_are_sorted_by_how_far_they_moved() {
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
