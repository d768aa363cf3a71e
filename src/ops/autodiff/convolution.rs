//! Convolution.

use crate::ops::fused::FusedOps;
use burn::backend::tensor::FloatTensor;
use burn_autodiff::Autodiff;
use burn_autodiff::NodeId;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

pub(super) fn conv2d<B: FusedOps, C: CheckpointStrategy>(
    input: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    stride: [usize; 2],
    padding: [usize; 2],
) -> FloatTensor<Autodiff<B, C>> {
    match Conv2d.prepare::<C>([input.node(), weight.node()]).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let state = Conv2dState {
                input: prepared.checkpoint(&input),
                weight: prepared.checkpoint(&weight),
                stride,
                padding,
            };
            let output = B::fused_conv2d(input.into_primitive(), weight.into_primitive(), stride, padding);
            prepared.finish(state, output)
        }
        OpsKind::UnTracked(prepared) => {
            prepared.finish(B::fused_conv2d(input.into_primitive(), weight.into_primitive(), stride, padding))
        }
    }
}

#[derive(Debug)]
struct Conv2d;

#[derive(Clone, Debug)]
struct Conv2dState {
    input: NodeId,
    weight: NodeId,
    stride: [usize; 2],
    padding: [usize; 2],
}

impl<B: FusedOps> Backward<B, 2> for Conv2d {
    type State = Conv2dState;

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [input_node, weight_node] = ops.parents;
        let Conv2dState { input, weight, stride, padding } = ops.state;
        let output_gradient = gradients.consume::<B>(&ops.node);
        let input = checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(input);
        let weight = checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(weight);
        if let Some(node) = input_node {
            let gradient =
                B::fused_conv2d_input_gradient(output_gradient.clone(), input.clone(), weight.clone(), stride, padding);
            gradients.register::<B>(node.id, gradient);
        }
        if let Some(node) = weight_node {
            let gradient = B::fused_conv2d_weight_gradient(output_gradient, input, weight, stride, padding);
            gradients.register::<B>(node.id, gradient);
        }
    }
}
