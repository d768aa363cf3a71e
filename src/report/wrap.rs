//! Text in the columns of a terminal.

use console::{measure_text_width, truncate_str};

/// What fits a terminal of the usual 80 columns without touching its edge.
pub const COLUMNS: usize = 79;

/// A paragraph broken at its blanks into lines of at most this many columns, each but the first behind `indent` blanks. Only
/// a word that is longer than a line is wider.
pub fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if measure_text_width(line) + 1 + measure_text_width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("{}{word}", " ".repeat(indent))),
            None => lines.push(word.to_string()),
        }
    }
    lines.iter().fold(String::new(), |text, line| text + line + "\n")
}

/// As much of a text as fits, with an ellipsis for the rest.
pub fn shortened(text: &str, columns: usize) -> String {
    truncate_str(text, columns, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_broken_at_its_blanks_and_a_name_is_cut() {
        assert_eq!(wrapped("one two three", 7, 2), "one two\n  three\n");
        assert_eq!(wrapped("one two three", 80, 2), "one two three\n");
        assert_eq!(wrapped("immeasurable it is", 6, 0), "immeasurable\nit is\n");
        assert_eq!(wrapped("", 6, 0), "");
        assert_eq!((shortened("Grad-CAM", 8), shortened("Grad-CAM", 5)), ("Grad-CAM".into(), "Grad…".into()));
    }
}
