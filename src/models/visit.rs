//! Walks through a model's parameters by name, in state-dict order.

use super::groups::{Group, Groups, Parameter, Role};
use super::model::Model;
use burn::module::{ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// Is shown every parameter and buffer.
pub trait NamedVisitor {
    /// Called once for each, in state-dict order. A running statistic is off the tape.
    fn visit<const D: usize>(&mut self, at: Parameter, value: &Param<Tensor<D>>);
}

/// Replaces parameters and buffers.
pub trait NamedMapper {
    /// Called once for each, in state-dict order. Returns what takes its place.
    fn map<const D: usize>(&mut self, at: Parameter, value: Param<Tensor<D>>) -> Param<Tensor<D>>;
}

/// Which parameters training changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trainable {
    /// Every parameter; buffers are never trained.
    All,
    /// All but the weights and biases of batch normalisation, whose running statistics stand still as well.
    AllButBatchNorm,
    /// The classification head alone.
    Head,
}

impl Model {
    /// Shows every parameter and buffer to `visitor`.
    pub fn visit_named(&self, visitor: &mut impl NamedVisitor) {
        self.visit(&mut Walk { path: Path::of(self), inner: visitor });
    }

    /// The model with every parameter and buffer replaced by what `mapper` makes of it.
    pub fn map_named(self, mapper: &mut impl NamedMapper) -> Model {
        let path = Path::of(&self);
        self.map(&mut Walk { path, inner: mapper })
    }

    /// Every parameter and buffer.
    pub fn parameters(&self) -> Vec<Parameter> {
        struct List(Vec<Parameter>);
        impl NamedVisitor for List {
            fn visit<const D: usize>(&mut self, at: Parameter, _: &Param<Tensor<D>>) {
                self.0.push(at);
            }
        }
        let mut list = List(Vec::new());
        self.visit_named(&mut list);
        list.0
    }

    /// How many numbers can be trained: all but running statistics.
    pub fn parameter_count(&self) -> usize {
        let trained = self.parameters().into_iter().filter(|parameter| parameter.role != Role::RunningStatistic);
        trained.map(|parameter| parameter.shape.iter().product::<usize>()).sum()
    }

    /// Marks what a backward pass computes gradients for. With the head alone everything below stays off the tape, so a
    /// step costs little more than a forward pass.
    pub fn train_only(self, what: Trainable) -> Model {
        self.map_named(&mut Mark(what))
    }
}

struct Mark(Trainable);

impl NamedMapper for Mark {
    fn map<const D: usize>(&mut self, at: Parameter, value: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if at.role == Role::RunningStatistic {
            return value;
        }
        value.set_require_grad(match self.0 {
            Trainable::All => true,
            Trainable::AllButBatchNorm => at.role != Role::BatchNorm,
            Trainable::Head => at.group == Group::Head,
        })
    }
}

/// Burn's visitor and mapper, which are told names one by one.
struct Walk<'a, T> {
    path: Path,
    inner: &'a mut T,
}

/// The way to where a walk is: the name of each open part, and the type that holds it.
struct Path {
    groups: Groups,
    open: Vec<(String, String)>,
}

impl Path {
    fn of(model: &Model) -> Self {
        Self { groups: model.groups(), open: Vec::new() }
    }

    fn enter(&mut self, name: &str, container: &str) {
        self.open.push((name.to_string(), container.to_string()));
    }

    fn parameter(&self, shape: &[usize]) -> Parameter {
        let name = self.open.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(".");
        let role = self.open.last().map_or(Role::Token, |(field, layer)| Role::of(layer, field));
        Parameter { group: self.groups.of(&name), role, shape: shape.to_vec(), name }
    }
}

impl<T: NamedVisitor> ModuleVisitor for Walk<'_, T> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.open.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.inner.visit(self.path.parameter(&parameter.dims()), parameter);
    }
}

impl<T: NamedMapper> ModuleMapper for Walk<'_, T> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.open.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.inner.map(self.path.parameter(&parameter.dims()), parameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ModelName;
    use burn::tensor::Device;

    fn model(name: ModelName) -> Model {
        name.init(10, 0.0, 0, &Device::flex())
    }

    /// How many groups lie above: timm's `param_groups_layer_decay` on `resnet50` and `deit_tiny_patch16_224` numbers them
    /// from the stem, 0, to the head, 17 and 13.
    #[test]
    fn groups_are_timms() {
        let (resnet, deit) = (model(ModelName::Resnet50), model(ModelName::DeitTiny));
        for (model, head, expected) in [
            (
                resnet,
                17,
                &[
                    ("conv1.weight", 0),
                    ("bn1.bias", 0),
                    ("layer1.0.conv1.weight", 1),
                    ("layer3.5.bn2.weight", 13),
                    ("layer4.2.conv3.weight", 16),
                    ("fc.weight", 17),
                ][..],
            ),
            (
                deit,
                13,
                &[
                    ("cls_token", 0),
                    ("patch_embed.proj.weight", 0),
                    ("blocks.0.norm1.weight", 1),
                    ("blocks.11.mlp.fc2.bias", 12),
                    ("norm.bias", 12),
                    ("head.bias", 13),
                ],
            ),
        ] {
            let groups = model.groups();
            for (name, depth) in expected {
                assert_eq!(head - groups.above(groups.of(name)), *depth, "{name}");
            }
        }
    }

    /// Parameters come in the order of the network, so a block that a model forgot to list would show as a stem behind it.
    #[test]
    fn every_parameter_of_every_model_has_a_group_and_a_role() {
        for name in ModelName::ALL {
            let model = model(name);
            let parameters = model.parameters();
            let mut seen: Vec<Group> = parameters.iter().map(|parameter| parameter.group).collect();
            assert!(seen.is_sorted(), "{name}");
            seen.dedup();
            assert_eq!(seen, model.groups().all(), "{name}: a group without parameters");
            for Parameter { name, shape, role, .. } in parameters {
                let is_matrix = role == Role::Weight && shape.len() > 1;
                let is_token = role == Role::Token && ["cls_token", "pos_embed"].contains(&name.as_str());
                assert!(is_matrix || is_token || shape.len() == 1 && role != Role::Token, "{name} is a {role:?}");
                assert_eq!(role == Role::RunningStatistic, name.contains("running_"), "{name}");
            }
        }
    }
}
