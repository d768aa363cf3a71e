//! Every epoch against every other, and what follows from it: plain records, as they are written to JSON.
//!
//! *Moved* is the scale of all of it: `100 (d - f) / (c - f)`, where `d` is the distance between the maps of two epochs, `f`
//! the distance that imperceptible noise makes and `c` that between maps of different images, each a mean over the same
//! images. 0 is noise, 100 is as different as another image's map; less than 0 and more than 100 happen and are kept.

use serde::{Deserialize, Serialize};

use super::options::Settling;
use super::phases::square;
use crate::measure::Measure;

/// What a step must not exceed to be no drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Floor {
    /// The drift under imperceptible noise on the images, with the same weights.
    Noise,
    /// The drift between two training seeds of the same recipe at the same epoch.
    Seed,
}

/// The maps of one explainer and target at every epoch against those at every earlier one, in one measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// The explainer's name: `"grad-cam"`.
    pub explainer: String,
    /// The kind of target explained: `"label"`.
    pub target: String,
    /// The measure's name: `"spearman"`.
    pub measure: String,
    /// A pair of epochs that moved at most this much is still.
    pub margin: f64,
    /// How many epochs must follow the one where the evidence settled.
    pub patience: usize,
    /// The epochs that are evidence, ascending.
    pub epochs: Vec<usize>,
    /// All pairs of them: by epoch, then by reference epoch.
    pub pairs: Vec<Pair>,
    /// The phases of the run, ascending. Epochs in none of them are *moving*.
    pub phases: Vec<Phase>,
    /// Where the evidence settled: against noise, and against another seed where one was given.
    pub settled: Vec<Settled>,
}

impl Matrix {
    /// The pair of an epoch and an earlier one.
    pub fn pair(&self, epoch: usize, reference_epoch: usize) -> Option<&Pair> {
        let key = (epoch, reference_epoch);
        let place = self.pairs.binary_search_by_key(&key, |pair| (pair.epoch, pair.reference_epoch)).ok()?;
        self.pairs.get(place)
    }

    /// An epoch and the one before it.
    pub fn step(&self, epoch: usize) -> Option<&Pair> {
        let place = self.epochs.binary_search(&epoch).ok()?;
        self.pair(epoch, *self.epochs.get(place.checked_sub(1)?)?)
    }

    /// An epoch and the first one.
    pub fn from_first(&self, epoch: usize) -> Option<&Pair> {
        self.pair(epoch, *self.epochs.first()?)
    }

    /// Where the evidence would settle with another margin and patience; as [`Settled::epoch`].
    pub fn settled_within(&self, margin: f64, patience: usize) -> Option<usize> {
        let last = self.epochs.len().checked_sub(1)?;
        let pair = |later: usize, earlier: usize| self.pair(self.epochs[later], self.epochs[earlier]);
        let still =
            |later, earlier| pair(later, earlier).and_then(|pair| pair.moved).is_some_and(|moved| moved <= margin);
        let start = square(last, still);
        (last > 0 && last - start >= patience).then(|| self.epochs[start])
    }

    /// Where the evidence settled against noise.
    pub fn settled(&self) -> Option<&Settled> {
        self.settled.iter().find(|one| one.against_floor == Floor::Noise)
    }
}

/// How far the panel's maps of two epochs are apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The later epoch.
    pub epoch: usize,
    /// The earlier one.
    pub reference_epoch: usize,
    /// The measure between the two epochs' maps of one image, mean over the images where it, both floors and both chances
    /// are defined. None where there is no such image.
    pub value: Option<f64>,
    /// The measure between maps and those of the perturbed images: the mean of both epochs, over the same images.
    pub floor: Option<f64>,
    /// The measure between maps of different images of one epoch: the mean of both epochs, over the same images.
    pub chance: Option<f64>,
    /// The measure between the maps and those of another seed's run: the mean of both epochs, over the same images where
    /// it is defined. None unless such a run was given.
    pub seed_floor: Option<f64>,
    /// How far the panel moved, from 0, noise, to 100, another image's map. None where that is not measurable.
    pub moved: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// The same with the distance of another seed in place of that of noise.
    pub moved_from_seed: Option<f64>,
    /// Why it is not measurable.
    pub not_measurable: Option<NotMeasurable>,
    /// How far each image moved, `[N]`, in panel order: its own distance on the panel's scale, so that the images' mean is
    /// `moved`. Null where the image does not count. Empty unless `reference_epoch` is the epoch before or the first one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Option<f64>>,
    /// What noise does to each image at `epoch`, on the same scale, `[N]`. Empty where `images` is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_floors: Vec<Option<f64>>,
    /// How many images moved: their distance is greater than `threshold`. None where the panel is too small to say, which
    /// takes 19 images with a floor.
    pub images_moved: Option<usize>,
    /// What 95 % of images stay below under noise alone, on the scale of `images`: of the `n` images with a floor at
    /// `epoch`, the ⌈0.95 (n + 1)⌉-th smallest floor.
    pub threshold: Option<f64>,
    /// Images that count.
    pub defined: usize,
    /// Images that do not.
    pub undefined: usize,
    /// Images whose map is all zero, constant or not finite at one epoch or both.
    pub dead: usize,
    /// Images for which another class was explained, which happens where the target is the prediction.
    pub retargeted: usize,
}

impl Pair {
    /// A value of the measure on the scale of this pair: 0 at its floor, 100 at its chance. None where that is not
    /// measurable.
    pub fn moved_of(&self, value: f64) -> Option<f64> {
        // Of a similarity numerator and denominator both change their sign.
        self.moved.and(self.floor.zip(self.chance)).map(|(floor, chance)| 100.0 * (value - floor) / (chance - floor))
    }
}

/// Why it cannot be said how far evidence moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotMeasurable {
    /// Fewer than five images count.
    FewImages,
    /// Maps of different images are not farther apart than noise makes maps of the same one, within the interval.
    ChanceWithinFloor,
    /// They are, by less than 2 % of what the measure can show.
    SmallContrast,
}

/// Epochs in a row, three at least, of which every two are still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// The first.
    pub from: usize,
    /// The last.
    pub to: usize,
}

impl Settled {
    /// Of a matrix of this explainer, target and measure, of which every two epochs from `since` on are still, and so many
    /// `steps` follow that. No interval yet.
    pub(super) fn since(
        [explainer, target]: [&str; 2],
        measure: Measure,
        against_floor: Floor,
        Settling { margin, patience }: Settling,
        (since, steps): (usize, usize),
    ) -> Self {
        Settled {
            explainer: explainer.to_string(),
            target: target.to_string(),
            measure: measure.name().to_string(),
            against_floor,
            margin: margin.moved(),
            patience,
            epoch: (steps >= patience).then_some(since),
            steps,
            interval: None,
            not_yet: None,
        }
    }
}

/// From which epoch on every two epochs are still.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// The explainer's name.
    pub explainer: String,
    /// The kind of target explained.
    pub target: String,
    /// The measure's name.
    pub measure: String,
    /// Which floor movement is read against.
    pub against_floor: Floor,
    /// A pair of epochs that moved at most this much is still.
    pub margin: f64,
    /// How many epochs must follow.
    pub patience: usize,
    /// The earliest epoch from which on every two epochs are still. None where fewer than `patience` epochs follow it: not
    /// yet.
    pub epoch: Option<usize>,
    /// How many epochs follow the earliest from which on every two are still, whether or not these are enough.
    pub steps: usize,
    /// The 95 % interval of the epoch over resampled panels; null is not yet, which counts as later than any epoch. None
    /// where no panel was resampled.
    pub interval: Option<[Option<usize>; 2]>,
    /// The share of the resampled panels that say not yet, in [0, 1].
    pub not_yet: Option<f64>,
}
