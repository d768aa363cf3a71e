//! Raw attention: what the class token attends to in one block.

use super::attention::{blocks, class_token, patches};
use super::error::ExplainError;
use super::explanation::{Explanation, plain};
use super::method::{Method, Reads, Runner};
use super::pass::{Pass, Reader, Request};
use super::site::number_or_last;
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
    /// Block, from 0; `None`, or `last`, is the last one.
    #[serde(deserialize_with = "number_or_last")]
    pub block: Option<usize>,
}

impl Method for RawAttention {
    const NAME: &'static str = "raw-attention";
    const TITLE: &'static str = "Raw attention";
    const READS: Reads = Reads::Attention;
    const CLASS_SPECIFIC: bool = false;

    fn runner(&self) -> Runner<'_> {
        Runner::Reads(self)
    }
}

impl Reader for RawAttention {
    fn requests(&self, taps: &[TapSpec]) -> Result<Vec<Request>, ExplainError> {
        let all = blocks(taps, Self::NAME, 0, Watch::Value)?;
        let number = |spec: &TapSpec| if let Tap::Attention(block) = spec.tap { Some(block) } else { None };
        let found = all.iter().rev().find(|one| self.block.is_none() || number(&one.spec) == self.block);
        found.map(|request| vec![*request]).ok_or_else(|| ExplainError::NoLayer {
            explainer: Self::NAME,
            setting: "block",
            layer: self.block.unwrap_or_default(),
            available: all.iter().filter_map(|one| number(&one.spec)).collect(),
        })
    }

    fn explain(&self, pass: &Pass) -> Result<Vec<Explanation>, ExplainError> {
        let Request { spec, .. } = self.requests(&pass.specs())?[0];
        let attention = pass.value(spec.tap)?.mean_dim(1).squeeze_dim::<3>(1);
        let [batch, tokens, _] = attention.dims();
        Ok(plain(patches(class_token(batch, tokens, &attention.device()).matmul(attention), &spec)?))
    }
}
