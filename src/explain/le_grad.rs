//! LeGrad: how each block's attention moves the class score read off right behind it.

use super::ask::{Asked, Asker, chosen};
use super::attention::blocks;
use super::error::ExplainError;
use super::explanation::{Explanation, heatmaps, plain};
use super::method::{Method, Reads, Runner};
use super::site::Site;
use crate::models::{Tap, TapSpec, Watch};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// `mean over blocks l of E_l`, `E_l = mean over heads and query tokens of max(∂s_l/∂A_l, 0)` at the patches, `s_l` the
/// target logit that the model's head reads off the class token behind block `l`. Never negative; the paper's min-max
/// scaling is the viewer's to apply.
///
/// A pass of its own: every block's input is cut off the tape, so that one backward pass gives each `s_l` its own block's
/// gradient alone.
///
/// # Source
///
/// Bousselham et al. 2024, "LeGrad", equations 5 to 8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeGrad {}

impl Method for LeGrad {
    const NAME: &'static str = "le-grad";
    const TITLE: &'static str = "LeGrad";
    const READS: Reads = Reads::Attention;
    const CLASS_SPECIFIC: bool = true;

    fn runner(&self) -> Runner<'_> {
        Runner::Asks(self)
    }
}

impl Asker for LeGrad {
    fn site(&self, taps: &[TapSpec]) -> Result<Site, ExplainError> {
        let blocks = blocks(taps, Self::NAME, 0, Watch::Lift)?;
        Ok(Site::over(&blocks))
    }

    fn explain(&self, model: &Asked, images: Tensor<4>, classes: &[usize]) -> Result<Vec<Explanation>, ExplainError> {
        let wanted: Vec<(Tap, Watch)> = (model.0.taps().iter())
            .filter_map(|spec| match spec.tap {
                Tap::Attention(_) => Some((spec.tap, Watch::Lift)),
                Tap::Block(_) => Some((spec.tap, Watch::Cut)),
                _ => None,
            })
            .collect();
        let tapped = model.tapped(images, &wanted)?;
        let scores: Option<Tensor<1>> = tapped
            .iter()
            .filter_map(|tapped| Some(chosen(model.0.read_out(tapped.tracked_tokens()?)?, classes).sum()))
            .reduce(|sum, score| sum + score);
        let needs = || ExplainError::NotForThisModel { explainer: Self::NAME, needs: "attention and a class token" };
        let gradients = scores.ok_or_else(needs)?.backward();

        let attention: Vec<_> = tapped.iter().filter(|tapped| matches!(tapped.spec.tap, Tap::Attention(_))).collect();
        let spec = attention.last().ok_or_else(needs)?.spec;
        let mut sum: Option<Tensor<3>> = None;
        for block in &attention {
            let disconnected = ExplainError::Disconnected { tap: block.spec.tap, what: "gradient" };
            let positive = block.gradient(&gradients).ok_or(disconnected)?.clamp_min(0.0);
            let columns = positive.mean_dim(2).mean_dim(1).squeeze_dim::<3>(1);
            sum = Some(sum.map_or(columns.clone(), |sum| sum + columns));
        }
        let mean = sum.ok_or_else(needs)? / attention.len() as f64;
        let ([batch, _, tokens], [rows, columns]) = (mean.dims(), spec.grid);
        let patches = mean.slice([0..batch, 0..1, spec.prefix_tokens..tokens]).reshape([batch, rows, columns]);
        Ok(plain(heatmaps(patches)?))
    }
}
