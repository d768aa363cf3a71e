//! The splits of the embedded textures, which are drawn and lie nowhere.

use super::sample::{Index, Sample, Source};
use super::source::TexturesConfig;
use super::split::Split;
use super::textures::CLASSES;
use crate::seed::{self, Purpose};

/// Class by class; the seed of an image depends on (seed, split, class, number) alone.
pub(super) fn splits(config: TexturesConfig) -> [Index; 3] {
    let per_class = [config.train_per_class, config.val_per_class, config.val_per_class];
    let sample = |split: usize, label: usize, number: usize| {
        let id = format!("textures-{}/{}/{}/{number:04}", config.seed, Split::ALL[split].name(), CLASSES[label]);
        let seed = seed::derive(config.seed, Purpose::Texture, &[split as u64, label as u64, number as u64]);
        Sample::new(id, label, Source::Texture { seed })
    };
    [0, 1, 2].map(|split| {
        let labels = 0..CLASSES.len();
        Index::new(
            labels.flat_map(|label| (0..per_class[split]).map(move |number| sample(split, label, number))).collect(),
        )
    })
}
