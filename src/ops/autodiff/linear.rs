//! Affine maps.

use crate::ops::fused::FusedOps;
use burn::backend::tensor::FloatTensor;
use burn_autodiff::Autodiff;
use burn_autodiff::NodeId;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

pub(super) fn linear<B: FusedOps, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    bias: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    // The input serves the weight's gradient only, and the other way round: with frozen weights no input is kept.
    let (input_tracked, weight_tracked) = (input.is_tracked(), weight.is_tracked());
    match Linear.prepare::<C>([input.node(), weight.node(), bias.node()]).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let state = LinearState {
                input: weight_tracked.then(|| prepared.checkpoint(&input)),
                weight: input_tracked.then(|| prepared.checkpoint(&weight)),
            };
            let output = B::fused_linear(input.into_primitive(), weight.into_primitive(), bias.into_primitive());
            prepared.finish(state, output)
        }
        OpsKind::UnTracked(prepared) => {
            prepared.finish(B::fused_linear(input.into_primitive(), weight.into_primitive(), bias.into_primitive()))
        }
    }
}

#[derive(Debug)]
struct Linear;

#[derive(Clone, Debug)]
struct LinearState {
    input: Option<NodeId>,
    weight: Option<NodeId>,
}

impl<B: FusedOps> Backward<B, 3> for Linear {
    type State = LinearState;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [input_node, weight_node, bias_node] = ops.parents;
        let output_gradient = gradients.consume::<B>(&ops.node);
        // Retrieved whether used or not: what was kept is let go when it has been retrieved as often as it was kept.
        let mut retrieve = |id| checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(id);
        let (input, weight) = (ops.state.input.map(&mut retrieve), ops.state.weight.map(&mut retrieve));
        if let (Some(node), Some(weight)) = (input_node, weight) {
            let gradient = B::fused_linear_input_gradient(output_gradient.clone(), weight);
            gradients.register::<B>(node.id, gradient);
        }
        if let (Some(node), Some(input)) = (weight_node, input) {
            let gradient = B::fused_linear_weight_gradient(output_gradient.clone(), input);
            gradients.register::<B>(node.id, gradient);
        }
        if let Some(node) = bias_node {
            gradients.register::<B>(node.id, B::fused_linear_bias_gradient(output_gradient));
        }
    }
}
