//! The numbers of one step of an optimizer.

/// The numbers of one step of [`adamw`](super::adamw()).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Learning rate of this step.
    pub rate: f64,
    /// Decay of the two moments.
    pub betas: [f64; 2],
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Weight decay.
    pub decay: f64,
    /// Whether the decay shrinks the parameters themselves, as AdamW's; else it is added to the gradient, as Adam's.
    pub decoupled: bool,
    /// This step, counted from one.
    pub step: usize,
}

/// The numbers of one step of [`sgd`](super::sgd()).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Learning rate of this step.
    pub rate: f64,
    /// Share of the last update that is kept; with 0 the buffers stay as they are.
    pub momentum: f64,
    /// Whether the gradient is taken where the momentum leads.
    pub nesterov: bool,
    /// Weight decay, added to the gradient.
    pub decay: f64,
    /// Whether it is the first step of these parameters: the buffers become the gradients, whatever they hold.
    pub first: bool,
}
