//! The sentences of a run.

use super::facts::Facts;
use super::headline::headline;
use super::lead::lead;
use super::sentence::Sentence;
use super::warnings::warnings;
use crate::drift::{Analysis, DriftError, Options, analyse};
use crate::store::{RunReader, StoreError};
use serde::Serialize;

/// What a run says, and what to beware of in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Explainer and target that the sentences are about; none where there is no headline.
    pub lead: Option<[String; 2]>,
    /// When the evidence of the leading method settled, its largest step, what moved most.
    pub sentences: Vec<Sentence>,
    /// What must be known before they are believed, the most serious first.
    pub warnings: Vec<Sentence>,
}

/// What is known of a run, and what it says in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answered {
    /// All that was asked of it.
    #[serde(flatten)]
    pub analysis: Analysis,
    /// The sentences about it.
    pub answer: Answer,
}

impl Answered {
    /// Analyses a run and says what that means.
    ///
    /// # Errors
    ///
    /// As [`analyse`], and when a file of the run cannot be read.
    pub fn of(reader: &RunReader, options: &Options) -> Result<Self, DriftError> {
        let analysis = analyse(reader, options)?;
        Ok(Self { answer: answer(reader, &analysis)?, analysis })
    }
}

/// From the analysis and what the run's files say of its training.
fn answer(reader: &RunReader, analysis: &Analysis) -> Result<Answer, StoreError> {
    Ok(composed(analysis, &Facts::of(reader)?))
}

pub(in crate::report) fn composed(analysis: &Analysis, facts: &Facts) -> Answer {
    let lead = lead(&analysis.matrices, facts);
    let sentences = match lead {
        Some(matrix) => headline(analysis, matrix, facts),
        None if analysis.matrices.is_empty() => vec![Sentence::new().text("No method has two epochs to compare.")],
        None => vec![Sentence::new().text("No method has a headline.")],
    };
    let about = lead.map(|matrix| [matrix.explainer.clone(), matrix.target.clone()]);
    Answer { lead: about, sentences, warnings: warnings(analysis, lead, facts) }
}

#[cfg(test)]
mod tests;
