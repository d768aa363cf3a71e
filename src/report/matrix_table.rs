//! Every epoch against every other: as a triangle for a person, and as a row a pair for a dataframe.

use super::table::csv_row;
use super::wrap::{COLUMNS, wrapped};
use crate::drift::{Analysis, MOVED_SCALE, Matrix, Pair, moved_cell};

/// The triangle of every method and target: how far the maps of two epochs moved. Where there are more epochs than columns, some
/// are left out, and that is said.
pub fn matrix_table(analysis: &Analysis) -> String {
    let tables: Vec<String> = analysis.matrices.iter().map(|matrix| triangle(analysis, matrix)).collect();
    let Some(first) = analysis.matrices.first() else { return "no two epochs to compare\n".to_string() };
    let margin = first.margin;
    let legend = format!(
        "Moved between two epochs: {MOVED_SCALE}; what moved farther is 100 too, · is within noise, – is not measurable. A \
         phase is three epochs or more of which no two are more than {margin} apart."
    );
    tables.join("\n") + "\n" + &wrapped(&legend, COLUMNS, 0)
}

fn triangle(analysis: &Analysis, matrix: &Matrix) -> String {
    let title = analysis.titles.get(&matrix.explainer).unwrap_or(&matrix.explainer);
    let cell = |pair: Option<&Pair>| match pair.and_then(|pair| pair.moved) {
        None => "–".to_string(),
        Some(moved) if moved.round() <= 0.0 => "·".to_string(),
        moved => moved_cell(moved),
    };
    let width = matrix.epochs.last().map_or(1, |last| last.to_string().len()).max(4) + 1;
    let (shown, left_out) = chosen(&matrix.epochs, (COLUMNS - width) / width);
    let mut text = format!("{title} ({})\n", matrix.target);
    let line = |head: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>width$}")).collect();
        format!("{head:>width$}{cells}\n")
    };
    let columns = &shown[..shown.len().saturating_sub(1)];
    text += &line("", columns.iter().map(usize::to_string).collect());
    for (place, &epoch) in shown.iter().enumerate().skip(1) {
        let cells = shown[..place].iter().map(|&reference| cell(matrix.pair(epoch, reference))).collect();
        text += &line(&epoch.to_string(), cells);
    }
    if !left_out.is_empty() {
        text += &format!("left out for want of columns: epochs {}\n", runs_of(&left_out));
    }
    let phases: Vec<String> = matrix.phases.iter().map(|phase| format!("{} to {}", phase.from, phase.to)).collect();
    text + &if phases.is_empty() { "phases: none\n".to_string() } else { format!("phases: {}\n", phases.join(", ")) }
}

/// At most `most` of some epochs, evenly, with the first and the last among them; and those that are left out.
fn chosen(epochs: &[usize], most: usize) -> (Vec<usize>, Vec<usize>) {
    // One more than columns: the first epoch has no row and the last no column.
    let count = epochs.len().min(most + 1);
    let place = |index: usize| if count > 1 { index * (epochs.len() - 1) / (count - 1) } else { 0 };
    let shown: Vec<usize> = (0..count).map(|index| epochs[place(index)]).collect();
    let left_out = epochs.iter().copied().filter(|epoch| !shown.contains(epoch)).collect();
    (shown, left_out)
}

/// `1, 3 to 5` of ascending epochs.
fn runs_of(epochs: &[usize]) -> String {
    let mut runs: Vec<[usize; 2]> = Vec::new();
    for &epoch in epochs {
        match runs.last_mut() {
            Some(run) if run[1] + 1 == epoch => run[1] = epoch,
            _ => runs.push([epoch, epoch]),
        }
    }
    let words = |&[from, to]: &[usize; 2]| if from == to { from.to_string() } else { format!("{from} to {to}") };
    runs.iter().map(words).collect::<Vec<_>>().join(", ")
}

/// One row a pair of epochs, with all digits; what is undefined is an empty cell.
pub fn matrix_csv(matrices: &[Matrix]) -> String {
    let mut table = String::from(
        "explainer,target,measure,epoch,reference_epoch,moved,low,high,value,floor,chance,seed_floor,moved_from_seed,\
         images_moved,defined,undefined,dead,retargeted\n",
    );
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for matrix in matrices {
        for pair in &matrix.pairs {
            let counts = [pair.defined, pair.undefined, pair.dead, pair.retargeted].map(|count| count.to_string());
            let numbers = [
                pair.moved,
                pair.interval.map(|[low, _]| low),
                pair.interval.map(|[_, high]| high),
                pair.value,
                pair.floor,
                pair.chance,
                pair.seed_floor,
                pair.moved_from_seed,
            ];
            let names = [matrix.explainer.clone(), matrix.target.clone(), matrix.measure.clone()];
            let epochs = [pair.epoch, pair.reference_epoch].map(|epoch| epoch.to_string());
            let moved = pair.images_moved.map_or(String::new(), |count| count.to_string());
            table += &csv_row(names.into_iter().chain(epochs).chain(numbers.map(number)).chain([moved]).chain(counts));
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::answer::testing::{analysis, matrix};
    use super::*;

    #[test]
    fn a_triangle_has_a_row_an_epoch_and_says_what_it_leaves_out() {
        let few = matrix_table(&analysis(vec![matrix("grad-cam", "label", &[0, 1, 2, 3, 4], 2)]));
        let lines: Vec<&str> = few.lines().collect();
        assert_eq!(
            lines[..6],
            [
                "Grad-CAM (label)",
                "         0    1    2    3",
                "    1   40",
                "    2   40   40",
                "    3   40   40    ·",
                "    4   40   40    ·    ·",
            ]
        );
        assert_eq!(lines[6], "phases: 2 to 4");
        let all: Vec<usize> = (0..40).collect();
        let many = matrix_table(&analysis(vec![matrix("grad-cam", "label", &all, 30)]));
        let left: Vec<&str> = many.lines().filter(|line| line.starts_with("left out")).collect();
        assert_eq!(left.len(), 1, "{many}");
        assert!(
            many.lines().filter(|line| line.starts_with(' ')).all(|line| line.chars().count() <= COLUMNS),
            "{many}"
        );
    }

    #[test]
    fn epochs_left_out_are_named_as_runs() {
        assert_eq!(chosen(&[0, 1, 2, 3, 4, 5, 6], 3), (vec![0, 2, 4, 6], vec![1, 3, 5]));
        assert_eq!(chosen(&[3], 9), (vec![3], vec![]));
        assert_eq!(runs_of(&[1, 3, 4, 5, 9]), "1, 3 to 5, 9");
    }

    #[test]
    fn every_pair_is_a_row() {
        let csv = matrix_csv(&[matrix("grad-cam", "label", &[0, 1, 2], 1)]);
        assert_eq!(csv.lines().count(), 1 + 3);
        assert_eq!(csv.lines().nth(1), Some("grad-cam,label,spearman,1,0,40,35,45,0.58,0.9,0.1,,,,24,0,0,0"));
    }
}
