//! Random erasing: part of an image is covered.

use crate::picture::{Picture, Window};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Covers a random rectangle with the mean colour: zero once the image is normalised, to within half a grey
/// level (0.01 standard deviations).
///
/// # Source
///
/// Zhong et al. 2017, arXiv:1708.04896; torchvision `RandomErasing(value=0)` (`transforms/transforms.py`), which comes
/// after normalisation. There the defaults are a probability of 0.5, an area of `[0.02, 0.33]` and a ratio of
/// `[0.3, 3.3]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomErasing {
    /// How often, `0..=1`; 0 switches it off.
    pub probability: f64,
    /// Least and greatest share of the image's area, drawn uniformly.
    pub area: [f64; 2],
    /// Least and greatest height-to-width ratio, drawn log-uniformly.
    pub ratio: [f64; 2],
}

impl RandomErasing {
    /// Draws whether and where. An image that no rectangle fits in ten tries stays whole.
    pub fn apply(&self, picture: Picture, mean_colour: [u8; 3], generator: &mut ChaCha8Rng) -> Picture {
        if !generator.random_bool(self.probability) {
            return picture;
        }
        match self.draw_window(picture.width(), picture.height(), generator) {
            Some(window) => covered(&picture, window, mean_colour),
            None => picture,
        }
    }

    fn draw_window(&self, width: usize, height: usize, generator: &mut ChaCha8Rng) -> Option<Window> {
        let [least, greatest] = self.area;
        let [wide, tall] = self.ratio.map(f64::ln);
        for _ in 0..10 {
            let area = (width * height) as f64 * generator.random_range(least..=greatest);
            let ratio = generator.random_range(wide..=tall).exp();
            let (down, across) = ((area * ratio).sqrt().round() as usize, (area / ratio).sqrt().round() as usize);
            if down < height && across < width {
                let top = generator.random_range(0..=(height - down) as u64) as usize;
                let left = generator.random_range(0..=(width - across) as u64) as usize;
                return Some(Window { left, top, width: across, height: down });
            }
        }
        None
    }
}

fn covered(picture: &Picture, window: Window, colour: [u8; 3]) -> Picture {
    let mut pixels = picture.pixels().to_vec();
    for row in pixels.chunks_exact_mut(picture.width() * 3).skip(window.top).take(window.height) {
        row[window.left * 3..][..window.width * 3].as_chunks_mut().0.fill(colour);
    }
    Picture::new(picture.width(), picture.height(), pixels)
}

#[cfg(test)]
mod tests {
    use super::super::golden;
    use super::*;
    use rand::SeedableRng;

    const ERASING: RandomErasing = RandomErasing { probability: 1.0, area: [0.02, 0.33], ratio: [0.3, 3.3] };

    /// ImageNet's mean colour, as bytes.
    const MEAN: [u8; 3] = [124, 116, 104];

    #[test]
    fn erased_pixels_take_the_mean_and_the_others_stay() {
        let whole = Picture::new(3, 2, vec![9; 18]);
        let erased = covered(&whole, Window { left: 1, top: 1, width: 2, height: 1 }, MEAN);
        assert_eq!(erased.pixels(), [vec![9; 12], MEAN.to_vec(), MEAN.to_vec()].concat());
    }

    /// A quarter of 40×40 is 400; at a ratio of 2.25 it is √900 = 30 high and √177.8 = 13.3 wide, at 4 it is 40 high,
    /// which leaves nothing to see above or below it and is refused.
    #[test]
    fn the_ratio_is_height_to_width_and_a_window_is_smaller_than_the_picture() {
        let window = |ratio, seed| {
            let erasing = RandomErasing { area: [0.25; 2], ratio: [ratio; 2], ..ERASING };
            erasing.draw_window(40, 40, &mut ChaCha8Rng::seed_from_u64(seed))
        };
        let drawn: Vec<Window> = (0..200).map(|seed| window(2.25, seed).unwrap()).collect();
        assert!(drawn.iter().all(|window| (window.width, window.height) == (13, 30)));
        let span = |position: fn(&Window) -> usize| {
            let positions = drawn.iter().map(position);
            (positions.clone().min().unwrap(), positions.max().unwrap())
        };
        assert_eq!(span(|window| window.left), (0, 27));
        assert_eq!(span(|window| window.top), (0, 10));
        assert_eq!(window(4.0, 1), None);
        assert_eq!(window(0.25, 1), None);
    }

    #[test]
    fn areas_and_ratios_lie_in_their_ranges_and_fill_them() {
        let mut generator = ChaCha8Rng::seed_from_u64(2);
        let drawn: Vec<Window> = (0..2000).filter_map(|_| ERASING.draw_window(224, 224, &mut generator)).collect();
        assert_eq!(drawn.len(), 2000);
        let extremes = |measure: fn(&Window) -> f64| {
            drawn.iter().map(measure).fold((f64::MAX, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)))
        };
        // Sides are rounded: half a pixel of a side of at least √(0.02·224²/3.3) = 17 is 3 %, and there are two.
        let (least, greatest) = extremes(|window| (window.width * window.height) as f64 / (224.0 * 224.0));
        assert!((0.0188..0.025).contains(&least) && (0.32..0.35).contains(&greatest), "{least}..{greatest}");
        let (wide, tall) = extremes(|window| window.height as f64 / window.width as f64);
        assert!((0.285..0.32).contains(&wide) && (3.1..3.5).contains(&tall), "{wide}..{tall}");
    }

    #[test]
    fn erasing_is_a_function_of_its_seed_and_as_frequent_as_asked() {
        let draw = |probability, seed| {
            let erasing = RandomErasing { probability, ..ERASING };
            erasing.apply(golden::picture(), MEAN, &mut ChaCha8Rng::seed_from_u64(seed))
        };
        assert_eq!(draw(1.0, 1), draw(1.0, 1));
        assert_ne!(draw(1.0, 1), draw(1.0, 2));
        let erased = |probability| (0..400).filter(|&seed| draw(probability, seed) != golden::picture()).count();
        assert_eq!(erased(0.0), 0);
        assert_eq!(erased(1.0), 400);
        assert!((65..135).contains(&erased(0.25)), "100 expected, with a standard deviation of 8.7");
    }
}
