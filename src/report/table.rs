//! Rows as columns for a person and as CSV for a dataframe.

/// One cell of a [`Table`]; `None` for a value that is not defined.
pub type Cell = Option<String>;

/// A cell of text.
pub fn text(text: impl ToString) -> Cell {
    Some(text.to_string())
}

/// A cell with four digits after the point.
pub fn number(value: Option<f64>) -> Cell {
    value.map(|value| format!("{value:.4}"))
}

/// Rows under headings, for a person or for a dataframe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// One a column, in words.
    pub headings: Vec<&'static str>,
    /// As many cells a row as there are headings.
    pub rows: Vec<Vec<Cell>>,
    /// How many columns, the first ones, start where their heading starts; numbers end where it ends.
    pub left: usize,
}

impl Table {
    /// Columns for a person, with `–` for what is not defined.
    pub fn aligned(&self) -> String {
        aligned(&self.headings, &self.cells("–"), self.left)
    }

    /// CSV, with `_` for blanks in the headings and an empty cell for what is not defined.
    pub fn csv(&self) -> String {
        let headings = csv_row(self.headings.iter().map(|heading| heading.replace(' ', "_")));
        self.cells("").iter().fold(headings, |table, row| table + &csv_row(row))
    }

    fn cells(&self, undefined: &str) -> Vec<Vec<String>> {
        let row = |row: &Vec<Cell>| row.iter().map(|cell| cell.as_deref().unwrap_or(undefined).to_string()).collect();
        self.rows.iter().map(row).collect()
    }
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
            // Widths of a format string end at 65,535, and a class may have a longer name.
            let room = " ".repeat(width - cell.chars().count());
            if column < left { format!("{cell}{room}") } else { format!("{room}{cell}") }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let row = |cells: [&str; 2]| cells.map(String::from).to_vec();
        let table = aligned(&["name", "value"], &[row(["a", "–"]), row(["longer", "12.5"])], 1);
        assert_eq!(table, "name    value\na           –\nlonger   12.5\n");
    }

    #[test]
    fn a_table_marks_what_is_undefined_for_a_person_and_leaves_it_empty_for_a_program() {
        let rows = vec![vec![text("a"), number(Some(0.25))], vec![text("b, c"), number(None)]];
        let table = Table { headings: vec!["name", "best value"], rows, left: 1 };
        assert_eq!(table.aligned(), "name  best value\na         0.2500\nb, c           –\n");
        assert_eq!(table.csv(), "name,best_value\na,0.2500\n\"b, c\",\n");
    }

    #[test]
    fn a_confusion_matrix_has_labels_in_rows_and_quotes_what_needs_it() {
        let classes = ["plain".to_string(), "a, \"b\"".to_string()];
        let table = confusion_csv(&classes, &[vec![3, 1], vec![0, 2]]);
        assert_eq!(table, "label,plain,\"a, \"\"b\"\"\"\nplain,3,1\n\"a, \"\"b\"\"\",0,2\n");
    }
}
