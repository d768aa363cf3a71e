//! Simulated runs, many of each kind: where they settle, and how often an image is said to have moved by noise alone.
//!
//! An image's map at an epoch is a pattern of its own and noise; the map of the perturbed image is the same pattern and
//! other noise. So a floor is as large as what two epochs of one pattern are apart.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::distances::Measuring;
use super::growing::Growing;
use super::matrix::Matrix;
use super::moved::Margin;
use super::pairs::Ruler;
use super::testing::explanations;
use crate::measure::{Kept, Measure};
use crate::seed::standard_normal;
use crate::stats::Resamples;
use crate::store::Explanations;

const RUNS: u64 = 200;
const IMAGES: usize = 40;
const MEASURING: Measuring<'static> = Measuring::USUAL;

/// One epoch of a simulated run.
#[derive(Clone, Copy)]
struct Epoch {
    /// How far the patterns have turned into others, in degrees: at 90 they have nothing in common with the first.
    turned: f64,
    /// The variance of the noise on the maps, and of that on the maps of the perturbed images; a pattern has 1.
    noise: [f64; 2],
}

/// Patterns stay, or have not begun to turn.
const STILL: Epoch = Epoch { turned: 0.0, noise: [0.1, 0.1] };

fn explained(patterns: &[[f64; 2]], side: usize, epoch: Epoch, generator: &mut ChaCha8Rng) -> Explanations {
    let (sine, cosine) = epoch.turned.to_radians().sin_cos();
    let mut maps = |noise: f64| -> Vec<f32> {
        let value = |[first, second]: &[f64; 2]| {
            (cosine * first + sine * second + noise.sqrt() * standard_normal(generator)) as f32
        };
        patterns.iter().map(value).collect()
    };
    let (maps, floor_maps) = (maps(epoch.noise[0]), maps(epoch.noise[1]));
    Explanations { grid: [side, side], maps, floor_maps, ..explanations("grad-cam", 0, IMAGES) }
}

/// The matrix of a simulated run on maps of `side` x `side` cells.
fn run(seed: u64, side: usize, epochs: &[Epoch]) -> Matrix {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut pattern = |_| [standard_normal(&mut generator), standard_normal(&mut generator)];
    let patterns: Vec<[f64; 2]> = (0..IMAGES * side * side).map(&mut pattern).collect();
    let resamples = Resamples::new(50, IMAGES);
    let ruler = Ruler { measure: Measure::DEFAULT, margin: Margin::default(), resamples: &resamples };
    let (mut growing, mut kept) = (Growing::new("grad-cam", "label"), Vec::<Vec<Kept>>::new());
    for (number, &epoch) in epochs.iter().enumerate() {
        let now = explained(&patterns, side, epoch, &mut generator);
        let (mut measured, maps) = MEASURING.of_epoch(number, &now, None, 0);
        measured.earlier = MEASURING.against(&maps, &kept);
        growing.add(measured, &ruler);
        kept.push(maps);
    }
    growing.matrix(&ruler, 2)
}

/// In how many of a hundred simulated runs something is so.
fn share(side: usize, epochs: &[Epoch], is_so: impl Fn(&Matrix) -> bool) -> f64 {
    let so = (0..RUNS).filter(|&seed| is_so(&run(seed, side, epochs))).count();
    100.0 * so as f64 / RUNS as f64
}

fn settled_at(epoch: usize) -> impl Fn(&Matrix) -> bool {
    move |matrix| matrix.settled().unwrap().epoch == Some(epoch)
}

/// Turns by 30 degrees an epoch until epoch 6: a step takes a correlation to cos 30° = 0.87 of what it was, far beyond
/// the margin.
fn until_six(epoch: usize) -> Epoch {
    Epoch { turned: 30.0 * epoch.min(6) as f64, ..STILL }
}

#[test]
fn maps_that_never_move_have_settled_at_their_first_epoch() {
    for side in [7, 12] {
        let found = share(side, &[STILL; 12], settled_at(0));
        assert!(found >= 90.0, "{side} {found}");
    }
}

#[test]
fn maps_that_move_until_an_epoch_settle_there() {
    let epochs: Vec<Epoch> = (0..12).map(until_six).collect();
    let found = share(7, &epochs, settled_at(6));
    assert!(found >= 90.0, "{found}");
    let phases = share(7, &epochs, |matrix| matrix.phases.iter().map(|phase| (phase.from, phase.to)).eq([(6, 11)]));
    assert!(phases >= 90.0, "{phases}");
}

/// The first two epochs have as much noise as pattern, in their floors too. It excuses no other epoch.
#[test]
fn noisy_first_epochs_do_not_make_a_run_settle_earlier() {
    let noisy = |epoch: usize| if epoch < 2 { [1.0, 1.0] } else { STILL.noise };
    let epochs: Vec<Epoch> = (0..12).map(|epoch| Epoch { noise: noisy(epoch), ..until_six(epoch) }).collect();
    let found = share(7, &epochs, settled_at(6));
    assert!(found >= 90.0, "{found}");
}

/// By 6 degrees an epoch, 72 in all: cos 72° / 1.1 = 0.28 from the first to the last. A step has cos 6° / 1.1 = 0.90, more
/// than the floor, 1 / sqrt(1.1 * 1.2) = 0.87, so not one step stands out. Nothing has settled before the last third.
#[test]
fn a_slow_creep_has_not_settled_or_late() {
    let epochs: Vec<Epoch> =
        (0..=12).map(|epoch| Epoch { turned: 6.0 * f64::from(epoch), noise: [0.1, 0.2] }).collect();
    let first_to_last = run(0, 12, &epochs).from_first(12).unwrap().value.unwrap();
    assert!((first_to_last - 0.28).abs() < 0.04, "{first_to_last}");
    let within = share(12, &epochs, |matrix| (1..=12).all(|epoch| matrix.step(epoch).unwrap().moved.unwrap() <= 0.0));
    assert!(within >= 90.0, "{within}: every step is within the floor");
    let late = share(12, &epochs, |matrix| matrix.settled().unwrap().epoch.is_none_or(|epoch| epoch >= 8));
    assert!(late >= 90.0, "{late}");
}

/// The later epoch's maps, those of the panel perturbed once more, and those of the panel perturbed as the floor has it.
/// No image moved. The place of one more score among 40 is uniform, so it is beyond the 39th with probability 2 / 41 =
/// 0.049; of 200 panels the mean share has a standard error of 0.0034, since a panel's images share their threshold.
#[test]
fn noise_alone_moves_one_image_in_twenty_at_most() {
    let mut moved = 0;
    for seed in 0..RUNS {
        let mut generator = ChaCha8Rng::seed_from_u64(1000 + seed);
        let mut normal = || standard_normal(&mut generator) as f32;
        let later: Vec<f32> = (0..IMAGES * 49).map(|_| normal()).collect();
        let mut perturbed = || -> Vec<f32> { later.iter().map(|value| value + 0.3 * normal()).collect() };
        let (floor_maps, earlier) = (perturbed(), perturbed());
        let epoch = |maps: Vec<f32>, floor_maps: Vec<f32>| Explanations {
            grid: [7, 7],
            maps,
            floor_maps,
            ..explanations("grad-cam", 0, IMAGES)
        };
        let resamples = Resamples::new(10, IMAGES);
        let ruler = Ruler { measure: Measure::DEFAULT, margin: Margin::default(), resamples: &resamples };
        let (one, before) = MEASURING.of_epoch(0, &epoch(earlier.clone(), earlier), None, 0);
        let (mut now, maps) = MEASURING.of_epoch(1, &epoch(later.clone(), floor_maps), None, 0);
        now.earlier = MEASURING.against(&maps, &[before]);
        moved += ruler.row(&[one], &now).remove(0).pair.images_moved.unwrap();
    }
    let share = moved as f64 / (RUNS as usize * IMAGES) as f64;
    assert!(share <= 0.05 + 3.0 * 0.0034, "{share}");
    assert!(share > 0.02, "{share}: a threshold that nothing passes tells nothing");
}
