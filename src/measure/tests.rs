//! What holds for every measure.

use super::heatmap::Normalise;
use super::testing::{random, row};
use super::*;

/// The value of a measure by its pure function on two raw maps, with the normalisation its documentation names.
fn by_function(measure: Measure, one: &Heatmap, other: &Heatmap) -> Option<f64> {
    use Normalise::{MinMax, None as Raw, UnitSum};
    let changed = |of: &dyn Fn(&Heatmap) -> Option<f64>| Some((of(one)? - of(other)?).abs());
    match measure {
        Measure::TopIou10 => top_k_iou(one, other, 0.1),
        Measure::TopIou15 => top_k_iou(one, other, 0.15),
        Measure::TopIou20 => top_k_iou(one, other, 0.2),
        Measure::TopIou30 => top_k_iou(one, other, 0.3),
        Measure::SoftIou => soft_iou(one, other, UnitSum),
        Measure::Pearson => pearson(one, other, Raw),
        Measure::Spearman => spearman(one, other),
        Measure::Kendall => kendall(one, other),
        Measure::Cosine => cosine(one, other, Raw),
        Measure::Ssim => ssim(one, other, fitting_window(one.grid())?, MinMax),
        Measure::JensenShannon => jensen_shannon(one, other, UnitSum),
        Measure::TotalVariation => total_variation(one, other, UnitSum),
        Measure::Hellinger => hellinger(one, other, UnitSum),
        Measure::EarthMovers => earth_movers_distance(one, other, UnitSum),
        Measure::CentroidDisplacement => centroid_displacement(one, other, UnitSum),
        Measure::EntropyChange => changed(&|map| entropy(map, UnitSum)),
        Measure::EffectiveAreaChange => changed(&|map| effective_area(map, UnitSum)),
        Measure::GiniChange => changed(&|map| gini(map, UnitSum)),
        Measure::TopMassChange => changed(&|map| top_mass(map, 0.2, UnitSum)),
        Measure::PositiveMassChange => changed(&positive_mass),
        Measure::NegativeMassChange => changed(&negative_mass),
        Measure::L1Change => l1_change(one, other, Raw),
        Measure::L2Change => l2_change(one, other, Raw),
    }
}

/// A map with negative cells.
fn signed(side: usize, seed: u64) -> Heatmap {
    let values = random(side, side, seed).values().iter().map(|value| value - 0.4).collect();
    Heatmap::new(side, side, values).unwrap()
}

#[test]
fn a_prepared_measure_is_its_function_on_raw_maps() {
    for side in [3, 7, 14] {
        let (one, other) = (signed(side, 1), signed(side, 2));
        for measure in Measure::ALL {
            let (found, expected) = (measure.between(&one, &other), by_function(measure, &one, &other));
            assert!((found.unwrap() - expected.unwrap()).abs() < 1e-14, "{measure} {found:?} {expected:?}");
        }
    }
}

#[test]
fn every_measure_is_exact_on_equal_maps() {
    for side in [7, 14] {
        for seed in 0..20 {
            for map in [random(side, side, seed), signed(side, seed)] {
                for measure in Measure::ALL {
                    let value = measure.between(&map, &map).unwrap();
                    assert_eq!(measure.distance(value), 0.0, "{measure} {value}");
                }
            }
        }
    }
}

#[test]
fn every_measure_is_symmetric_in_its_range_and_goes_by_its_name() {
    let (one, other) = (signed(14, 3), signed(14, 4));
    let (one, other) = (Prepared::new(one), Prepared::new(other));
    for measure in Measure::ALL {
        let (low, high) = measure.range();
        let value = measure.between_prepared(&one, &other).unwrap();
        assert!((low..=high).contains(&value), "{measure} {value}");
        let turned = measure.between_prepared(&other, &one).unwrap();
        assert!((turned - value).abs() < 1e-12, "{measure} {value} {turned}");
        assert_eq!(serde_json::to_value(measure).unwrap(), measure.name());
        assert_eq!(measure.name().parse(), Ok(measure));
    }
    let unknown = "iou".parse::<Measure>().unwrap_err().to_string();
    assert!(unknown.starts_with("no measure is called 'iou'; there are top10-iou, top15-iou"), "{unknown}");
}

#[test]
fn broken_and_mismatched_maps_have_no_measure() {
    let good = random(4, 4, 1);
    let mut nan = good.values().to_vec();
    nan[3] = f32::NAN;
    let mut infinite = good.values().to_vec();
    infinite[3] = f32::INFINITY;
    let map = |rows, cols, values: &[f32]| Heatmap::new(rows, cols, values.to_vec()).unwrap();
    for bad in [map(4, 4, &nan), map(4, 4, &infinite), map(2, 8, good.values())] {
        for measure in Measure::ALL {
            assert_eq!(measure.between(&good, &bad), None, "{measure}");
            assert_eq!(measure.between(&bad, &good), None, "{measure}");
        }
    }
}

/// A dead map is a change of values and of the amount of evidence, and nothing else is defined on it. A constant one is
/// also a distribution and a direction.
#[test]
fn flat_maps_have_only_the_measures_that_do_not_need_a_shape() {
    let good = random(4, 4, 1);
    let flat = |value: f32| Heatmap::new(4, 4, vec![value; 16]).unwrap();
    let amounts = [Measure::PositiveMassChange, Measure::NegativeMassChange, Measure::L1Change, Measure::L2Change];
    let orders = [
        Measure::TopIou10,
        Measure::TopIou15,
        Measure::TopIou20,
        Measure::TopIou30,
        Measure::Pearson,
        Measure::Spearman,
        Measure::Kendall,
        Measure::Ssim,
    ];
    for measure in Measure::ALL {
        let (dead, constant) = (measure.between(&good, &flat(0.0)), measure.between(&flat(2.0), &good));
        assert_eq!(dead.is_some(), amounts.contains(&measure), "{measure}");
        assert_eq!(constant.is_none(), orders.contains(&measure), "{measure}");
    }
    assert_eq!(Measure::JensenShannon.between(&row(&[-1.0, -2.0]), &row(&[1.0, 2.0])), None);
}

/// Mean of a measure over 400 pairs of independent random maps.
fn by_chance(measure: Measure) -> f64 {
    let one = |seed: u64| measure.between(&random(14, 14, 2 * seed), &random(14, 14, 2 * seed + 1)).unwrap();
    (0..400).map(one).sum::<f64>() / 400.0
}

/// Top 39 of 196 cells: 39 * 39 / 196 = 7.76 shared on average, 7.76 / (78 - 7.76) = 0.1105. Ranks of independent maps
/// do not correlate, nor do their values. `|u - v|` of uniform values is 1/3 on average, over means of 1/2: half of it
/// is a variation of 1/3.
#[test]
fn independent_random_maps_land_near_chance() {
    let near = |measure, expected: f64, within| {
        let found = by_chance(measure);
        assert!((found - expected).abs() < within, "{measure} {found}");
    };
    near(Measure::TopIou20, 0.1105, 0.01);
    for correlation in [Measure::Spearman, Measure::Pearson, Measure::Kendall] {
        near(correlation, 0.0, 0.02);
    }
    near(Measure::TotalVariation, 1.0 / 3.0, 0.01);
}

#[test]
fn distance_turns_similarities_round() {
    assert_eq!(Measure::Spearman.distance(-1.0), 2.0);
    assert_eq!(Measure::JensenShannon.distance(0.25), 0.25);
    assert!(Measure::LIVE.iter().all(|measure| Measure::fast().contains(measure)));
    assert_eq!(Measure::fast().len(), Measure::ALL.len() - 2);
}
