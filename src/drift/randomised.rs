//! Whether a method's maps depend on what the model has learnt: how far they are from those of a model that has learnt
//! nothing.

use super::distances::{Measured, Measuring};
use super::pairs::Ruler;
use crate::measure::Kept;
use crate::store::{Explanations, Randomised};

/// How far the maps of one explainer and target are from those of the same images by `other`, the same model with parameters
/// drawn at random, on the scale of *moved*. `learnt` and `maps` are what was measured of `seen` by itself. Images for which
/// the two models explain different classes, which happens where the target is the prediction, do not count.
///
/// # Source
///
/// Adebayo et al. 2018, "Sanity Checks for Saliency Maps": the parameter-randomisation test, with all parameters random.
pub(super) fn randomised(
    [seen, other]: [&Explanations; 2],
    target: usize,
    (learnt, maps): (&Measured, &[Kept]),
    measuring: &Measuring<'_>,
    ruler: &Ruler<'_>,
) -> Randomised {
    let kinds = seen.target_kinds.len();
    let same_class = |image: usize| {
        let place = image * kinds + target;
        seen.targets[place] == other.targets[place]
    };
    let comparable = |values: Vec<Option<f64>>| {
        values.into_iter().enumerate().map(|(image, value)| value.filter(|_| same_class(image))).collect()
    };
    let values = measuring.against(maps, &[measuring.maps(other, target)]).into_iter().map(comparable).collect();
    // Both yardsticks are the trained model's: a model that knows nothing has none that mean anything.
    let yardsticks = Measured { earlier: Vec::new(), from: 0, ..learnt.clone() };
    let learnt = Measured { earlier: values, ..yardsticks.clone() };
    let pair = ruler.row(&[yardsticks], &learnt).pop().map(|judged| judged.pair);
    Randomised {
        explainer: seen.explainer.clone(),
        target: seen.target_kinds[target].clone(),
        measure: measuring.measure.name().to_string(),
        moved: pair.as_ref().and_then(|pair| pair.moved),
        interval: pair.as_ref().and_then(|pair| pair.interval),
        defined: pair.map_or(0, |pair| pair.defined),
    }
}

#[cfg(test)]
mod tests {
    use super::super::moved::Margin;
    use super::super::testing::explanations;
    use super::super::timeline::Timeline;
    use super::*;

    /// Random maps of 30 images. Their floors are the maps themselves, so the floor is a correlation of 1, and maps of
    /// different images correlate by about 0.
    fn seen() -> Explanations {
        explanations("grad-cam", 1, 30)
    }

    /// As a run finds it at its first epoch.
    fn found(seen: &Explanations, untaught: &Explanations) -> Vec<Randomised> {
        let (mut timeline, seen) = (Timeline::new(0, Margin::default()), std::slice::from_ref(seen));
        timeline.for_epoch(0, seen).unwrap();
        timeline.randomised(seen, std::slice::from_ref(untaught))
    }

    fn only(seen: &Explanations, untaught: Explanations) -> Randomised {
        let mut found = found(seen, &untaught);
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
        assert!(found(&seen(), &explanations("rollout", 1, 30)).is_empty());
        let untrained = Explanations { untrained_head: true, ..seen() };
        assert!(found(&untrained, &seen()).is_empty());
    }
}
