//! What happens to an image between the file and the model: evaluation's fixed preprocessing, training's augmentation.

use super::colour::ColourJitter;
use super::erasing::RandomErasing;
use super::policy::Policy;
use crate::picture::{Interpolation, Normalisation, Picture, Window};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How an image is brought to a model's size. Part of a run's record: other weights want other preprocessing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// Side of the model's square input, pixels.
    pub size: usize,
    /// In evaluation the short side is scaled to this, then the centre is cut out.
    pub resize: usize,
    /// How images are scaled.
    pub interpolation: Interpolation,
    /// The mean and deviation that pixels are normalised with. `run.json` leaves them out if they are ImageNet's.
    #[serde(default, skip_serializing_if = "Normalisation::is_imagenet")]
    pub normalisation: Normalisation,
}

impl Preprocessing {
    /// The evaluation picture: scaled, then the centre.
    ///
    /// # Source
    ///
    /// torchvision `Resize(resize)` (the long side cut to whole pixels) and `CenterCrop(size)` (offsets rounded half to
    /// even), which timm's evaluation transform is made of.
    pub fn apply(&self, picture: &Picture) -> Picture {
        let (width, height) = (picture.width(), picture.height());
        let scaled = |long: usize, short: usize| self.resize * long / short.max(1);
        let (width, height) = match width <= height {
            true => (self.resize, scaled(height, width)),
            false => (scaled(width, height), self.resize),
        };
        let offset = |side: usize| ((side - self.size) as f64 / 2.0).round_ties_even() as usize;
        let window = Window { left: offset(width), top: offset(height), width: self.size, height: self.size };
        picture.resized_window(width, height, window, self.interpolation)
    }
}

/// What training does to an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Least and greatest share of the area that a random resized crop keeps; `[1, 1]` switches it off.
    pub crop_scale: [f64; 2],
    /// Least and greatest width-to-height ratio of that crop.
    pub crop_ratio: [f64; 2],
    /// Probability of a horizontal mirror image.
    pub flip: f64,
    /// Random brightness, contrast, saturation and hue.
    pub colour_jitter: Option<ColourJitter>,
    /// RandAugment or TrivialAugmentWide.
    pub policy: Option<Policy>,
    /// Random erasing: a random rectangle is filled with the mean colour.
    pub erasing: Option<RandomErasing>,
}

impl Augmentation {
    /// Draws a crop and a flip, then the policy, the colours and the rectangle: torchvision's order in its own recipes.
    ///
    /// # Source
    ///
    /// torchvision `RandomResizedCrop` and `RandomHorizontalFlip`. With the crop switched off, evaluation's
    /// preprocessing takes its place.
    pub fn apply(&self, picture: &Picture, preprocessing: &Preprocessing, generator: &mut ChaCha8Rng) -> Picture {
        let picture = match self.draw_crop(picture.width(), picture.height(), generator) {
            Some(window) => {
                let size = preprocessing.size;
                picture.cut(window).resized(size, size, preprocessing.interpolation)
            }
            None => preprocessing.apply(picture),
        };
        let picture = if generator.random_bool(self.flip) { picture.mirrored() } else { picture };
        let picture = self.policy.iter().fold(picture, |picture, policy| policy.apply(picture, generator));
        let picture = self.colour_jitter.iter().fold(picture, |picture, jitter| jitter.apply(picture, generator));
        let mean = preprocessing.normalisation.mean_colour();
        self.erasing.iter().fold(picture, |picture, erasing| erasing.apply(picture, mean, generator))
    }

    /// Ten tries at an area and a log-uniform ratio, then the largest centred window of an allowed ratio.
    fn draw_crop(&self, width: usize, height: usize, generator: &mut ChaCha8Rng) -> Option<Window> {
        let [least, greatest] = self.crop_scale;
        if least >= 1.0 {
            return None;
        }
        let [narrow, wide] = self.crop_ratio.map(f64::ln);
        for _ in 0..10 {
            let area = (width * height) as f64 * generator.random_range(least..=greatest);
            let ratio = generator.random_range(narrow..=wide).exp();
            let (across, down) = ((area * ratio).sqrt().round() as usize, (area / ratio).sqrt().round() as usize);
            if (1..=width).contains(&across) && (1..=height).contains(&down) {
                let top = generator.random_range(0..=(height - down) as u64) as usize;
                let left = generator.random_range(0..=(width - across) as u64) as usize;
                return Some(Window { left, top, width: across, height: down });
            }
        }
        Some(self.central(width, height))
    }

    fn central(&self, width: usize, height: usize) -> Window {
        let [narrow, wide] = self.crop_ratio;
        let ratio = width as f64 / height as f64;
        let (across, down) = match ratio {
            ratio if ratio < narrow => (width, ((width as f64 / narrow).round() as usize).clamp(1, height)),
            ratio if ratio > wide => (((height as f64 * wide).round() as usize).clamp(1, width), height),
            _ => (width, height),
        };
        Window { left: (width - across) / 2, top: (height - down) / 2, width: across, height: down }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    const PREPROCESSING: Preprocessing = preprocessing(32, 32);

    const fn preprocessing(size: usize, resize: usize) -> Preprocessing {
        let (interpolation, normalisation) = (Interpolation::Bicubic, Normalisation::IMAGENET);
        Preprocessing { size, resize, interpolation, normalisation }
    }

    const OFF: Augmentation = Augmentation {
        crop_scale: [1.0, 1.0],
        crop_ratio: [0.75, 4.0 / 3.0],
        flip: 0.0,
        colour_jitter: None,
        policy: None,
        erasing: None,
    };

    fn ramp(width: usize, height: usize) -> Picture {
        Picture::new(width, height, (0..width * height * 3).map(|byte| (byte % 251) as u8).collect())
    }

    #[test]
    fn augmentation_is_a_function_of_its_seed_and_can_be_switched_off() {
        let augmentation = Augmentation { crop_scale: [0.35, 1.0], flip: 0.5, ..OFF };
        let draw = |seed| augmentation.apply(&ramp(40, 50), &PREPROCESSING, &mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let picture = OFF.apply(&ramp(40, 50), &PREPROCESSING, &mut ChaCha8Rng::seed_from_u64(3));
        assert_eq!(picture, PREPROCESSING.apply(&ramp(40, 50)));
    }

    /// torchvision: 300×451 with `Resize(248)` is 248×372 (248·451/300 = 372.8, cut), and the centre of 224 starts at
    /// (372 − 224)/2 = 74 and 12.
    #[test]
    fn evaluation_scales_the_short_side_and_takes_the_centre() {
        let preprocessing = preprocessing(224, 248);
        let picture = ramp(300, 451);
        let scaled = picture.resized(248, 372, Interpolation::Bicubic);
        let expected = scaled.cut(Window { left: 12, top: 74, width: 224, height: 224 });
        assert_eq!(preprocessing.apply(&picture), expected);
    }

    /// 248 wide and 7,440,000 high: 5.5 GB if all of it were made.
    #[test]
    fn a_very_narrow_picture_costs_no_more_than_its_window() {
        let preprocessing = preprocessing(224, 248);
        let column = Picture::new(1, 30_000, (0..30_000).flat_map(|row| [(row / 10 % 256) as u8; 3]).collect());
        let seen = preprocessing.apply(&column);
        // Its centre: a tenth of a grey level a row, so that a window of 0.9 rows has the level of row 15,000.
        assert_eq!(seen.pixels().iter().copied().max(), Some((15_000 / 10 % 256) as u8));
        let row = Picture::new(30_000, 1, column.pixels().to_vec());
        assert_eq!(preprocessing.apply(&row).width(), 224);
    }

    #[test]
    fn a_picture_of_the_models_own_size_is_left_alone() {
        assert_eq!(PREPROCESSING.apply(&ramp(32, 32)), ramp(32, 32));
    }

    #[test]
    fn a_window_always_lies_inside_the_picture() {
        let augmentation = Augmentation { crop_scale: [0.9, 1.0], ..OFF };
        for seed in 0..200 {
            for (width, height) in [(400, 30), (30, 400), (7, 7), (1, 1)] {
                let mut generator = ChaCha8Rng::seed_from_u64(seed);
                let window = augmentation.draw_crop(width, height, &mut generator).unwrap();
                assert!(window.width >= 1 && window.left + window.width <= width, "{window:?}");
                assert!(window.height >= 1 && window.top + window.height <= height, "{window:?}");
            }
        }
    }
}
