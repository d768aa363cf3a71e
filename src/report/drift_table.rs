//! Drift estimates as columns for a person and as CSV for a dataframe.

use super::table::{aligned, csv_row};
use crate::store::DriftEstimate;

const HEADINGS: [&str; 12] = [
    "explainer",
    "target",
    "measure",
    "group",
    "epoch",
    "against",
    "value",
    "95 % interval",
    "floor",
    "seed floor",
    "chance",
    "images",
];

/// Aligned columns, one row for each estimate. `–` stands for an undefined one; the column `images` says for how many of
/// all images the measure is defined. Columns that would be empty are left out: the floor of a second seed, and the group
/// where every estimate is over all images.
pub fn drift_table(estimates: &[DriftEstimate]) -> String {
    let seeds = estimates.iter().any(|estimate| estimate.seed_floor.is_some());
    let groups = estimates.iter().any(|estimate| estimate.group != crate::store::ALL_IMAGES);
    let shown = |heading: &str| (seeds || heading != "seed floor") && (groups || heading != "group");
    let keep = |cells: [String; 12]| {
        HEADINGS.iter().zip(cells).filter(|(heading, _)| shown(heading)).map(|(_, cell)| cell).collect::<Vec<_>>()
    };
    let headings: Vec<&str> = HEADINGS.into_iter().filter(|heading| shown(heading)).collect();
    let rows: Vec<Vec<String>> = estimates.iter().map(|estimate| keep(row(estimate))).collect();
    aligned(&headings, &rows, if groups { 4 } else { 3 })
}

fn row(estimate: &DriftEstimate) -> [String; 12] {
    [
        estimate.explainer.clone(),
        estimate.target.clone(),
        estimate.measure.clone(),
        estimate.group.clone(),
        estimate.epoch.to_string(),
        format!("{} {}", estimate.against.name(), estimate.reference_epoch),
        number(estimate.value),
        interval(estimate.interval),
        number(estimate.floor),
        number(estimate.seed_floor),
        number(estimate.chance),
        format!("{}/{}", estimate.defined, estimate.defined + estimate.undefined),
    ]
}

/// Four digits after the point; a dash for what is undefined.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or("–".to_string(), |value| format!("{value:.4}"))
}

pub(super) fn interval(interval: Option<[f64; 2]>) -> String {
    interval.map_or("–".to_string(), |[low, high]| format!("[{low:.4}, {high:.4}]"))
}

/// Tidy CSV with one row for each estimate and all digits; cells of undefined estimates are empty.
pub fn drift_csv(estimates: &[DriftEstimate]) -> String {
    let mut table = String::from(
        "explainer,target,measure,epoch,against,reference_epoch,group,value,low,high,floor,seed_floor,chance,\
         defined,undefined,dead\n",
    );
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for estimate in estimates {
        let cells = [
            estimate.explainer.clone(),
            estimate.target.clone(),
            estimate.measure.clone(),
            estimate.epoch.to_string(),
            estimate.against.name().to_string(),
            estimate.reference_epoch.to_string(),
            estimate.group.clone(),
            number(estimate.value),
            number(estimate.interval.map(|[low, _]| low)),
            number(estimate.interval.map(|[_, high]| high)),
            number(estimate.floor),
            number(estimate.seed_floor),
            number(estimate.chance),
            estimate.defined.to_string(),
            estimate.undefined.to_string(),
            estimate.dead.to_string(),
        ];
        table += &csv_row(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ALL_IMAGES, Against};

    fn estimate(value: Option<f64>) -> DriftEstimate {
        DriftEstimate {
            explainer: "rollout".to_string(),
            target: "label".to_string(),
            measure: "spearman".to_string(),
            against: Against::Previous,
            epoch: 2,
            reference_epoch: 1,
            group: ALL_IMAGES.to_string(),
            value,
            interval: value.map(|value| [value - 0.25, value + 0.25]),
            floor: Some(0.9),
            seed_floor: None,
            chance: None,
            defined: 3,
            undefined: 1,
            dead: 1,
        }
    }

    #[test]
    fn a_table_aligns_its_columns_and_marks_what_is_undefined() {
        let table = drift_table(&[estimate(Some(0.5)), estimate(None)]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(
            lines[1],
            "rollout    label   spearman      2  previous 1  0.5000  [0.2500, 0.7500]  0.9000       –     3/4"
        );
        assert_eq!(lines[1].find("0.9000"), lines[2].replace('–', "-").find("0.9000"));
    }

    #[test]
    fn a_table_shows_groups_and_a_second_seed_where_there_are_any() {
        let grouped = DriftEstimate { group: "stays-right".to_string(), seed_floor: Some(0.75), ..estimate(None) };
        let table = drift_table(&[estimate(None), grouped]);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].contains("group") && lines[0].contains("seed floor"), "{table}");
        assert!(lines[2].contains("stays-right") && lines[2].contains("0.7500"), "{table}");
    }

    #[test]
    fn csv_leaves_undefined_cells_empty_and_keeps_every_digit() {
        let csv = drift_csv(&[estimate(Some(1.0 / 3.0)), estimate(None)]);
        let mut rows = csv.lines().skip(1);
        let row = "rollout,label,spearman,2,previous,1,all,0.3333333333333333,0.08333333333333331,0.5833333333333333,0.9,,,3,1,1";
        assert_eq!(rows.next().unwrap(), row);
        assert_eq!(rows.next().unwrap(), "rollout,label,spearman,2,previous,1,all,,,,0.9,,,3,1,1");
    }
}
