//! The names that other libraries give the parameters of a ResNet and a ViT, and the names they have here: torchvision's for a
//! ResNet, timm's for a ViT.
//!
//! A dialect is told by the name of the first convolution, and only its own rules are applied, to whole parts of a name.
//!
//! # Source
//!
//! timm 1.0.22 `vision_transformer.py`; torchvision 0.24.1 `vision_transformer.py`; transformers 5.24.0 `modeling_vit.py`,
//! `modeling_deit.py`, `modeling_resnet.py`, `conversion_mapping.py`; mmpretrain 1.2.0 `vision_transformer.py`; facebookresearch/deit
//! `models_v2.py` (`gamma_1`).

/// Whose names they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// torchvision's and timm's ResNet, and MMPretrain's backbone.
    ResNet,
    HuggingFaceResNet,
    /// timm's ViT, and Meta's DeiT.
    Vit,
    TorchvisionVit,
    HuggingFaceVit,
    MmVit,
    /// A body of fastai's `vision_learner` over a ResNet.
    Fastai,
}

/// The name of the first convolution in each, without what stands before it.
const ANCHORS: [(&[&str], Dialect); 7] = [
    (&["conv1"], Dialect::ResNet),
    (&["embedder", "embedder", "convolution"], Dialect::HuggingFaceResNet),
    (&["patch_embed", "proj"], Dialect::Vit),
    (&["conv_proj"], Dialect::TorchvisionVit),
    (&["embeddings", "patch_embeddings", "projection"], Dialect::HuggingFaceVit),
    (&["patch_embed", "projection"], Dialect::MmVit),
    (&["0", "0"], Dialect::Fastai),
];

/// Where a name goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is this parameter.
    Whole(String),
    /// It is this part of three that are joined: query, key, value.
    Part(String, usize),
}

impl Dialect {
    /// The dialect of a name that ends as a first convolution's does, and what stands before it.
    pub(super) fn anchored<'a>(parts: &'a [&'a str]) -> Option<(Dialect, &'a [&'a str])> {
        let name = parts.strip_suffix(&["weight"])?;
        ANCHORS.into_iter().find_map(|(anchor, dialect)| Some((dialect, name.strip_suffix(anchor)?)))
    }

    /// Whose names these are, for a person.
    pub(super) fn whose(self) -> &'static str {
        match self {
            Dialect::ResNet => "torchvision",
            Dialect::Vit => "timm",
            Dialect::HuggingFaceResNet | Dialect::HuggingFaceVit => "Hugging Face",
            Dialect::TorchvisionVit => "torchvision's ViT",
            Dialect::MmVit => "MMPretrain",
            Dialect::Fastai => "fastai",
        }
    }

    pub(super) fn is_vit(self) -> bool {
        matches!(self, Dialect::Vit | Dialect::TorchvisionVit | Dialect::HuggingFaceVit | Dialect::MmVit)
    }

    /// What a head is called here.
    pub(super) fn head(self) -> &'static str {
        if self.is_vit() { "head" } else { "fc" }
    }

    /// Where a name of the dialect goes; one that no rule knows keeps its name.
    pub(super) fn place(self, parts: &[&str]) -> Place {
        let renamed = match self {
            Dialect::ResNet | Dialect::Fastai => None,
            Dialect::HuggingFaceResNet => hugging_face_resnet(parts),
            Dialect::Vit => timm_vit(parts),
            Dialect::TorchvisionVit => torchvision_vit(parts),
            Dialect::HuggingFaceVit => return hugging_face_vit(parts).unwrap_or_else(|| Place::Whole(parts.join("."))),
            Dialect::MmVit => mm_vit(parts),
        };
        Place::Whole(renamed.unwrap_or_else(|| parts.join(".")))
    }
}

/// `blocks.N.` and a rest.
fn block(number: &str, inner: &str, last: &str) -> Option<String> {
    number.parse::<u16>().ok()?;
    Some(format!("blocks.{number}.{inner}{}{last}", if last.is_empty() { "" } else { "." }))
}

/// Meta's files have `gamma_1` where timm has `ls1.gamma`.
fn timm_vit(parts: &[&str]) -> Option<String> {
    match parts {
        ["blocks", number, "gamma_1"] => block(number, "ls1.gamma", ""),
        ["blocks", number, "gamma_2"] => block(number, "ls2.gamma", ""),
        _ => None,
    }
}

fn torchvision_vit(parts: &[&str]) -> Option<String> {
    match parts {
        ["class_token"] => Some("cls_token".to_string()),
        ["conv_proj", last] => Some(format!("patch_embed.proj.{last}")),
        ["encoder", "pos_embedding"] => Some("pos_embed".to_string()),
        ["encoder", "ln", last] => Some(format!("norm.{last}")),
        ["encoder", "layers", layer, inner @ ..] => {
            let number = layer.strip_prefix("encoder_layer_")?;
            let (inner, last) = match inner {
                ["ln_1", last] => ("norm1", *last),
                ["ln_2", last] => ("norm2", *last),
                ["self_attention", "in_proj_weight"] => ("attn.qkv", "weight"),
                ["self_attention", "in_proj_bias"] => ("attn.qkv", "bias"),
                ["self_attention", "out_proj", last] => ("attn.proj", *last),
                ["mlp", "0" | "linear_1", last] => ("mlp.fc1", *last),
                ["mlp", "3" | "linear_2", last] => ("mlp.fc2", *last),
                _ => return None,
            };
            block(number, inner, last)
        }
        _ => None,
    }
}

/// Both ways that transformers has called them: up to 4, and on disk in 5; and 5 in memory.
fn hugging_face_vit(parts: &[&str]) -> Option<Place> {
    let whole = |name: &str| Some(Place::Whole(name.to_string()));
    let (number, inner) = match parts {
        ["embeddings", "cls_token"] => return whole("cls_token"),
        ["embeddings", "distillation_token"] => return whole("dist_token"),
        ["embeddings", "position_embeddings"] => return whole("pos_embed"),
        ["embeddings", "mask_token"] => return whole("mask_token"),
        ["embeddings", "patch_embeddings", "projection", last] => return whole(&format!("patch_embed.proj.{last}")),
        ["layernorm", last] => return whole(&format!("norm.{last}")),
        ["encoder", "layer", number, inner @ ..] | ["layers", number, inner @ ..] => (number, inner),
        _ => return None,
    };
    let joined = |part, last| Some(Place::Part(block(number, "attn.qkv", last)?, part));
    let (inner, last) = match inner {
        ["layernorm_before", last] => ("norm1", *last),
        ["layernorm_after", last] => ("norm2", *last),
        ["attention", "attention", "query", last] | ["attention", "q_proj", last] => return joined(0, last),
        ["attention", "attention", "key", last] | ["attention", "k_proj", last] => return joined(1, last),
        ["attention", "attention", "value", last] | ["attention", "v_proj", last] => return joined(2, last),
        ["attention", "output", "dense", last] | ["attention", "o_proj", last] => ("attn.proj", *last),
        ["intermediate", "dense", last] | ["mlp", "fc1", last] => ("mlp.fc1", *last),
        ["output", "dense", last] | ["mlp", "fc2", last] => ("mlp.fc2", *last),
        _ => return None,
    };
    Some(Place::Whole(block(number, inner, last)?))
}

fn mm_vit(parts: &[&str]) -> Option<String> {
    match parts {
        ["patch_embed", "projection", last] => Some(format!("patch_embed.proj.{last}")),
        ["ln1", last] => Some(format!("norm.{last}")),
        ["ln2", last] => Some(format!("fc_norm.{last}")),
        ["layers", number, inner @ ..] => {
            let (inner, last) = match inner {
                ["ln1", last] => ("norm1", *last),
                ["ln2", last] => ("norm2", *last),
                ["attn", "gamma1", "weight"] => ("ls1", "gamma"),
                ["ffn", "gamma2", "weight"] => ("ls2", "gamma"),
                ["attn", "qkv", last] => ("attn.qkv", *last),
                ["attn", "proj", last] => ("attn.proj", *last),
                ["ffn", "layers", "0", "0", last] => ("mlp.fc1", *last),
                ["ffn", "layers", "1", last] => ("mlp.fc2", *last),
                _ => return None,
            };
            block(number, inner, last)
        }
        _ => None,
    }
}

fn hugging_face_resnet(parts: &[&str]) -> Option<String> {
    match parts {
        ["embedder", "embedder", "convolution", last] => Some(format!("conv1.{last}")),
        ["embedder", "embedder", "normalization", last] => Some(format!("bn1.{last}")),
        ["encoder", "stages", stage, "layers", block, inner @ ..] => {
            let (stage, _) = (stage.parse::<u16>().ok()?, block.parse::<u16>().ok()?);
            let stem = format!("layer{}.{block}", u32::from(stage) + 1);
            Some(match inner {
                ["layer", number, "convolution", last] => {
                    format!("{stem}.conv{}.{last}", number.parse::<u8>().ok()?.checked_add(1)?)
                }
                ["layer", number, "normalization", last] => {
                    format!("{stem}.bn{}.{last}", number.parse::<u8>().ok()?.checked_add(1)?)
                }
                ["shortcut", "convolution", last] => format!("{stem}.downsample.0.{last}"),
                ["shortcut", "normalization", last] => format!("{stem}.downsample.1.{last}"),
                _ => return None,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(dialect: Dialect, name: &str) -> String {
        let parts: Vec<&str> = name.split('.').collect();
        match dialect.place(&parts) {
            Place::Whole(name) => name,
            Place::Part(name, part) => format!("{name} {part}"),
        }
    }

    /// The rows of the tables in the sources.
    #[test]
    fn each_dialect_has_its_own_rules() {
        use Dialect::{HuggingFaceResNet, HuggingFaceVit, MmVit, TorchvisionVit, Vit};
        for (dialect, name, expected) in [
            (TorchvisionVit, "encoder.layers.encoder_layer_11.self_attention.in_proj_bias", "blocks.11.attn.qkv.bias"),
            (TorchvisionVit, "encoder.layers.encoder_layer_0.mlp.linear_2.weight", "blocks.0.mlp.fc2.weight"),
            (TorchvisionVit, "encoder.ln.weight", "norm.weight"),
            (HuggingFaceVit, "encoder.layer.3.attention.attention.key.bias", "blocks.3.attn.qkv.bias 1"),
            (HuggingFaceVit, "encoder.layer.3.attention.output.dense.bias", "blocks.3.attn.proj.bias"),
            (HuggingFaceVit, "encoder.layer.3.output.dense.bias", "blocks.3.mlp.fc2.bias"),
            (HuggingFaceVit, "layers.3.attention.v_proj.weight", "blocks.3.attn.qkv.weight 2"),
            (HuggingFaceVit, "layernorm.bias", "norm.bias"),
            (MmVit, "layers.1.ffn.layers.0.0.weight", "blocks.1.mlp.fc1.weight"),
            (MmVit, "layers.1.ln1.weight", "blocks.1.norm1.weight"),
            (Vit, "blocks.1.gamma_2", "blocks.1.ls2.gamma"),
            (Vit, "blocks.1.attn.q_norm.weight", "blocks.1.attn.q_norm.weight"),
            (HuggingFaceResNet, "encoder.stages.0.layers.2.layer.0.convolution.weight", "layer1.2.conv1.weight"),
            (HuggingFaceResNet, "encoder.stages.3.layers.0.shortcut.normalization.bias", "layer4.0.downsample.1.bias"),
        ] {
            assert_eq!(renamed(dialect, name), expected, "{name}");
        }
    }

    #[test]
    fn the_first_convolution_tells_the_dialect_and_the_prefix() {
        for (name, dialect, prefix) in [
            ("conv1.weight", Dialect::ResNet, 0),
            ("module.model.patch_embed.proj.weight", Dialect::Vit, 2),
            ("vit.embeddings.patch_embeddings.projection.weight", Dialect::HuggingFaceVit, 1),
        ] {
            let parts: Vec<&str> = name.split('.').collect();
            assert_eq!(Dialect::anchored(&parts), Some((dialect, &parts[..prefix])));
        }
        assert_eq!(Dialect::anchored(&["myconv1", "weight"]), None, "whole parts only");
    }
}
