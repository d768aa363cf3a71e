//! Loss and accuracy over a split, with the model off the tape.

use super::state::Meter;
use crate::data::{Batching, DataError, Index, Loader, Order};
use crate::models::{Mode, Model, Taps};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};

/// Cross-entropy of each sample, nats: `[batch, classes]` logits and `[batch, 1]` labels to `[batch, 1]`.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<2, Int>) -> Tensor<2> {
    log_softmax(logits, 1).gather(1, targets).neg()
}

/// Loss and accuracy of `model` (from [`Model::valid`]) over every sample of `index`, in order.
///
/// # Errors
///
/// Where a picture cannot be read.
pub fn evaluate(model: &Model, index: &Index, batching: Batching, device: &Device) -> Result<Meter, DataError> {
    let mut meter = Meter::default();
    for batch in Loader::start(index, Order::Fixed, batching, 0) {
        let batch = batch?;
        let logits = model.forward(batch.images(device), Mode::Eval, &mut Taps::none());
        meter.add(cross_entropy(logits.clone(), batch.targets(device)), logits, &batch.labels);
    }
    Ok(meter)
}
