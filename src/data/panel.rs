//! The panel: the fixed images whose explanations are compared across epochs, models and runs.

use super::error::DataError;
use super::sample::Sample;
use super::set::DataSet;
use super::split::Split;
use crate::fsx;
use crate::picture::Picture;
use crate::seed::{self, Purpose};
use rand::RngExt;
use rand::seq::SliceRandom;

/// Validation images chosen by the data, the split and the panel's own seed alone, never by the run's: two seeds of one
/// recipe share a panel and compare.
#[derive(Clone, Debug)]
pub struct Panel {
    /// The images, class by class, or in the order of a list.
    pub samples: Vec<Sample>,
    /// SHA-256 over the data's digest, the ids and the labels.
    pub digest: String,
}

impl Panel {
    /// These validation images, in this order.
    ///
    /// # Errors
    ///
    /// Where one of them is not in the validation split.
    pub fn listed(data: &DataSet, ids: &[String]) -> Result<Self, DataError> {
        let find = |id: &String| {
            let found = data.split(Split::Val).samples().iter().find(|sample| sample.id == *id);
            found.cloned().ok_or_else(|| DataError::NotInPanel { id: id.clone(), data: data.name.clone() })
        };
        Ok(Self::of(data, ids.iter().map(find).collect::<Result<_, _>>()?))
    }

    /// `per_class` images of each class out of the validation split, or all of a class that has fewer.
    pub fn choose(data: &DataSet, per_class: usize, panel_seed: u64) -> Self {
        let mut samples = Vec::new();
        for label in 0..data.classes.len() {
            let mut of_class: Vec<&Sample> =
                data.split(Split::Val).samples().iter().filter(|sample| sample.label == label).collect();
            let base = text_seed(&data.digest, panel_seed);
            of_class.shuffle(&mut seed::generator(base, Purpose::Panel, &[label as u64]));
            of_class.truncate(per_class);
            of_class.sort_by(|a, b| a.id.cmp(&b.id));
            samples.extend(of_class.into_iter().cloned());
        }
        Self::of(data, samples)
    }

    fn of(data: &DataSet, samples: Vec<Sample>) -> Self {
        let listed: String = samples.iter().map(|sample| format!("{}\t{}\n", sample.id, sample.label)).collect();
        let digest = fsx::sha256_hex(format!("{}\n{listed}", data.digest).as_bytes());
        Self { samples, digest }
    }
}

/// A seed that depends on a text as well.
fn text_seed(text: &str, seed: u64) -> u64 {
    let bytes: Vec<u64> = text.bytes().map(u64::from).collect();
    seed::derive(seed, Purpose::Panel, &bytes)
}

/// The image, changed imperceptibly: shifted by one pixel (the border repeated) in a direction drawn for this sample, and
/// each byte by −1, 0 or +1. The drift between its maps and those of the image, by the same weights, is the noise floor.
pub fn perturbed(picture: &Picture, sample_id: &str, panel_seed: u64) -> Picture {
    const DIRECTIONS: [(isize, isize); 4] = [(0, 1), (0, -1), (1, 0), (-1, 0)];
    let mut generator = seed::generator(text_seed(sample_id, panel_seed), Purpose::Floor, &[]);
    let (down, right) = DIRECTIONS[generator.random_range(0..DIRECTIONS.len())];
    let (width, height) = (picture.width() as isize, picture.height() as isize);
    let mut pixels = Vec::with_capacity(picture.pixels().len());
    for row in 0..height {
        for column in 0..width {
            for channel in 0..3 {
                let byte = picture.at(row - down, column - right, channel);
                pixels.push(byte.saturating_add_signed(generator.random_range(-1..=1)));
            }
        }
    }
    Picture::new(picture.width(), picture.height(), pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataConfig, TexturesConfig};

    fn data() -> DataSet {
        DataSet::open(&DataConfig::Textures(TexturesConfig { train_per_class: 1, val_per_class: 6, seed: 3 })).unwrap()
    }

    #[test]
    fn a_panel_is_a_function_of_data_and_panel_seed() {
        let ids = |panel: &Panel| panel.samples.iter().map(|sample| sample.id.clone()).collect::<Vec<_>>();
        let panel = Panel::choose(&data(), 2, 0);
        assert_eq!(panel.samples.len(), 20);
        assert_eq!(ids(&panel), ids(&Panel::choose(&data(), 2, 0)));
        assert_ne!(ids(&panel), ids(&Panel::choose(&data(), 2, 1)));
        assert_ne!(panel.digest, Panel::choose(&data(), 2, 1).digest);
    }

    #[test]
    fn a_panel_can_be_listed_and_a_stranger_in_the_list_is_named() {
        let chosen = Panel::choose(&data(), 2, 0);
        let mut ids: Vec<String> = chosen.samples.iter().map(|sample| sample.id.clone()).collect();
        assert_eq!(Panel::listed(&data(), &ids).unwrap().digest, chosen.digest);
        ids.reverse();
        assert_ne!(Panel::listed(&data(), &ids).unwrap().digest, chosen.digest, "another order is another panel");
        let error = Panel::listed(&data(), &["nobody/1.jpg".to_string()]).unwrap_err();
        assert!(error.to_string().contains("nobody/1.jpg"), "{error}");
    }

    /// One pixel and one grey level: on a ramp of ten levels a pixel, at most 10 + 1 away.
    #[test]
    fn a_perturbation_moves_one_pixel_and_one_level() {
        let ramp = Picture::new(16, 16, (0..16 * 16 * 3).map(|byte| ((byte / 3 % 16) * 10) as u8).collect());
        let moved = perturbed(&ramp, "an-id", 0);
        assert_ne!(moved, ramp);
        assert_eq!(moved, perturbed(&ramp, "an-id", 0));
        for (before, after) in ramp.pixels().iter().zip(moved.pixels()) {
            assert!(before.abs_diff(*after) <= 11);
        }
    }
}
