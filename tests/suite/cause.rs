//! Causes of drift, planted: whatever is exchanged between two checkpoints is what is found.

use crate::support::{alone, fast_device, minis, numbers, pseudo_random};
use burn::tensor::Device;
use driftscope::explain::Explainer;
use driftscope::models::{Model, ModelName};
use driftscope::picture::{Normalisation, Picture};
use driftscope::probe::{Cause, Images, Part, Question, causes};
use driftscope::weights::{load_state_dict, state_dict};
use std::path::Path;

const CLASSES: usize = 10;

fn images(side: usize) -> Images {
    let noise = numbers(&pseudo_random([3, side * side * 3], 5, &Device::flex()));
    let picture = |image: usize| {
        let bytes = &noise[image * side * side * 3..][..side * side * 3];
        Picture::new(side, side, bytes.iter().map(|value| (value * 127.0 + 128.0) as u8).collect())
    };
    let ids = ["a", "b", "c"].map(str::to_string).to_vec();
    let labels = vec![Some(0), Some(4), Some(7)];
    Images::new("panel".to_string(), ids, labels, (0..3).map(picture).collect(), Normalisation::IMAGENET, 0)
}

/// The model with one part of another.
fn with_part(model: &Model, other: &Model, part: Part) -> Model {
    let mut tensors = state_dict(model);
    let exchanged = other.parameters().into_iter().filter(|parameter| Part::of(parameter) == part);
    let drawn = state_dict(other);
    tensors.extend(exchanged.map(|parameter| (parameter.name.clone(), drawn[&parameter.name].clone())));
    load_state_dict(model.clone(), tensors, Path::new("planted")).unwrap()
}

fn found(name: ModelName, models: [&Model; 2], device: &Device) -> Vec<Cause> {
    let explainers: Vec<Explainer> = vec!["grad-cam".parse().unwrap(), "hires-cam".parse().unwrap()];
    let classes: Vec<String> = (0..CLASSES).map(|class| class.to_string()).collect();
    let question = Question::new(explainers, &["label".to_string()], &classes).unwrap();
    causes(&images(name.spec().image_size()), &question, models, device, |_, _| ()).unwrap()
}

#[test]
fn a_swapped_part_is_the_whole_cause() {
    let _turn = alone();
    let device = fast_device();
    for (name, model) in minis(&device) {
        let other = name.init(CLASSES, 0.0, 2, &device);
        for planted in [Part::Head, Part::Backbone] {
            for cause in found(name, [&model, &with_part(&model, &other, planted)], &device) {
                assert!(cause.change.mean.unwrap() > 0.05, "{name}, {}: {:?}", cause.explainer, cause.change);
                for contribution in &cause.contributions {
                    let expected = if contribution.part == planted { 1.0 } else { 0.0 };
                    let share = contribution.share.mean.unwrap();
                    // Mixtures that are one model give the same maps, so every gain is exactly 0 or the change.
                    assert!((share - expected).abs() < 1e-12, "{name}, {:?}: {share}", contribution.part);
                    let alone = if contribution.part == planted { cause.change.mean } else { Some(0.0) };
                    assert_eq!(contribution.alone.mean, alone, "{name}, {:?}", contribution.part);
                }
            }
        }
    }
}

#[test]
fn a_checkpoint_and_its_copy_have_no_cause() {
    let _turn = alone();
    let device = fast_device();
    let (name, model) = minis(&device).remove(0);
    for cause in found(name, [&model, &model.clone()], &device) {
        assert_eq!(cause.change.mean, Some(0.0));
        assert!(cause.contributions.iter().all(|part| part.share.mean.is_none() && part.alone.mean == Some(0.0)));
    }
}

#[test]
fn shares_of_a_change_of_everything_sum_to_one() {
    let _turn = alone();
    let device = fast_device();
    for (name, model) in minis(&device) {
        for cause in found(name, [&model, &name.init(CLASSES, 0.0, 2, &device)], &device) {
            let sum: f64 = cause.contributions.iter().map(|part| part.share.mean.unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{name}: {sum}");
            let has_statistics = cause.contributions.iter().any(|one| one.part == Part::BatchNormStatistics);
            assert_eq!(has_statistics, !name.spec().has_attention(), "{name}");
        }
    }
}
