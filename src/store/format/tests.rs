use super::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Two images, one target, maps of 1 x 2: `[1, -0]` and `[NaN, 0.1]`.
pub(crate) fn sample() -> Explanations {
    Explanations {
        explainer: "grad-cam".into(),
        title: "Grad-CAM".into(),
        settings: serde_json::json!({"zeta": 1.5, "alpha": {"two": 2, "one": [true, null]}}),
        tap: "layer4".into(),
        class_specific: true,
        untrained_head: false,
        panel_digest: "0123".into(),
        image_ids: vec!["banded/1.jpg".into(), "woven/ü.jpg".into()],
        target_kinds: vec!["label".into()],
        grid: [1, 2],
        maps: vec![1.0, -0.0, f32::NAN, 0.1],
        floor_maps: vec![1.0, 0.0, 0.25, 0.1],
        layer_maps: None,
        attention_distance: None,
        completeness_gap: None,
        targets: vec![0, 1],
        predicted: vec![0, 0],
        labels: vec![0, 1],
        logits: vec![2.0, -1.0, 0.5, f32::MIN_POSITIVE],
        classes: 2,
    }
}

fn decode(bytes: &[u8]) -> Result<Explanations, StoreError> {
    Explanations::decode(bytes, Path::new("grad-cam.safetensors"))
}

/// The file's bytes after one replacement of equal length in its header.
fn edited(from: &str, to: &str) -> Vec<u8> {
    let bytes = sample().encode().unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

#[test]
fn a_file_is_read_back_bit_for_bit() {
    let before = sample();
    let after = decode(&before.encode().unwrap()).unwrap();
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&after.maps), bits(&before.maps));
    let same_maps = |maps: Explanations| Explanations { maps: vec![], ..maps };
    assert_eq!(same_maps(after), same_maps(before));
}

#[test]
fn what_only_some_methods_have_is_kept_too() {
    let layer_maps = LayerMaps { layers: 3, heads: 1, values: (0..12).map(|value| value as f32).collect() };
    let rich = Explanations {
        maps: vec![0.0; 4],
        layer_maps: Some(layer_maps),
        attention_distance: Some(AttentionDistance { layers: 1, heads: 2, values: vec![0.1, 0.2, 0.3, 0.4] }),
        completeness_gap: Some(vec![0.5, -0.5]),
        ..sample()
    };
    assert_eq!(decode(&rich.encode().unwrap()).unwrap(), rich);
    assert_eq!(rich.layer_map(1, 2, 0).unwrap().values(), [10.0, 11.0]);
    assert!(rich.layer_map(2, 0, 0).is_none() && rich.layer_map(0, 3, 0).is_none());
    assert!(rich.layer_map(0, 0, 1).is_none() && sample().layer_map(0, 0, 0).is_none());
}

/// A random key order would show within a few of these: every encoding builds its hash maps anew.
#[test]
fn equal_explanations_are_equal_bytes() {
    let bytes = sample().encode().unwrap();
    for _ in 0..64 {
        assert_eq!(sample().encode().unwrap(), bytes);
        assert_eq!(decode(&bytes).unwrap().encode().unwrap(), bytes);
    }
    let header = String::from_utf8_lossy(&bytes).into_owned();
    let position = |key: &str| header.find(&format!("\\\"{key}\\\"")).unwrap();
    assert!(position("class_specific") < position("classes") && position("settings") < position("tap"));
    assert!(position("alpha") < position("zeta") && position("one") < position("two"));
}

#[test]
fn a_map_is_found_by_image_and_target() {
    let explanations = sample();
    assert_eq!(explanations.map(0, 0).unwrap().values(), [1.0, 0.0]);
    assert_eq!(explanations.floor_map(1, 0).unwrap().values(), [0.25, 0.1]);
    assert!(explanations.map(0, 1).is_none() && explanations.map(2, 0).is_none());
}

#[test]
fn a_truncated_file_is_a_named_error() {
    let bytes = sample().encode().unwrap();
    for length in [0, 7, 40, bytes.len() - 1] {
        let error = decode(&bytes[..length]).unwrap_err();
        assert!(matches!(error, StoreError::Container { .. }), "{length}: {error:?}");
        assert!(error.to_string().contains("grad-cam.safetensors"));
    }
}

#[test]
fn a_newer_schema_is_refused_by_number() {
    let error = decode(&edited("schema\\\":2", "schema\\\":3")).unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { expected: 2, found: 3, .. }), "{error:?}");
    assert!(error.to_string().contains("schema 3, but this driftscope reads schema 2 at most"), "{error}");
}

/// What the first version wrote: no title.
#[test]
fn a_file_of_schema_1_has_the_title_of_its_method() {
    for (explainer, title) in [("rollout-fusion-max", "Attention rollout (fusion max)"), ("tea-leaves", "tea-leaves")] {
        let now = Explanations { explainer: explainer.into(), maps: vec![0.0; 4], ..sample() };
        let old = now.encode_under(&Header { schema: 1, title: None, ..now.header() }).unwrap();
        assert!(!String::from_utf8_lossy(&old).contains("title"));
        assert_eq!(decode(&old).unwrap(), Explanations { title: title.into(), ..now });
    }
}

#[test]
fn a_tensor_of_another_shape_is_refused() {
    let error = decode(&edited("[2,1,1,2]", "[1,2,1,2]")).unwrap_err();
    assert!(matches!(error, StoreError::WrongShape { tensor: "floor_maps", .. }), "{error:?}");
    let error = decode(&edited("logits", "l0gits")).unwrap_err();
    assert!(matches!(error, StoreError::Container { .. }), "{error:?}");
}

#[test]
fn a_safetensors_file_of_someone_else_is_refused() {
    let foreign = safetensors::serialize(Vec::<(String, TensorView)>::new(), None).unwrap();
    assert!(matches!(decode(&foreign), Err(StoreError::NoMetadata { key: "driftscope", .. })));
}

#[test]
fn a_field_of_another_length_is_not_written() {
    let short = Explanations { labels: vec![0], ..sample() };
    assert!(matches!(short.encode(), Err(StoreError::Encode { tensor: "labels", .. })));
}

/// Explanations of `images` images, `targets` targets, a grid and blocks and heads; every number any bits.
fn random([images, targets, rows, cols, layers, heads]: [usize; 6], seed: u64) -> Explanations {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let classes = 1 + seed as usize % 5;
    let mut floats = |count: usize| -> Vec<f32> { (0..count).map(|_| f32::from_bits(generator.random())).collect() };
    let by_head = (layers * heads > 0).then(|| floats(images * layers * heads * rows * cols));
    Explanations {
        title: format!("Ünïque \"{seed}\"\n"),
        untrained_head: seed.is_multiple_of(2),
        image_ids: (0..images).map(|image| format!("{image}/ü, \\ {seed}")).collect(),
        target_kinds: (0..targets).map(|target| format!("class {target}")).collect(),
        grid: [rows, cols],
        maps: floats(images * targets * rows * cols),
        floor_maps: floats(images * targets * rows * cols),
        layer_maps: by_head.map(|values| LayerMaps { layers, heads, values }),
        attention_distance: (layers * heads > 0).then(|| AttentionDistance {
            layers,
            heads,
            values: floats(images * layers * heads),
        }),
        completeness_gap: seed.is_multiple_of(3).then(|| floats(images * targets)),
        targets: vec![seed as i64; images * targets],
        predicted: vec![-(seed as i64); images],
        labels: vec![UNKNOWN_CLASS; images],
        logits: floats(images * classes),
        classes,
        ..sample()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        rng_seed: RngSeed::Fixed(2),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Compared by their bytes: a number may be NaN, which equals nothing.
    #[test]
    fn whatever_is_written_is_read_back(sizes in [0..4_usize, 0..3, 1..5, 1..5, 0..3, 0..3], seed in any::<u64>()) {
        let before = random(sizes, seed);
        let bytes = before.encode().unwrap();
        let after = decode(&bytes).unwrap();
        prop_assert_eq!(after.encode().unwrap(), bytes);
        prop_assert_eq!((&after.title, &after.image_ids), (&before.title, &before.image_ids));
        prop_assert_eq!((after.grid, after.classes, after.labels.len()), (before.grid, before.classes, sizes[0]));
        prop_assert!(after.map(sizes[0], 0).is_none() && after.map(0, sizes[1]).is_none());
    }

    /// A file that ends early anywhere is an error, not fewer maps.
    #[test]
    fn a_file_cut_anywhere_is_refused(seed in any::<u64>(), share in 0.0..1.0_f64) {
        let bytes = random([2, 1, 2, 2, 1, 1], seed).encode().unwrap();
        prop_assert!(decode(&bytes[..(share * bytes.len() as f64) as usize]).is_err());
    }
}
