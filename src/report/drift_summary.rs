//! The answer about a run as a person reads it first: a few sentences, a small table, and what to beware of.

use super::answer::{Answer, Sentence};
use super::table::aligned;
use super::wrap::{COLUMNS, shortened, wrapped};
use crate::drift::{Analysis, Floor, MOVED_SCALE, Matrix, Settled, moved_cell};
use crate::measure::Measure;
use console::measure_text_width;

/// The least that is left of a method's name where a table is too wide.
const SHORTEST: usize = 8;

/// What a run says, in at most 79 columns: a line that names it, the sentences, the warnings, and a row a method.
pub fn drift_summary(analysis: &Analysis, answer: &Answer) -> String {
    let Analysis { run, model, images, .. } = analysis;
    let count = format!("{} image{}", images.len(), if images.len() == 1 { "" } else { "s" });
    let mut text = wrapped(&format!("{run} ({model}): {count}"), COLUMNS, 0);
    let said = |sentences: &[Sentence]| sentences.iter().map(Sentence::to_string).collect::<Vec<_>>().join(" ");
    text += &wrapped(&said(&answer.sentences), COLUMNS, 0);
    for warning in &answer.warnings {
        text += &wrapped(&format!("warning: {warning}"), COLUMNS, 2);
    }
    if !analysis.matrices.is_empty() {
        text += &format!("\n{}{}", answer_table(analysis), wrapped(&scale(analysis), COLUMNS, 0));
    }
    text
}

/// What the numbers of the small table mean.
fn scale(analysis: &Analysis) -> String {
    let Some(matrix) = analysis.matrices.first() else { return String::new() };
    let (margin, patience) = (matrix.margin, matrix.patience);
    let label = matrix.measure.parse().map_or("", |measure: Measure| measure.label());
    format!(
        "Moved, by {label}: {MOVED_SCALE}; what moved farther is 100 too. Settled: from then on no two epochs are more than \
         {margin} apart, and at least {patience} follow; in brackets the 95 % interval of more than one epoch. Images: those that \
         moved by more than noise."
    )
}

/// One row a method and target: when it settled, its largest step, how far it came, and how many images moved.
fn answer_table(analysis: &Analysis) -> String {
    let seeds = analysis.settled.iter().any(|one| one.against_floor == Floor::Seed);
    let mut headings = vec!["method", "settled", "largest step", "since first", "images"];
    if seeds {
        headings.insert(2, "by seed floor");
    }
    let rows: Vec<Vec<String>> = analysis.matrices.iter().map(|matrix| row(analysis, matrix, seeds)).collect();
    fitted(&headings, &rows, 1)
}

fn row(analysis: &Analysis, matrix: &Matrix, seeds: bool) -> Vec<String> {
    let title = analysis.titles.get(&matrix.explainer).unwrap_or(&matrix.explainer);
    let several = analysis.matrices.iter().any(|one| one.explainer == matrix.explainer && one.target != matrix.target);
    let name = if several { format!("{title} ({})", matrix.target) } else { title.clone() };
    let settled = |floor| {
        let found = matrix.settled.iter().find(|one| one.against_floor == floor);
        found.map_or("–".to_string(), settled_words)
    };
    let steps = matrix.epochs.iter().filter_map(|&epoch| matrix.step(epoch));
    let largest =
        steps.filter_map(|step| Some((step, step.moved?))).max_by(|(_, one), (_, other)| one.total_cmp(other));
    let step = largest.map_or(moved_cell(None), |(step, moved)| match moved_cell(Some(moved)) {
        noise if noise == moved_cell(Some(0.0)) => noise,
        words => format!("{words} ({} to {})", step.reference_epoch, step.epoch),
    });
    let whole = matrix.epochs.last().and_then(|&last| matrix.from_first(last));
    let since = whole.map_or("–".to_string(), |pair| moved_cell(pair.moved));
    let images = whole.and_then(|pair| Some((pair.images_moved?, pair.defined)));
    let images = images.map_or("–".to_string(), |(moved, all)| format!("{moved}/{all}"));
    let mut cells = vec![name, settled(Floor::Noise), step, since, images];
    if seeds {
        cells.insert(2, settled(Floor::Seed));
    }
    cells
}

/// `5 (4 to 7)`, `5 (from 4)` where some resampled panels have not settled, `5` where 95 % of them say the same, or `not yet`.
pub(super) fn settled_words(settled: &Settled) -> String {
    match (settled.epoch, settled.interval) {
        (Some(epoch), Some([Some(low), Some(high)])) if low == high && low == epoch => epoch.to_string(),
        (Some(epoch), Some([Some(low), Some(high)])) => format!("{epoch} ({low} to {high})"),
        // Not yet is later than any epoch.
        (Some(epoch), Some([Some(low), None])) => format!("{epoch} (from {low})"),
        (epoch, _) => epoch.map_or("not yet".to_string(), |epoch| epoch.to_string()),
    }
}

/// A table whose first column is cut until the rest fits; the first `left` columns are text.
pub(super) fn fitted(headings: &[&str], rows: &[Vec<String>], left: usize) -> String {
    let table = aligned(headings, rows, left);
    let over = table.lines().map(measure_text_width).max().unwrap_or(0).saturating_sub(COLUMNS);
    if over == 0 {
        return table;
    }
    let names = rows.iter().map(|row| measure_text_width(&row[0])).max().unwrap_or(0);
    let room = names.saturating_sub(over).max(SHORTEST);
    let cut = |row: &Vec<String>| [vec![name_within(&row[0], room)], row[1..].to_vec()].concat();
    aligned(headings, &rows.iter().map(cut).collect::<Vec<_>>(), left)
}

/// A name in so many columns; a target in brackets at its end stays, since names may differ by it alone.
pub(super) fn name_within(name: &str, columns: usize) -> String {
    let (title, target) = name.rfind(" (").map_or((name, ""), |at| name.split_at(at));
    let room = columns.saturating_sub(measure_text_width(target));
    if room < SHORTEST { shortened(name, columns) } else { shortened(title, room) + target }
}

#[cfg(test)]
mod tests {
    use super::super::answer::testing::{analysis, matrix};
    use super::*;
    use crate::report::answer::testing::facts;

    #[test]
    fn the_answer_comes_first_and_fits_80_columns() {
        let long = "A method of a name that is far too long for any table of 80 columns";
        let mut analysis = analysis(vec![
            matrix("grad-cam", "label", &[0, 1, 2, 3, 4], 2),
            matrix("rollout", "any", &[0, 1, 2, 3, 4], 4),
        ]);
        analysis.titles.insert("rollout".to_string(), long.to_string());
        let answer = super::super::answer::composed(&analysis, &facts());
        let text = drift_summary(&analysis, &answer);
        assert!(text.lines().all(|line| measure_text_width(line) <= COLUMNS), "{text}");
        let table: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("method")).collect();
        assert!(table[0].contains("settled") && table[0].contains("largest step"), "{text}");
        assert!(table[1].starts_with("Grad-CAM") && table[1].contains("2 (2 to 3)"), "{text}");
        assert!(table[2].starts_with("A method") && table[2].contains("…") && table[2].contains("not yet"), "{text}");
        let names = ["Grad-CAM (prediction)", "SmoothGrad (samples 2) (label)", "A long name"];
        let cut = names.map(|name| name_within(name, 21));
        assert_eq!(cut, ["Grad-CAM (prediction)", "SmoothGrad (… (label)", "A long name"]);
        assert!(table[3..].join(" ").contains(MOVED_SCALE), "{text}");
        let certain = Settled { interval: Some([Some(2); 2]), ..analysis.settled[0].clone() };
        assert_eq!(settled_words(&certain), "2");
    }
}
