//! The table of models: a variant of [`ModelName`] and a row of [`SPECS`] each, in the same order.

use super::deit::DeitSize;
use super::init::Initialiser;
use super::model::Model;
use super::resnet::ResNetSize;
use super::taps::TapSpec;
use super::work;
use crate::picture::Normalisation;
use burn::tensor::Device;
use std::fmt;
use std::str::FromStr;

/// The models there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelName {
    /// ResNet-50, 224 pixels.
    Resnet50,
    /// DeiT-Tiny with 16-pixel patches, 224 pixels.
    DeitTiny,
    /// DeiT-Small with 16-pixel patches, 224 pixels.
    DeitSmall,
    /// A small ResNet for 96 pixels.
    ResnetMini,
    /// A small DeiT for 96 pixels.
    DeitMini,
}

/// What is known of a model: everything but its arithmetic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelSpec {
    /// The model that this row is about.
    pub model: ModelName,
    /// The name that a person types, and that `run.json` has.
    pub name: &'static str,
    /// The name in timm; none where timm does not have the model.
    pub timm: Option<&'static str>,
    /// The repository on the Hugging Face hub whose weights bare `timm.create_model(timm, pretrained=True)` takes; none
    /// where nobody has pretrained the model.
    pub repository: Option<&'static str>,
    /// What the short side of an image is scaled to before the centre is cut out in evaluation, pixels.
    pub resize: usize,
    /// What pixels are normalised with.
    pub normalisation: Normalisation,
    /// Learning rate where none is given, with AdamW or Adam: fine-tuning wants less than training from scratch.
    pub learning_rate: f64,
    /// The architecture and its size.
    family: Family,
}

/// An architecture and its size.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Family {
    ResNet(ResNetSize),
    Deit(DeitSize),
}

/// One row per model, at the place that its variant has in [`ModelName`].
///
/// `resize` is timm's: 224/0.95 and 224/0.9 for the crop shares of `resnet50` and the DeiTs. A mini takes an image whole.
const SPECS: &[ModelSpec] = &[
    ModelSpec {
        model: ModelName::Resnet50,
        name: "resnet50",
        timm: Some("resnet50"),
        repository: Some("timm/resnet50.a1_in1k"),
        resize: 235,
        normalisation: Normalisation::IMAGENET,
        learning_rate: 3e-4,
        family: Family::ResNet(ResNetSize::RESNET_50),
    },
    ModelSpec {
        model: ModelName::DeitTiny,
        name: "deit_tiny",
        timm: Some("deit_tiny_patch16_224"),
        repository: Some("timm/deit_tiny_patch16_224.fb_in1k"),
        resize: 248,
        normalisation: Normalisation::IMAGENET,
        learning_rate: 1e-4,
        family: Family::Deit(DeitSize::TINY),
    },
    ModelSpec {
        model: ModelName::DeitSmall,
        name: "deit_small",
        timm: Some("deit_small_patch16_224"),
        repository: Some("timm/deit_small_patch16_224.fb_in1k"),
        resize: 248,
        normalisation: Normalisation::IMAGENET,
        learning_rate: 1e-4,
        family: Family::Deit(DeitSize::SMALL),
    },
    ModelSpec {
        model: ModelName::ResnetMini,
        name: "resnet_mini",
        timm: None,
        repository: None,
        resize: ResNetSize::MINI.image_size,
        normalisation: Normalisation::IMAGENET,
        learning_rate: 1e-3,
        family: Family::ResNet(ResNetSize::MINI),
    },
    ModelSpec {
        model: ModelName::DeitMini,
        name: "deit_mini",
        timm: None,
        repository: None,
        resize: DeitSize::MINI.image_size,
        normalisation: Normalisation::IMAGENET,
        learning_rate: 1e-3,
        family: Family::Deit(DeitSize::MINI),
    },
];

impl ModelSpec {
    /// Side of the square input, pixels.
    pub fn image_size(&self) -> usize {
        match self.family {
            Family::ResNet(size) => size.image_size,
            Family::Deit(size) => size.image_size,
        }
    }

    /// Whether the model has attention: a ViT has, a CNN has not.
    pub fn has_attention(&self) -> bool {
        matches!(self.family, Family::Deit(_))
    }
}

impl ModelName {
    /// All of them, in the order of the table.
    pub const ALL: [ModelName; SPECS.len()] = {
        let mut all = [SPECS[0].model; SPECS.len()];
        let mut index = 0;
        while index < SPECS.len() {
            all[index] = SPECS[index].model;
            index += 1;
        }
        all
    };

    /// The row of the table about this model.
    pub fn spec(self) -> &'static ModelSpec {
        &SPECS[self as usize]
    }

    /// The name that a person types.
    pub fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// The taps of a model of this name.
    pub fn taps(self) -> Vec<TapSpec> {
        match self.spec().family {
            Family::ResNet(size) => size.taps(),
            Family::Deit(size) => size.taps(),
        }
    }

    /// Multiplications of one image's forward pass in convolutions, linear maps and products of attention; each goes with an
    /// addition. Norms, activations and biases are left out, as everywhere in the field.
    pub fn multiplications(self, classes: usize) -> usize {
        match self.spec().family {
            Family::ResNet(size) => work::of_resnet(size, classes),
            Family::Deit(size) => work::of_deit(size, classes),
        }
    }

    /// A new model on `device` with parameters drawn from `seed`. On an autodiff device they require gradients.
    /// `drop_path` is the rate of a ViT's last block; a CNN has no use for it.
    pub fn init(self, classes: usize, drop_path: f64, seed: u64, device: &Device) -> Model {
        let mut init = Initialiser::new(device, seed);
        match self.spec().family {
            Family::ResNet(size) => Model::ResNet(size.init(classes, &mut init)),
            Family::Deit(size) => Model::Deit(size.init(classes, drop_path, &mut init)),
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No model has this name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no model is called '{found}'; there are {}", ModelName::ALL.map(ModelName::as_str).join(", "))]
pub struct UnknownModel {
    /// The name asked for.
    pub found: String,
}

impl FromStr for ModelName {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        let named = ModelName::ALL.into_iter().find(|model| model.as_str() == name);
        named.ok_or_else(|| UnknownModel { found: name.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row at another place than its variant would be another model's.
    #[test]
    fn every_row_stands_where_its_variant_does_and_bears_its_name() {
        for model in ModelName::ALL {
            assert_eq!(model.spec().model, model);
            assert_eq!(serde_json::to_value(model).unwrap(), model.spec().name, "run.json writes the row's name");
            assert_eq!(model.spec().name.parse(), Ok(model));
            assert_eq!(model.spec().timm.is_some(), model.spec().repository.is_some(), "{model}");
        }
    }
}
