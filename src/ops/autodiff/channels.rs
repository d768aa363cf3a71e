//! What is done to whole channels, and to where they lie in memory.

use crate::ops::fused::FusedOps;
use burn::backend::tensor::FloatTensor;
use burn_autodiff::Autodiff;
use burn_autodiff::NodeId;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

type Tracked<B, C> = FloatTensor<Autodiff<B, C>>;

pub(super) fn laid_out<B: FusedOps, C: CheckpointStrategy>(images: Tracked<B, C>) -> Tracked<B, C> {
    match Layout.prepare::<C>([images.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((), B::laid_out(images.into_primitive())),
        OpsKind::UnTracked(prepared) => prepared.finish(B::laid_out(images.into_primitive())),
    }
}

#[derive(Debug)]
struct Layout;

impl<B: FusedOps> Backward<B, 1> for Layout {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let output_gradient = gradients.consume::<B>(&ops.node);
        for node in ops.parents.into_iter().flatten() {
            gradients.register::<B>(node.id, output_gradient.clone());
        }
    }
}

pub(super) fn scale_channels<B: FusedOps, C: CheckpointStrategy>(
    input: Tracked<B, C>,
    scale: Tracked<B, C>,
    shift: Tracked<B, C>,
) -> Tracked<B, C> {
    let forward = |[input, scale, shift]: [Tracked<B, C>; 3]| {
        B::fused_scale_channels(input.into_primitive(), scale.into_primitive(), shift.into_primitive())
    };
    match ScaleChannels.prepare::<C>([input.node(), scale.node(), shift.node()]).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let kept = [&input, &scale].map(|tensor| prepared.checkpoint(tensor));
            prepared.finish(kept, forward([input, scale, shift]))
        }
        OpsKind::UnTracked(prepared) => prepared.finish(forward([input, scale, shift])),
    }
}

#[derive(Debug)]
struct ScaleChannels;

impl<B: FusedOps> Backward<B, 3> for ScaleChannels {
    /// Input and scale.
    type State = [NodeId; 2];

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let output_gradient = gradients.consume::<B>(&ops.node);
        let [input, scale] = ops.state.map(|id| checkpointer.retrieve_node_output::<B::FloatTensorPrimitive>(id));
        let want = ops.parents.each_ref().map(Option::is_some);
        let (input, scale, shift) = B::fused_scale_channels_gradients(output_gradient, input, scale, want);
        for (node, gradient) in ops.parents.into_iter().zip([input, scale, shift]) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}
