//! Activations, and the probe that looks at them.

use crate::ops::fused::FusedOps;
use burn::backend::tensor::FloatTensor;
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

pub(super) fn relu<B: FusedOps, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    match Relu.prepare::<C>([input.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let output = B::fused_relu(input.into_primitive());
            prepared.finish(output.clone(), output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(B::fused_relu(input.into_primitive())),
    }
}

#[derive(Debug)]
struct Relu;

impl<B: FusedOps> Backward<B, 1> for Relu {
    /// The output.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [input_node] = ops.parents;
        let output_gradient = gradients.consume::<B>(&ops.node);
        if let Some(node) = input_node {
            gradients.register::<B>(node.id, B::fused_relu_gradient(output_gradient, ops.state));
        }
    }
}

pub(super) fn softmax<B: FusedOps, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    match Softmax.prepare::<C>([input.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let output = B::fused_softmax(input.into_primitive());
            prepared.finish(output.clone(), output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(B::fused_softmax(input.into_primitive())),
    }
}

#[derive(Debug)]
struct Softmax;

impl<B: FusedOps> Backward<B, 1> for Softmax {
    /// The output.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [input_node] = ops.parents;
        let output_gradient = gradients.consume::<B>(&ops.node);
        if let Some(node) = input_node {
            gradients.register::<B>(node.id, B::fused_softmax_gradient(output_gradient, ops.state));
        }
    }
}

pub(super) fn probed<B: FusedOps, C: CheckpointStrategy>(
    value: FloatTensor<Autodiff<B, C>>,
    leaf: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    match Probe.prepare::<C>([value.node(), leaf.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((), value.into_primitive()),
        OpsKind::UnTracked(prepared) => prepared.finish(value.into_primitive()),
    }
}

#[derive(Debug)]
struct Probe;

impl<B: FusedOps> Backward<B, 2> for Probe {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let output_gradient = gradients.consume::<B>(&ops.node);
        for node in ops.parents.into_iter().flatten() {
            gradients.register::<B>(node.id, output_gradient.clone());
        }
    }
}
