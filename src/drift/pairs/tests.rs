//! *Moved* on paper, on a similarity and on a divergence.

use super::*;

/// What was measured of images that all have the same value, floors and chances; in distances.
#[derive(Clone, Copy)]
struct Alike {
    images: usize,
    distance: f64,
    floors: [f64; 2],
    chances: [f64; 2],
}

/// 0.4 apart, where noise makes 0.1 and another image's map 0.8.
const ALIKE: Alike = Alike { images: 5, distance: 0.4, floors: [0.15, 0.05], chances: [0.75, 0.85] };

const BOTH: [Measure; 2] = [Measure::Spearman, Measure::JensenShannon];

/// The measure's value at a distance.
fn at(measure: Measure, distance: f64) -> f64 {
    if measure.higher_is_more_similar() { 1.0 - distance } else { distance }
}

/// The earlier epoch, and the later one measured against it.
fn epochs(measure: Measure, alike: Alike) -> [Measured; 2] {
    let epoch = |epoch: usize| Measured {
        epoch,
        floor: vec![Some(at(measure, alike.floors[epoch])); alike.images],
        chance: vec![Some(at(measure, alike.chances[epoch])); alike.images],
        seed: None,
        dead: vec![false; alike.images],
        classes: vec![0; alike.images],
        earlier: Vec::new(),
        from: 0,
    };
    let earlier = vec![vec![Some(at(measure, alike.distance)); alike.images]];
    [epoch(0), Measured { earlier, ..epoch(1) }]
}

fn judged(measure: Measure, [one, now]: &[Measured; 2]) -> Judged {
    let resamples = Resamples::new(200, now.floor.len());
    let ruler = Ruler { measure, margin: Margin::default(), resamples: &resamples };
    ruler.row(std::slice::from_ref(one), now).remove(0)
}

fn near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-9)
}

/// (0.4 - 0.1) / (0.8 - 0.1) is 3/7. At the floor it is 0, at chance 100; nearer than noise -1/14 and farther than another
/// image's map 8/7.
#[test]
fn moved_goes_from_noise_to_another_images_map_and_beyond() {
    for measure in BOTH {
        for (distance, expected) in
            [(0.4, 300.0 / 7.0), (0.1, 0.0), (0.8, 100.0), (0.05, -50.0 / 7.0), (0.9, 800.0 / 7.0)]
        {
            let found = judged(measure, &epochs(measure, Alike { distance, ..ALIKE }));
            let pair = &found.pair;
            assert!(near(pair.moved, expected), "{measure} {distance} {:?}", pair.moved);
            // All images are alike, so every resampled panel says the same.
            let [low, high] = pair.interval.unwrap();
            assert!(near(Some(low), expected) && near(Some(high), expected), "{:?}", pair.interval);
            assert!(near(pair.value, at(measure, distance)) && near(pair.floor, at(measure, 0.1)));
            assert!(near(pair.chance, at(measure, 0.8)) && pair.not_measurable.is_none());
            assert!(pair.images.iter().all(|&image| near(image, expected)) && pair.images.len() == 5);
            assert!(near(pair.moved_of(at(measure, 0.45)), 50.0), "half-way");
            assert_eq!(found.still.on_panel(), expected <= 5.0);
            assert_eq!(found.still.on_resample(199), expected <= 5.0);
        }
    }
}

/// A margin of 5 is a distance of 0.1 + 0.05 * 0.7 = 0.135.
#[test]
fn a_pair_is_still_up_to_the_margin() {
    for measure in BOTH {
        let still = |distance| judged(measure, &epochs(measure, Alike { distance, ..ALIKE })).still.on_panel();
        assert_eq!([0.1349, 0.1351].map(still), [true, false], "{measure}");
    }
}

#[test]
fn without_a_scale_there_is_no_number_and_nothing_is_still() {
    let cases = |measure: Measure, alike: Alike| {
        let found = judged(measure, &epochs(measure, alike));
        assert_eq!(found.pair.moved.is_none(), found.pair.not_measurable.is_some());
        assert!(found.pair.moved.is_some() || !found.still.on_panel() && !found.still.on_resample(0));
        assert!(found.pair.value.is_some(), "the measure itself is there");
        found.pair.not_measurable
    };
    for measure in BOTH {
        assert_eq!(cases(measure, Alike { images: 4, ..ALIKE }), Some(NotMeasurable::FewImages));
        let none = Alike { floors: [0.1; 2], chances: [0.1; 2], ..ALIKE };
        assert_eq!(cases(measure, none), Some(NotMeasurable::ChanceWithinFloor));
        assert_eq!(cases(measure, Alike { chances: [0.05; 2], ..none }), Some(NotMeasurable::ChanceWithinFloor));
        // 2 % of what the measure can show: of 2 for a correlation, of 1 for the divergence.
        let least = if measure == Measure::Spearman { 0.04 } else { 0.02 };
        let short = |contrast: f64| cases(measure, Alike { floors: [0.1; 2], chances: [0.1 + contrast; 2], ..ALIKE });
        assert_eq!(
            [short(least - 0.001), short(least + 0.001)],
            [Some(NotMeasurable::SmallContrast), None],
            "{measure}"
        );
    }
    let faint = Alike { floors: [0.1; 2], chances: [0.1001; 2], ..ALIKE };
    assert_eq!(cases(Measure::L1Change, faint), None, "it has no greatest value to take a share of");
}

/// Chance above the floor by 0.6, -0.5, 0.6, -0.5, 0.6 and -0.5: 0.05 in the mean, and below 0 in many resampled panels.
#[test]
fn a_scale_that_other_images_would_not_show_is_none() {
    for measure in BOTH {
        let mut epochs = epochs(measure, Alike { images: 6, floors: [0.2; 2], chances: [0.8; 2], ..ALIKE });
        for epoch in &mut epochs {
            epoch.chance.iter_mut().skip(1).step_by(2).for_each(|chance| *chance = Some(at(measure, -0.3)));
        }
        let pair = judged(measure, &epochs).pair;
        assert!((measure.distance(pair.chance.unwrap()) - 0.25).abs() < 1e-12);
        assert_eq!(pair.not_measurable, Some(NotMeasurable::ChanceWithinFloor), "{measure}");
    }
}

/// The sixth image has no floor at the later epoch, and neither its value nor its chance counts.
#[test]
fn an_image_counts_only_where_all_is_defined() {
    let mut both = epochs(Measure::Spearman, Alike { images: 6, ..ALIKE });
    (both[1].floor[5], both[1].earlier[0][5], both[1].chance[5]) = (None, Some(-1.0), Some(-1.0));
    both[1].dead[5] = true;
    both[0].dead[2] = true;
    both[1].classes[3] = 1;
    let pair = judged(Measure::Spearman, &both).pair;
    assert!(near(pair.moved, 300.0 / 7.0) && (pair.defined, pair.undefined) == (5, 1));
    assert_eq!((pair.dead, pair.retargeted, pair.images[5], pair.image_floors[5]), (2, 1, None, None));
    both[0].chance[0] = None;
    assert_eq!(judged(Measure::Spearman, &both).pair.not_measurable, Some(NotMeasurable::FewImages));
}

/// Another seed is 0.5 away, so 0.4 is within it: (0.4 - 0.5) / (0.8 - 0.5) is a third below 0.
#[test]
fn another_seed_is_a_floor_of_its_own() {
    for measure in BOTH {
        let mut both = epochs(measure, ALIKE);
        both.iter_mut().for_each(|epoch| epoch.seed = Some(vec![Some(at(measure, 0.5)); 5]));
        let found = judged(measure, &both);
        assert!(near(found.pair.moved_from_seed, -100.0 / 3.0) && near(found.pair.seed_floor, at(measure, 0.5)));
        assert!(near(found.pair.moved, 300.0 / 7.0) && !found.still.on_panel());
        assert!(found.still_for_seed.unwrap().on_panel());
        both[0].seed = None;
        let found = judged(measure, &both);
        assert!(found.pair.moved_from_seed.is_none() && found.still_for_seed.is_none());
    }
}

/// 19 floors of 0.01, 0.02, …, 0.19: the ⌈0.95 * 20⌉-th is the last. Of 39 the ⌈0.95 * 40⌉-th is the one before the last,
/// 0.38. Distances are 0.005 above and below the floors, in turn, so of 19 images the last can be beyond, and of 39 two.
#[test]
fn an_image_moved_where_it_is_farther_than_noise_takes_nearly_all() {
    for measure in BOTH {
        let beyond = |images: usize, further: f64| {
            let mut both = epochs(measure, Alike { images, ..ALIKE });
            let floor = |image: usize| 0.01 * (image + 1) as f64;
            both[1].floor = (0..images).map(|image| Some(at(measure, floor(image)))).rev().collect();
            both[1].earlier[0] = (0..images).map(|image| Some(at(measure, floor(image) + further))).collect();
            let pair = judged(measure, &both).pair;
            let least =
                pair.threshold.map(|threshold| pair.images.iter().flatten().filter(|&&one| one > threshold).count());
            assert_eq!(pair.images_moved, least, "the threshold is on the scale of the images");
            pair.images_moved
        };
        assert_eq!([beyond(19, 0.005), beyond(19, -0.005)], [Some(1), Some(0)]);
        assert_eq!([beyond(39, 0.005), beyond(39, -0.005)], [Some(2), Some(1)]);
        assert_eq!(beyond(18, 0.5), None, "too few to say");
    }
}
