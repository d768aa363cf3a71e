//! The facts about each method, and how it runs.

use super::ask::Asker;
use super::pass::Reader;
use std::fmt;

/// The facts about a method, which stand in its own file.
pub(super) trait Method {
    /// What it is called on the command line and in files.
    const NAME: &'static str;
    /// What a person reads: the name that papers print.
    const TITLE: &'static str;
    /// What it reads of a model.
    const READS: Reads;
    /// Whether its maps answer for one class. Those of an untrained head are then noise.
    const CLASS_SPECIFIC: bool;

    /// How it runs.
    fn runner(&self) -> Runner<'_>;
}

/// What a method reads of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The feature map of one layer.
    FeatureMap,
    /// The attention of a vision transformer.
    Attention,
    /// Nothing inside: what the model says of changed inputs, or its gradient there.
    Input,
}

impl Reads {
    /// Whether a model has it that `has_attention`, a vision transformer, or one that does not, a CNN.
    pub fn is_in(self, has_attention: bool) -> bool {
        has_attention || self != Reads::Attention
    }
}

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reads::FeatureMap => "feature map",
            Reads::Attention => "attention",
            Reads::Input => "input",
        })
    }
}

/// The two ways in which methods run.
pub(super) enum Runner<'a> {
    /// Reads the pass that all such methods share.
    Reads(&'a dyn Reader),
    /// Runs the model itself.
    Asks(&'a dyn Asker),
}

/// The facts about a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodSpec {
    /// What it is called on the command line and in files.
    pub name: &'static str,
    /// What a person reads: the name that papers print.
    pub title: &'static str,
    /// What it reads of a model.
    pub reads: Reads,
    /// Whether its maps answer for one class. Those of an untrained head are then noise.
    pub class_specific: bool,
}

impl MethodSpec {
    /// As the method's own file has them.
    pub(super) const fn of<M: Method>() -> Self {
        Self { name: M::NAME, title: M::TITLE, reads: M::READS, class_specific: M::CLASS_SPECIFIC }
    }
}
