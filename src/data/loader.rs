//! The deterministic loader: draws, decodes and augments ahead of the model, a bounded number of batches at most.
//!
//! The order of an epoch and each image's augmentation depend on (run seed, epoch, sample) alone, never on how many
//! workers there are or what was loaded before, so an interrupted epoch continues at any batch.

use super::augment::{Augmentation, Mixing, Preprocessing};
use super::batch::Batch;
use super::error::DataError;
use super::sample::Sample;
use crate::seed::{self, Purpose};
use burn_dataset::Dataset;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

/// Batches decoded ahead of the one in use.
const AHEAD: usize = 2;

/// The order in which the samples of a split are loaded, and how they are augmented.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    /// In the order of the split, with evaluation's preprocessing only.
    Fixed,
    /// Shuffled and augmented, for training.
    Training {
        /// The run's seed, which determines order and augmentation together with the epoch.
        seed: u64,
        /// The epoch, from 1.
        epoch: usize,
        /// The augmentation of each image.
        augmentation: Augmentation,
        /// Mixup and CutMix of each batch.
        mixing: Mixing,
    },
}

/// The size of batches, and how each image is brought to the model's size.
#[derive(Clone, Copy, Debug)]
pub struct Batching {
    /// Images per batch; the last may have fewer.
    pub batch_size: usize,
    /// How each image is brought to the model's size.
    pub preprocessing: Preprocessing,
}

/// An iterator over the batches of one pass.
#[derive(Debug)]
pub struct Loader {
    batches: Option<Receiver<Result<Batch, DataError>>>,
    worker: Option<JoinHandle<()>>,
    first: usize,
    delivered: usize,
    count: usize,
}

impl Loader {
    /// Starts loading `data` from batch `first` on.
    pub fn start(data: impl Dataset<Sample> + 'static, order: Order, batching: Batching, first: usize) -> Self {
        let mut positions: Vec<usize> = (0..data.len()).collect();
        if let Order::Training { seed, epoch, .. } = order {
            positions.shuffle(&mut seed::generator(seed, Purpose::Shuffle, &[epoch as u64]));
        }
        let batches: Vec<Vec<usize>> = positions.chunks(batching.batch_size.max(1)).map(<[usize]>::to_vec).collect();
        let count = batches.len();
        let (sender, receiver) = sync_channel(AHEAD);
        let worker = thread::spawn(move || {
            for (number, positions) in batches.into_iter().enumerate().skip(first) {
                let loaded = load(&data, &positions, order, batching.preprocessing);
                if sender.send(loaded.map(|batch| mixed(batch, order, number))).is_err() {
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
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let expected = self.count.saturating_sub(self.first);
        if self.delivered == expected {
            return None;
        }
        match self.batches.as_ref().map(Receiver::recv) {
            Some(Ok(Ok(batch))) => {
                self.delivered += 1;
                Some(Ok(batch))
            }
            failed => {
                let stopped = DataError::LoaderStopped { delivered: self.delivered, expected };
                self.delivered = expected; // nothing comes after an error
                Some(Err(match failed {
                    Some(Ok(Err(error))) => error,
                    _ => stopped,
                }))
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

fn load(
    data: &impl Dataset<Sample>,
    positions: &[usize],
    order: Order,
    preprocessing: Preprocessing,
) -> Result<Batch, DataError> {
    let size = preprocessing.size;
    let mut planes = vec![0; positions.len() * size * size * 3];
    let prepare = |(&position, planes): (&usize, &mut [u8])| {
        let sample = data.get(position).map_err(|source| DataError::Dataset { index: position, source })?;
        match order {
            Order::Fixed => sample.write_evaluated(&preprocessing, planes)?,
            Order::Training { seed, epoch, augmentation, .. } => {
                let picture = sample.kept_picture(preprocessing.resize)?;
                let mut generator = seed::generator(seed, Purpose::Augment, &[epoch as u64, position as u64]);
                augmentation.apply(&picture, &preprocessing, &mut generator).write_planes(planes);
            }
        }
        Ok(sample.label)
    };
    let places = positions.par_iter().zip(planes.par_chunks_exact_mut(size * size * 3));
    let labels = places.map(prepare).collect::<Result<Vec<usize>, DataError>>()?;
    Ok(Batch { size, planes, labels, normalisation: preprocessing.normalisation, mix: None })
}

/// Mixup or cutmix among the images of batch `number` of a pass.
fn mixed(mut batch: Batch, order: Order, number: usize) -> Batch {
    if let Order::Training { seed, epoch, mixing, .. } = order {
        let mut generator = seed::generator(seed, Purpose::Mix, &[epoch as u64, number as u64]);
        batch.mix = mixing.apply(&mut batch.planes, &batch.labels, batch.size, &mut generator);
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataConfig, DataSet, FolderConfig, Index, Split, TexturesConfig};
    use crate::picture::{Interpolation, Normalisation};
    use burn_dataset::DatasetError;

    const AUGMENTATION: Augmentation = Augmentation {
        crop_scale: [0.35, 1.0],
        crop_ratio: [0.75, 4.0 / 3.0],
        flip: 0.5,
        colour_jitter: None,
        policy: None,
        erasing: None,
    };

    const PREPROCESSING: Preprocessing = Preprocessing {
        size: 16,
        resize: 16,
        interpolation: Interpolation::Bicubic,
        normalisation: Normalisation::IMAGENET,
    };

    fn batching(batch_size: usize) -> Batching {
        Batching { batch_size, preprocessing: PREPROCESSING }
    }

    fn data() -> DataSet {
        DataSet::open(&DataConfig::Textures(TexturesConfig { train_per_class: 2, val_per_class: 1, seed: 5 })).unwrap()
    }

    fn batches(epoch: usize, first: usize) -> Vec<Batch> {
        let mixing = Mixing { mixup: 0.2, cutmix: 1.0 };
        let order = Order::Training { seed: 7, epoch, augmentation: AUGMENTATION, mixing };
        Loader::start(data().split(Split::Train).clone(), order, batching(6), first)
            .map(|batch| batch.unwrap())
            .collect()
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
        let mut loader = Loader::start(data().split(Split::Train).clone(), Order::Fixed, batching(2), 0);
        assert!(loader.next().is_some());
        drop(loader);
    }

    /// A data set that fails at its third image, as one behind a network might.
    struct Failing(Index);

    impl Dataset<Sample> for Failing {
        fn get(&self, index: usize) -> Result<Sample, DatasetError> {
            match index {
                2 => Err(DatasetError::new(std::io::Error::other("connection lost"))),
                _ => self.0.get(index),
            }
        }

        fn len(&self) -> usize {
            self.0.len()
        }
    }

    #[test]
    fn any_data_set_feeds_the_loader_and_one_that_fails_ends_the_pass_with_its_error() {
        let failing = Failing(data().split(Split::Train).clone());
        let mut loader = Loader::start(failing, Order::Fixed, batching(1), 0);
        assert_eq!(loader.batch_count(), 20);
        assert!(loader.next().unwrap().is_ok() && loader.next().unwrap().is_ok());
        let error = loader.next().unwrap().unwrap_err().to_string();
        assert!(error.contains("image 2 of the data set") && error.contains("connection lost"), "{error}");
        assert!(loader.next().is_none());
    }

    /// Three images of 20 × 20 pixels in train and in val.
    fn folder() -> (tempfile::TempDir, DataSet) {
        let dir = tempfile::tempdir().unwrap();
        for (name, class) in [("1", "a"), ("2", "a"), ("3", "b")] {
            for split in ["train", "val"] {
                let folder = dir.path().join(split).join(class);
                std::fs::create_dir_all(&folder).unwrap();
                let noise: Vec<u8> = (0..20 * 20 * 3).map(|byte| (byte * 7919 % 251) as u8).collect();
                let picture = image::RgbImage::from_raw(20, 20, noise).unwrap();
                picture.save(folder.join(format!("{name}.png"))).unwrap();
            }
        }
        let config = DataConfig::Folder(FolderConfig::of(dir.path().to_path_buf()));
        let data = DataSet::open(&config).unwrap();
        (dir, data)
    }

    /// All batches of an epoch's training, and of its validation.
    fn passes(data: &DataSet, epoch: usize) -> Vec<Batch> {
        let mixing = Mixing { mixup: 0.2, cutmix: 1.0 };
        let order = Order::Training { seed: 7, epoch, augmentation: AUGMENTATION, mixing };
        let train = Loader::start(data.split(Split::Train).clone(), order, batching(2), 0);
        let val = Loader::start(data.split(Split::Val).clone(), Order::Fixed, batching(2), 0);
        train.chain(val).map(|batch| batch.unwrap()).collect()
    }

    /// On paper, of the folder: 3 · 1200 bytes decoded and 3 · 768 prepared, with 128 around each of 6: 6672.
    #[test]
    fn kept_pixels_are_those_that_are_decoded_anew_whatever_share_fits() {
        let (_dir, files) = folder();
        assert_eq!(files.clone().keep_pixels(3336, &PREPROCESSING), 0.5);
        assert_eq!(files.clone().keep_pixels(6672, &PREPROCESSING), 1.0);
        for anew in [files, data()] {
            for bytes in [1, 3000, 1 << 30] {
                let mut keeping = anew.clone();
                keeping.keep_pixels(bytes, &PREPROCESSING);
                for epoch in 1..=3 {
                    assert_eq!(passes(&keeping, epoch), passes(&anew, epoch), "{bytes} bytes, epoch {epoch}");
                }
            }
        }
    }

    #[test]
    fn what_is_kept_is_not_read_again_and_a_file_that_changes_is_still_found() {
        let (dir, anew) = folder();
        let expected = passes(&anew, 2);
        let mut keeping = anew.clone();
        keeping.keep_pixels(1 << 20, &PREPROCESSING);
        passes(&keeping, 1);
        for split in ["train", "val"] {
            image::RgbImage::new(20, 20).save(dir.path().join(split).join("a/1.png")).unwrap();
        }
        assert_eq!(passes(&keeping, 2), expected);
        assert_ne!(passes(&anew, 2), expected);
        assert!(keeping.verify_unchanged(Split::Train).is_err() && keeping.verify_unchanged(Split::Val).is_err());
    }

    #[test]
    fn a_picture_that_breaks_in_the_middle_is_an_error_with_its_path() {
        let (dir, data) = folder();
        let broken = dir.path().join("train/a/2.png");
        let bytes = std::fs::read(&broken).unwrap();
        std::fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
        let mut loader = Loader::start(data.split(Split::Train).clone(), Order::Fixed, batching(1), 0);
        assert!(loader.next().unwrap().is_ok());
        let error = loader.next().unwrap().unwrap_err().to_string();
        assert!(error.contains("2.png") && error.contains("truncated"), "{error}");
        assert!(loader.next().is_none());
    }
}
