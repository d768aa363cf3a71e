//! Whether a method's maps depend on what the model has learnt: how far they are from those of a model that has learnt
//! nothing.

use super::distances::{Measured, Measuring};
use super::moved::Margin;
use super::pairs::Ruler;
use super::same::first_difference;
use crate::measure::Measure;
use crate::stats::{RESAMPLES, Resamples};
use crate::store::{Explanations, Randomised};

/// How far the maps of each explainer and target are from those of the same images by `untaught`, the same model with
/// parameters drawn at random, on the scale of *moved* and in the default measure. In the order of `current`; what is no
/// evidence, or was not asked of the other model, is left out. Images for which the two models explain different classes,
/// which happens where the target is the prediction, do not count.
///
/// # Source
///
/// Adebayo et al. 2018, "Sanity Checks for Saliency Maps": the parameter-randomisation test, with all parameters random.
pub fn randomised(current: &[Explanations], untaught: &[Explanations]) -> Vec<Randomised> {
    let mut all = Vec::new();
    for seen in current.iter().filter(|seen| seen.is_evidence()) {
        let Some(other) = untaught.iter().find(|other| first_difference(seen, other).is_none()) else { continue };
        let resamples = Resamples::new(RESAMPLES, seen.images());
        all.extend((0..seen.target_kinds.len()).map(|target| of_target(seen, other, target, &resamples)));
    }
    all
}

fn of_target(seen: &Explanations, other: &Explanations, target: usize, resamples: &Resamples) -> Randomised {
    let (measure, measuring) = (Measure::DEFAULT, Measuring::USUAL);
    let (mut learnt, maps) = measuring.of_epoch(0, seen, None, target);
    let kinds = seen.target_kinds.len();
    let same_class = |image: usize| {
        let place = image * kinds + target;
        seen.targets[place] == other.targets[place]
    };
    let comparable = |values: Vec<Option<f64>>| {
        values.into_iter().enumerate().map(|(image, value)| value.filter(|_| same_class(image))).collect()
    };
    learnt.earlier = measuring.against(&maps, &[measuring.maps(other, target)]).into_iter().map(comparable).collect();
    // Both yardsticks are the trained model's: a model that knows nothing has none that mean anything.
    let yardsticks = Measured { earlier: Vec::new(), ..learnt.clone() };
    let ruler = Ruler { measure, margin: Margin::default(), resamples };
    let pair = ruler.row(&[yardsticks], &learnt).pop().map(|judged| judged.pair);
    Randomised {
        explainer: seen.explainer.clone(),
        target: seen.target_kinds[target].clone(),
        measure: measure.name().to_string(),
        moved: pair.as_ref().and_then(|pair| pair.moved),
        interval: pair.as_ref().and_then(|pair| pair.interval),
        defined: pair.map_or(0, |pair| pair.defined),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::explanations;
    use super::*;

    /// Random maps of 30 images. Their floors are the maps themselves, so the floor is a correlation of 1, and maps of
    /// different images correlate by about 0.
    fn seen() -> Explanations {
        explanations("grad-cam", 1, 30)
    }

    fn only(seen: &Explanations, untaught: Explanations) -> Randomised {
        let mut found = randomised(std::slice::from_ref(seen), &[untaught]);
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    /// The same maps without anything learnt are at the floor: 0, and the method fails. Maps that have nothing to do with them
    /// are as far as another image's, 100, and it passes.
    #[test]
    fn a_method_passes_where_its_maps_are_lost_with_what_was_learnt() {
        let unmoved = only(&seen(), seen());
        assert!(unmoved.moved.unwrap().abs() < 1e-9 && unmoved.passes() == Some(false), "{unmoved:?}");
        let lost = only(&seen(), explanations("grad-cam", 2, 30));
        assert!((lost.moved.unwrap() - 100.0).abs() < 15.0 && lost.passes() == Some(true), "{lost:?}");
        assert_eq!((lost.explainer.as_str(), lost.measure.as_str(), lost.defined), ("grad-cam", "spearman", 30));
    }

    /// Of 30 images 26 are explained for another class by the other model; 4 are too few.
    #[test]
    fn images_of_which_another_class_is_explained_do_not_count() {
        let mut other = explanations("grad-cam", 2, 30);
        other.targets.iter_mut().skip(4).for_each(|class| *class = 1);
        let found = only(&seen(), other);
        assert_eq!((found.defined, found.moved, found.passes()), (4, None, None));
    }

    #[test]
    fn what_was_not_asked_of_both_or_is_no_evidence_is_left_out() {
        assert!(randomised(&[seen()], &[explanations("rollout", 1, 30)]).is_empty());
        let untrained = Explanations { untrained_head: true, ..seen() };
        assert!(randomised(&[untrained], &[seen()]).is_empty());
    }
}
