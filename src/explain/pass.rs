//! The forward pass that methods share, with taps for all of them, and what it leaves for them to read.

use super::error::ExplainError;
use super::explanation::Explanation;
use crate::models::{Tap, TapSpec, Tapped, Watch};
use burn::tensor::{Gradients, Tensor};

/// What a method wants of one tap.
#[derive(Clone, Copy)]
pub(super) struct Request {
    pub(super) spec: TapSpec,
    pub(super) watch: Watch,
}

/// A method that reads the shared pass.
pub(super) trait Reader {
    /// The taps that it reads; the grid of its maps is the last one's.
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<Request>, ExplainError>;

    /// One explanation an image.
    fn explain(&self, pass: &Pass) -> Result<Vec<Explanation>, ExplainError>;
}

/// What a pass leaves: values at taps, and the gradients of the target logits.
pub(super) struct Pass {
    pub(super) tapped: Vec<Tapped>,
    pub(super) gradients: Option<Gradients>,
}

impl Pass {
    /// The value at a tap: `[batch, channels, rows, columns]`, or `[batch, heads, tokens, tokens]` for attention.
    pub(super) fn value(&self, tap: Tap) -> Result<Tensor<4>, ExplainError> {
        Ok(self.find(tap, "value")?.value())
    }

    /// The gradient of the target logit there, same shape.
    pub(super) fn gradient(&self, tap: Tap) -> Result<Tensor<4>, ExplainError> {
        let gradients = self.gradients.as_ref().ok_or(ExplainError::Disconnected { tap, what: "gradient" })?;
        let gradient = self.find(tap, "gradient")?.gradient(gradients);
        gradient.ok_or(ExplainError::Disconnected { tap, what: "gradient" })
    }

    /// The taps that were asked for, in the order of the model.
    pub(super) fn specs(&self) -> Vec<TapSpec> {
        self.tapped.iter().map(|tapped| tapped.spec).collect()
    }

    fn find(&self, tap: Tap, what: &'static str) -> Result<&Tapped, ExplainError> {
        let found = self.tapped.iter().find(|tapped| tapped.spec.tap == tap);
        found.ok_or(ExplainError::Disconnected { tap, what })
    }
}

/// Every tap that somebody needs, once. The first differentiated tap on the model's way is lifted in place, so that
/// nothing below it is recorded; a lift above it would cut it off the tape, so the others are probed.
pub(super) fn union(readers: &[&dyn Reader], offered: &[TapSpec]) -> Result<Vec<(Tap, Watch)>, ExplainError> {
    let mut wanted: Vec<(Tap, Watch)> = Vec::new();
    for reader in readers {
        for Request { spec, watch } in reader.requests(offered)? {
            match wanted.iter_mut().find(|(tap, _)| *tap == spec.tap) {
                Some((_, present)) if *present == Watch::Value => *present = watch,
                Some(_) => {}
                None => wanted.push((spec.tap, watch)),
            }
        }
    }
    let place = |tap: Tap| offered.iter().position(|spec| spec.tap == tap);
    wanted.sort_by_key(|(tap, _)| place(*tap));
    let differentiated = wanted.iter_mut().filter(|(_, watch)| *watch != Watch::Value);
    differentiated.skip(1).for_each(|(_, watch)| *watch = Watch::Probe);
    Ok(wanted)
}
