//! A config file in types, as it was typed: [`FileConfig`].

use super::sections::{
    AugmentationSection, CheckpointsSection, DataSection, EarlyStoppingSection, EmaSection, EvidenceSection,
    FreezeSection, OptimizerSection, PanelSection, PreprocessingSection, ScheduleSection,
};
use crate::explain::Explainer;
use serde::Deserialize;

/// The config file. `configs/` has commented examples.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileConfig {
    /// The name of a model, such as `deit_tiny`.
    pub model: Option<String>,
    /// `none`, `pretrained` or a file; the default is `pretrained` for models that have pretrained weights.
    pub weights: Option<String>,
    /// Which weights of the file, where it holds more than one set.
    pub weights_key: Option<String>,
    /// Patterns such as `layer4.*` of names that the file may lack, or have beyond the model's.
    pub allow_missing: Option<Vec<String>>,
    /// Drop-path rate of a ViT's last block, 0 to 0.99; the blocks before it have proportionally less.
    pub drop_path: Option<f64>,
    /// Passes over the training split.
    pub epochs: Option<usize>,
    /// Images in one pass through the model.
    pub batch_size: Option<usize>,
    /// Batches per step of the optimizer.
    pub accumulate: Option<usize>,
    /// Seed of the initial parameters, the order and the augmentation.
    pub seed: Option<u64>,
    /// Label smoothing: the share of the target that is spread evenly over all classes, 0 to 0.99.
    pub label_smoothing: Option<f64>,
    /// What products are computed in when training and validating: `auto`, `f32`, `tf32` or `bf16`.
    pub precision: Option<String>,
    /// `[data]`: where the images come from.
    pub data: DataSection,
    /// `[preprocessing]`: how an image is brought to the model's size.
    pub preprocessing: PreprocessingSection,
    /// `[augmentation]`: what training does to an image and a batch.
    pub augmentation: AugmentationSection,
    /// `[optimizer]`: the optimizer and its settings.
    pub optimizer: OptimizerSection,
    /// `[schedule]`: the learning rate over the epochs.
    pub schedule: ScheduleSection,
    /// `[freeze]`: what is not trained.
    pub freeze: FreezeSection,
    /// `[ema]`: the moving average of the weights.
    pub ema: EmaSection,
    /// `[early_stopping]`: when training ends early.
    pub early_stopping: EarlyStoppingSection,
    /// `[checkpoints]`: which epochs keep their weights.
    pub checkpoints: CheckpointsSection,
    /// `[panel]`: the images that every epoch explains.
    pub panel: PanelSection,
    /// `[evidence]`: what counts as settled.
    pub evidence: EvidenceSection,
    /// `[[explainers]]`; without, the model's defaults; `explainers = []` switches explaining off.
    pub explainers: Option<Vec<Explainer>>,
}
