//! What explaining makes: raw maps, and what some methods keep beside them.

use super::error::ExplainError;
use crate::measure::Heatmap;
use crate::stats::largest;
use burn::tensor::Tensor;

/// Something of every attention head: `[block][head]`, empty where there is none.
pub type ByHead<T> = Vec<Vec<T>>;

/// What one method says of one image and class.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Raw, signed, at the tap's grid.
    pub map: Heatmap,
    /// A map for each head, where the method was asked for them.
    pub layers: ByHead<Heatmap>,
    /// Mean distance that each head's attention reaches, in units of the image's side, where the method was asked for it.
    pub attention_distance: ByHead<f32>,
    /// The map's sum minus the difference of logits that it should equal, where the method promises such a sum.
    pub completeness_gap: Option<f32>,
}

/// What a model says of images, before the softmax.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logits {
    /// Classes of the model.
    pub classes: usize,
    /// `[images, classes]`, row-major.
    pub values: Vec<f32>,
}

impl Logits {
    /// The logits of each image, in turn.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks(self.classes.max(1))
    }

    /// The class with the greatest logit of each image; the first of several.
    pub fn predictions(&self) -> Vec<usize> {
        self.rows().map(largest).collect()
    }
}

/// What one explainer says of images, for one target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ByTarget {
    /// The class that was explained, for each image.
    pub classes: Vec<usize>,
    /// One for each image.
    pub explanations: Vec<Explanation>,
}

/// What one explainer says of images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ByExplainer {
    /// In the order asked for; a method that is not class-specific has the first alone.
    pub targets: Vec<ByTarget>,
}

/// The logits of images, and what every explainer says of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explained {
    /// Of all images.
    pub logits: Logits,
    /// In the order asked for.
    pub explainers: Vec<ByExplainer>,
}

impl Explained {
    /// Adds other images of the same model, explained for the same targets by the same explainers.
    pub fn append(&mut self, batch: Explained) {
        self.logits.classes = batch.logits.classes;
        self.logits.values.extend(batch.logits.values);
        let explainers = self.explainers.iter_mut().zip(batch.explainers);
        for (all, more) in explainers.flat_map(|(all, more)| all.targets.iter_mut().zip(more.targets)) {
            all.classes.extend(more.classes);
            all.explanations.extend(more.explanations);
        }
    }
}

/// Explanations that are maps and nothing else.
pub(super) fn plain(maps: Vec<Heatmap>) -> Vec<Explanation> {
    let bare = |map| Explanation { map, layers: Vec::new(), attention_distance: Vec::new(), completeness_gap: None };
    maps.into_iter().map(bare).collect()
}

/// Splits `[batch, rows, columns]` into one map per image.
pub(super) fn heatmaps(maps: Tensor<3>) -> Result<Vec<Heatmap>, ExplainError> {
    let [_, rows, columns] = maps.dims();
    let values: Vec<f32> = numbers(maps);
    let maps = values.chunks((rows * columns).max(1)).map(|map| Heatmap::new(rows, columns, map.to_vec()));
    Ok(maps.collect::<Result<_, _>>()?)
}

/// Its numbers on the host, row-major.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
