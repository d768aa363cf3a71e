//! Which model a set of names and shapes is: a ResNet or a ViT, its size, and how many classes it tells apart.
//!
//! # Source
//!
//! torchvision 0.24.1 `resnet.py`; timm 1.0.22 `vision_transformer.py`, `deit.py`.

use super::layout::{Shapes, Tokens, Trait, resnet_shapes, vit_shapes};

/// A model as its shapes tell it. Nothing in them says how images are to be normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// A residual network.
    ResNet {
        /// Blocks of three convolutions instead of two.
        bottleneck: bool,
        /// Blocks of each stage.
        blocks: [usize; 4],
        /// Channels of the stem.
        width: usize,
        /// Channels of the first stage's inner convolutions.
        inner: usize,
        /// Groups of the 3×3 convolutions of a bottleneck.
        groups: usize,
        /// Classes of the head.
        classes: usize,
    },
    /// A vision transformer.
    Vit {
        /// Features of a token.
        features: usize,
        /// Number of blocks.
        depth: usize,
        /// Side of a patch, pixels.
        patch: usize,
        /// Side of the image that it was trained on, pixels.
        image: usize,
        /// A distillation token beside the class token.
        distilled: bool,
        /// A second head on the distillation token.
        second_head: bool,
        /// What makes it another model than the plain one; empty for a ViT or DeiT as published.
        traits: Vec<Trait>,
        /// Classes of the head.
        classes: usize,
    },
}

impl Architecture {
    /// The model that has these names and shapes.
    ///
    /// # Errors
    ///
    /// What is missing, what is there beyond any model known here, or a shape that no model of this kind has.
    pub fn of(shapes: &Shapes) -> Result<Self, String> {
        let found = if shapes.contains_key("patch_embed.proj.weight") { vit(shapes)? } else { resnet(shapes)? };
        let expected = found.shapes();
        let missing = expected.keys().find(|name| !shapes.contains_key(*name));
        let unknown = shapes.keys().find(|name| !expected.contains_key(*name));
        let wrong = expected.iter().find(|(name, shape)| shapes.get(*name).is_some_and(|found| found != *shape));
        match (unknown, missing, wrong) {
            (Some(name), ..) => Err(format!("{} has no {name}{}", found.name(), variant(name))),
            (_, Some(name), _) => Err(format!("it lacks {name}, which {} has", found.name())),
            (.., Some((name, shape))) => Err(format!("{name} has shape {:?}, expected {shape:?}", shapes[name])),
            _ => Ok(found),
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Architecture::ResNet { classes, .. } | Architecture::Vit { classes, .. } => *classes,
        }
    }

    /// timm's name for it where there is one, and else what it is like: `resnet18`, `deit_tiny_patch16_224`.
    pub fn name(&self) -> String {
        match self {
            Architecture::ResNet { bottleneck, blocks, width, inner, groups, .. } => {
                let depth = match (bottleneck, blocks) {
                    (false, [2, 2, 2, 2]) => 18,
                    (false, [3, 4, 6, 3]) => 34,
                    (true, [3, 4, 6, 3]) => 50,
                    (true, [3, 4, 23, 3]) => 101,
                    (true, [3, 8, 36, 3]) => 152,
                    _ => 0,
                };
                match (depth, width, inner, groups) {
                    (1.., 64, 64, 1) => format!("resnet{depth}"),
                    (50 | 101, 64, 128, 1) => format!("wide_resnet{depth}_2"),
                    (1.., 64, _, 2..) => format!("resnext{depth}_{groups}x{}d", inner / groups),
                    _ => {
                        let kind = if *bottleneck { "bottleneck" } else { "basic" };
                        format!("a ResNet of {kind} blocks {blocks:?} and {width} channels")
                    }
                }
            }
            Architecture::Vit { features, depth, patch, image, distilled, traits, .. } => {
                let size = match (features, depth) {
                    (192, 12) => Some("tiny"),
                    (384, 12) => Some("small"),
                    (768, 12) => Some("base"),
                    (1024, 24) => Some("large"),
                    _ => None,
                };
                let distilled = if *distilled { "_distilled" } else { "" };
                match (size, &traits[..]) {
                    (Some(size), []) => format!("deit_{size}{distilled}_patch{patch}_{image}"),
                    (Some(size), [Trait::NoClassPosition, Trait::LayerScale]) => {
                        format!("deit3_{size}{distilled}_patch{patch}_{image}")
                    }
                    _ => {
                        let with: Vec<&str> = traits.iter().map(|one| one.words()).collect();
                        let with = if with.is_empty() { String::new() } else { format!(", with {}", with.join(", ")) };
                        format!(
                            "a ViT of {features} features, {depth} blocks, {patch}-pixel patches, {image} pixels{with}"
                        )
                    }
                }
            }
        }
    }

    /// Every name and shape that a model like this has.
    fn shapes(&self) -> Shapes {
        match self {
            Architecture::ResNet { bottleneck, blocks, width, inner, groups, classes } => {
                resnet_shapes(*bottleneck, *blocks, *width, *inner, *groups, *classes)
            }
            Architecture::Vit { features, depth, patch, image, distilled, second_head, traits, classes } => {
                let tokens = Tokens { grid: image / patch, distilled: *distilled, traits };
                vit_shapes(*features, *depth, *patch, &tokens, *second_head, *classes)
            }
        }
    }
}

/// What a name says that makes a model another one.
fn variant(name: &str) -> &'static str {
    const VARIANTS: [(&str, &str); 8] = [
        ("attn_pool", ": it pools by attention, which is not supported"),
        ("q_norm", ": it normalises queries and keys, which is not supported"),
        ("relative_position", ": it has relative positions, as BEiT and Swin, which is not supported"),
        ("se.", ": it is an SE-ResNet, which is not supported"),
        ("conv1.0", ": it has a deep stem (timm's ResNet-C, -D, -S or -T), which is not supported"),
        ("downsample.2", ": it has an average pool in its shortcuts (timm's ResNet-D), which is not supported"),
        ("fc.", ": its head is more than one linear map, which is not supported"),
        ("head.", ": its head is more than one linear map, which is not supported"),
    ];
    VARIANTS.iter().find(|(part, _)| name.contains(part)).map_or("", |(_, words)| words)
}

/// The longest side of a tensor of any model: so that no product of a few is beyond 64 bits.
const LONGEST: usize = 1_000_000;

fn side(shapes: &Shapes, name: &str, axis: usize) -> Result<usize, String> {
    match shapes.get(name).map(|shape| shape.get(axis)) {
        Some(Some(side)) if (1..=LONGEST).contains(side) => Ok(*side),
        Some(Some(side)) => Err(format!("{name} has a side of {side}")),
        Some(None) => Err(format!("{name} has shape {:?}", shapes[name])),
        None if name == "fc.weight" || name == "head.weight" => {
            Err(format!("it has no head ({name} is missing): it gives features and no classes"))
        }
        None => Err(format!("it lacks {name}, which every ResNet and ViT here has")),
    }
}

/// How many blocks stand under `prefix`, counted from 0.
fn count(shapes: &Shapes, prefix: &str) -> usize {
    let number = |name: &String| name.strip_prefix(prefix)?.split('.').next()?.parse::<u16>().ok();
    shapes.keys().filter_map(number).max().map_or(0, |last| usize::from(last) + 1)
}

fn resnet(shapes: &Shapes) -> Result<Architecture, String> {
    let width = side(shapes, "conv1.weight", 0)?;
    let bottleneck = shapes.contains_key("layer1.0.conv3.weight");
    let inner = side(shapes, "layer1.0.conv1.weight", 0)?;
    let grouped = side(shapes, "layer1.0.conv2.weight", 1)?;
    let blocks = [1, 2, 3, 4].map(|stage| count(shapes, &format!("layer{stage}.")));
    let classes = side(shapes, "fc.weight", 0)?;
    let groups = if bottleneck { inner / grouped.max(1) } else { 1 };
    Ok(Architecture::ResNet { bottleneck, blocks, width, inner, groups, classes })
}

fn vit(shapes: &Shapes) -> Result<Architecture, String> {
    let [features, patch] = [side(shapes, "patch_embed.proj.weight", 0)?, side(shapes, "patch_embed.proj.weight", 2)?];
    let has = |name: &str| shapes.contains_key(name);
    let (distilled, class) = (has("dist_token"), has("cls_token"));
    let registers = if has("reg_token") { side(shapes, "reg_token", 1)? } else { 0 };
    let positions = side(shapes, "pos_embed", 1)?;
    let prefix = usize::from(class) + usize::from(distilled);
    // A square number of positions has none for the prefix tokens. Of two answers the one with positions for all is usual.
    let with = |prefix: usize| {
        positions.checked_sub(prefix).map(usize::isqrt).filter(|grid| grid * grid + prefix == positions)
    };
    let (grid, embedded) = match (with(prefix + registers), with(0)) {
        (Some(grid), _) => (grid, true),
        (None, Some(grid)) => (grid, false),
        (None, None) => {
            return Err(format!(
                "pos_embed has {positions} positions, expected a square number and {}",
                prefix + registers
            ));
        }
    };
    let traits = [
        (!class, Trait::NoClassToken),
        (!embedded, Trait::NoClassPosition),
        (registers > 0, Trait::Registers(registers)),
        (has("blocks.0.ls1.gamma"), Trait::LayerScale),
        (has("fc_norm.weight"), Trait::MeanPool),
        (!has("blocks.0.attn.qkv.bias"), Trait::NoQkvBias),
        (has("norm_pre.weight"), Trait::PreNorm),
    ];
    let traits = traits.into_iter().filter_map(|(there, one)| there.then_some(one)).collect();
    let classes = side(shapes, "head.weight", 0)?;
    let (depth, second_head) = (count(shapes, "blocks."), has("head_dist.weight"));
    Ok(Architecture::Vit { features, depth, patch, image: grid * patch, distilled, second_head, traits, classes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(shapes: &Shapes) -> usize {
        let counted = shapes.iter().filter(|(name, _)| !name.contains("running_"));
        counted.map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// timm 1.0.22 and torchvision 0.24.1: `sum(p.numel() for p in model.parameters())` with 1,000 classes.
    #[test]
    fn models_are_told_by_their_shapes_and_have_as_many_parameters_as_published() {
        let resnet = |bottleneck, blocks, inner, groups| Architecture::ResNet {
            bottleneck,
            blocks,
            width: 64,
            inner,
            groups,
            classes: 1000,
        };
        let vit = |features, patch, image, distilled| {
            let second_head = distilled;
            Architecture::Vit {
                features,
                depth: 12,
                patch,
                image,
                distilled,
                second_head,
                traits: vec![],
                classes: 1000,
            }
        };
        for (model, name, expected) in [
            (resnet(false, [2, 2, 2, 2], 64, 1), "resnet18", 11_689_512),
            (resnet(false, [3, 4, 6, 3], 64, 1), "resnet34", 21_797_672),
            (resnet(true, [3, 4, 6, 3], 64, 1), "resnet50", 25_557_032),
            (resnet(true, [3, 4, 23, 3], 64, 1), "resnet101", 44_549_160),
            (resnet(true, [3, 8, 36, 3], 64, 1), "resnet152", 60_192_808),
            (resnet(true, [3, 4, 6, 3], 128, 1), "wide_resnet50_2", 68_883_240),
            (resnet(true, [3, 4, 6, 3], 128, 32), "resnext50_32x4d", 25_028_904),
            (vit(192, 16, 224, false), "deit_tiny_patch16_224", 5_717_416),
            (vit(384, 16, 384, false), "deit_small_patch16_384", 22_196_584),
            (vit(768, 32, 224, false), "deit_base_patch32_224", 88_224_232),
            (vit(192, 16, 224, true), "deit_tiny_distilled_patch16_224", 5_910_800),
            (vit(768, 16, 384, true), "deit_base_distilled_patch16_384", 87_630_032),
        ] {
            let shapes = model.shapes();
            assert_eq!((model.name().as_str(), parameters(&shapes)), (name, expected));
            assert_eq!(Architecture::of(&shapes), Ok(model));
        }
    }

    #[test]
    fn what_is_no_model_here_is_refused_by_name() {
        let model = Architecture::Vit {
            features: 48,
            depth: 2,
            patch: 8,
            image: 32,
            distilled: false,
            second_head: false,
            traits: vec![],
            classes: 5,
        };
        let refused = |change: &dyn Fn(&mut Shapes)| {
            let mut shapes = model.shapes();
            change(&mut shapes);
            Architecture::of(&shapes).unwrap_err()
        };
        assert!(refused(&|shapes| drop(shapes.remove("head.weight"))).contains("no head"));
        assert!(
            refused(&|shapes| drop(shapes.remove("blocks.1.mlp.fc1.bias"))).contains("lacks blocks.1.mlp.fc1.bias")
        );
        let added = |name: &str| refused(&|shapes| drop(shapes.insert(name.to_string(), vec![48])));
        assert!(added("blocks.0.attn.q_norm.weight").contains("normalises queries"));
        assert!(added("head.2.weight").contains("more than one linear map"));
        assert!(
            refused(&|shapes| drop(shapes.insert("pos_embed".to_string(), vec![1, 15, 48]))).contains("15 positions")
        );
        assert!(
            refused(&|shapes| drop(shapes.insert("norm.bias".to_string(), vec![47])))
                .contains("norm.bias has shape [47]")
        );
    }
}
