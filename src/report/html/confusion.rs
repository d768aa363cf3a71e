//! The confusion matrices of a run's epochs as the page carries them: the cells that are not 0.

use super::error::ReportError;
use crate::report::csv_row;
use crate::store::RunReader;
use std::iter;

/// A matrix of more classes has no room in a window, and its cells are too many for a page.
const MOST_CLASSES: usize = 200;

/// `[cell, count, cell, count, …]` of the validation images at an epoch, where cell is label · classes + prediction. None
/// where the epoch has no matrix, its classes are not the run's, or they are too many.
///
/// # Errors
///
/// When the file is not what was sealed.
pub(super) fn cells(reader: &RunReader, epoch: usize) -> Result<Option<Vec<usize>>, ReportError> {
    let classes = &reader.info().classes;
    if classes.len() > MOST_CLASSES {
        return Ok(None);
    }
    let csv = reader.confusion(epoch)?;
    Ok(csv.and_then(|csv| counts(&String::from_utf8(csv).ok()?, classes)).map(|counts| sparse(&counts)))
}

/// The counts of a matrix that [`crate::report::confusion_csv`] wrote, row by row.
fn counts(csv: &str, classes: &[String]) -> Option<Vec<usize>> {
    let mut rest = csv.strip_prefix(&csv_row(iter::once("label").chain(classes.iter().map(String::as_str))))?;
    let mut counts = Vec::with_capacity(classes.len() * classes.len());
    for class in classes {
        // A name may hold commas and line ends; it is known, and needs no parser.
        let name = csv_row([class]);
        let (row, after) = rest.strip_prefix(name.trim_end_matches('\n'))?.strip_prefix(',')?.split_once('\n')?;
        let before = counts.len();
        for count in row.split(',') {
            counts.push(count.parse().ok()?);
        }
        if counts.len() != before + classes.len() {
            return None;
        }
        rest = after;
    }
    Some(counts)
}

fn sparse(counts: &[usize]) -> Vec<usize> {
    counts.iter().copied().enumerate().filter(|&(_, count)| count > 0).flat_map(|(cell, count)| [cell, count]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::confusion_csv;

    #[test]
    fn cells_that_are_not_zero_are_kept_whatever_classes_are_called() {
        let classes = ["plain".to_string(), "a, \"b\"\nc".to_string(), "\n".to_string()];
        let csv = confusion_csv(&classes, &[vec![3, 0, 1], vec![0, 0, 0], vec![0, 12, 0]]);
        let counts = counts(&csv, &classes).unwrap();
        assert_eq!(counts, [3, 0, 1, 0, 0, 0, 0, 12, 0]);
        assert_eq!(sparse(&counts), [0, 3, 2, 1, 7, 12]);
    }

    #[test]
    fn a_matrix_of_other_classes_or_with_a_hole_is_none() {
        let classes = ["a".to_string(), "b".to_string()];
        let csv = confusion_csv(&classes, &[vec![1, 0], vec![0, 2]]);
        assert_eq!(counts(&csv, &["a".to_string(), "c".to_string()]), None);
        assert_eq!(counts(&csv.replace("0,2", "2"), &classes), None);
        assert_eq!(counts(&csv.replace('2', "two"), &classes), None);
        assert_eq!(counts("", &classes), None);
    }
}
