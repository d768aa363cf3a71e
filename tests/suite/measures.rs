//! Drift measures beside those of SciPy, scikit-image, scikit-learn, Quantus and POT (`scripts/parity/drift.py`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use driftscope::measure::{Descriptor, Heatmap, Measure, Prepared};
use serde::Deserialize;

/// A millionth. The differences are those of the order of sums, and Quantus' 1e-7 in the Gini.
const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Golden {
    maps: Vec<Map>,
    pairs: Vec<Pair>,
}

#[derive(Deserialize)]
struct Map {
    side: usize,
    values: Vec<f32>,
    descriptors: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Pair {
    one: usize,
    other: usize,
    measures: BTreeMap<String, f64>,
}

fn golden() -> (Golden, Vec<Heatmap>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/drift.json");
    let golden: Golden = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let maps = golden.maps.iter().map(|map| Heatmap::new(map.side, map.side, map.values.clone()).unwrap()).collect();
    (golden, maps)
}

#[test]
fn every_measure_is_that_of_the_libraries() {
    let (golden, maps) = golden();
    for pair in &golden.pairs {
        assert_eq!(pair.measures.len(), Measure::ALL.len());
        for measure in Measure::ALL {
            let expected = pair.measures[measure.name()];
            let found = measure.between(&maps[pair.one], &maps[pair.other]).unwrap();
            let close = (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            assert!(close, "{measure} of maps {} and {}: {found}, expected {expected}", pair.one, pair.other);
        }
    }
}

#[test]
fn every_descriptor_is_that_of_the_libraries() {
    let (golden, maps) = golden();
    for (map, expected) in maps.into_iter().zip(&golden.maps) {
        let prepared = Prepared::new(map);
        assert_eq!(expected.descriptors.len(), Descriptor::ALL.len());
        for descriptor in Descriptor::ALL {
            let expected = expected.descriptors[descriptor.name()];
            let found = prepared.descriptor(descriptor).unwrap();
            assert!((found - expected).abs() <= TOLERANCE, "{descriptor}: {found}, expected {expected}");
        }
    }
}
