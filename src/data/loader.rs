//! The deterministic loader: draws, decodes and augments ahead of the model, a bounded number of batches at most.
//!
//! The order of an epoch and each picture's augmentation depend on (run seed, epoch, sample) alone, never on how many
//! workers there are or what was loaded before, so an interrupted epoch continues at any batch.

use super::{Augmentation, Batch, Index};
use crate::seed::{self, Purpose};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

/// Batches decoded ahead of the one in use.
const AHEAD: usize = 2;

/// A worker stopped before its time.
#[derive(Debug, thiserror::Error)]
#[error("the loader stopped after {delivered} of {expected} batches")]
pub struct LoaderError {
    /// Batches that came.
    pub delivered: usize,
    /// Batches that should have.
    pub expected: usize,
}

/// In which order, and with what done to them, the samples of a split come.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// As they are indexed, untouched.
    Fixed,
    /// Shuffled and augmented.
    Training {
        /// The run's seed.
        seed: u64,
        /// The epoch.
        epoch: usize,
        /// What to do to each picture.
        augmentation: Augmentation,
    },
}

/// An iterator over the batches of one pass.
#[derive(Debug)]
pub struct Loader {
    batches: Option<Receiver<Batch>>,
    worker: Option<JoinHandle<()>>,
    first: usize,
    delivered: usize,
    count: usize,
}

impl Loader {
    /// Starts loading `index` in batches of `batch_size` (the last may be smaller), `size` pixels a side, from batch
    /// `first` on.
    pub fn start(index: &Index, order: Order, batch_size: usize, size: usize, first: usize) -> Self {
        let mut positions: Vec<usize> = (0..index.samples().len()).collect();
        if let Order::Training { seed, epoch, .. } = order {
            positions.shuffle(&mut seed::generator(seed, Purpose::Shuffle, &[epoch as u64]));
        }
        let batches: Vec<Vec<usize>> = positions.chunks(batch_size.max(1)).map(<[usize]>::to_vec).collect();
        let count = batches.len();
        let index = index.clone();
        let (sender, receiver) = sync_channel(AHEAD);
        let worker = thread::spawn(move || {
            for positions in batches.into_iter().skip(first) {
                if sender.send(load(&index, &positions, order, size)).is_err() {
                    return; // nobody listens any more
                }
            }
        });
        Self { batches: Some(receiver), worker: Some(worker), first, delivered: 0, count }
    }

    /// Batches of the whole pass, those before `first` included.
    pub fn batch_count(&self) -> usize {
        self.count
    }
}

impl Iterator for Loader {
    type Item = Result<Batch, LoaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        let expected = self.count.saturating_sub(self.first);
        if self.delivered == expected {
            return None;
        }
        match self.batches.as_ref().map(Receiver::recv) {
            Some(Ok(batch)) => {
                self.delivered += 1;
                Some(Ok(batch))
            }
            _ => {
                let error = LoaderError { delivered: self.delivered, expected };
                self.delivered = expected;
                Some(Err(error))
            }
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.batches = None; // the worker's next send fails, and it ends
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

fn load(index: &Index, positions: &[usize], order: Order, size: usize) -> Batch {
    let samples = index.samples();
    let pictures: Vec<_> = positions
        .par_iter()
        .map(|&position| {
            let picture = samples[position].picture(size);
            match order {
                Order::Fixed => picture,
                Order::Training { seed, epoch, augmentation } => {
                    let indices = [epoch as u64, position as u64];
                    augmentation.apply(picture, &mut seed::generator(seed, Purpose::Augment, &indices))
                }
            }
        })
        .collect();
    let mut planes = Vec::with_capacity(positions.len() * size * size * 3);
    pictures.iter().for_each(|picture| picture.append_planes(&mut planes));
    Batch { size, planes, labels: positions.iter().map(|&position| samples[position].label).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataSet, TexturesConfig};

    const AUGMENTATION: Augmentation =
        Augmentation { crop_scale: [0.35, 1.0], crop_ratio: [0.75, 4.0 / 3.0], flip: 0.5 };

    fn batches(epoch: usize, first: usize) -> Vec<Batch> {
        let data = DataSet::textures(TexturesConfig { train_per_class: 2, val_per_class: 1, seed: 5 });
        let order = Order::Training { seed: 7, epoch, augmentation: AUGMENTATION };
        Loader::start(&data.train, order, 6, 16, first).map(|batch| batch.unwrap()).collect()
    }

    #[test]
    fn a_pass_holds_every_sample_once() {
        let all = batches(1, 0);
        assert_eq!(all.iter().map(|batch| batch.labels.len()).collect::<Vec<_>>(), [6, 6, 6, 2]);
        let mut labels: Vec<usize> = all.iter().flat_map(|batch| batch.labels.clone()).collect();
        labels.sort_unstable();
        assert_eq!(labels, (0..10).flat_map(|label| [label, label]).collect::<Vec<_>>());
    }

    #[test]
    fn a_pass_continues_at_any_batch_with_the_same_bytes() {
        assert_eq!(batches(1, 2), batches(1, 0)[2..]);
        assert_eq!(batches(1, 0), batches(1, 0));
    }

    #[test]
    fn another_epoch_is_another_order() {
        assert_ne!(batches(1, 0), batches(2, 0));
    }

    #[test]
    fn a_loader_that_is_dropped_early_ends() {
        let data = DataSet::textures(TexturesConfig { train_per_class: 3, val_per_class: 1, seed: 5 });
        let mut loader = Loader::start(&data.train, Order::Fixed, 2, 16, 0);
        assert!(loader.next().is_some());
        drop(loader);
    }
}
