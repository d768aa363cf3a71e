//! When the evidence settled by other measures than that of the answer: a person should know where they disagree.

use super::distances::{Measured, Measuring, Values};
use super::epoch_maps::evidence;
use super::error::DriftError;
use super::matrix::{Floor, Settled};
use super::moved::Margin;
use super::options::{Options, Settling};
use super::pairs::Ruler;
use super::same::FirstEpoch;
use crate::measure::{Kept, Measure};
use crate::stats::Resamples;
use crate::store::RunReader;

/// One target, as far as the walk back from the last epoch has come.
struct Walk {
    target: String,
    /// The epochs from the last one back, all still with one another: what was measured and the maps, `[images]`.
    still: Vec<(Measured, Vec<Kept>)>,
    /// Whether an epoch was met that is not still with all of these.
    ended: bool,
}

/// When one explainer settled by each of the measures that were asked for beside the answering one, without intervals.
///
/// It is walked back from the last epoch and no further than the epochs are still, since most of a run's pairs do not
/// matter. Where so many maps would have to be kept that they do not fit into memory, nothing is said.
///
/// # Errors
///
/// When a file cannot be read, or epochs do not compare.
pub(super) fn settled_by(
    reader: &RunReader,
    explainer: &str,
    options: &Options,
    settling: Settling,
) -> Result<Vec<Settled>, DriftError> {
    let answering = options.answering_measure();
    let mut all = Vec::new();
    for &measure in options.settled_by.iter().filter(|&&measure| Some(measure) != answering) {
        let measuring = Measuring { measure, shuffles: options.shuffles, ..Measuring::USUAL };
        for walk in walks(reader, explainer, &measuring, settling.margin)? {
            all.extend(walk.settled(explainer, measure, settling));
        }
    }
    Ok(all)
}

fn walks(
    reader: &RunReader,
    explainer: &str,
    measuring: &Measuring<'_>,
    margin: Margin,
) -> Result<Vec<Walk>, DriftError> {
    let (mut walks, mut first): (Vec<Walk>, _) = (Vec::new(), FirstEpoch::default());
    for &epoch in reader.epochs().iter().rev() {
        let Some(now) = evidence(reader, epoch, explainer)? else { continue };
        first.compares_with(epoch, &now)?;
        if walks.is_empty() {
            let walk = |target: &String| Walk { target: target.clone(), still: Vec::new(), ended: false };
            walks = now.target_kinds.iter().map(walk).collect();
        }
        let resamples = Resamples::new(0, now.images());
        let ruler = Ruler { measure: measuring.measure, margin, resamples: &resamples };
        for (target, walk) in walks.iter_mut().enumerate().filter(|(_, walk)| !walk.ended) {
            let (measured, maps) = measuring.of_epoch(epoch, &now, None, target);
            walk.ended = !walk.still.iter().rev().all(|(later, later_maps)| {
                let values: Vec<Values> = measuring.against(later_maps, &[&maps]);
                values.first().is_some_and(|values| ruler.is_still(&measured, later, values))
            });
            if !walk.ended {
                walk.still.push((measured, maps));
            }
        }
        let kept = walks.iter().map(|walk| walk.still.len()).max().unwrap_or_default();
        if kept * now.images() * measuring.bytes_of_image(&now) > measuring.most_kept {
            return Ok(Vec::new());
        }
        if walks.iter().all(|walk| walk.ended) {
            break;
        }
    }
    Ok(walks)
}

impl Walk {
    /// Nothing is said of a single epoch.
    fn settled(self, explainer: &str, measure: Measure, settling: Settling) -> Option<Settled> {
        let (earliest, _) = self.still.last()?;
        let steps = self.still.len() - 1;
        let of = [explainer, &self.target];
        let settled = Settled::since(of, measure, Floor::Noise, settling, (earliest.epoch, steps));
        (steps > 0 || self.ended).then_some(settled)
    }
}
