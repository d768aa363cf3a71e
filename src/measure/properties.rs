//! What must hold for every measure on every map, tried on maps of up to 8 x 8 cells.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// The same cases every time, and no file of failures.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() }
}

/// Sums over up to 64 cells in f64, of values up to a thousand.
const ROUNDING: f64 = 1e-9;

/// The measures that see nothing of a map but the order of its cells.
const OF_ORDER: [Measure; 6] =
    [Measure::TopIou10, Measure::TopIou15, Measure::TopIou20, Measure::TopIou30, Measure::Spearman, Measure::Kendall];

/// The measures of the shares of the positive evidence.
const OF_SHARES: [Measure; 10] = [
    Measure::SoftIou,
    Measure::JensenShannon,
    Measure::TotalVariation,
    Measure::Hellinger,
    Measure::EarthMovers,
    Measure::CentroidDisplacement,
    Measure::EntropyChange,
    Measure::EffectiveAreaChange,
    Measure::GiniChange,
    Measure::TopMassChange,
];

/// The measures in the method's own unit.
const OF_AMOUNTS: [Measure; 4] =
    [Measure::PositiveMassChange, Measure::NegativeMassChange, Measure::L1Change, Measure::L2Change];

fn grids() -> impl Strategy<Value = [usize; 2]> {
    [1..=8_usize, 1..=8_usize]
}

/// Whole numbers, so that a power of two as factor and a whole number as offset change no digit and break no tie.
fn whole([rows, cols]: [usize; 2]) -> BoxedStrategy<Heatmap> {
    let some_ties = prop::collection::vec(-900..=900_i16, rows * cols);
    let many_ties = prop::collection::vec(-2..=3_i16, rows * cols);
    let values = prop_oneof![some_ties, many_ties];
    values
        .prop_map(move |values| Heatmap::new(rows, cols, values.into_iter().map(f32::from).collect()).unwrap())
        .boxed()
}

/// Signed, with many ties, sparse, constant, or with a cell that is no number.
fn any_map([rows, cols]: [usize; 2]) -> BoxedStrategy<Heatmap> {
    let cells = rows * cols;
    let map = move |values| Heatmap::new(rows, cols, values).unwrap();
    let signed = prop::collection::vec(-1000.0..1000.0_f32, cells);
    let sparse = prop::collection::vec(prop_oneof![3 => Just(0.0), 1 => 0.0..1.0_f32], cells);
    let constant = prop_oneof![Just(0.0), -5.0..5.0_f32].prop_map(move |value| vec![value; cells]);
    let broken =
        (prop::collection::vec(-1.0..1.0_f32, cells), 0..cells, prop::sample::select(vec![f32::NAN, f32::INFINITY]))
            .prop_map(|(mut values, cell, what)| {
                values[cell] = what;
                values
            });
    prop_oneof![
        3 => signed.prop_map(map),
        3 => whole([rows, cols]),
        2 => sparse.prop_map(map),
        1 => constant.prop_map(map),
        1 => broken.prop_map(map),
    ]
    .boxed()
}

fn pairs(map: fn([usize; 2]) -> BoxedStrategy<Heatmap>) -> impl Strategy<Value = [Heatmap; 2]> {
    grids().prop_flat_map(move |grid| [map(grid), map(grid)])
}

fn changed(map: &Heatmap, change: impl Fn(f32) -> f32) -> Heatmap {
    Heatmap::new(map.rows(), map.cols(), map.values().iter().map(|&value| change(value)).collect()).unwrap()
}

/// Both undefined, or equal but for rounding.
fn near(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= ROUNDING * one.abs().max(1.0),
        (one, other) => one == other,
    }
}

/// Whether the documentation says that a measure is defined for two maps of one grid.
fn is_defined(measure: Measure, maps: [&Heatmap; 2]) -> bool {
    let both = |of: fn(&Heatmap) -> bool| maps.into_iter().all(of);
    let alive = both(|map| map.status() == MapStatus::Alive);
    let own = match measure {
        Measure::Pearson => alive,
        Measure::Cosine => both(|map| map.status() != MapStatus::Dead),
        Measure::Ssim => alive && maps[0].rows().min(maps[0].cols()) >= 3,
        _ if OF_ORDER.contains(&measure) => alive,
        _ if OF_SHARES.contains(&measure) => both(|map| map.values().iter().any(|&value| value > 0.0)),
        _ => true,
    };
    own && both(|map| map.status() != MapStatus::NonFinite)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_measure_is_defined_where_it_says_symmetric_and_in_its_range([one, other] in pairs(any_map)) {
        for measure in Measure::ALL {
            let (found, turned) = (measure.between(&one, &other), measure.between(&other, &one));
            prop_assert_eq!(found.is_some(), is_defined(measure, [&one, &other]), "{}", measure);
            prop_assert!(near(found, turned), "{measure} {found:?} {turned:?}");
            prop_assert!(found.is_none_or(|value| measure.range().contains(value)), "{measure} {found:?}");
        }
    }

    #[test]
    fn a_map_is_exactly_like_itself(map in grids().prop_flat_map(any_map)) {
        for measure in Measure::ALL {
            let distance = measure.between(&map, &map).map(|value| measure.distance(value));
            prop_assert!(distance.is_none_or(|distance| distance == 0.0), "{measure} {distance:?}");
        }
    }

    /// Order: any increasing change. Shares and the cosine: a positive factor. Correlation and SSIM: an offset too.
    #[test]
    fn a_measure_does_not_see_the_scale_that_it_says_it_does_not(
        [one, other] in pairs(whole),
        factor in prop::sample::select(vec![0.25_f32, 0.5, 2.0, 8.0]),
        offset in -64..64_i8,
    ) {
        let scaled = changed(&one, |value| factor * value);
        let moved = changed(&one, |value| factor * value + f32::from(offset));
        let bent = changed(&one, |value| value.powi(3));
        for measure in Measure::ALL {
            let found = measure.between(&one, &other);
            let same = |of: &Heatmap| near(measure.between(of, &other), found);
            if OF_ORDER.contains(&measure) {
                prop_assert_eq!(measure.between(&bent, &other), found, "{}", measure);
            }
            if OF_ORDER.contains(&measure) || [Measure::Pearson, Measure::Ssim].contains(&measure) {
                prop_assert!(same(&moved), "{measure} {found:?}");
            }
            if OF_SHARES.contains(&measure) || measure == Measure::Cosine {
                prop_assert!(same(&scaled), "{measure} {found:?}");
            }
            if OF_AMOUNTS.contains(&measure) {
                let both = measure.between(&scaled, &changed(&other, |value| factor * value));
                prop_assert!(near(both, found.map(|value| value * f64::from(factor))), "{measure} {found:?} {both:?}");
            }
        }
    }

    #[test]
    fn shares_do_not_see_what_speaks_against_the_class([one, other] in pairs(any_map)) {
        // A cell that is no number stays what it is.
        let clipped = changed(&one, |value| if value < 0.0 { 0.0 } else { value });
        for measure in OF_SHARES {
            prop_assert_eq!(measure.between(&clipped, &other), measure.between(&one, &other), "{}", measure);
        }
    }

    /// Of those that are metrics, a way round is never shorter.
    #[test]
    fn a_way_round_is_not_shorter([a, b, c] in grids().prop_flat_map(|grid| [any_map(grid), any_map(grid), any_map(grid)])) {
        use Measure::{CentroidDisplacement, EarthMovers, Hellinger, L1Change, L2Change, TotalVariation};
        for measure in [CentroidDisplacement, EarthMovers, Hellinger, L1Change, L2Change, TotalVariation] {
            let between = [(&a, &c), (&a, &b), (&b, &c)].map(|(one, other)| measure.between(one, other));
            let [Some(straight), Some(first), Some(second)] = between else { continue };
            prop_assert!(straight <= first + second + ROUNDING * straight.max(1.0), "{measure} {between:?}");
        }
    }

    /// The centre moves no further than the evidence on average; Le Cam's inequality; Jensen-Shannon in bits is at most the
    /// total variation (Lin 1991).
    #[test]
    fn distances_bound_one_another([one, other] in pairs(any_map)) {
        let of = |measure: Measure| measure.between(&one, &other);
        if let (Some(variation), Some(hellinger)) = (of(Measure::TotalVariation), of(Measure::Hellinger)) {
            prop_assert!(hellinger.powi(2) <= variation + ROUNDING);
            prop_assert!(variation <= 2f64.sqrt() * hellinger + ROUNDING);
            prop_assert!(of(Measure::JensenShannon).unwrap() <= variation + ROUNDING);
            let (work, moved) = (of(Measure::EarthMovers).unwrap(), of(Measure::CentroidDisplacement).unwrap());
            prop_assert!(moved <= work + ROUNDING && work <= 2f64.sqrt() * variation + ROUNDING);
        }
    }

    #[test]
    fn descriptors_are_in_their_range_and_know_no_strength(map in grids().prop_flat_map(any_map)) {
        let cells = map.values().len() as f64;
        let [prepared, stronger] = [Prepared::new(map.clone()), Prepared::new(changed(&map, |value| 4.0 * value))];
        for descriptor in Descriptor::ALL {
            let found = prepared.descriptor(descriptor);
            prop_assert!(found.is_none_or(|value| descriptor.range().contains(value)), "{descriptor} {found:?}");
            let factor = if matches!(descriptor, Descriptor::PositiveMass | Descriptor::NegativeMass) { 4.0 } else { 1.0 };
            prop_assert!(near(stronger.descriptor(descriptor), found.map(|value| factor * value)), "{descriptor}");
        }
        if let Some(area) = prepared.descriptor(Descriptor::EffectiveArea) {
            prop_assert!(1.0 / cells <= area + ROUNDING);
            prop_assert!(prepared.descriptor(Descriptor::Entropy).unwrap() <= cells.ln() + ROUNDING);
            prop_assert!(prepared.descriptor(Descriptor::Gini).unwrap() <= 1.0 - 1.0 / cells + ROUNDING);
            prop_assert!(prepared.descriptor(Descriptor::TopMass20).unwrap() >= (1.0 / cells).min(0.2) - ROUNDING);
        }
    }

    #[test]
    fn scales_reach_from_nothing_to_the_whole(map in grids().prop_flat_map(any_map)) {
        if let Some(stretched) = map.normalised(Normalise::MinMax) {
            let values = stretched.values();
            prop_assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
            prop_assert!(values.contains(&0.0) && values.contains(&1.0));
        }
        if let Some(shares) = map.normalised(Normalise::UnitSum) {
            prop_assert!((shares.values().iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
        if let Some(ranks) = map.normalised(Normalise::Rank) {
            let mean = ranks.values().iter().sum::<f32>() / ranks.values().len() as f32;
            prop_assert!((mean - 0.5).abs() < 1e-5, "{mean}");
        }
        if let Some(raw) = map.normalised(Normalise::None) {
            prop_assert_eq!(raw, map);
        }
    }

    #[test]
    fn resizing_invents_no_value(map in grids().prop_flat_map(whole), [rows, cols] in grids()) {
        let (low, high) = map.values().iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
        let resized = map.resize_bilinear(rows, cols).unwrap();
        prop_assert_eq!(resized.grid(), [rows, cols]);
        prop_assert!(resized.values().iter().all(|value| (low..=high).contains(value)));
        prop_assert_eq!(map.resize_bilinear(map.rows(), map.cols()).unwrap(), map);
    }
}
