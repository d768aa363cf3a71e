//! Where each parameter of a model sits and what it is for, as the model itself lists them.

/// Where in a network a parameter sits, from the input to the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Everything before the first block.
    Stem,
    /// A block, counted from 0 through all stages; a ViT's last block has the final norm with it.
    Block(usize),
    /// The classification head.
    Head,
}

/// What a parameter or buffer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The kernel of a convolution or the matrix of a linear map.
    Weight,
    /// The bias of a convolution or a linear map.
    Bias,
    /// Scale or shift of a batch normalisation.
    BatchNorm,
    /// Scale or shift of a layer normalisation.
    LayerNorm,
    /// Running mean or variance of a batch normalisation: a buffer, which no gradient reaches.
    RunningStatistic,
    /// A token or an embedding that the model holds itself, outside any layer.
    Token,
}

impl Role {
    /// By the layer that holds the parameter, as Burn writes its type, and the field there.
    pub(super) fn of(layer: &str, field: &str) -> Self {
        match (layer, field) {
            ("Struct:BatchNorm2d", "running_mean" | "running_var") => Role::RunningStatistic,
            ("Struct:BatchNorm2d", _) => Role::BatchNorm,
            ("Struct:LayerNorm", _) => Role::LayerNorm,
            ("Struct:Conv2d" | "Struct:Linear", "bias") => Role::Bias,
            ("Struct:Conv2d" | "Struct:Linear", _) => Role::Weight,
            _ => Role::Token,
        }
    }
}

/// A parameter or buffer of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The state-dict key: `layer4.2.conv2.weight`.
    pub name: String,
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Where in the network it sits.
    pub group: Group,
    /// What it is for.
    pub role: Role,
}

/// A model's groups: the stem, every block, the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// The modules of each block. The first gives the group its name.
    blocks: Vec<Vec<String>>,
    head: &'static str,
}

impl Groups {
    /// `blocks` are the modules of each block, by their paths, and `head` is the head's. What is in neither is the stem.
    pub(super) fn new(blocks: Vec<Vec<String>>, head: &'static str) -> Self {
        Self { blocks, head }
    }

    /// All of them, from the input to the output.
    pub fn all(&self) -> Vec<Group> {
        let blocks = (0..self.blocks.len()).map(Group::Block);
        [Group::Stem].into_iter().chain(blocks).chain([Group::Head]).collect()
    }

    /// The group of a parameter, by its state-dict key.
    pub fn of(&self, parameter: &str) -> Group {
        let is_in =
            |module: &str| parameter.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        if is_in(self.head) {
            return Group::Head;
        }
        let block = self.blocks.iter().position(|modules| modules.iter().any(|module| is_in(module)));
        block.map_or(Group::Stem, Group::Block)
    }

    /// How many groups lie between a group and the output: 0 for the head, most for the stem.
    pub fn above(&self, group: Group) -> usize {
        match group {
            Group::Stem => self.blocks.len() + 1,
            Group::Block(block) => self.blocks.len() - block,
            Group::Head => 0,
        }
    }

    /// What a group is called in the model's own words: `stem`, `layer4.2`, `blocks.11`, `fc`.
    pub fn name(&self, group: Group) -> &str {
        match group {
            Group::Stem => "stem",
            Group::Block(block) => {
                self.blocks.get(block).and_then(|modules| modules.first()).map_or("", String::as_str)
            }
            Group::Head => self.head,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 64,
            rng_seed: RngSeed::Fixed(3),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// `blocks.1` is no beginning of `blocks.11`, `norm` none of `norms` and `head` none of `header`.
        #[test]
        fn a_parameter_belongs_to_the_module_that_it_lies_in(
            blocks in 1..30_usize,
            block in 0..40_usize,
            rest in "[a-z]{1,5}(\\.[a-z0-9]{1,5}){0,2}",
        ) {
            let modules = |index: usize| match index + 1 == blocks {
                true => vec![format!("blocks.{index}"), "norm".to_string()],
                false => vec![format!("blocks.{index}")],
            };
            let groups = Groups::new((0..blocks).map(modules).collect(), "head");
            let expected = if block < blocks { Group::Block(block) } else { Group::Stem };
            prop_assert_eq!(groups.of(&format!("blocks.{block}.{rest}")), expected);
            prop_assert_eq!(groups.of(&format!("norm.{rest}")), Group::Block(blocks - 1));
            prop_assert_eq!(groups.of(&format!("head.{rest}")), Group::Head);
            prop_assert_eq!(groups.of(&format!("norms.{rest}")), Group::Stem);
            prop_assert_eq!(groups.of(&format!("header.{rest}")), Group::Stem);
            let all = groups.all();
            prop_assert!(all.is_sorted() && all.len() == blocks + 2);
            prop_assert!(all.iter().rev().enumerate().all(|(above, group)| groups.above(*group) == above));
        }
    }
}
