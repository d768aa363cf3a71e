//! A model's parameters by part: which of them training may change, and how deep in the network each lies.

use super::Model;
use burn::module::{ModuleMapper, Param};
use burn::tensor::Tensor;

/// Which parameters training changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trainable {
    /// Every one.
    All,
    /// All but the weights and biases of batch normalisation, whose running statistics stand still as well.
    AllButBatchNorm,
    /// The classification head alone.
    Head,
}

/// The parameters of a classification head, in either architecture.
pub const HEADS: [&str; 2] = ["fc", "head"];

/// Whether a state-dict name is the head's.
pub fn is_head(name: &str) -> bool {
    name.split('.').next().is_some_and(|part| HEADS.contains(&part))
}

impl Model {
    /// Marks what a backward pass computes gradients for. With the head alone everything below stays off the tape, so a
    /// step costs little more than a forward pass.
    pub fn train_only(self, what: Trainable) -> Model {
        self.map(&mut Mark { what, path: Vec::new() })
    }

    /// How deep its parameters lie.
    pub fn depths(&self) -> Depths {
        match self {
            Model::ResNet(model) => Depths { stages: model.stage_lengths() },
            Model::Deit(model) => Depths { stages: [model.depth(), 0, 0, 0] },
        }
    }
}

/// Groups of parameters by depth: the stem, every block, the head.
///
/// # Source
///
/// timm `group_matcher` of `resnet.py` and `vision_transformer.py` (the final norm goes with the last block).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depths {
    /// Blocks of each residual stage; a transformer's are all in the first.
    stages: [usize; 4],
}

impl Depths {
    /// The head's depth, the greatest.
    pub fn top(self) -> usize {
        self.stages.iter().sum::<usize>() + 1
    }

    /// The depth of a parameter by its state-dict name: 0 in the stem, then the block's number from 1, the head last.
    pub fn of(self, name: &str) -> usize {
        if is_head(name) {
            return self.top();
        }
        let mut parts = name.split('.');
        let (first, second) =
            (parts.next().unwrap_or_default(), parts.next().and_then(|part| part.parse::<usize>().ok()));
        let stage = first.strip_prefix("layer").and_then(|stage| stage.parse::<usize>().ok());
        match (first, stage, second) {
            ("norm", ..) => self.top() - 1,
            ("blocks", _, Some(block)) => 1 + block,
            (_, Some(stage), Some(block)) => 1 + self.stages.iter().take(stage - 1).sum::<usize>() + block,
            _ => 0,
        }
    }
}

/// The name of each open part, and the type that holds it.
struct Mark {
    what: Trainable,
    path: Vec<(String, String)>,
}

impl ModuleMapper for Mark {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.to_string(), container.to_string()));
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let owner = self.path.last().map_or("", |(_, container)| container);
        let name = self.path.last().map_or("", |(name, _)| name);
        if name.starts_with("running_") {
            return parameter; // a buffer is never trained
        }
        let trained = match self.what {
            Trainable::All => true,
            Trainable::AllButBatchNorm => !owner.ends_with("BatchNorm2d"),
            Trainable::Head => self.path.first().is_some_and(|(part, _)| is_head(part)),
        };
        parameter.set_require_grad(trained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// timm's `param_groups_layer_decay` on `resnet50` and `deit_tiny_patch16_224`.
    #[test]
    fn depths_are_timms() {
        let resnet = Depths { stages: [3, 4, 6, 3] };
        let names =
            ["conv1.weight", "bn1.bias", "layer1.0.conv1.weight", "layer3.5.bn2.weight", "layer4.2.conv3.weight"];
        assert_eq!(names.map(|name| resnet.of(name)), [0, 0, 1, 13, 16]);
        assert_eq!((resnet.of("fc.weight"), resnet.top()), (17, 17));
        let deit = Depths { stages: [12, 0, 0, 0] };
        let names =
            ["cls_token", "patch_embed.proj.weight", "blocks.0.norm1.weight", "blocks.11.mlp.fc2.bias", "norm.bias"];
        assert_eq!(names.map(|name| deit.of(name)), [0, 0, 1, 12, 12]);
        assert_eq!(deit.of("head.bias"), 13);
    }
}
