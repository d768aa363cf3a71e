//! What is judged.

use super::input::Input;
use crate::measure::Heatmap;

/// One explanation that is judged.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// What was explained, normalised as the model takes it.
    pub input: &'a Input,
    /// The explanation: raw, signed, on any grid.
    pub map: &'a Heatmap,
    /// The class that it explains, from 0.
    pub class: usize,
    /// The image's place in the panel, which names its random numbers: they do not depend on the order of the questions.
    pub index: u64,
}
