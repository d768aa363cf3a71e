//! Max-sensitivity: how far an explanation moves when its image hardly does.

use std::error::Error;
use std::num::NonZeroUsize;

use super::ask::Maps;
use super::error::FaithfulnessError;
use super::input::Input;
use crate::measure::{Heatmap, Normalise};
use crate::seed::{Purpose, generator};
use rand::RngExt;

/// How max-sensitivity is measured. The default is Captum's; Quantus draws 200 times from a radius of 0.2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SensitivitySettings {
    /// The most that a value of the image is changed by, in normalised units: half the edge of the cube that images are
    /// drawn from. Default: 0.02.
    pub radius: f32,
    /// How many images are drawn uniformly from the cube. The maximum grows with it. Default: 10.
    pub samples: NonZeroUsize,
    /// Base seed of the draws.
    pub seed: u64,
    /// The scale that each map is brought to first. Default: none, so that the maps of a method whose scale follows the
    /// logit change with it.
    pub normalise: Normalise,
}

impl Default for SensitivitySettings {
    fn default() -> Self {
        let samples = NonZeroUsize::MIN.saturating_add(9);
        SensitivitySettings { radius: 0.02, samples, seed: 0, normalise: Normalise::None }
    }
}

/// The largest relative change of an explanation over perturbations of its image, `max ‖Φ(x + δ) - Φ(x)‖ / ‖Φ(x)‖` with
/// Frobenius norms, from one question and one for each drawn image. At least 0, lower is better; 0 for an explanation that ignores
/// the image.
///
/// `index` is the image's place in the panel, which names its draws. `None` where [`sensitivity`] is.
///
/// # Errors
///
/// When the image cannot be explained.
///
/// # Source
///
/// Yeh et al. 2019, "On the (In)fidelity and Sensitivity of Explanations", there not divided by the norm; Captum 0.8.0
/// `sensitivity_max`; Quantus 0.6.0 `MaxSensitivity`. A map of norm 0 Captum divides by 1, Quantus by 0.
pub fn max_sensitivity<E: Error + 'static>(
    maps: &mut Maps<'_, E>,
    settings: &SensitivitySettings,
    input: &Input,
    index: u64,
) -> Result<Option<f64>, FaithfulnessError<E>> {
    let make = |question: usize| match question {
        0 => Some(input.clone()),
        draw => Some(perturbed(input, settings, index, draw as u64)),
    };
    let maps = maps.answers(1 + settings.samples.get(), make)?;
    let Some(maps) = maps.into_iter().collect::<Option<Vec<Heatmap>>>() else { return Ok(None) };
    Ok(sensitivity(&maps[0], &maps[1..], settings.normalise))
}

/// The image with every value moved by up to the radius.
fn perturbed(input: &Input, settings: &SensitivitySettings, index: u64, draw: u64) -> Input {
    let mut generator = generator(settings.seed, Purpose::Perturb, &[index, draw]);
    input.map(|_, _, value| value + settings.radius * (2.0 * generator.random::<f32>() - 1.0))
}

/// The largest distance of a perturbed image's map from the original one's, relative to that one's Frobenius norm.
///
/// `None` when the original's norm is 0, a map does not take the normalisation, the grids differ or there is no perturbed
/// map.
pub fn sensitivity(original: &Heatmap, perturbed: &[Heatmap], normalise: Normalise) -> Option<f64> {
    let original = original.normalised(normalise)?;
    let square = |value: &f32| f64::from(*value).powi(2);
    let norm = original.values().iter().map(square).sum::<f64>().sqrt();
    let distance = |map: &Heatmap| {
        let map = map.normalised(normalise)?;
        let pairs = || original.values().iter().zip(map.values());
        let squares = pairs().map(|(one, other)| (f64::from(*one) - f64::from(*other)).powi(2));
        (map.grid() == original.grid()).then(|| squares.sum::<f64>().sqrt())
    };
    let distances = perturbed.iter().map(distance).collect::<Option<Vec<f64>>>()?;
    let largest = distances.into_iter().reduce(f64::max)?;
    (norm > 0.0).then(|| largest / norm)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::testing::{grey, map};
    use super::*;

    fn of(mut explain: impl FnMut(&Input) -> Heatmap, settings: &SensitivitySettings) -> Option<f64> {
        let mut ask =
            |inputs: &[Input]| -> Result<Vec<Heatmap>, Infallible> { Ok(inputs.iter().map(&mut explain).collect()) };
        let input = grey(1, 2, &[3.0, 4.0]);
        max_sensitivity(&mut Maps::new(&mut ask, NonZeroUsize::new(4).unwrap()), settings, &input, 0).unwrap()
    }

    /// Norm of (3, 4): 5. The distances: (0, 1) is 1, (3, 0) is 3; 3 / 5.
    #[test]
    fn it_is_the_largest_distance_over_the_norm() {
        let perturbed = [map(1, 2, &[3.0, 5.0]), map(1, 2, &[6.0, 4.0])];
        assert_eq!(sensitivity(&map(1, 2, &[3.0, 4.0]), &perturbed, Normalise::None), Some(0.6));
    }

    #[test]
    fn a_constant_explainer_has_none_and_a_dead_one_no_sensitivity() {
        let settings = SensitivitySettings::default();
        assert_eq!(of(|_| map(1, 2, &[1.0, 2.0]), &settings), Some(0.0));
        assert_eq!(of(|_| map(1, 2, &[0.0, 0.0]), &settings), None);
        assert_eq!(of(|_| map(1, 2, &[f32::NAN, 0.0]), &settings), None);
        assert_eq!(sensitivity(&map(1, 2, &[1.0, 2.0]), &[map(2, 1, &[1.0, 2.0])], Normalise::None), None);
        assert_eq!(sensitivity(&map(1, 2, &[1.0, 2.0]), &[], Normalise::None), None);
    }

    /// The map is the image (3, 4), of norm 5: no draw moves it by more than `radius * sqrt(2)`; of 200 the furthest comes
    /// near. Min-max makes it (0, 1) however it moves.
    #[test]
    fn draws_stay_in_the_cube_and_are_the_same_every_time() {
        let identity = |input: &Input| map(1, 2, &input.values()[..2]);
        let samples = NonZeroUsize::new(200).unwrap();
        let settings = SensitivitySettings { samples, radius: 0.5, ..SensitivitySettings::default() };
        let found = of(identity, &settings).unwrap();
        let most = 0.5 * 2f64.sqrt() / 5.0;
        assert!(found <= most && found > 0.85 * most, "{found} {most}");
        assert_eq!(of(identity, &settings), Some(found));
        assert_ne!(of(identity, &SensitivitySettings { seed: 1, ..settings }), Some(found));
        let min_max = SensitivitySettings { normalise: Normalise::MinMax, radius: 0.02, ..settings };
        assert_eq!(of(identity, &min_max), Some(0.0));
    }
}
