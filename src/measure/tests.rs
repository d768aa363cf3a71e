//! What holds for every measure.

use super::scale::{count_of, descending, distribution, ranks, scaled, top_of};
use super::structure::Moments;
use super::testing::{random, row};
use super::*;
use crate::stats::Vector;

/// A measure from the raw maps, nothing of which was prepared for another one.
fn from_raw(measure: Measure, one: &Heatmap, other: &Heatmap) -> Option<f64> {
    let [raw, stretched] = [Normalise::None, Normalise::MinMax].map(|scale| [one, other].map(|map| scaled(map, scale)));
    let raw = |of: &dyn Fn(&[f64], &[f64]) -> f64| Some(of(raw[0].as_deref()?, raw[1].as_deref()?));
    let shares = |of: &dyn Fn(&[f64], &[f64]) -> f64| Some(of(&distribution(one)?, &distribution(other)?));
    let changed = |of: &dyn Fn(&[f64]) -> f64| shares(&|p, q| (of(p) - of(q)).abs());
    let cells = one.values().len();
    let top = |fraction| {
        let top = |map| Some(top_of(&descending(map)?, count_of(cells, fraction)));
        Some(overlap::iou(&top(one)?, &top(other)?))
    };
    let cosine = |vector: &dyn Fn(&Heatmap) -> Option<Vector>| Some(vector(one)?.cosine(&vector(other)?));
    let sorted = |shares: &[f64]| shape::sorted(shares.to_vec());
    match measure {
        Measure::TopIou10 => top(0.1),
        Measure::TopIou15 => top(0.15),
        Measure::TopIou20 => top(0.2),
        Measure::TopIou30 => top(0.3),
        Measure::SoftIou => shares(&overlap::soft_iou),
        Measure::Pearson => cosine(&|map| Vector::centred(&scaled(map, Normalise::None)?)),
        Measure::Spearman => cosine(&|map| Vector::centred(&ranks(map, &descending(map)?))),
        Measure::Kendall => Some(correlation::kendall(one.values(), other.values())),
        Measure::Cosine => cosine(&|map| Vector::new(scaled(map, Normalise::None)?)),
        Measure::Ssim => {
            let window = structure::fitting_window(one.grid())?;
            let [one, other] = stretched.map(|values| Moments::new(values?, one.grid(), window));
            one?.similarity(&other?)
        }
        Measure::JensenShannon => shares(&distribution::jensen_shannon),
        Measure::TotalVariation => shares(&distribution::total_variation),
        Measure::Hellinger => shares(&|p, q| distribution::hellinger(&distribution::roots(p), &distribution::roots(q))),
        Measure::EarthMovers => shares(&|p, q| transport::earth_movers_distance(p, q, one.grid())),
        Measure::CentroidDisplacement => {
            shares(&|p, q| distribution::displacement(shape::centre(p, one.grid()), shape::centre(q, one.grid())))
        }
        Measure::EntropyChange => changed(&shape::entropy),
        Measure::EffectiveAreaChange => changed(&shape::effective_area),
        Measure::GiniChange => changed(&|p| shape::gini(&sorted(p))),
        Measure::TopMassChange => changed(&|p| shape::top_mass(&sorted(p), count_of(cells, 0.2))),
        Measure::PositiveMassChange => {
            raw(&|one, other| (shape::positive_mass(one) - shape::positive_mass(other)).abs())
        }
        Measure::NegativeMassChange => {
            raw(&|one, other| (shape::negative_mass(one) - shape::negative_mass(other)).abs())
        }
        Measure::L1Change => raw(&change::l1),
        Measure::L2Change => raw(&change::l2),
    }
}

/// A map with negative cells.
fn signed(side: usize, seed: u64) -> Heatmap {
    let values = random(side, side, seed).values().iter().map(|value| value - 0.4).collect();
    Heatmap::new(side, side, values).unwrap()
}

#[test]
fn a_measure_of_prepared_maps_is_that_of_the_raw_ones() {
    for side in [3, 7, 14] {
        let (one, other) = (signed(side, 1), signed(side, 2));
        for measure in Measure::ALL {
            let (found, expected) = (measure.between(&one, &other), from_raw(measure, &one, &other));
            assert!((found.unwrap() - expected.unwrap()).abs() < 1e-14, "{measure} {found:?} {expected:?}");
        }
    }
}

/// Pearson of (1, 2, 3) and (0, 0, 3), about their means (-1, 0, 1) and (-1, -1, 2): 3 / sqrt(2 * 6) = sqrt(3) / 2.
/// Cosine of (3, 4) and (4, 3): 24 / 25; of (3, 4) and its double, turned round: -1. Reversed orders: -1.
#[test]
fn correlations_are_those_worked_out_on_paper() {
    let between = |measure: Measure, one: &[f32], other: &[f32]| measure.between(&row(one), &row(other));
    let found = between(Measure::Pearson, &[1.0, 2.0, 3.0], &[0.0, 0.0, 3.0]).unwrap();
    assert!((found - 0.75f64.sqrt()).abs() < 1e-15, "{found}");
    assert_eq!(between(Measure::Cosine, &[3.0, 4.0], &[4.0, 3.0]), Some(0.96));
    assert_eq!(between(Measure::Cosine, &[3.0, 4.0], &[-6.0, -8.0]), Some(-1.0));
    assert_eq!(between(Measure::Cosine, &[1.0, 1.0], &[2.0, 2.0]), Some(1.0), "a constant has a direction");
    assert_eq!(between(Measure::Cosine, &[0.0, 0.0], &[2.0, 2.0]), None);
    for measure in [Measure::Spearman, Measure::Kendall] {
        assert_eq!(between(measure, &[1.0, 2.0, 3.0], &[9.0, 1.0, -7.0]), Some(-1.0));
    }
}

/// p = (1, 0) and q = (1/2, 1/2), whatever their strength and what speaks against the class.
#[test]
fn distributions_ignore_strength_and_evidence_against_the_class() {
    for (one, other) in [([2.0, 0.0], [1.0, 1.0]), ([8.0, -5.0], [0.5, 0.5])] {
        let between = |measure: Measure| measure.between(&row(&one), &row(&other)).unwrap();
        assert_eq!((between(Measure::TotalVariation), between(Measure::CentroidDisplacement)), (0.5, 0.25));
        assert!((between(Measure::JensenShannon) - (1.5 - 0.75 * 3f64.log2())).abs() < 1e-12);
        assert_eq!(between(Measure::EarthMovers), 0.25, "half of it goes half-way");
    }
}

#[test]
fn descriptors_are_in_their_range_and_go_by_their_names() {
    let map = Prepared::new(row(&[2.0, 1.0, 1.5, -7.0, 0.1, 3.0]));
    for descriptor in Descriptor::ALL {
        let value = map.descriptor(descriptor).unwrap();
        assert!(descriptor.range().contains(value), "{descriptor} {value}");
        assert_eq!(serde_json::to_value(descriptor).unwrap(), descriptor.name());
        assert_eq!(descriptor.name().parse(), Ok(descriptor));
    }
    let broken = Prepared::new(row(&[f32::NAN; 2]));
    assert!(Descriptor::ALL.into_iter().all(|descriptor| broken.descriptor(descriptor).is_none()));
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
        let value = measure.between_prepared(&one, &other).unwrap();
        assert!(measure.range().contains(value), "{measure} {value}");
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
