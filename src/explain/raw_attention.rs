//! Raw attention: what the class token attends to in one block.

use super::attention::{blocks, class_token, patches};
use super::seen::{Reader, Seen};
use super::{ExplainError, Explanation, plain};
use crate::models::{Tap, TapSpec, Watch};
use serde::{Deserialize, Serialize};

/// The class token's row of one block's attention, mean over heads; values are shares in `0..1`, and with those of the
/// prefix tokens they sum to one. The same for every class.
///
/// # Source
///
/// Dosovitskiy et al. 2020 show it as "attention from the output token"; Caron et al. 2021 (DINO) use the last block's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawAttention {
    /// Block, from 0; none: the last.
    pub block: Option<usize>,
}

const KIND: &str = "raw-attention";

impl Reader for RawAttention {
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<(TapSpec, Watch)>, ExplainError> {
        let all = blocks(taps, KIND, 0, Watch::Value)?;
        let number = |spec: &TapSpec| if let Tap::Attention(block) = spec.tap { Some(block) } else { None };
        let found = all.iter().rev().find(|(spec, _)| self.block.is_none() || number(spec) == self.block);
        found.map(|request| vec![*request]).ok_or_else(|| ExplainError::NoLayer {
            explainer: KIND,
            setting: "block",
            layer: self.block.unwrap_or_default(),
            available: all.iter().filter_map(|(spec, _)| number(spec)).collect(),
        })
    }

    fn explain(&self, seen: &Seen) -> Result<Vec<Explanation>, ExplainError> {
        let (spec, _) = self.requests(&seen.specs())?[0];
        let attention = seen.value(spec.tap)?.mean_dim(1).squeeze_dim::<3>(1);
        let [batch, tokens, _] = attention.dims();
        Ok(plain(patches(class_token(batch, tokens, &attention.device()).matmul(attention), &spec)?))
    }
}
