//! Normalisations. Layer and batch norm keep the same things and differ in the body they call.

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
/// The output, and the mean, reciprocal standard deviation and variance of the batch per channel.
type BatchNormed<B, C> = (Tracked<B, C>, Tracked<B, C>, Tracked<B, C>, Tracked<B, C>);

pub(super) fn layer_norm<B: FusedOps, C: CheckpointStrategy>(
    input: Tracked<B, C>,
    weight: Tracked<B, C>,
    bias: Tracked<B, C>,
    epsilon: f64,
) -> (Tracked<B, C>, Tracked<B, C>, Tracked<B, C>) {
    let forward = |[input, weight, bias]: [Tracked<B, C>; 3]| {
        B::fused_layer_norm(input.into_primitive(), weight.into_primitive(), bias.into_primitive(), epsilon)
    };
    match LayerNorm.prepare::<C>([input.node(), weight.node(), bias.node()]).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let kept = [&input, &weight].map(|tensor| prepared.checkpoint(tensor));
            let (output, mean, reciprocal) = forward([input, weight, bias]);
            let state = NormState::<B> { kept, mean: mean.clone(), reciprocal: reciprocal.clone() };
            (prepared.finish(state, output), constant::<B, C>(mean), constant::<B, C>(reciprocal))
        }
        OpsKind::UnTracked(prepared) => {
            let (output, mean, reciprocal) = forward([input, weight, bias]);
            (prepared.finish(output), constant::<B, C>(mean), constant::<B, C>(reciprocal))
        }
    }
}

pub(super) fn batch_norm<B: FusedOps, C: CheckpointStrategy>(
    input: Tracked<B, C>,
    weight: Tracked<B, C>,
    bias: Tracked<B, C>,
    epsilon: f64,
) -> BatchNormed<B, C> {
    let forward = |[input, weight, bias]: [Tracked<B, C>; 3]| {
        B::fused_batch_norm(input.into_primitive(), weight.into_primitive(), bias.into_primitive(), epsilon)
    };
    let (output, [mean, reciprocal, variance]) =
        match BatchNorm.prepare::<C>([input.node(), weight.node(), bias.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let kept = [&input, &weight].map(|tensor| prepared.checkpoint(tensor));
                let (output, mean, reciprocal, variance) = forward([input, weight, bias]);
                let state = NormState::<B> { kept, mean: mean.clone(), reciprocal: reciprocal.clone() };
                (prepared.finish(state, output), [mean, reciprocal, variance])
            }
            OpsKind::UnTracked(prepared) => {
                let (output, mean, reciprocal, variance) = forward([input, weight, bias]);
                (prepared.finish(output), [mean, reciprocal, variance])
            }
        };
    (output, constant::<B, C>(mean), constant::<B, C>(reciprocal), constant::<B, C>(variance))
}

#[derive(Debug)]
struct LayerNorm;

#[derive(Debug)]
struct BatchNorm;

#[derive(Clone, Debug)]
struct NormState<B: FusedOps> {
    /// Input and weight.
    kept: [NodeId; 2],
    mean: FloatTensor<B>,
    reciprocal: FloatTensor<B>,
}

impl<B: FusedOps> Backward<B, 3> for LayerNorm {
    type State = NormState<B>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        register(ops, gradients, checkpointer, B::fused_layer_norm_gradients);
    }
}

impl<B: FusedOps> Backward<B, 3> for BatchNorm {
    type State = NormState<B>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        register(ops, gradients, checkpointer, B::fused_batch_norm_gradients);
    }
}

type Three<T> = (Option<T>, Option<T>, Option<T>);

fn register<B, T>(
    ops: Ops<NormState<B>, 3>,
    gradients: &mut Gradients,
    checkpointer: &mut Checkpointer,
    body: impl FnOnce(T, T, T, T, T, [bool; 3]) -> Three<T>,
) where
    B: FusedOps<FloatTensorPrimitive = T>,
    T: Clone + Send + 'static,
{
    let NormState { kept, mean, reciprocal } = ops.state;
    let output_gradient = gradients.consume::<B>(&ops.node);
    let [input, weight] = kept.map(|id| checkpointer.retrieve_node_output::<T>(id));
    let want = ops.parents.each_ref().map(Option::is_some);
    let (input, weight, bias) = body(output_gradient, input, weight, mean, reciprocal, want);
    for (node, gradient) in ops.parents.into_iter().zip([input, weight, bias]) {
        if let (Some(node), Some(gradient)) = (node, gradient) {
            gradients.register::<B>(node.id, gradient);
        }
    }
}
