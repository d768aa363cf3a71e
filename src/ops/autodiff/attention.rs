//! Attention.

use super::tape::constant;
use crate::ops::fused::FusedOps;
use burn::backend::tensor::FloatTensor;
use burn_autodiff::Autodiff;
use burn_autodiff::NodeId;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

type Tracked<B, C> = FloatTensor<Autodiff<B, C>>;

pub(super) fn attention<B: FusedOps, C: CheckpointStrategy>(
    packed: Tracked<B, C>,
    heads: usize,
) -> (Tracked<B, C>, Tracked<B, C>) {
    match Attention.prepare::<C>([packed.node()]).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let input = prepared.checkpoint(&packed);
            let (context, log_denominator) = B::fused_attention(packed.into_primitive(), heads);
            let state = AttentionState::<B> {
                packed: input,
                context: context.clone(),
                log_denominator: log_denominator.clone(),
                heads,
            };
            (prepared.finish(state, context), constant::<B, C>(log_denominator))
        }
        OpsKind::UnTracked(prepared) => {
            let (context, log_denominator) = B::fused_attention(packed.into_primitive(), heads);
            (prepared.finish(context), constant::<B, C>(log_denominator))
        }
    }
}

#[derive(Debug)]
struct Attention;

#[derive(Clone, Debug)]
struct AttentionState<B: FusedOps> {
    packed: NodeId,
    context: FloatTensor<B>,
    log_denominator: FloatTensor<B>,
    heads: usize,
}

impl<B: FusedOps> Backward<B, 1> for Attention {
    type State = AttentionState<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [packed_node] = ops.parents;
        let AttentionState { packed, context, log_denominator, heads } = ops.state;
        let output_gradient = gradients.consume::<B>(&ops.node);
        let packed = checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(packed);
        if let Some(node) = packed_node {
            let gradient = B::fused_attention_gradient(output_gradient, packed, context, log_denominator, heads);
            gradients.register::<B>(node.id, gradient);
        }
    }
}
