//! Drift while a run trains: three measures against the previous and the first epoch, and one against every epoch.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::compare::{Other, Wanted, compare, in_order};
use super::epoch_maps::EpochMaps;
use super::error::DriftError;
use super::matrix::Matrix;
use super::moved::Margin;
use super::options::CHANCE_DERANGEMENTS;
use super::watched::Watched;
use crate::measure::Measure;
use crate::stats::{RESAMPLES, Resamples};
use crate::store::{Against, DriftEstimate, Explanations, Randomised, RunReader, StoreError};

/// What later epochs compare with, explainer by explainer: the latest and the first epoch that are evidence, and all that
/// are in the default measure.
///
/// The training loop keeps one and, after explaining an epoch, asks [`Timeline::for_epoch`], reads [`Timeline::matrices`] and
/// calls [`Timeline::advance`]. A resumed run starts from [`Timeline::of_sealed`].
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    explainers: BTreeMap<String, Known>,
    matrices: BTreeMap<String, Watched>,
    /// Every epoch is compared with so many before it at least, however large their maps are.
    reach: usize,
    margin: Margin,
}

/// What a timeline remembers of one explainer.
#[derive(Clone, Debug)]
struct Known {
    first: Arc<EpochMaps<'static>>,
    previous: Arc<EpochMaps<'static>>,
}

impl Timeline {
    /// The timeline of a run that begins. Its matrices compare an epoch with all before it, or where their maps are too
    /// large to be kept with the latest, `reach` of them at least. A pair that moved at most the `margin` is still.
    pub fn new(reach: usize, margin: Margin) -> Self {
        Timeline { reach, margin, ..Timeline::default() }
    }

    /// The timeline of a run as it was before `epoch`, from its sealed epochs. An explainer's maps that are no longer what
    /// was sealed are left out, and `damaged` is told of them: later epochs then compare with the one before.
    ///
    /// # Errors
    ///
    /// When a file of an earlier epoch cannot be read, or earlier epochs do not compare.
    pub fn of_sealed(
        reader: &RunReader,
        epoch: usize,
        reach: usize,
        margin: Margin,
        mut damaged: impl FnMut(StoreError),
    ) -> Result<Timeline, DriftError> {
        let mut timeline = Timeline::new(reach, margin);
        for &earlier in reader.epochs().iter().filter(|&&sealed| sealed < epoch) {
            let mut whole = Vec::new();
            for name in reader.explainers(earlier)? {
                match reader.explanations(earlier, &name) {
                    Err(error @ StoreError::Damaged { .. }) => damaged(error),
                    read => whole.push(read?),
                }
            }
            timeline.watch(earlier, &whole)?;
            timeline.advance(earlier, whole);
        }
        Ok(timeline)
    }

    /// The estimates of an epoch against the previous and the first one, by explainer, target kind, measure and
    /// reference, in the measures of [`Measure::LIVE`]. Where these are one and the same epoch both are given.
    /// Explainers without an earlier epoch, or that are no evidence yet ([`Explanations::is_evidence`]), give
    /// none. The matrices get the epoch's row.
    ///
    /// # Errors
    ///
    /// When an explainer's epochs do not compare.
    pub fn for_epoch(&mut self, epoch: usize, current: &[Explanations]) -> Result<Vec<DriftEstimate>, DriftError> {
        self.watch(epoch, current)?;
        let mut current: Vec<&Explanations> = current.iter().filter(|one| one.is_evidence()).collect();
        current.sort_by(|one, other| one.explainer.cmp(&other.explainer));
        let mut all = Vec::new();
        for explanations in current {
            let Some(known) = self.explainers.get(&explanations.explainer) else { continue };
            let others = [
                Other { against: Against::Previous, maps: &known.previous },
                Other { against: Against::First, maps: &known.first },
            ];
            all.extend(live(&EpochMaps::new(epoch, Cow::Borrowed(explanations)), &others)?);
        }
        Ok(all)
    }

    /// Adds the epoch's row to the matrix of every explainer.
    fn watch(&mut self, epoch: usize, current: &[Explanations]) -> Result<(), DriftError> {
        for explanations in current.iter().filter(|one| one.is_evidence()) {
            let watched = self.matrices.entry(explanations.explainer.clone());
            watched.or_insert_with(|| Watched::new(explanations, self.reach, self.margin)).add(epoch, explanations)?;
        }
        Ok(())
    }

    /// Every epoch so far against every other, by explainer and target, in [`Measure::DEFAULT`] and with the run's margin.
    /// `patience` is how many epochs must follow the one where the evidence settled.
    pub fn matrices(&self, patience: usize) -> Vec<Matrix> {
        self.matrices.values().flat_map(|watched| watched.matrices(patience)).collect()
    }

    /// How far the maps of each explainer and target at the epoch that was measured last, `current`, are from those of the same
    /// images by `untaught`, the same model with parameters drawn at random. In the order of `current`; what is no evidence, or
    /// was not asked of the other model, is left out.
    pub fn randomised(&self, current: &[Explanations], untaught: &[Explanations]) -> Vec<Randomised> {
        let of = |seen: &Explanations| Some(self.matrices.get(&seen.explainer)?.randomised(seen, untaught));
        current.iter().filter(|seen| seen.is_evidence()).filter_map(of).flatten().collect()
    }

    /// Remembers an epoch, so that later ones compare with it. Epochs must come in ascending order.
    pub fn advance(&mut self, epoch: usize, current: Vec<Explanations>) {
        for explanations in current.into_iter().filter(Explanations::is_evidence) {
            let name = explanations.explainer.clone();
            let now = Arc::new(EpochMaps::new(epoch, Cow::Owned(explanations)));
            let first = self.explainers.get(&name).map_or_else(|| now.clone(), |known| known.first.clone());
            self.explainers.insert(name, Known { first, previous: now });
        }
    }
}

/// The estimates of one explainer while a run trains, by target kind, measure and other epoch.
pub(super) fn live(current: &EpochMaps<'_>, others: &[Other<'_>]) -> Result<Vec<DriftEstimate>, DriftError> {
    let resamples = Resamples::new(RESAMPLES, current.images());
    let (measures, shuffles) = (&Measure::LIVE, CHANCE_DERANGEMENTS);
    let wanted = Wanted { measures, shuffles, resamples: &resamples, classes: None };
    Ok(in_order(compare(current, &current.perturbed(), others, None, &wanted)?, measures))
}
