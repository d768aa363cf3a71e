//! Names that nothing goes by.

/// A name that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} is called '{name}'; there are {known}")]
pub struct UnknownName {
    /// What was looked for: `"measure"`.
    pub kind: &'static str,
    /// What was written.
    pub name: String,
    /// All names there are.
    pub known: String,
}
