//! The explanation file, schema 2: the maps of one explainer on the panel at one epoch, as safetensors.
//!
//! One line of Python reads every map: `safetensors.numpy.load_file(path)["maps"]`. With `N` panel images, `T` targets
//! per image and a grid of `h` by `w` cells, the tensors are
//!
//! | tensor       | type | shape          | meaning                                                                  |
//! |--------------|------|----------------|--------------------------------------------------------------------------|
//! | `maps`       | f32  | `[N, T, h, w]` | raw maps: signed, unnormalised, at the tap's own grid                    |
//! | `floor_maps` | f32  | `[N, T, h, w]` | the same by the same weights on imperceptibly perturbed images           |
//! | `targets`    | i64  | `[N, T]`       | the class each map explains                                              |
//! | `predicted`  | i64  | `[N]`          | the class with the largest logit                                         |
//! | `labels`     | i64  | `[N]`          | the true class; -1 where it is not known                                 |
//! | `logits`     | f32  | `[N, classes]` | the model's output on the unperturbed images, before softmax             |
//!
//! and, where the method has them,
//!
//! | tensor               | type | shape             | meaning                                                        |
//! |----------------------|------|-------------------|----------------------------------------------------------------|
//! | `layer_maps`         | f32  | `[N, L, H, h, w]` | a raw map for every block and head                             |
//! | `attention_distance` | f32  | `[N, L, H]`       | how far every block and head looks                             |
//! | `completeness_gap`   | f32  | `[N, T]`          | sum of the map minus the difference of logits it should sum to |
//!
//! The attention distance is the mean distance between query and key patch centres weighted by attention, in units of the
//! image side.
//!
//! The file's metadata has one key, `driftscope`, holding one JSON object with sorted keys: `schema`, the version as a
//! number; `explainer`, `title`, `settings`, `tap`, `class_specific`, `untrained_head`, `panel_digest`, `image_ids` (`N`,
//! panel order), `target_kinds` (`T`), `grid` and `classes`, as documented on [`Explanations`]. One key, because the order
//! of several is random in the safetensors crate and equal explanations must be equal bytes. Readers ignore tensors and
//! keys they do not know; whatever changes the meaning of a known one raises the version.
//!
//! Schema 1 had no `title`; where it is missing it is that of [`TITLES`].

mod by_head;
mod header;
mod tensors;
mod titles;

pub use by_head::{AttentionDistance, LayerMaps};
pub use header::SCHEMA;
pub use titles::{TITLES, title_of};

use super::error::StoreError;
use crate::measure::Heatmap;
use header::{Header, METADATA_KEY};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::path::Path;
use tensors::{Tensors, f32_bytes, i64_bytes};

/// The label of an image whose true class is not known.
pub const UNKNOWN_CLASS: i64 = -1;

/// The maps of one explainer on the panel at one epoch, with targets and logits.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanations {
    /// The method's name, with the settings that differ from its defaults: `"grad-cam"`, `"grad-cam-layer-3"`.
    pub explainer: String,
    /// What a person reads: `"Grad-CAM"`, `"Grad-CAM (layer 3)"`.
    pub title: String,
    /// The method's settings, as resolved; `{}` or null when it has none.
    pub settings: serde_json::Value,
    /// Where in the model it read: `"layer4"`.
    pub tap: String,
    /// Whether the map depends on the class it explains. Attention rollout does not.
    pub class_specific: bool,
    /// Whether the classification head had never been trained when the maps were made.
    pub untrained_head: bool,
    /// Digest of the panel the images come from.
    pub panel_digest: String,
    /// `N` image ids, in panel order.
    pub image_ids: Vec<String>,
    /// `T` kinds of target: `["label"]`, `["label", "prediction"]`.
    pub target_kinds: Vec<String>,
    /// Rows and columns of every map.
    pub grid: [usize; 2],
    /// `[N, T, h, w]`: raw, signed, in the unit of the method.
    pub maps: Vec<f32>,
    /// `[N, T, h, w]`: the same by the same weights on imperceptibly perturbed images. Their drift from `maps` is the noise
    /// floor.
    pub floor_maps: Vec<f32>,
    /// A map for every block and head, where they were asked for.
    pub layer_maps: Option<LayerMaps>,
    /// How far every block and head looks, where that was asked for.
    pub attention_distance: Option<AttentionDistance>,
    /// `[N, T]`: sum of the map minus the difference of logits that the method promises, in logits.
    pub completeness_gap: Option<Vec<f32>>,
    /// `[N, T]`: the class index each map explains.
    pub targets: Vec<i64>,
    /// `[N]`: the class index with the largest logit.
    pub predicted: Vec<i64>,
    /// `[N]`: the true class index, or [`UNKNOWN_CLASS`].
    pub labels: Vec<i64>,
    /// `[N, classes]`: logits on the unperturbed images.
    pub logits: Vec<f32>,
    /// Number of classes of the model.
    pub classes: usize,
}

impl Explanations {
    /// The bytes of the file: the same for equal explanations, in every process.
    ///
    /// # Errors
    ///
    /// When a field's length is not what its documented shape asks for.
    pub fn encode(&self) -> Result<Vec<u8>, StoreError> {
        self.encode_under(&self.header())
    }

    fn encode_under(&self, header: &Header) -> Result<Vec<u8>, StoreError> {
        let mut tensors = vec![
            ("floor_maps", Dtype::F32, header.maps(), f32_bytes(&self.floor_maps)),
            ("labels", Dtype::I64, header.images(), i64_bytes(&self.labels)),
            ("logits", Dtype::F32, header.logits(), f32_bytes(&self.logits)),
            ("maps", Dtype::F32, header.maps(), f32_bytes(&self.maps)),
            ("predicted", Dtype::I64, header.images(), i64_bytes(&self.predicted)),
            ("targets", Dtype::I64, header.targets(), i64_bytes(&self.targets)),
        ];
        if let Some(maps) = &self.layer_maps {
            let shape = header.layer_maps(maps.layers, maps.heads);
            tensors.push(("layer_maps", Dtype::F32, shape, f32_bytes(&maps.values)));
        }
        if let Some(distance) = &self.attention_distance {
            let shape = vec![self.images(), distance.layers, distance.heads];
            tensors.push(("attention_distance", Dtype::F32, shape, f32_bytes(&distance.values)));
        }
        if let Some(gap) = &self.completeness_gap {
            tensors.push(("completeness_gap", Dtype::F32, header.targets(), f32_bytes(gap)));
        }
        let mut views = Vec::with_capacity(tensors.len());
        for (tensor, dtype, shape, bytes) in &tensors {
            let view = TensorView::new(*dtype, shape.clone(), bytes);
            views.push((*tensor, view.map_err(|source| StoreError::Encode { tensor, source })?));
        }
        let metadata = HashMap::from([(METADATA_KEY.to_string(), header.to_sorted_json()?)]);
        safetensors::serialize(views, Some(metadata))
            .map_err(|source| StoreError::Encode { tensor: "all of them", source })
    }

    /// Explanations from the bytes of a file; `path` is only named in errors.
    ///
    /// # Errors
    ///
    /// When the bytes are no whole safetensors file, lack the `driftscope` metadata, are of a newer schema, or hold a
    /// tensor of another type or shape than the schema asks for.
    pub fn decode(bytes: &[u8], path: &Path) -> Result<Self, StoreError> {
        let container = |source| StoreError::Container { path: path.to_path_buf(), source };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(container)?;
        let json = metadata.metadata().as_ref().and_then(|metadata| metadata.get(METADATA_KEY));
        let json = json.ok_or_else(|| StoreError::NoMetadata { path: path.to_path_buf(), key: METADATA_KEY })?;
        let header = Header::parse(json, path)?;
        let file = Tensors { file: SafeTensors::deserialize(bytes).map_err(container)?, path };
        Ok(Explanations {
            maps: file.f32("maps", header.maps())?,
            floor_maps: file.f32("floor_maps", header.maps())?,
            layer_maps: file.layer_maps(&header)?,
            attention_distance: file.attention_distance(&header)?,
            completeness_gap: file.optional("completeness_gap", header.targets())?,
            targets: file.i64("targets", header.targets())?,
            predicted: file.i64("predicted", header.images())?,
            labels: file.i64("labels", header.images())?,
            logits: file.f32("logits", header.logits())?,
            title: header.title.unwrap_or_else(|| title_of(&header.explainer)),
            explainer: header.explainer,
            settings: header.settings,
            tap: header.tap,
            class_specific: header.class_specific,
            untrained_head: header.untrained_head,
            panel_digest: header.panel_digest,
            image_ids: header.image_ids,
            target_kinds: header.target_kinds,
            grid: header.grid,
            classes: header.classes,
        })
    }

    /// All but the tensors.
    fn header(&self) -> Header {
        Header {
            schema: SCHEMA,
            explainer: self.explainer.clone(),
            title: Some(self.title.clone()),
            settings: self.settings.clone(),
            tap: self.tap.clone(),
            class_specific: self.class_specific,
            untrained_head: self.untrained_head,
            panel_digest: self.panel_digest.clone(),
            image_ids: self.image_ids.clone(),
            target_kinds: self.target_kinds.clone(),
            grid: self.grid,
            classes: self.classes,
        }
    }

    /// Number of panel images.
    pub fn images(&self) -> usize {
        self.image_ids.len()
    }

    /// The raw map of one image and target, both counted from zero; `None` when there is no such map.
    pub fn map(&self, image: usize, target: usize) -> Option<Heatmap> {
        self.cut(&self.maps, image, target)
    }

    /// The raw map of the perturbed image; `None` when there is no such map.
    pub fn floor_map(&self, image: usize, target: usize) -> Option<Heatmap> {
        self.cut(&self.floor_maps, image, target)
    }

    /// The probability of every class for one image, by a softmax over its logits. `[classes]`.
    ///
    /// # Panics
    ///
    /// When there is no such image: a caller bug.
    pub fn probabilities(&self, image: usize) -> Vec<f64> {
        let logits = &self.logits[image * self.classes..][..self.classes];
        let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - greatest).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.iter().map(|power| power / sum).collect()
    }

    /// Whether the maps say anything about the model: not when a class-specific method explained a head that had never
    /// been trained, for such maps are noise. Class-agnostic maps never see the head.
    pub fn is_evidence(&self) -> bool {
        !(self.class_specific && self.untrained_head)
    }

    /// The raw map of one image, block and head, where there are such maps.
    pub fn layer_map(&self, image: usize, layer: usize, head: usize) -> Option<Heatmap> {
        let maps = self.layer_maps.as_ref()?;
        let [rows, cols] = self.grid;
        if image >= self.images() || layer >= maps.layers || head >= maps.heads {
            return None;
        }
        let start = ((image * maps.layers + layer) * maps.heads + head) * rows * cols;
        Heatmap::new(rows, cols, maps.values.get(start..start + rows * cols)?.to_vec()).ok()
    }

    /// One `[h, w]` out of `[N, T, h, w]`.
    fn cut(&self, maps: &[f32], image: usize, target: usize) -> Option<Heatmap> {
        if target >= self.target_kinds.len() {
            return None;
        }
        let [rows, cols] = self.grid;
        let cells = rows.checked_mul(cols)?;
        let start = (image * self.target_kinds.len() + target).checked_mul(cells)?;
        let values = maps.get(start..start.checked_add(cells)?)?;
        Heatmap::new(rows, cols, values.to_vec()).ok()
    }
}

#[cfg(test)]
pub(crate) mod tests;
