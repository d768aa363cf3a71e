//! What can tell training to stop.

use burn_train::Interrupter;

/// Asked before every step whether to stop there. [`Interrupter`], the flag that Burn programs share, is one.
pub trait Stop {
    /// Whether to save and stop.
    fn should_stop(&self) -> bool;
}

impl Stop for Interrupter {
    fn should_stop(&self) -> bool {
        Interrupter::should_stop(self)
    }
}
