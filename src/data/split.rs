//! The parts that data is divided into.

use std::fmt;
use std::str::FromStr;

/// Which part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Learned from.
    Train,
    /// Evaluated every epoch; the panel is chosen from it.
    Val,
    /// Kept apart.
    Test,
}

impl Split {
    /// All three.
    pub const ALL: [Split; 3] = [Split::Train, Split::Val, Split::Test];

    /// As it is called in files and folders.
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
