//! Drift figures as columns for a person and as rows for a dataframe.

use crate::store::{Against, DriftFigure};

const HEADINGS: [&str; 9] =
    ["explainer", "target", "measure", "epoch", "against", "value", "floor", "chance", "images"];

/// Aligned columns, a row a figure. `–` where a figure is undefined; `images` counts those it is defined for, of all.
pub fn drift_table(figures: &[DriftFigure]) -> String {
    let rows: Vec<Vec<String>> = figures.iter().map(|figure| row(figure).to_vec()).collect();
    aligned(&HEADINGS, &rows, 3)
}

/// Rows under their headings; the first `left` columns start where the heading does, numbers end where it ends.
pub fn aligned(headings: &[&str], rows: &[Vec<String>], left: usize) -> String {
    let headings: Vec<String> = headings.iter().map(|heading| heading.to_string()).collect();
    let rows: Vec<&Vec<String>> = std::iter::once(&headings).chain(rows).collect();
    let widths = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..headings.len()).map(widths).collect();
    let mut table = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        table += cells.collect::<Vec<_>>().join("  ").trim_end();
        table.push('\n');
    }
    table
}

/// A row of CSV; a cell with a comma, a quote or a line break is quoted, as RFC 4180 says.
pub fn csv_row<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let quoted = |cell: T| match cell.as_ref() {
        cell if cell.contains([',', '"', '\n', '\r']) => format!("\"{}\"", cell.replace('"', "\"\"")),
        cell => cell.to_string(),
    };
    cells.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

/// A confusion matrix: a row a label, a column a prediction, counts of samples.
pub fn confusion_csv(classes: &[String], confusion: &[Vec<usize>]) -> String {
    let mut table = csv_row(std::iter::once("label").chain(classes.iter().map(String::as_str)));
    for (class, counts) in classes.iter().zip(confusion) {
        table += &csv_row(std::iter::once(class.clone()).chain(counts.iter().map(usize::to_string)));
    }
    table
}

fn row(figure: &DriftFigure) -> [String; 9] {
    let number = |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{value:.4}"));
    [
        figure.explainer.clone(),
        figure.target.clone(),
        figure.measure.clone(),
        figure.epoch.to_string(),
        format!("{} {}", against(figure.against), figure.reference_epoch),
        number(figure.value),
        number(figure.floor),
        number(figure.chance),
        format!("{}/{}", figure.defined, figure.defined + figure.undefined),
    ]
}

/// Tidy CSV, one row a figure, every digit; an empty cell where a figure is undefined.
pub fn drift_csv(figures: &[DriftFigure]) -> String {
    let mut table = String::from(
        "explainer,target,measure,epoch,against,reference_epoch,value,floor,chance,defined,undefined,dead\n",
    );
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for figure in figures {
        let cells = [
            figure.explainer.clone(),
            figure.target.clone(),
            figure.measure.clone(),
            figure.epoch.to_string(),
            against(figure.against).to_string(),
            figure.reference_epoch.to_string(),
            number(figure.value),
            number(figure.floor),
            number(figure.chance),
            figure.defined.to_string(),
            figure.undefined.to_string(),
            figure.dead.to_string(),
        ];
        table += &csv_row(cells);
    }
    table
}

fn against(against: Against) -> &'static str {
    match against {
        Against::Previous => "previous",
        Against::First => "first",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: Option<f64>) -> DriftFigure {
        DriftFigure {
            explainer: "rollout".to_string(),
            target: "label".to_string(),
            measure: "spearman".to_string(),
            against: Against::Previous,
            epoch: 2,
            reference_epoch: 1,
            value,
            floor: Some(0.9),
            chance: None,
            defined: 3,
            undefined: 1,
            dead: 1,
        }
    }

    #[test]
    fn a_table_aligns_its_columns_and_marks_what_is_undefined() {
        let table = drift_table(&[figure(Some(0.5)), figure(None)]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], "rollout    label   spearman      2  previous 1  0.5000  0.9000       –     3/4");
        assert_eq!(lines[1].find("0.9000"), lines[2].replace('–', "-").find("0.9000"));
    }

    #[test]
    fn a_confusion_matrix_has_labels_in_rows_and_quotes_what_needs_it() {
        let classes = ["plain".to_string(), "a, \"b\"".to_string()];
        let table = confusion_csv(&classes, &[vec![3, 1], vec![0, 2]]);
        assert_eq!(table, "label,plain,\"a, \"\"b\"\"\"\nplain,3,1\n\"a, \"\"b\"\"\",0,2\n");
    }

    #[test]
    fn csv_leaves_undefined_cells_empty_and_keeps_every_digit() {
        let csv = drift_csv(&[figure(Some(1.0 / 3.0))]);
        let row = csv.lines().nth(1).unwrap();
        assert_eq!(row, "rollout,label,spearman,2,previous,1,0.3333333333333333,0.9,,3,1,1");
    }
}
