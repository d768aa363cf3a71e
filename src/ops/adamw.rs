//! The settings of the AdamW step.

/// The numbers of one [`adamw`](super::adamw()) step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Learning rate of this step.
    pub rate: f64,
    /// Decay of the two moments.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub decay: f64,
    /// This step, counted from one.
    pub step: usize,
}
