//! Pairing, yardsticks and refusals, on maps small enough to work out on paper.

use std::borrow::Cow;

use super::compare::Other;
use super::epoch_maps::EpochMaps;
use super::testing::{explanations, of_run};
use super::timeline::live;
use super::*;
use crate::measure::Measure;
use crate::store::Explanations;
use crate::store::tests::write_run;

/// Maps of one row of four cells, floors equal to the maps.
fn rows(maps: &[[f32; 4]]) -> Explanations {
    let maps = maps.concat();
    Explanations {
        grid: [1, 4],
        floor_maps: maps.clone(),
        maps: maps.clone(),
        ..explanations("cam", 0, maps.len() / 4)
    }
}

/// The estimates between two epochs of one explainer.
fn between_epochs(
    current: &Explanations,
    other: &Explanations,
    epoch: usize,
    reference_epoch: usize,
    against: Against,
) -> Result<Vec<DriftEstimate>, DriftError> {
    let other = EpochMaps::new(reference_epoch, Cow::Borrowed(other));
    live(&EpochMaps::new(epoch, Cow::Borrowed(current)), &[Other { against, maps: &other }])
}

fn estimate(estimates: &[DriftEstimate], measure: Measure) -> &DriftEstimate {
    estimates.iter().find(|estimate| estimate.measure == measure.name()).unwrap()
}

/// (explainer, epoch, reference, against) of each estimate of one measure.
fn pairings(estimates: &[DriftEstimate]) -> Vec<(&str, usize, usize, Against)> {
    let of_one_measure = estimates.iter().filter(|estimate| estimate.measure == "spearman");
    of_one_measure.map(|one| (one.explainer.as_str(), one.epoch, one.reference_epoch, one.against)).collect()
}

#[test]
fn a_copy_of_a_checkpoint_has_exactly_zero_drift() {
    let one = explanations("grad-cam", 1, 9);
    let estimates = between_epochs(&one, &one.clone(), 2, 1, Against::Previous).unwrap();
    assert_eq!(estimates.len(), 3);
    for (measure, exact) in [(Measure::TopIou20, 1.0), (Measure::Spearman, 1.0), (Measure::JensenShannon, 0.0)] {
        let estimate = estimate(&estimates, measure);
        assert_eq!((estimate.value, estimate.floor), (Some(exact), Some(exact)));
        assert_eq!((estimate.defined, estimate.undefined, estimate.dead), (9, 0, 0));
    }
}

/// Two images whose maps swap places: chance at this epoch pairs each with the other, which is what the reference
/// holds.
#[test]
fn swapped_images_are_exactly_at_chance() {
    let (one, other) = ([4.0, 3.0, 2.0, 1.0], [1.0, 5.0, 2.0, 0.0]);
    let estimates = between_epochs(&rows(&[one, other]), &rows(&[other, one]), 1, 0, Against::First).unwrap();
    for estimate in &estimates {
        let (value, chance) = (estimate.value.unwrap(), estimate.chance.unwrap());
        assert!((value - chance).abs() < 1e-12, "{value} {chance}");
        assert_ne!(estimate.value, estimate.floor);
    }
}

/// Four images: unmoved (1), reversed (-1), dead now and dead before (both undefined). Mean of 1 and -1 is 0.
#[test]
fn undefined_images_are_counted_and_never_averaged() {
    let (up, down, dead) = ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], [0.0; 4]);
    let (current, reference) = (rows(&[up, up, dead, up]), rows(&[up, down, up, dead]));
    let estimates = between_epochs(&current, &reference, 1, 0, Against::First).unwrap();
    let spearman = estimate(&estimates, Measure::Spearman);
    assert_eq!(spearman.value, Some(0.0));
    assert_eq!((spearman.defined, spearman.undefined, spearman.dead), (2, 2, 1));
    let of = |image| Measure::Spearman.between(&current.map(image, 0).unwrap(), &reference.map(image, 0).unwrap());
    assert_eq!([0, 1, 2, 3].map(of), [Some(1.0), Some(-1.0), None, None]);
}

#[test]
fn nothing_defined_is_none_and_not_zero() {
    let dead = rows(&[[0.0; 4], [f32::NAN; 4]]);
    for estimate in between_epochs(&dead, &dead, 1, 0, Against::First).unwrap() {
        assert_eq!((estimate.value, estimate.floor, estimate.chance), (None, None, None));
        assert_eq!((estimate.defined, estimate.undefined, estimate.dead), (0, 2, 2));
    }
}

#[test]
fn a_panel_of_one_image_has_no_chance() {
    let one = explanations("grad-cam", 1, 1);
    let estimates = between_epochs(&one, &one, 1, 0, Against::First).unwrap();
    assert!(estimates.iter().all(|estimate| estimate.chance.is_none() && estimate.value.is_some()));
}

/// A fifth of 16 cells is three. Of the C(16, 3) = 560 ways to lie, C(3, 1) C(13, 2) = 234 share one cell (IoU 1/5),
/// C(3, 2) 13 = 39 share two (IoU 1/2) and one shares three: (234/5 + 39/2 + 1) / 560 = 0.1202. Ranks do not correlate.
#[test]
fn independent_maps_land_near_their_chance() {
    let (current, reference) = (explanations("grad-cam", 1, 400), explanations("grad-cam", 2, 400));
    let estimates = between_epochs(&current, &reference, 1, 0, Against::First).unwrap();
    let iou = estimate(&estimates, Measure::TopIou20);
    let (value, chance) = (iou.value.unwrap(), iou.chance.unwrap());
    assert!((value - 0.1202).abs() < 0.03 && (chance - 0.1202).abs() < 0.015, "{value} {chance}");
    let spearman = estimate(&estimates, Measure::Spearman);
    assert!(spearman.value.unwrap().abs() < 0.05 && spearman.chance.unwrap().abs() < 0.03);
}

#[test]
fn different_things_do_not_compare() {
    let one = explanations("grad-cam", 1, 2);
    let others = [
        ("explainer", Explanations { explainer: "eigen-cam".into(), ..one.clone() }),
        ("settings", Explanations { settings: serde_json::json!({"relu": true}), ..one.clone() }),
        ("tap", Explanations { tap: "layer3".into(), ..one.clone() }),
        ("panel", Explanations { panel_digest: "4567".into(), ..one.clone() }),
        ("image ids", Explanations { image_ids: vec!["1.jpg".into(), "0.jpg".into()], ..one.clone() }),
        ("target kinds", Explanations { target_kinds: vec!["prediction".into()], ..one.clone() }),
        ("grid", Explanations { grid: [2, 8], ..one.clone() }),
    ];
    for (name, other) in others {
        let error = between_epochs(&one, &other, 3, 1, Against::First).unwrap_err();
        assert!(matches!(error, DriftError::Incomparable { fact, .. } if fact == name), "{name}: {error}");
    }
    let error = between_epochs(&one, &Explanations { grid: [2, 8], ..one.clone() }, 3, 1, Against::First).unwrap_err();
    let facts = "epoch 3 and epoch 1 do not compare: grid is 4 x 4 at epoch 3, expected 2 x 8 as at epoch 1";
    assert_eq!(error.to_string(), facts);
}

/// Epoch 0 has an untrained head: Grad-CAM starts at epoch 1, the class-agnostic rollout at epoch 0. The epochs are not
/// numbered without gaps, since not every epoch has to be explained.
#[test]
fn a_run_pairs_with_the_previous_and_the_first_epoch_that_are_evidence() {
    use Against::{First, Previous};
    let epoch = |seed, untrained_head| {
        let both = ["grad-cam", "rollout"].map(|name| explanations(name, seed, 3));
        both.map(|one| Explanations { untrained_head, ..one }).to_vec()
    };
    let dir = tempfile::tempdir().unwrap();
    let run =
        write_run(dir.path(), &[(0, epoch(0, true)), (1, epoch(1, false)), (2, epoch(2, false)), (5, epoch(5, false))]);
    let estimates = of_run(&run);
    let expected = [
        ("rollout", 1, 0, Previous),
        ("rollout", 1, 0, First),
        ("grad-cam", 2, 1, Previous),
        ("grad-cam", 2, 1, First),
        ("rollout", 2, 1, Previous),
        ("rollout", 2, 0, First),
        ("grad-cam", 5, 2, Previous),
        ("grad-cam", 5, 1, First),
        ("rollout", 5, 2, Previous),
        ("rollout", 5, 0, First),
    ];
    assert_eq!(pairings(&estimates), expected);
}

#[test]
fn estimates_of_training_of_a_resumed_run_and_of_the_files_are_the_same_bytes() {
    let epoch = |seed| vec![explanations("rollout", seed, 5), explanations("grad-cam", seed, 5)];
    let dir = tempfile::tempdir().unwrap();
    let run = write_run(dir.path(), &[(0, epoch(0)), (1, epoch(1)), (2, epoch(2))]);
    let mut live = Timeline::default();
    let mut estimates = Vec::new();
    for number in 0..3 {
        let current = epoch(number as u64);
        let now = live.for_epoch(number, &current).unwrap();
        let resumed = Timeline::of_sealed(&run, number, 3, Margin::default(), |error| panic!("{error}"))
            .unwrap()
            .for_epoch(number, &current)
            .unwrap();
        assert_eq!(now, resumed);
        estimates.extend(now);
        live.advance(number, current);
    }
    let bytes = |estimates: &[DriftEstimate]| serde_json::to_string(estimates).unwrap();
    assert_eq!(bytes(&estimates), bytes(&of_run(&run)));
    assert_eq!(serde_json::from_str::<Vec<DriftEstimate>>(&bytes(&estimates)).unwrap(), estimates);
}
