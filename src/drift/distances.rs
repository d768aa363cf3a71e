//! One explainer's maps of every two epochs in one measure, image by image, beside what noise, another seed and another
//! image give.
//!
//! A pair of epochs takes the maps of both, so maps are kept as the measure needs them, and of a panel whose maps would not
//! fit into memory a block of images at a time.

use std::ops::Range;

use rayon::prelude::*;

use super::compare::pairings;
use super::epoch_maps::{at_same_epoch, evidence};
use super::error::DriftError;
use super::options::CHANCE_DERANGEMENTS;
use super::same::FirstEpoch;
use crate::measure::{Heatmap, Kept, MapStatus, Measure};
use crate::store::{Explanations, RunReader};

/// How many bytes of an explainer's maps are kept at a time.
pub(super) const MOST_KEPT: usize = 256 << 20;

/// Values of a measure by image, `[N]`; none where it is not defined.
pub(super) type Values = Vec<Option<f64>>;

/// What was measured at one epoch, of one explainer and target.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) epoch: usize,
    /// Between maps and those of the perturbed images.
    pub(super) floor: Values,
    /// Between an image's map and those of the images it meets by chance, mean over these.
    pub(super) chance: Values,
    /// Between maps and those of another seed's run.
    pub(super) seed: Option<Values>,
    /// `[N]`: whether the map is all zero, constant or not finite.
    pub(super) dead: Vec<bool>,
    /// `[N]`: the class that was explained.
    pub(super) classes: Vec<i64>,
    /// Between the maps and those of each earlier epoch, in order, from the epoch at place `from` on.
    pub(super) earlier: Vec<Values>,
    /// The place of the first of them among all epochs.
    pub(super) from: usize,
}

/// How explanations are measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measuring<'a> {
    pub(super) measure: Measure,
    /// How many pairings of different images chance is averaged over.
    pub(super) shuffles: usize,
    /// Another seed's run.
    pub(super) seed_run: Option<&'a RunReader>,
    /// How many bytes of maps may be kept at a time; [`MOST_KEPT`].
    pub(super) most_kept: usize,
}

impl Measuring<'_> {
    /// In the default measure, and with nothing to compare with but the run itself.
    pub(super) const USUAL: Measuring<'static> =
        Measuring { measure: Measure::DEFAULT, shuffles: CHANCE_DERANGEMENTS, seed_run: None, most_kept: MOST_KEPT };

    /// The maps of one target, of some images.
    fn keep(
        &self,
        explanations: &Explanations,
        map: fn(&Explanations, usize, usize) -> Option<Heatmap>,
        target: usize,
        images: Range<usize>,
    ) -> Vec<Kept> {
        // Lengths were checked when the file was read, so every map is there.
        images
            .into_par_iter()
            .filter_map(|image| map(explanations, image, target))
            .map(|map| self.measure.keep(map))
            .collect()
    }

    /// The maps of one target, of all images.
    pub(super) fn maps(&self, explanations: &Explanations, target: usize) -> Vec<Kept> {
        self.keep(explanations, Explanations::map, target, 0..explanations.images())
    }

    /// Two epochs' maps, image by image.
    fn between(&self, one: &[Kept], other: &[Kept]) -> Values {
        one.par_iter().zip(other).map(|(one, other)| self.measure.between_kept(one, other)).collect()
    }

    /// Each image's map and those of the images it meets, mean over these. An image alone meets nobody.
    fn chance(&self, maps: &[Kept]) -> Values {
        let partners = pairings(maps.len(), self.shuffles);
        let met = |image: usize| {
            let values = partners.iter().skip(image).step_by(maps.len()).filter(|&&partner| partner != image);
            let defined = values.filter_map(|&partner| self.measure.between_kept(&maps[image], &maps[partner]));
            let (sum, count) = defined.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
            (count > 0).then(|| sum / count as f64)
        };
        (0..maps.len()).into_par_iter().map(met).collect()
    }

    /// What an epoch shows of one target by itself, and its maps. `seed` is the other seed's at this epoch.
    pub(super) fn of_epoch(
        &self,
        epoch: usize,
        explanations: &Explanations,
        seed: Option<&Explanations>,
        target: usize,
    ) -> (Measured, Vec<Kept>) {
        let (images, targets) = (explanations.images(), explanations.target_kinds.len());
        let maps = self.maps(explanations, target);
        let beside = |other: Vec<Kept>| self.between(&maps, &other);
        let measured = Measured {
            epoch,
            floor: beside(self.keep(explanations, Explanations::floor_map, target, 0..images)),
            chance: self.chance(&maps),
            seed: seed.map(|seed| beside(self.maps(seed, target))),
            dead: maps.iter().map(|map| map.status() != MapStatus::Alive).collect(),
            classes: explanations.targets.iter().skip(target).step_by(targets.max(1)).copied().collect(),
            earlier: Vec::new(),
            from: 0,
        };
        (measured, maps)
    }

    /// The maps of an epoch and those of each of some others.
    pub(super) fn against(&self, maps: &[Kept], others: &[impl AsRef<[Kept]>]) -> Vec<Values> {
        others.iter().map(|other| self.between(maps, other.as_ref())).collect()
    }

    /// About how many bytes the maps of one image at one epoch take, at most.
    pub(super) fn bytes_of_image(&self, explanations: &Explanations) -> usize {
        self.measure.kept_bytes(explanations.grid.iter().product()) * explanations.target_kinds.len()
    }

    /// Every epoch of an explainer that is evidence, target by target: `[targets]`, each with the name of its kind and an
    /// element an epoch.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or epochs, or the other seed's, do not compare.
    pub(super) fn of_run(
        &self,
        reader: &RunReader,
        explainer: &str,
    ) -> Result<Vec<(String, Vec<Measured>)>, DriftError> {
        let mut all: Vec<(String, Vec<Measured>)> = Vec::new();
        // Of the block of images under way: `[epochs][targets][images]`.
        let (mut block, mut kept): (_, Vec<Vec<Vec<Kept>>>) = (0..0, Vec::new());
        let (mut first, mut images) = (FirstEpoch::default(), 0);
        for &epoch in reader.epochs() {
            let Some(now) = evidence(reader, epoch, explainer)? else { continue };
            first.compares_with(epoch, &now)?;
            if all.is_empty() {
                images = now.images();
                let at_a_time = self.most_kept / (self.bytes_of_image(&now) * reader.epochs().len()).max(1);
                block = 0..at_a_time.clamp(1, images.max(1));
                all = now.target_kinds.iter().map(|kind| (kind.clone(), Vec::new())).collect();
            }
            let seed = self.seed_run.map(|run| at_same_epoch(run, epoch, &now)).transpose()?.flatten();
            let mut maps = Vec::new();
            for (target, (_, epochs)) in all.iter_mut().enumerate() {
                let (mut measured, mut of_target) = self.of_epoch(epoch, &now, seed.as_ref(), target);
                of_target.truncate(block.len());
                let others: Vec<&Vec<Kept>> = kept.iter().map(|earlier| &earlier[target]).collect();
                measured.earlier = self.against(&of_target, &others);
                epochs.push(measured);
                maps.push(of_target);
            }
            kept.push(maps);
        }
        while block.end < images {
            block = block.end..(block.end + block.len()).min(images);
            self.further_block(reader, explainer, &block, &mut all)?;
        }
        Ok(all)
    }

    /// Reads the run again for a further block of images, and adds their values.
    fn further_block(
        &self,
        reader: &RunReader,
        explainer: &str,
        block: &Range<usize>,
        all: &mut [(String, Vec<Measured>)],
    ) -> Result<(), DriftError> {
        let mut kept: Vec<Vec<Vec<Kept>>> = Vec::new();
        for &epoch in reader.epochs() {
            let Some(now) = evidence(reader, epoch, explainer)? else { continue };
            let mut maps = Vec::new();
            for (target, (_, epochs)) in all.iter_mut().enumerate() {
                let of_target = self.keep(&now, Explanations::map, target, block.clone());
                let others: Vec<&Vec<Kept>> = kept.iter().map(|earlier| &earlier[target]).collect();
                let known = epochs.get_mut(kept.len()).map(|epoch| &mut epoch.earlier);
                let values = self.against(&of_target, &others);
                known.into_iter().flatten().zip(values).for_each(|(known, values)| known.extend(values));
                maps.push(of_target);
            }
            kept.push(maps);
        }
        Ok(())
    }
}
