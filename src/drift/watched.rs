//! The matrices of one explainer while a run trains: an epoch adds a row, and its maps are kept for the rows to come.

use std::collections::VecDeque;

use super::distances::Measuring;
use super::error::DriftError;
use super::growing::Growing;
use super::matrix::Matrix;
use super::moved::Margin;
use super::pairs::Ruler;
use super::randomised::randomised;
use super::same::{FirstEpoch, first_difference};
use crate::measure::{Kept, Measure};
use crate::stats::{RESAMPLES, Resamples};
use crate::store::{Explanations, Randomised};

/// How maps are measured while a run trains.
const MEASURING: Measuring<'static> = Measuring::USUAL;

/// One explainer of a run that trains.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// By target.
    growing: Vec<Growing>,
    /// The maps of the latest epochs, `[epochs][targets][images]`.
    kept: VecDeque<Vec<Vec<Kept>>>,
    /// Of how many epochs maps are kept.
    most: usize,
    /// How much a pair of epochs may have moved and still be still.
    margin: Margin,
    resamples: Resamples,
    first: FirstEpoch,
}

impl Watched {
    /// For explanations of this kind; the maps of `reach` epochs are kept at least.
    pub(super) fn new(explanations: &Explanations, reach: usize, margin: Margin) -> Self {
        let kinds = &explanations.target_kinds;
        let of_epoch = MEASURING.bytes_of_image(explanations) * explanations.images();
        Watched {
            growing: kinds.iter().map(|kind| Growing::new(&explanations.explainer, kind)).collect(),
            kept: VecDeque::new(),
            most: (MEASURING.most_kept / of_epoch.max(1)).max(reach).max(1),
            margin,
            resamples: Resamples::new(RESAMPLES, explanations.images()),
            first: FirstEpoch::default(),
        }
    }

    /// Adds an epoch.
    ///
    /// # Errors
    ///
    /// When it does not compare with the first one.
    pub(super) fn add(&mut self, epoch: usize, now: &Explanations) -> Result<(), DriftError> {
        self.first.compares_with(epoch, now)?;
        let ruler = ruler(&self.resamples, self.margin);
        let mut maps = Vec::new();
        for (target, growing) in self.growing.iter_mut().enumerate() {
            let (mut measured, of_target) = MEASURING.of_epoch(epoch, now, None, target);
            measured.from = growing.epochs() - self.kept.len();
            let others: Vec<&Vec<Kept>> = self.kept.iter().map(|earlier| &earlier[target]).collect();
            measured.earlier = MEASURING.against(&of_target, &others);
            growing.add(measured, &ruler);
            maps.push(of_target);
        }
        self.kept.push_back(maps);
        if self.kept.len() > self.most {
            self.kept.pop_front();
        }
        Ok(())
    }

    /// By target, how far the maps of the epoch that was added last, `seen`, are from those of a model that has learnt
    /// nothing. None where these are of other things.
    pub(super) fn randomised(&self, seen: &Explanations, untaught: &[Explanations]) -> Vec<Randomised> {
        let Some(other) = untaught.iter().find(|other| first_difference(seen, other).is_none()) else {
            return Vec::new();
        };
        let Some(maps) = self.kept.back() else { return Vec::new() };
        let ruler = ruler(&self.resamples, self.margin);
        let latest = self.growing.iter().zip(maps).enumerate();
        let of = |(target, (growing, maps)): (usize, (&Growing, &Vec<Kept>))| {
            Some(randomised([seen, other], target, (growing.latest()?, maps), &MEASURING, &ruler))
        };
        latest.filter_map(of).collect()
    }

    /// A matrix a target.
    pub(super) fn matrices(&self, patience: usize) -> Vec<Matrix> {
        let ruler = ruler(&self.resamples, self.margin);
        self.growing.iter().map(|growing| growing.matrix(&ruler, patience)).collect()
    }
}

fn ruler(resamples: &Resamples, margin: Margin) -> Ruler<'_> {
    Ruler { measure: Measure::DEFAULT, margin, resamples }
}
