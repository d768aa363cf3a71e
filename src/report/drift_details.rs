//! The parts of a drift analysis beside its drift estimates, as columns for a person and as rows for a dataframe.

use super::drift_table::{interval, number};
use super::table::{aligned, csv_row};
use super::wrap::shortened;
use crate::drift::{AgreementEstimate, Analysis, ImageDrift, ProtocolEstimate, SpreadEstimate, moved_cell};
use crate::measure::Measure;
use crate::store::Against;
use console::measure_text_width;

/// Columns of an image's id, of a method and of a target where images are listed: 79 in all.
const IMAGE_COLUMNS: usize = 22;
const METHOD_COLUMNS: usize = 11;
const TARGET_COLUMNS: usize = 6;

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

/// The images that moved most at `epoch` (by default the last one), the greatest first: one row for each image, explainer and
/// target, `count` rows at most, with what noise does to the same image and whether it moved by more than that. Images that do
/// not count are left out. `against` is the epoch before or the first one.
pub fn moved_image_table(analysis: &Analysis, against: Against, epoch: Option<usize>, count: usize) -> String {
    let mut rows: Vec<(f64, Vec<String>)> = Vec::new();
    for matrix in &analysis.matrices {
        let Some(epoch) = epoch.or(matrix.epochs.last().copied()) else { continue };
        let pair = if against == Against::First { matrix.from_first(epoch) } else { matrix.step(epoch) };
        let Some(pair) = pair else { continue };
        let title = analysis.titles.get(&matrix.explainer).unwrap_or(&matrix.explainer);
        for (image, value) in pair.images.iter().enumerate() {
            let (Some(id), Some(moved)) = (analysis.images.get(image), *value) else { continue };
            let noise = pair.image_floors.get(image).copied().flatten();
            let beyond = pair.threshold.map_or("–", |threshold| if moved > threshold { "yes" } else { "no" });
            let cells = [
                ending(id, IMAGE_COLUMNS),
                shortened(title, METHOD_COLUMNS),
                shortened(&matrix.target, TARGET_COLUMNS),
                pair.reference_epoch.to_string(),
                moved_cell(Some(moved)),
                noise.map_or("–".to_string(), |noise| format!("{:.0}", noise + 0.0)),
                beyond.to_string(),
            ];
            rows.push((moved, cells.to_vec()));
        }
    }
    rows.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let rows: Vec<Vec<String>> = rows.into_iter().take(count).map(|(_, cells)| cells).collect();
    aligned(&["image", "method", "target", "since", "moved", "noise", "beyond"], &rows, 3)
}

/// The end of an id that is longer than a column: images of one folder differ there.
fn ending(id: &str, columns: usize) -> String {
    let mut end: String = id.to_string();
    while measure_text_width(&end) + 1 > columns && measure_text_width(id) > columns {
        end.remove(0);
    }
    if end.len() == id.len() { end } else { format!("…{end}") }
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
            settled_by: vec![],
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
