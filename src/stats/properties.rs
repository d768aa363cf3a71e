//! What must hold for statistics of any numbers.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// The same cases every time, and no file of failures.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() }
}

/// Of means of whole numbers up to a thousand.
const ROUNDING: f64 = 1e-9;

/// Whole numbers: their sums and differences are exact.
fn numbers(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-1000..=1000_i16).prop_map(f64::from), count)
}

/// Whole numbers, one in four undefined.
fn values(count: usize) -> impl Strategy<Value = Vec<Option<f64>>> {
    prop::collection::vec(prop::option::weighted(0.75, (-20..=20_i8).prop_map(f64::from)), count)
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

proptest! {
    #![proptest_config(config())]

    /// Whatever is drawn.
    #[test]
    fn a_derangement_is_one_cycle_through_everything(draws in prop::collection::vec(any::<usize>(), 0..40)) {
        let length = draws.len();
        let mut drawn = draws.into_iter();
        let order = derangement(length, |end| drawn.next().unwrap() % end);
        let (mut at, mut steps) = (0, 0);
        while steps < length {
            (at, steps) = (order[at], steps + 1);
            if at == 0 {
                break;
            }
        }
        prop_assert_eq!(steps, length, "{:?}", order);
        prop_assert!(length < 2 || order.iter().enumerate().all(|(from, &to)| from != to));
    }

    #[test]
    fn a_quantile_rises_from_the_smallest_to_the_largest(
        values in numbers(1..40),
        shares in prop::collection::vec(0.0..=1.0_f64, 2),
    ) {
        let (low, high) = bounds(values.iter().copied());
        let at = |share: f64| quantile(&mut values.clone(), share).unwrap();
        prop_assert_eq!((at(0.0), at(1.0)), (low, high));
        let [first, second] = [shares[0].min(shares[1]), shares[0].max(shares[1])];
        prop_assert!(low <= at(first) && at(first) <= at(second) && at(second) <= high);
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        prop_assert_eq!(quantile(&mut sorted, first).unwrap(), at(first), "whatever their order");
    }

    /// An interval need not hold the mean of the panel itself, so nothing is said of that.
    #[test]
    fn an_interval_lies_within_the_values_and_moves_with_them(
        values in (0..20_usize).prop_flat_map(values),
        offset in -50..50_i8,
    ) {
        let resamples = Resamples::new(100, values.len());
        let found = resamples.interval(&values);
        prop_assert_eq!(found.is_some(), values.iter().flatten().count() > 1);
        let Some([low, high]) = found else { return Ok(()) };
        let (least, greatest) = bounds(values.iter().flatten().copied());
        prop_assert!(least - ROUNDING <= low && low <= high && high <= greatest + ROUNDING, "{found:?}");
        prop_assert!(least < greatest || (low, high) == (least, greatest));
        let changed = |change: &dyn Fn(f64) -> f64| -> Vec<Option<f64>> {
            values.iter().map(|value| value.map(change)).collect()
        };
        let [moved_low, moved_high] = resamples.interval(&changed(&|value| value + f64::from(offset))).unwrap();
        prop_assert!((moved_low - low - f64::from(offset)).abs() < ROUNDING);
        prop_assert!((moved_high - high - f64::from(offset)).abs() < ROUNDING);
        let [turned_low, turned_high] = resamples.interval(&changed(&|value| -value)).unwrap();
        prop_assert!((turned_low + high).abs() < ROUNDING && (turned_high + low).abs() < ROUNDING);
    }

    #[test]
    fn rank_correlation_sees_the_order_alone(
        (left, right) in (0..20_usize).prop_flat_map(|count| (values(count), values(count))),
    ) {
        let once = vec![1; left.len()];
        let of = |one: &[Option<f64>], other: &[Option<f64>]| PairedRanks::of(one, other).correlation(&once);
        let found = of(&left, &right);
        prop_assert!(found.is_none_or(|value| (-1.0..=1.0).contains(&value)));
        prop_assert_eq!(of(&right, &left), found);
        let bent: Vec<_> = left.iter().map(|value| value.map(|value| value.powi(3) + value)).collect();
        prop_assert_eq!(of(&bent, &right), found);
        let both = left.iter().zip(&right).filter(|(one, other)| one.is_some() && other.is_some()).count();
        prop_assert_eq!(PairedRanks::of(&left, &right).defined(), both);
        let itself = of(&left, &left);
        prop_assert!(itself.is_none_or(|value| (value - 1.0).abs() < ROUNDING), "{itself:?}");
    }

    /// A panel that holds images several times is ranked like one that lists them so often.
    #[test]
    fn an_image_drawn_twice_counts_twice(
        (left, right, panel) in (1..12_usize)
            .prop_flat_map(|count| (values(count), values(count), prop::collection::vec(0..4_u16, count))),
    ) {
        let listed: Vec<usize> = (0..panel.len()).flat_map(|image| vec![image; panel[image].into()]).collect();
        let pick = |values: &[Option<f64>]| listed.iter().map(|&image| values[image]).collect::<Vec<_>>();
        let found = PairedRanks::of(&left, &right).correlation(&panel);
        let expected = PairedRanks::of(&pick(&left), &pick(&right)).correlation(&vec![1; listed.len()]);
        prop_assert_eq!(found.is_some(), expected.is_some());
        prop_assert!(found.zip(expected).is_none_or(|(found, expected)| (found - expected).abs() < ROUNDING));
    }

    #[test]
    fn vectors_correlate_between_minus_one_and_one(
        (left, right) in (1..20_usize).prop_flat_map(|count| (numbers(count), numbers(count))),
    ) {
        for of in [Vector::new, |values: Vec<f64>| Vector::centred(&values)] {
            let (Some(one), Some(other)) = (of(left.clone()), of(right.clone())) else { continue };
            prop_assert!((-1.0..=1.0).contains(&one.cosine(&other)));
            prop_assert_eq!(one.cosine(&other), other.cosine(&one));
            prop_assert_eq!(one.cosine(&one), 1.0);
        }
    }

    #[test]
    fn the_largest_is_the_first_of_the_greatest(values in prop::collection::vec(-3..=3_i8, 1..20)) {
        let values: Vec<f32> = values.into_iter().map(f32::from).collect();
        let found = largest(&values);
        prop_assert!(values.iter().all(|&value| value <= values[found]));
        prop_assert!(values[..found].iter().all(|&value| value < values[found]));
    }
}
