//! What must hold for pairs and squares of any numbers.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::distances::Measured;
use super::moved::Margin;
use super::pairs::{Judged, Ruler};
use super::phases::{phases, square};
use crate::measure::Measure;
use crate::stats::Resamples;

/// The same cases every time, and no file of failures.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() }
}

/// What one image has: its value, the floors and the chances of both epochs; each undefined at times. In hundredths.
type Image = [Option<i8>; 5];

fn images() -> impl Strategy<Value = Vec<Image>> {
    let number = |low: i8, high: i8| prop::option::weighted(0.95, low..=high);
    let image = (number(-100, 100), number(60, 100), number(60, 100), number(-60, 40), number(-60, 40));
    prop::collection::vec(image.prop_map(|(value, one, two, three, four)| [value, one, two, three, four]), 5..30)
}

/// The pair of two epochs of which the images have this, without resampling, which depends on their order.
fn judged(images: &[Image]) -> Judged {
    let column = |at: usize| images.iter().map(|image| image[at].map(|value| f64::from(value) / 100.0)).collect();
    let epoch = |epoch: usize| Measured {
        epoch,
        floor: column(1 + epoch),
        chance: column(3 + epoch),
        seed: None,
        dead: vec![false; images.len()],
        classes: vec![0; images.len()],
        earlier: Vec::new(),
        from: 0,
    };
    let resamples = Resamples::new(0, images.len());
    let ruler = Ruler { measure: Measure::Spearman, margin: Margin::default(), resamples: &resamples };
    ruler.row(&[epoch(0)], &Measured { earlier: vec![column(0)], ..epoch(1) }).remove(0)
}

/// Which pairs of ten epochs are still, most of them.
fn stills() -> impl Strategy<Value = Vec<Vec<bool>>> {
    prop::collection::vec(prop::collection::vec(prop::bool::weighted(0.85), 10), 10)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn images_average_to_their_panel(images in images()) {
        let pair = judged(&images).pair;
        let counted: Vec<f64> = pair.images.iter().flatten().copied().collect();
        let Some(moved) = pair.moved else {
            prop_assert!(counted.is_empty() && pair.not_measurable.is_some());
            return Ok(());
        };
        prop_assert_eq!(counted.len(), pair.defined);
        prop_assert_eq!(pair.defined + pair.undefined, images.len());
        let mean = counted.iter().sum::<f64>() / counted.len() as f64;
        prop_assert!((mean - moved).abs() < 1e-9, "{mean} {moved}");
    }

    #[test]
    fn the_order_of_the_images_does_not_matter(
        (images, order) in images().prop_flat_map(|images| {
            let order = Just((0..images.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(images), order)
        }),
    ) {
        let (one, other) = (judged(&images).pair, judged(&order.iter().map(|&image| images[image]).collect::<Vec<_>>()).pair);
        let near = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => (one - other).abs() < 1e-9,
            (one, other) => one == other,
        };
        prop_assert!(near(one.moved, other.moved), "{:?} {:?}", one.moved, other.moved);
        prop_assert_eq!((one.defined, one.images_moved), (other.defined, other.images_moved));
        prop_assert!(order.iter().zip(&other.images).all(|(&image, &moved)| near(one.images[image], moved)));
    }

    /// Found by trying every start.
    #[test]
    fn the_square_at_the_end_is_the_largest(still in stills()) {
        for last in 0..10 {
            let whole = |start: usize| (start..=last).all(|later| (start..later).all(|earlier| still[later][earlier]));
            let largest = (0..=last).find(|&start| whole(start)).unwrap();
            prop_assert_eq!(square(last, |later, earlier| still[later][earlier]), largest);
        }
    }

    /// Every two epochs of a phase are still, it cannot begin earlier, and none is shorter than three epochs.
    #[test]
    fn phases_are_squares_one_after_the_other(still in stills()) {
        let pairs = |from: usize, to: usize| (from..=to).all(|later| (from..later).all(|earlier| still[later][earlier]));
        let found = phases(10, |later, earlier| still[later][earlier]);
        prop_assert!(found.windows(2).all(|two| two[0].1 < two[1].0));
        for &(from, to) in &found {
            prop_assert!(to >= from + 2 && pairs(from, to));
            prop_assert!(from == 0 || !pairs(from - 1, to));
        }
        let last = square(9, |later, earlier| still[later][earlier]);
        prop_assert_eq!(found.last().is_some_and(|&phase| phase == (last, 9)), last <= 7);
    }
}
