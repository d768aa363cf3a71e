//! Attention rollout: how much of each patch reaches the class token through all blocks.

use super::attention::{blocks, class_token, discard, distance, patches, step};
use super::error::{ExplainError, within};
use super::explanation::{ByHead, Explanation, numbers, plain};
use super::method::{Method, Reads, Runner};
use super::pass::{Pass, Reader, Request};
use crate::measure::Heatmap;
use crate::models::{TapSpec, Watch};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// `R = Â_L ⋯ Â_s`, `Â` the rows of `(1 − residual)·fused A + residual·I` divided by their sums; the map is the class
/// token's row of `R` at the patches.
///
/// Values are shares in `0..1`; together with the shares of the prefix tokens they sum to one. Only that row is carried
/// through the blocks, last to first, so no product of whole matrices is formed. The same for every class.
///
/// # Source
///
/// Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers", section 3: the defaults. Fusion by maximum or
/// minimum and the discard ratio are vit-explain's, without its two bugs (rows divided by the wrong sums; in the gradient
/// variant, blocks paired with the gradients of others).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rollout {
    /// How the heads of a block become one matrix.
    pub fusion: Fusion,
    /// Share of each block's lowest entries that are set to zero, 0 to 1 (exclusive).
    pub discard: f64,
    /// Share of the residual connection, 0 to 1.
    pub residual: f64,
    /// First block of the product, from 0.
    pub start_block: usize,
    /// Also keep, for every head alone, the rollout up to every block, and how far it looks in every block.
    pub per_head: bool,
}

/// How the heads of a block become one matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fusion {
    /// Mean over heads.
    Mean,
    /// The greatest over heads.
    Max,
    /// The least over heads.
    Min,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { fusion: Fusion::Mean, discard: 0.0, residual: 0.5, start_block: 0, per_head: false }
    }
}

impl Method for Rollout {
    const NAME: &'static str = "rollout";
    const TITLE: &'static str = "Attention rollout";
    const READS: Reads = Reads::Attention;
    const CLASS_SPECIFIC: bool = false;

    fn runner(&self) -> Runner<'_> {
        Runner::Reads(self)
    }
}

impl Reader for Rollout {
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<Request>, ExplainError> {
        within(Self::NAME, "discard", self.discard, 0.0..1.0)?;
        within(Self::NAME, "residual", self.residual, 0.0..=1.0)?;
        blocks(taps, Self::NAME, self.start_block, Watch::Value)
    }

    fn explain(&self, pass: &Pass) -> Result<Vec<Explanation>, ExplainError> {
        let blocks = self.requests(&pass.specs())?;
        let Request { spec: last, .. } = blocks[blocks.len() - 1];
        let mut row: Option<Tensor<3>> = None;
        for Request { spec, .. } in blocks.iter().rev() {
            let attention = pass.value(spec.tap)?;
            let [batch, _, tokens, _] = attention.dims();
            let from = row.unwrap_or_else(|| class_token(batch, tokens, &attention.device()));
            row = Some(self.carry(from, attention));
        }
        let Some(row) = row else {
            return Err(ExplainError::NotForThisModel { explainer: Self::NAME, needs: "attention" });
        };
        let mut explanations = plain(patches(row, &last)?);
        if self.per_head {
            let layers = per_head(pass, &blocks, self.residual)?;
            explanations.iter_mut().zip(layers).for_each(|(explanation, layers)| explanation.layers = layers);
            for Request { spec, .. } in &blocks {
                let distances = distance(pass.value(spec.tap)?, spec);
                let (heads, distances) = (distances.dims()[1], numbers(distances));
                let images = explanations.iter_mut().zip(distances.chunks(heads));
                images.for_each(|(explanation, heads)| explanation.attention_distance.push(heads.to_vec()));
            }
        }
        Ok(explanations)
    }
}

impl Rollout {
    /// `row` `[batch, 1, tokens]` through one block's attention `[batch, heads, tokens, tokens]`.
    fn carry(&self, row: Tensor<3>, attention: Tensor<4>) -> Tensor<3> {
        if self.fusion == Fusion::Mean && self.discard == 0.0 {
            // Rows of a softmax, and so of their mean, sum to one: nothing to divide by. A product a head, then their
            // mean, touches the attention once.
            let through = row.clone().unsqueeze_dim::<4>(1).matmul(attention).mean_dim(1).squeeze_dim(1);
            return through * (1.0 - self.residual) + row * self.residual;
        }
        let fused = match self.fusion {
            Fusion::Mean => attention.mean_dim(1),
            Fusion::Max => attention.max_dim(1),
            Fusion::Min => attention.min_dim(1),
        };
        step(row, discard(fused.squeeze_dim(1), self.discard), self.residual)
    }
}

/// For each image, block and head, the rollout of that head alone from the first of `blocks` up to that block.
fn per_head(pass: &Pass, blocks: &[Request], residual: f64) -> Result<Vec<ByHead<Heatmap>>, ExplainError> {
    let mut images: Vec<ByHead<Heatmap>> = Vec::new();
    for (upper, Request { spec, .. }) in blocks.iter().enumerate() {
        let mut rows: Option<Tensor<4>> = None;
        for Request { spec, .. } in blocks[..=upper].iter().rev() {
            let attention = pass.value(spec.tap)?;
            let [batch, heads, tokens, _] = attention.dims();
            let row = rows.unwrap_or_else(|| {
                class_token(batch, tokens, &attention.device()).unsqueeze_dim::<4>(1).expand([batch, heads, 1, tokens])
            });
            rows = Some(row.clone().matmul(attention) * (1.0 - residual) + row * residual);
        }
        let Some(rows) = rows else { continue };
        let [batch, heads, _, tokens] = rows.dims();
        let maps = patches(rows.reshape([batch * heads, 1, tokens]), spec)?;
        images.resize_with(batch, Vec::new);
        images.iter_mut().zip(maps.chunks(heads)).for_each(|(image, heads)| image.push(heads.to_vec()));
    }
    Ok(images)
}
