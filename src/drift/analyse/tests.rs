//! A whole run analysed: copies, chance, a planted jump, references, groups and a second run.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::drift::distances::Measured;
use crate::drift::options::PATIENCE;
use crate::drift::testing::{explanations, of_run};
use crate::drift::{
    Floor, Margin, NotMeasurable, Phase, SemanticDrift, Timeline, agreement_between, semantic_drift, spread_between,
};
use crate::fsx;
use crate::measure::{Descriptor, Measure};
use crate::store::tests::{of_accuracy, write_run};
use crate::store::{ALL_IMAGES, DriftEstimate, EpochMetrics, Manifest, PanelInfo, RunInfo, StoreError};

/// A run whose epochs hold the given explanations and have the given accuracies.
fn run(dir: &Path, name: &str, epochs: Vec<(usize, Vec<Explanations>)>, accuracy: &[f64]) -> RunReader {
    write_run(dir, &epochs);
    let ids = epochs[0].1[0].image_ids.clone();
    let panel = PanelInfo { digest: "0123".into(), labels: vec![0; ids.len()], ids, pictures: vec![] };
    let classes = vec!["plain".into(), "striped".into()];
    let info = RunInfo { schema: 1, name: name.into(), model: "mini".into(), classes, panel };
    fsx::write_atomic(&dir.join("run.json"), &serde_json::to_vec(&info).unwrap()).unwrap();
    for ((epoch, _), &val_accuracy) in epochs.iter().zip(accuracy) {
        let training = of_accuracy(val_accuracy);
        let metrics = EpochMetrics { epoch: *epoch, training: Some(training), drift: vec![], randomised: vec![] };
        let path = dir.join(crate::store::epoch_dir_name(*epoch)).join("metrics.json");
        fsx::write_atomic(&path, &serde_json::to_vec(&metrics).unwrap()).unwrap();
        Manifest::seal_dir(path.parent().unwrap()).unwrap();
    }
    RunReader::open(dir).unwrap()
}

/// A run of one explainer.
fn single(dir: &Path, epochs: Vec<Explanations>, accuracy: &[f64]) -> RunReader {
    run(dir, "run", epochs.into_iter().map(|one| vec![one]).enumerate().collect(), accuracy)
}

/// `base` with noise of at most `size` on every cell, and the same again on its perturbed images.
fn noisy(base: &Explanations, size: f32, seed: u64) -> Explanations {
    let noise = explanations("noise", seed, 2 * base.images()).maps;
    let (here, floor) = noise.split_at(base.maps.len());
    let add =
        |values: &[f32], noise: &[f32]| values.iter().zip(noise).map(|(value, noise)| value + size * noise).collect();
    let maps: Vec<f32> = add(&base.maps, here);
    Explanations { floor_maps: add(&maps, floor), maps, ..base.clone() }
}

fn every() -> Options {
    Options { measures: Measure::ALL.to_vec(), resamples: 200, ..Options::default() }
}

#[test]
fn copies_of_a_checkpoint_never_moved() {
    let dir = tempfile::tempdir().unwrap();
    let reader = single(dir.path(), vec![explanations("grad-cam", 1, 6); 3], &[0.5; 3]);
    let found = analyse(&reader, &every()).unwrap();
    assert_eq!(found.drift.iter().filter(|estimate| estimate.group == ALL_IMAGES).count(), 2 * 2 * Measure::ALL.len());
    for estimate in &found.drift {
        let measure: Measure = estimate.measure.parse().unwrap();
        let zero = measure.distance(0.0);
        assert_eq!(estimate.value, Some(zero), "{measure}");
        assert_eq!((estimate.interval, estimate.floor), (Some([zero; 2]), Some(zero)), "{measure}");
    }
    assert!(found.settled.iter().all(|one| one.epoch == Some(0) && one.steps == 2));
    assert!(found.paths.iter().all(|path| path.path == Some(0.0) && path.net == Some(0.0)));
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
}

/// Maps that have nothing to do with those of the epoch before are at chance: the chance level lies in the interval. It
/// should in 95 % of runs, less a little because chance itself is an estimate; 85 % leaves room for 40 runs of three
/// measures that go together. If it lay in every one, the intervals would be wider than 95 %.
#[test]
fn independent_maps_are_at_chance_within_their_interval() {
    let mut within = Vec::new();
    for seed in 0..40 {
        let dir = tempfile::tempdir().unwrap();
        let epochs = vec![explanations("grad-cam", 2 * seed, 100), explanations("grad-cam", 2 * seed + 1, 100)];
        let reader = single(dir.path(), epochs, &[]);
        let options = Options { measures: Measure::LIVE.to_vec(), groups: false, ..Options::default() };
        for estimate in analyse(&reader, &options).unwrap().drift.iter().filter(|one| one.against == Against::First) {
            let [low, high] = estimate.interval.unwrap();
            within.push((low..=high).contains(&estimate.chance.unwrap()));
        }
    }
    let share = within.iter().filter(|&&within| within).count() as f64 / within.len() as f64;
    assert!((0.85..1.0).contains(&share), "{share}");
}

/// Six epochs of one map with a little noise; at epoch 3 all evidence goes elsewhere, and stays there.
#[test]
fn a_planted_jump_is_found_where_it_was_planted() {
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (explanations("grad-cam", 1, 60), explanations("grad-cam", 2, 60));
    let at = |epoch: usize| noisy(if epoch < 3 { &before } else { &after }, 0.02, 100 + epoch as u64);
    // The floor's noise is as strong as that of an epoch, so no quiet step is much above it; the seeds decide by how
    // much.
    let louder = |one: Explanations, seed| Explanations { floor_maps: noisy(&one, 0.05, seed).maps, ..one };
    let epochs = (0..6).map(|epoch| louder(at(epoch), 200 + epoch as u64)).collect();
    let reader = single(dir.path(), epochs, &[0.7, 0.701, 0.702, 0.703, 0.704, 0.705]);
    let found = analyse(&reader, &Options { resamples: 200, ..Options::default() }).unwrap();
    for measure in Measure::LIVE {
        let steps = found.drift.iter().filter(|estimate| {
            estimate.group == ALL_IMAGES && estimate.against == Against::Previous && estimate.measure == measure.name()
        });
        let farthest = steps.max_by(|one, other| {
            let distance = |estimate: &DriftEstimate| measure.distance(estimate.value.unwrap());
            distance(one).total_cmp(&distance(other))
        });
        assert_eq!(farthest.unwrap().epoch, 3, "{measure}");
    }
    let [settled] = found.settled.as_slice() else { panic!("one explainer and floor: {:?}", found.settled) };
    assert_eq!((settled.measure.as_str(), settled.against_floor), (Measure::DEFAULT.name(), Floor::Noise));
    assert_eq!((settled.epoch, settled.steps), (Some(3), 2));
    let matrix = &found.matrices[0];
    assert_eq!([5.0, 200.0].map(|margin| matrix.settled_within(margin, 2)), [Some(3), Some(0)]);
    assert_eq!(matrix.settled_within(5.0, 3), None, "two epochs follow");
    assert!(found.settled_by.iter().all(|one| (one.epoch, one.steps) == (Some(3), 2)), "{:?}", found.settled_by);
    assert_eq!(found.settled_by.len(), 2, "by the other two live measures");
    assert_eq!(matrix.phases, [Phase { from: 0, to: 2 }, Phase { from: 3, to: 5 }]);
    assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
    assert!(found.warnings[0].starts_with("epoch 3: the accuracy is flat"), "{:?}", found.warnings);
}

/// The epochs of a run that says itself what is still: three of other maps each, 100 apart.
#[test]
fn margin_and_patience_are_the_runs_own_unless_others_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let reader = single(dir.path(), (0..3).map(|epoch| explanations("grad-cam", epoch, 30)).collect(), &[]);
    let path = dir.path().join("run.json");
    let mut record = reader.record().unwrap();
    record["config"] = serde_json::json!({"evidence": {"margin": 90.0, "patience": 1}});
    let of = |options: Options| {
        let found = analyse(&reader, &Options { resamples: 0, measures: Measure::LIVE.to_vec(), ..options }).unwrap();
        let [one, other] = [&found.matrices[0].settled[0], &found.settled_by[0]];
        assert_eq!((one.margin, one.patience), (other.margin, other.patience));
        (one.margin, one.patience)
    };
    assert_eq!(of(Options::default()), (5.0, 2), "an old run does not say");
    fsx::write_atomic(&path, record.to_string().as_bytes()).unwrap();
    assert_eq!(of(Options::default()), (90.0, 1));
    assert_eq!(of(Options { margin: Margin::new(10.0), patience: Some(PATIENCE), ..Options::default() }), (10.0, 2));
}

#[test]
fn the_best_and_a_named_epoch_are_compared_with_from_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let epochs = (0..4).map(|epoch| explanations("grad-cam", epoch, 4)).collect();
    let reader = single(dir.path(), epochs, &[0.1, 0.4, 0.4, 0.3]);
    let measures = vec![Measure::Spearman];
    let against = vec![Reference::Best, Reference::Epoch(2)];
    let options = Options { measures, against, groups: false, ..every() };
    let found = analyse(&reader, &options).unwrap();
    let pairs: Vec<_> = found.drift.iter().map(|one| (one.epoch, one.against, one.reference_epoch)).collect();
    use Against::{Best, Named};
    let expected = [(0, Best, 1), (0, Named, 2), (1, Named, 2), (2, Best, 1), (3, Best, 1), (3, Named, 2)];
    assert_eq!(pairs, expected);
    let of = |epoch: usize, other: usize| {
        found.drift.iter().find(|one| (one.epoch, one.reference_epoch) == (epoch, other)).unwrap().value
    };
    assert_eq!(of(1, 2), of(2, 1), "the best epoch and the named one are as far apart from both sides");

    let missing = analyse(&reader, &Options { against: vec![Reference::Epoch(9)], ..every() }).unwrap_err();
    assert_eq!(missing.to_string(), "epoch 9 is not sealed; there are 0, 1, 2, 3");
    let unknown = analyse(&reader, &Options { explainers: vec!["lime".into()], ..every() }).unwrap_err();
    assert_eq!(unknown.to_string(), "no epoch was explained by lime; there are grad-cam");
    let bare = tempfile::tempdir().unwrap();
    let reader = single(bare.path(), vec![explanations("grad-cam", 1, 4)], &[]);
    let options = Options { against: vec![Reference::Best], ..every() };
    assert!(matches!(analyse(&reader, &options), Err(DriftError::NoAccuracy)));
}

/// Five images of two classes, one of them becoming wrong: groups hold their own images' values and nobody else's.
#[test]
fn groups_are_the_estimates_of_their_images() {
    let dir = tempfile::tempdir().unwrap();
    let at = |seed, predicted: [i64; 5]| Explanations {
        labels: vec![0, 0, 1, 1, 1],
        predicted: predicted.to_vec(),
        ..explanations("grad-cam", seed, 5)
    };
    let reader = single(dir.path(), vec![at(1, [0, 0, 1, 1, 0]), at(2, [0, 1, 1, 1, 0])], &[]);
    let found = analyse(&reader, &every()).unwrap();
    let measure = "cosine";
    let values = &found.image_drift.iter().find(|one| one.measure == measure).unwrap().values;
    let mean = |images: &[usize]| images.iter().map(|&image| values[image].unwrap()).sum::<f64>() / images.len() as f64;
    let estimate = |group: &str| {
        let mut all = found.drift.iter().filter(|one| one.measure == measure && one.against == Against::First);
        all.find(|one| one.group == group)
    };
    let groups: [(&str, &[usize]); 6] = [
        ("all", &[0, 1, 2, 3, 4]),
        ("stays-right", &[0, 2, 3]),
        ("becomes-wrong", &[1]),
        ("stays-wrong", &[4]),
        ("class:plain", &[0, 1]),
        ("class:striped", &[2, 3, 4]),
    ];
    for (group, images) in groups {
        let estimate = estimate(group).unwrap();
        assert!((estimate.value.unwrap() - mean(images)).abs() < 1e-12, "{group}");
        assert_eq!((estimate.defined, estimate.interval.is_some()), (images.len(), images.len() > 1), "{group}");
        assert!(estimate.chance.is_some() && estimate.floor == Some(1.0), "{group}");
    }
    assert!(estimate("becomes-right").is_none(), "nobody is in it");
    let without = analyse(&reader, &Options { groups: false, ..every() }).unwrap();
    assert!(without.drift.iter().all(|estimate| estimate.group == ALL_IMAGES));
}

#[test]
fn the_estimates_of_training_are_among_those_of_the_analysis() {
    let dir = tempfile::tempdir().unwrap();
    let epoch = |seed| vec![explanations("grad-cam", seed, 7), explanations("rollout", seed + 50, 7)];
    let reader = run(dir.path(), "run", (0..4).map(|number| (number, epoch(number as u64))).collect(), &[]);
    let full = analyse(&reader, &Options::default()).unwrap().drift;
    let live = |estimate: &DriftEstimate| {
        estimate.group == ALL_IMAGES && Measure::LIVE.iter().any(|measure| measure.name() == estimate.measure)
    };
    let bytes = |estimates: &[DriftEstimate]| serde_json::to_string(estimates).unwrap();
    assert_eq!(bytes(&full.into_iter().filter(live).collect::<Vec<_>>()), bytes(&of_run(&reader)));
}

/// The matrix of a run that trained, that was resumed before each of its epochs, and that is read from its files; and read a
/// few images at a time.
#[test]
fn a_matrix_is_the_same_in_training_after_resuming_and_from_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (explanations("grad-cam", 1, 12), explanations("rollout", 2, 12));
    let at = |epoch: u64| vec![noisy(&one, 0.2, epoch), noisy(&other, 0.5 / (epoch + 1) as f32, 50 + epoch)];
    let reader = run(dir.path(), "run", (0..5).map(|epoch| (epoch, at(epoch as u64))).collect(), &[]);
    let found = analyse(&reader, &Options::default()).unwrap().matrices;
    assert_eq!(found.iter().map(|matrix| matrix.pairs.len()).collect::<Vec<_>>(), [10, 10]);
    assert!(found.iter().flat_map(|matrix| &matrix.pairs).all(|pair| pair.moved.is_some() && pair.interval.is_some()));

    let mut live = Timeline::new(0, Margin::default());
    for epoch in 0..5 {
        let mut resumed = Timeline::of_sealed(&reader, epoch, 0, Margin::default(), |error| panic!("{error}")).unwrap();
        for timeline in [&mut live, &mut resumed] {
            timeline.for_epoch(epoch, &at(epoch as u64)).unwrap();
        }
        assert_eq!(live.matrices(2), resumed.matrices(2));
        live.advance(epoch, at(epoch as u64));
    }
    assert_eq!(live.matrices(2), found);

    for most_kept in [1, 5 * 5 * 200] {
        let measuring = Measuring { most_kept, ..Measuring::USUAL };
        let blocks = measuring.of_run(&reader, "rollout").unwrap();
        let whole = Measuring::USUAL.of_run(&reader, "rollout").unwrap();
        for ((_, blocks), (_, whole)) in blocks.iter().zip(&whole) {
            let values = |epochs: &[Measured]| epochs.iter().map(|one| one.earlier.clone()).collect::<Vec<_>>();
            assert_eq!(values(blocks), values(whole));
        }
    }
}

/// Maps that are all zero at the second epoch, and not finite at the third, of one image of six each.
#[test]
fn dead_and_broken_maps_are_counted_and_do_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let base = explanations("grad-cam", 1, 6);
    let broken = |image: usize, value: f32, seed| {
        let mut one = noisy(&base, 0.2, seed);
        one.maps[16 * image..][..16].fill(value);
        one
    };
    let reader = single(dir.path(), vec![noisy(&base, 0.2, 1), broken(4, 0.0, 2), broken(5, f32::NAN, 3)], &[]);
    let matrix = analyse(&reader, &Options::default()).unwrap().matrices.remove(0);
    let counts = |epoch, reference| {
        let pair = matrix.pair(epoch, reference).unwrap();
        (pair.defined, pair.undefined, pair.dead, pair.moved.is_some())
    };
    assert_eq!(counts(1, 0), (5, 1, 1, true));
    assert_eq!(counts(2, 0), (5, 1, 1, true));
    assert_eq!(counts(2, 1), (4, 2, 2, false), "fewer than five");
    assert_eq!(matrix.pair(1, 0).unwrap().images[4], None);
    assert_eq!(matrix.pair(2, 1).unwrap().not_measurable, Some(NotMeasurable::FewImages));
}

/// The second seed's maps are those of the epoch before, so drift from it and the seed's floor are one number.
#[test]
fn a_second_seed_is_compared_at_the_same_epoch() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [one, two] = [1, 2].map(|seed| explanations("grad-cam", seed, 5));
    let reader = single(dir.path(), vec![one.clone(), two.clone()], &[]);
    let seed = run(other.path(), "second", vec![(1, vec![one.clone()])], &[]);
    let found = analyse(&reader, &Options { seed_run: Some(seed), ..every() }).unwrap();
    for estimate in &found.drift {
        assert!(estimate.seed_floor.is_some() && estimate.seed_floor == estimate.value, "{estimate:?}");
    }
    assert!(
        found.settled.iter().all(|one| one.against_floor == Floor::Noise),
        "epoch 0 of the second seed is not known"
    );

    let foreign = tempfile::tempdir().unwrap();
    let strange = run(foreign.path(), "strange", vec![(1, vec![Explanations { tap: "layer3".into(), ..one }])], &[]);
    let error = analyse(&reader, &Options { seed_run: Some(strange), ..every() }).unwrap_err();
    assert_eq!(error.to_string(), "run strange is no floor of epoch 1: tap is layer3 there, expected layer4");
}

#[test]
fn an_untrained_head_is_no_evidence_and_a_foreign_panel_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let untrained = Explanations { untrained_head: true, ..explanations("grad-cam", 1, 3) };
    let epochs = vec![untrained, explanations("grad-cam", 2, 3), explanations("grad-cam", 3, 3)];
    let reader = single(dir.path(), epochs, &[]);
    let found = analyse(&reader, &every()).unwrap();
    assert!(found.drift.iter().all(|estimate| (estimate.epoch, estimate.reference_epoch) == (2, 1)));
    assert!(found.spread.iter().all(|estimate| estimate.epoch > 0));

    let dir = tempfile::tempdir().unwrap();
    let reader = single(dir.path(), vec![explanations("grad-cam", 1, 3), explanations("grad-cam", 1, 4)], &[]);
    assert!(matches!(analyse(&reader, &every()), Err(DriftError::Store(StoreError::ForeignPanel { .. }))));
}

/// Of images 0 … 59 and 30 … 89 thirty are shared. On these, one run's drift is the other's, so their rankings agree.
#[test]
fn two_runs_agree_over_the_images_they_share() {
    let named = |one: Explanations, first: usize| Explanations {
        image_ids: (first..first + 60).map(|image| format!("{image}.jpg")).collect(),
        ..one
    };
    let late = |explanations: &Explanations, seed| {
        let mut other = super::super::testing::explanations("rollout", seed, 60);
        other.maps[..30 * 16].copy_from_slice(&explanations.maps[30 * 16..]);
        other
    };
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [before, now] = [1, 2].map(|seed| explanations("grad-cam", seed, 60));
    let cnn = vec![vec![named(before.clone(), 0)], vec![named(now.clone(), 0)]];
    let vit = vec![vec![named(late(&before, 3), 30)], vec![named(late(&now, 4), 30)]];
    let cnn = run(dir.path(), "cnn", cnn.into_iter().enumerate().collect(), &[]);
    let vit = run(other.path(), "vit", vit.into_iter().enumerate().collect(), &[]);
    let [cnn, vit] = [cnn, vit].map(|reader| analyse(&reader, &every()).unwrap());
    let found = agreement_between(&cnn, &vit, 100).unwrap();
    assert_eq!(found.len(), 2 * Measure::LIVE.len(), "previous and first, in the leading measures");
    for estimate in &found {
        assert_eq!((estimate.one.as_str(), estimate.other.as_str()), ("cnn:grad-cam/label", "vit:rollout/label"));
        assert!((estimate.value.unwrap() - 1.0).abs() < 1e-12 && estimate.defined == 30, "{estimate:?}");
    }
    for difference in spread_between(&cnn, &vit, 100).unwrap() {
        assert_eq!((difference.value, difference.defined), (Some(0.0), 30));
    }
    let strangers = Analysis { images: vec!["elsewhere.jpg".into()], ..vit };
    assert!(matches!(agreement_between(&cnn, &strangers, 100), Err(DriftError::NoSharedImages { .. })));
}

/// Four images, the last predicted wrongly at the end. The evidence of the others goes from one corner of 2 x 2 cells
/// to the opposite one: half of the diagonal, no overlap, and as concentrated as before. Deviations from 1/4 are 3/4
/// and -1/4 three times: they correlate by -3/8 + 1/8 over 3/4, that is -1/3.
#[test]
fn semantic_drift_is_of_the_images_that_stay_right() {
    let corner = |cell: usize| -> [f32; 4] { std::array::from_fn(|at| f32::from(at == cell)) };
    let at = |cell: usize, predicted: i64| Explanations {
        grid: [2, 2],
        maps: [corner(cell), corner(cell), corner(cell), corner(1)].concat(),
        floor_maps: [corner(cell), corner(cell), corner(cell), corner(1)].concat(),
        predicted: vec![0, 0, 0, predicted],
        ..explanations("grad-cam", 1, 4)
    };
    let dir = tempfile::tempdir().unwrap();
    let reader = single(dir.path(), vec![at(2, 0), at(0, 0), at(1, 0), at(3, 1)], &[]);
    let found = semantic_drift(&reader, 1, None, 100).unwrap();
    let expected = [0.5, 0.0, -1.0 / 3.0, 0.0];
    assert_eq!(found.len(), expected.len());
    for ((estimate, kind), expected) in found.iter().zip(SemanticDrift::ALL).zip(expected) {
        assert_eq!((estimate.metric, estimate.reference_epoch, estimate.epoch), (kind, 1, 3));
        assert!((estimate.value.unwrap() - expected).abs() < 1e-12, "{estimate:?}");
        assert_eq!((estimate.defined, estimate.undefined, estimate.excluded), (3, 0, 1));
        assert_eq!(estimate.chance.is_some(), kind != SemanticDrift::ConcentrationChange);
        assert!(estimate.floor.is_some() && estimate.interval.is_some());
    }
    let to_second = semantic_drift(&reader, 1, Some(2), 100).unwrap();
    assert!(to_second.iter().all(|estimate| estimate.epoch == 2 && estimate.excluded == 0));
    assert!(matches!(semantic_drift(&reader, 3, None, 100), Err(DriftError::SameEpoch { epoch: 3 })));
    assert!(matches!(semantic_drift(&reader, 8, None, 100), Err(DriftError::NoEpoch { epoch: 8, .. })));
}

#[test]
fn an_analysis_is_read_back_from_its_json() {
    let dir = tempfile::tempdir().unwrap();
    let epochs = vec![explanations("grad-cam", 1, 4), explanations("grad-cam", 2, 4)];
    let found = analyse(&single(dir.path(), epochs, &[0.25, 0.5]), &every()).unwrap();
    let json = serde_json::to_string(&found).unwrap();
    let read = serde_json::from_str::<Analysis>(&json).unwrap();
    assert_eq!(found.spread.len(), 2 * Descriptor::ALL.len());
    // Titles are for people, and are in the files of the maps.
    assert_eq!(read, Analysis { titles: BTreeMap::new(), ..found });
}
