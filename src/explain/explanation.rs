//! What explaining makes: raw maps, and what some methods keep beside them.

use super::error::ExplainError;
use crate::measure::Heatmap;
use burn::tensor::Tensor;

/// Something of every attention head: `[block][head]`, empty where there is none.
pub type ByHead<T> = Vec<Vec<T>>;

/// What one method says of one image and class.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Raw, signed, at the tap's grid.
    pub map: Heatmap,
    /// A map a head, where they were asked for.
    pub layers: ByHead<Heatmap>,
    /// How far each head looks, in units of the image's side, where that was asked for.
    pub attention_distance: ByHead<f32>,
    /// What the map's sum misses of the logit difference it should sum to (sum minus difference, in logits), where the
    /// method promises that.
    pub completeness_gap: Option<f32>,
}

/// The logits of a batch, and what every explainer says of it.
#[derive(Debug, Default)]
pub struct Explained {
    /// `[batch][classes]`, before the softmax.
    pub logits: Vec<Vec<f32>>,
    /// `[target][batch]`: the class that was explained.
    pub classes: Vec<Vec<usize>>,
    /// `[explainer][target][batch]`; a method that is not class-specific has one target, whatever was asked for.
    pub explanations: Vec<Vec<Vec<Explanation>>>,
}

impl Explained {
    /// Adds the images of another batch, explained for the same targets by the same explainers.
    pub fn append(&mut self, batch: Explained) {
        self.logits.extend(batch.logits);
        self.classes.iter_mut().zip(batch.classes).for_each(|(all, classes)| all.extend(classes));
        let explainers = self.explanations.iter_mut().zip(batch.explanations);
        for (all, explanation) in explainers.flat_map(|(all, batch)| all.iter_mut().zip(batch)) {
            all.extend(explanation);
        }
    }
}

/// Maps without anything beside them.
pub(super) fn plain(maps: Vec<Heatmap>) -> Vec<Explanation> {
    let bare = |map| Explanation { map, layers: Vec::new(), attention_distance: Vec::new(), completeness_gap: None };
    maps.into_iter().map(bare).collect()
}

/// Splits `[batch, rows, columns]` into one map an image.
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
