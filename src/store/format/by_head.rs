//! What some methods keep of every block and attention head.

/// Raw maps by block and head.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerMaps {
    /// Number of blocks, `L`.
    pub layers: usize,
    /// Number of heads per block, `H`.
    pub heads: usize,
    /// `[N, L, H, h, w]`.
    pub values: Vec<f32>,
}

/// How far attention reaches, by block and head.
///
/// # Source
///
/// Mean attention distance, Dosovitskiy et al. 2021, appendix D.7.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionDistance {
    /// Number of blocks, `L`.
    pub layers: usize,
    /// Number of heads per block, `H`.
    pub heads: usize,
    /// `[N, L, H]`: mean distance between query and key patch centres weighted by attention, in units of the image
    /// side, in [0, √2).
    pub values: Vec<f32>,
}
