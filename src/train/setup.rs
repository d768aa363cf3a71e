//! What a run works with, and how its epochs fall into steps.

use crate::config::RunConfig;
use crate::data::{Batching, DataSet, Loader, Order, Split};
use crate::models::Trainable;
use burn::tensor::Device;

/// What a run works with, all of it fixed before the first batch.
#[derive(Debug)]
pub struct Setup {
    /// The run's settings.
    pub config: RunConfig,
    /// The images, with their splits.
    pub data: DataSet,
    /// The device to compute on, with or without autodiff.
    pub device: Device,
    /// Whether to write event files for TensorBoard too.
    pub tensorboard: bool,
}

impl Setup {
    /// How images come in batches, in training and evaluation alike.
    pub(super) fn batching(&self) -> Batching {
        Batching { batch_size: self.config.batch_size, preprocessing: self.config.preprocessing }
    }

    /// The batches of epoch `epoch`, counted from one, from batch `first` on, made ahead of the model from now on; none
    /// beyond the last epoch. Two loaders at once work on the same threads, one for each core.
    pub(super) fn batches(&self, epoch: usize, first: usize) -> Option<Loader> {
        let RunConfig { seed, augmentation, mixing, epochs, .. } = self.config;
        let order = Order::Training { seed, epoch, augmentation, mixing };
        let split = self.data.split(Split::Train);
        (epoch <= epochs).then(|| Loader::start(split.clone(), order, self.batching(), first))
    }

    /// Images of the largest batch there can be: no split has more than it has.
    pub(super) fn largest_batch(&self) -> usize {
        let most = [Split::Train, Split::Val].map(|split| self.data.split(split).samples().len());
        self.config.batch_size.min(most.into_iter().max().unwrap_or(1))
    }

    /// Steps of the optimizer in all epochs together.
    pub fn total_steps(&self) -> usize {
        self.config.epochs * Steps::of(self).count()
    }

    /// Which parameters epoch `epoch`, counted from one, trains.
    pub(super) fn trainable(&self, epoch: usize) -> Trainable {
        match self.config.freeze {
            freeze if epoch <= freeze.head_only_epochs => Trainable::Head,
            freeze if freeze.batch_norm => Trainable::AllButBatchNorm,
            _ => Trainable::All,
        }
    }
}

/// How an epoch's images fall into steps of `accumulate` batches each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    /// Images of the training split.
    pub(super) images: usize,
    step_size: usize,
}

impl Steps {
    pub(super) fn of(setup: &Setup) -> Self {
        let images = setup.data.split(Split::Train).samples().len();
        Self { images, step_size: setup.config.batch_size * setup.config.accumulate }
    }

    /// Steps of an epoch.
    pub(super) fn count(self) -> usize {
        self.images.div_ceil(self.step_size)
    }

    /// Images of one step, counted from zero; the last may have fewer.
    pub(super) fn images_of(self, step: usize) -> usize {
        self.step_size.min(self.images - step * self.step_size)
    }
}
