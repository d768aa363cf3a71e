//! The splits of a data set: training, validation, test.

use std::fmt;
use std::str::FromStr;

/// A split of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The images that the model is trained on.
    Train,
    /// Evaluated every epoch; the panel is chosen from it.
    Val,
    /// Never seen in training; for the final evaluation.
    Test,
}

impl Split {
    /// The three splits, in this order everywhere.
    pub const ALL: [Split; 3] = [Split::Train, Split::Val, Split::Test];

    /// The name in files and folders.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Val => "val",
            Split::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Split::ALL.into_iter().find(|split| split.name() == text);
        named.ok_or_else(|| format!("'{text}' is no split; expected train, val or test"))
    }
}
