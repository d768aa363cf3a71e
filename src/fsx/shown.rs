//! How a path is written for a person.

use std::path::Path;

/// A path for a person: as it is, unless it holds what would break the line.
pub(crate) fn shown(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.chars().any(char::is_control) => text.to_string(),
        _ => format!("{path:?}"),
    }
}
