//! Where in a file weights were found, in words.

use crate::checkpoints::Found;

/// Where in a file weights were found, and what was done to their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The key in the file; empty where the file itself is the weights.
    pub key: String,
    /// What was cut from the beginning of every name.
    pub prefix: String,
    /// Whose names they had; none where they are the model's own.
    pub names_of: Option<&'static str>,
    /// Whether they are an average of what was trained.
    pub average: bool,
    /// Keys of other weights in the file.
    pub others: Vec<String>,
    /// Names in the file that belong to something else.
    pub dropped: Vec<String>,
}

/// How many names or keys are shown.
const SHOWN: usize = 4;

impl Origin {
    /// Of weights that were found.
    pub(super) fn of(found: &Found) -> Self {
        Self {
            key: found.key().to_string(),
            prefix: found.prefix().to_string(),
            names_of: found.names_of().filter(|whose| !matches!(*whose, "timm" | "torchvision")),
            average: found.is_average(),
            others: found.others_in_file(),
            dropped: found.dropped().to_vec(),
        }
    }

    /// What is worth saying, a line each: nothing of a file that is a state dict under the model's own names.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match (self.key.as_str(), self.average) {
            ("", false) => {}
            ("", true) => notes.push("they are an average of what was trained".to_string()),
            (key, false) => notes.push(format!("taken from '{key}'")),
            (key, true) => notes.push(format!("taken from '{key}', an average of what was trained")),
        }
        if !self.others.is_empty() {
            notes.push(format!("others are there: --key {}", shown(&self.others, " or --key ")));
        }
        if !self.prefix.is_empty() {
            notes.push(format!("'{}' cut from the beginning of every name", self.prefix));
        }
        notes.extend(self.names_of.map(|whose| format!("renamed from the names of {whose}")));
        if !self.dropped.is_empty() {
            let count = self.dropped.len();
            notes.push(format!("{count} tensors of something else left aside: {}", shown(&self.dropped, ", ")));
        }
        notes
    }
}

fn shown(names: &[String], between: &str) -> String {
    let first: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    format!("{}{}", first.join(between), if names.len() > SHOWN { ", …" } else { "" })
}
