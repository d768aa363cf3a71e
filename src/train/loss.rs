//! The training loss.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

/// Cross-entropy of each image against a distribution over the classes, nats: `[batch, classes]` twice to `[batch, 1]`.
/// Against a one-hot target it is [`crate::probe::cross_entropy`].
pub(super) fn soft_cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    (log_softmax(logits, 1) * targets).sum_dim(1).neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// On paper: two classes, logits 0 and ln 3, so probabilities 1/4 and 3/4. Target (1/2, 1/2): (ln 4 + ln 4/3)/2.
    #[test]
    fn a_soft_target_weighs_the_log_probabilities() {
        let device = Device::flex();
        let logits = Tensor::<2>::from_floats([[0.0, 3.0_f32.ln()]], &device);
        let loss = soft_cross_entropy(logits, Tensor::from_floats([[0.5, 0.5]], &device)).into_scalar::<f32>();
        assert!((loss - (4.0_f32.ln() + (4.0_f32 / 3.0).ln()) / 2.0).abs() < 1e-6);
    }
}
