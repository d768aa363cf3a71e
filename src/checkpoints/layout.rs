//! Every name and shape that a ResNet or a ViT of a given size has.
//!
//! # Source
//!
//! torchvision 0.24.1 `resnet.py`; timm 1.0.22 `vision_transformer.py`, `deit.py`.

use std::collections::BTreeMap;

/// Shapes by name.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// What makes a ViT another model than the plain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trait {
    /// No class token.
    NoClassToken,
    /// The prefix tokens have no position: timm's `no_embed_class`, and DeiT III.
    NoClassPosition,
    /// So many register tokens.
    Registers(usize),
    /// A learned factor on each branch: timm's `init_values`, and DeiT III.
    LayerScale,
    /// The head reads the mean of the tokens.
    MeanPool,
    /// Queries, keys and values have no bias.
    NoQkvBias,
    /// A norm before the first block, and patches without a bias.
    PreNorm,
}

impl Trait {
    pub(super) fn words(self) -> &'static str {
        match self {
            Trait::NoClassToken => "no class token",
            Trait::NoClassPosition => "no position for the class token",
            Trait::Registers(_) => "register tokens",
            Trait::LayerScale => "LayerScale",
            Trait::MeanPool => "a head on the mean of the tokens",
            Trait::NoQkvBias => "no bias for queries, keys and values",
            Trait::PreNorm => "a norm before the blocks",
        }
    }
}

/// Every name and shape of a ResNet.
pub(super) fn resnet_shapes(
    bottleneck: bool,
    blocks: [usize; 4],
    width: usize,
    inner: usize,
    groups: usize,
    classes: usize,
) -> Shapes {
    let mut shapes = Shapes::new();
    let norm = |shapes: &mut Shapes, name: &str, channels: usize| {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            shapes.insert(format!("{name}.{part}"), vec![channels]);
        }
    };
    shapes.insert("conv1.weight".to_string(), vec![width, 3, 7, 7]);
    norm(&mut shapes, "bn1", width);
    let mut channels = width;
    for (stage, count) in blocks.into_iter().enumerate() {
        let (inner, out) = (inner << stage, (width << stage) * if bottleneck { 4 } else { 1 });
        for block in 0..count {
            let name = format!("layer{}.{block}", stage + 1);
            let convolutions = match bottleneck {
                true => vec![[inner, channels, 1], [inner, inner / groups.max(1), 3], [out, inner, 1]],
                false => vec![[inner, channels, 3], [out, inner, 3]],
            };
            for (index, [to, from, kernel]) in convolutions.into_iter().enumerate() {
                shapes.insert(format!("{name}.conv{}.weight", index + 1), vec![to, from, kernel, kernel]);
                norm(&mut shapes, &format!("{name}.bn{}", index + 1), to);
            }
            if block == 0 && (stage > 0 || channels != out) {
                shapes.insert(format!("{name}.downsample.0.weight"), vec![out, channels, 1, 1]);
                norm(&mut shapes, &format!("{name}.downsample.1"), out);
            }
            channels = out;
        }
    }
    shapes.insert("fc.weight".to_string(), vec![classes, channels]);
    shapes.insert("fc.bias".to_string(), vec![classes]);
    shapes
}

/// The tokens of a ViT.
pub(super) struct Tokens<'a> {
    pub(super) grid: usize,
    pub(super) distilled: bool,
    pub(super) traits: &'a [Trait],
}

/// Every name and shape of a ViT.
pub(super) fn vit_shapes(
    features: usize,
    depth: usize,
    patch: usize,
    tokens: &Tokens,
    second_head: bool,
    classes: usize,
) -> Shapes {
    let mut shapes = Shapes::new();
    let mut put = |name: String, shape: &[usize]| drop(shapes.insert(name, shape.to_vec()));
    let has = |one: Trait| tokens.traits.contains(&one);
    let registers =
        tokens.traits.iter().find_map(|one| if let Trait::Registers(count) = one { Some(*count) } else { None });
    let class = !has(Trait::NoClassToken);
    for (name, count) in [
        ("cls_token", usize::from(class)),
        ("dist_token", usize::from(tokens.distilled)),
        ("reg_token", registers.unwrap_or_default()),
    ] {
        if count > 0 {
            put(name.to_string(), &[1, count, features]);
        }
    }
    let prefix = usize::from(class) + usize::from(tokens.distilled) + registers.unwrap_or_default();
    let prefix = if has(Trait::NoClassPosition) { 0 } else { prefix };
    put("pos_embed".to_string(), &[1, tokens.grid.pow(2) + prefix, features]);
    put("patch_embed.proj.weight".to_string(), &[features, 3, patch, patch]);
    let mut norms = vec![if has(Trait::MeanPool) { "fc_norm".to_string() } else { "norm".to_string() }];
    match has(Trait::PreNorm) {
        true => norms.push("norm_pre".to_string()),
        false => put("patch_embed.proj.bias".to_string(), &[features]),
    }
    for block in 0..depth {
        for (name, to, from) in [
            ("attn.qkv", 3 * features, features),
            ("attn.proj", features, features),
            ("mlp.fc1", 4 * features, features),
            ("mlp.fc2", features, 4 * features),
        ] {
            put(format!("blocks.{block}.{name}.weight"), &[to, from]);
            if name != "attn.qkv" || !has(Trait::NoQkvBias) {
                put(format!("blocks.{block}.{name}.bias"), &[to]);
            }
        }
        norms.extend([1, 2].map(|norm| format!("blocks.{block}.norm{norm}")));
        if has(Trait::LayerScale) {
            [1, 2].into_iter().for_each(|branch| put(format!("blocks.{block}.ls{branch}.gamma"), &[features]));
        }
    }
    for name in norms {
        put(format!("{name}.weight"), &[features]);
        put(format!("{name}.bias"), &[features]);
    }
    for head in ["head", "head_dist"].iter().take(1 + usize::from(second_head)) {
        put(format!("{head}.weight"), &[classes, features]);
        put(format!("{head}.bias"), &[classes]);
    }
    shapes
}
