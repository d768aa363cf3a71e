//! A run in a few sentences: when its evidence settled, its largest step, what moved most, and what to beware of.
//!
//! The same sentences stand in the terminal, on the page and at the end of training.

mod binomial;
mod compose;
mod facts;
mod headline;
mod lead;
mod sentence;
#[cfg(test)]
pub(super) mod testing;
mod warnings;

#[cfg(test)]
pub(super) use compose::composed;
pub use compose::{Answer, Answered};
pub use sentence::{Part, Sentence};
