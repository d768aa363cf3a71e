//! Mixing the samples of a batch with each other, pixels here and labels in the loss.
//!
//! Sample i meets sample n − 1 − i, and one share holds for the whole batch. In an odd batch the middle sample meets
//! itself and comes out as it went in.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How a batch is mixed. When both ways are on, a batch takes either with probability ½.
///
/// # Source
///
/// Zhang et al. 2017, arXiv:1710.09412 (mixup); Yun et al. 2019, arXiv:1905.04899 (CutMix); timm 1.0
/// `FastCollateMixup(mode="batch", prob=1, switch_prob=0.5)` (`timm/data/mixup.py`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mixing {
    /// α of the Beta(α, α) that mixup's share is drawn from; 0 switches it off.
    pub mixup: f64,
    /// α of the Beta(α, α) that CutMix's share is drawn from; 0 switches it off.
    pub cutmix: f64,
}

/// What became of a batch's labels: the loss is `share` times that of a sample's own label plus `1 − share` times that
/// of its partner's.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// The labels of the partners, `[batch]`.
    pub partners: Vec<usize>,
    /// Weight of the sample's own label, `0..=1`.
    pub share: f32,
}

impl Mixing {
    /// Mixes `planes`, `[batch, 3, size, size]`, in place; `labels` is `[batch]`. `None` if both ways are off.
    ///
    /// # Panics
    ///
    /// If `planes` and `labels` are not of one batch: a caller bug.
    pub fn apply(&self, planes: &mut [u8], labels: &[usize], size: usize, generator: &mut ChaCha8Rng) -> Option<Mix> {
        assert_eq!(planes.len(), labels.len() * 3 * size * size, "[{}, 3, {size}, {size}]", labels.len());
        let [mixup, cutmix] = [self.mixup, self.cutmix].map(|alpha| Beta::new(alpha, alpha).ok());
        let (share, cut) = match (mixup, cutmix) {
            (Some(mixup), Some(cutmix)) => {
                let cut = generator.random_bool(0.5);
                (if cut { cutmix } else { mixup }.sample(generator), cut)
            }
            (Some(mixup), None) => (mixup.sample(generator), false),
            (None, Some(cutmix)) => (cutmix.sample(generator), true),
            (None, None) => return None,
        };
        let picture_len = 3 * size * size;
        let share = if cut {
            let centre = [(); 2].map(|()| generator.random_range(0..size.max(1) as u64) as usize);
            let [rows, columns] = centre.map(|centre| cut_span(centre, share, size));
            for_each_pair(planes, picture_len, |one, other| exchange(one, other, size, &rows, &columns));
            1.0 - (rows.len() * columns.len()) as f64 / (size * size) as f64
        } else {
            for_each_pair(planes, picture_len, |one, other| blend(one, other, share));
            share
        };
        Some(Mix { partners: labels.iter().rev().copied().collect(), share: share as f32 })
    }
}

fn for_each_pair(planes: &mut [u8], picture_len: usize, mut mix: impl FnMut(&mut [u8], &mut [u8])) {
    let mut pictures = planes.chunks_exact_mut(picture_len.max(1));
    while let (Some(one), Some(other)) = (pictures.next(), pictures.next_back()) {
        mix(one, other);
    }
}

/// Each becomes `share` of itself and the rest of the other, rounded half to even in single precision as NumPy does.
fn blend(one: &mut [u8], other: &mut [u8], share: f64) {
    let (own, rest) = (share as f32, (1.0 - share) as f32);
    let mixed = |own_byte, rest_byte| (f32::from(own_byte) * own + f32::from(rest_byte) * rest).round_ties_even() as u8;
    for (one, other) in one.iter_mut().zip(other) {
        (*one, *other) = (mixed(*one, *other), mixed(*other, *one));
    }
}

/// Rows or columns of the box: √(1 − share) of the side around `centre`, cut off at the border. An odd length loses one.
///
/// # Source
///
/// timm `rand_bbox`.
fn cut_span(centre: usize, share: f64, size: usize) -> Range<usize> {
    let half = (size as f64 * (1.0 - share).sqrt()) as usize / 2;
    centre.saturating_sub(half)..(centre + half).min(size)
}

fn exchange(one: &mut [u8], other: &mut [u8], size: usize, rows: &Range<usize>, columns: &Range<usize>) {
    for plane in 0..3 {
        for row in rows.clone() {
            let start = (plane * size + row) * size;
            let part = start + columns.start..start + columns.end;
            one[part.clone()].swap_with_slice(&mut other[part]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;
    use rand::SeedableRng;

    const SIZE: usize = 12;

    /// `[5, 3, 12, 12]`, as `scripts/parity/augment.py` fills it.
    fn planes() -> Vec<u8> {
        (0..5 * 3 * SIZE * SIZE).map(|at| (at * 7919 % 251) as u8).collect()
    }

    fn mix(mixing: Mixing, seed: u64) -> (Vec<u8>, Option<Mix>) {
        let mut planes = planes();
        let mix = mixing.apply(&mut planes, &[4, 3, 2, 1, 0], SIZE, &mut ChaCha8Rng::seed_from_u64(seed));
        (planes, mix)
    }

    /// Printed by `scripts/parity/augment.py`: timm 1.0.22 and NumPy 2.4.6.
    #[test]
    fn blends_are_timms_byte_for_byte() {
        let expected = ["b1862bf817530da4", "5ff84479598ffef8", "c67e101e24b9a447", "9a5db37c90392754"];
        for (share, expected) in [0.1, 0.25, 0.5, 0.8371].into_iter().zip(expected) {
            let mut planes = planes();
            for_each_pair(&mut planes, 3 * SIZE * SIZE, |one, other| blend(one, other, share));
            assert_eq!(golden::digest(&planes), expected, "{share}");
        }
    }

    /// Printed by `scripts/parity/augment.py`: timm 1.0.22 and NumPy 2.4.6.
    #[test]
    fn boxes_are_timms_byte_for_byte() {
        let expected =
            [("26dd8b47d8b3b7e5", 30), ("90a1c60ff8968649", 100), ("3120f99558c89c7c", 35), ("14cc710ca45eafc4", 12)];
        let cases = [(0.1, [0, 11]), (0.25, [5, 6]), (0.5, [1, 9]), (0.8371, [11, 4])];
        for ((share, centre), expected) in cases.into_iter().zip(expected) {
            let mut planes = planes();
            let [rows, columns] = centre.map(|centre| cut_span(centre, share, SIZE));
            for_each_pair(&mut planes, 3 * SIZE * SIZE, |one, other| exchange(one, other, SIZE, &rows, &columns));
            assert_eq!((golden::digest(&planes).as_str(), rows.len() * columns.len()), expected, "{share}");
        }
    }

    /// √(1 − 0.5) of 12 is 8.49: 4 to either side of 9 is 5..13, cut off at 12. √0.1629·12 = 4.84 loses one: 2 to either
    /// side.
    #[test]
    fn a_box_is_cut_off_at_the_border() {
        assert_eq!(cut_span(9, 0.5, 12), 5..12);
        assert_eq!(cut_span(1, 0.5, 12), 0..5);
        assert_eq!(cut_span(6, 0.8371, 12), 4..8);
        assert_eq!(cut_span(6, 0.0, 12), 0..12);
        assert!(cut_span(6, 1.0, 12).is_empty());
    }

    #[test]
    fn a_cut_batch_holds_as_much_of_its_own_as_its_share_says() {
        for seed in 0..50 {
            let (mixed, mix) = mix(Mixing { mixup: 0.0, cutmix: 1.0 }, seed);
            let mix = mix.unwrap();
            assert_eq!(mix.partners, [0, 1, 2, 3, 4]);
            // Bytes a whole number of periods apart would hide the cut; 4 images of 432 bytes are not: 4·432 mod 251.
            let first = mixed[..432].iter().zip(planes()).filter(|(mixed, own)| **mixed == *own).count();
            assert!((first as f32 / 432.0 - mix.share).abs() < 1e-6, "{first} of 432 and a share of {}", mix.share);
            assert_eq!(mixed[2 * 432..3 * 432], planes()[2 * 432..3 * 432], "the middle one meets itself");
        }
    }

    #[test]
    fn shares_are_beta_distributed_and_ways_are_taken_in_turn() {
        let mixing = Mixing { mixup: 0.4, cutmix: 1.0 };
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        // One black and one white pixel: a cut batch of size 1 is not cut at all, as half of one is none.
        let shares: Vec<f64> = (0..4000)
            .map(|_| mixing.apply(&mut [0, 0, 0, 255, 255, 255], &[0, 1], 1, &mut generator).unwrap().share.into())
            .collect();
        let blended: Vec<f64> = shares.iter().copied().filter(|&share| share < 1.0).collect();
        let count = blended.len() as f64;
        assert!((1850.0..2150.0).contains(&count), "2000 expected, with a standard deviation of 32: {count}");
        let mean = blended.iter().sum::<f64>() / count;
        let variance = blended.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / count;
        // Beta(α, α) has a mean of ½ and a variance of 1/(4·(2α + 1)) = 0.1389; four standard errors are 0.033 and 0.009.
        assert!((mean - 0.5).abs() < 0.033, "{mean}");
        assert!((variance - 1.0 / 7.2).abs() < 0.009, "{variance}");
    }

    #[test]
    fn mixing_is_a_function_of_its_seed_and_can_be_switched_off() {
        for mixing in [Mixing { mixup: 0.8, cutmix: 0.0 }, Mixing { mixup: 0.8, cutmix: 1.0 }] {
            assert_eq!(mix(mixing, 1), mix(mixing, 1));
            assert_ne!(mix(mixing, 1), mix(mixing, 2));
        }
        assert_eq!(mix(Mixing { mixup: 0.0, cutmix: 0.0 }, 1), (planes(), None));
        let none = Mixing { mixup: 0.8, cutmix: 1.0 }.apply(&mut [], &[], 4, &mut ChaCha8Rng::seed_from_u64(1));
        assert!(none.unwrap().partners.is_empty());
    }
}
