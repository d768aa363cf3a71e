//! The models: sizes as published, modes as asked for, and a state that saving and loading does not change.

use crate::support::{alone, devices, minis, numbers, pseudo_random, relative_difference};
use burn::tensor::Device;
use driftscope::models::{Mode, Model, ModelName, Taps};
use driftscope::weights;
use std::path::Path;

/// The same operations with and without a tape.
const ROUNDING: f32 = 1e-5;

/// torchvision and timm publish 25,557,032 and 5,717,416 parameters with 1,000 classes. DeiT-Small on paper: a block has
/// 2·768 in its norms, 384·1152 + 1152 + 384² + 384 in its attention and 2·384·1536 + 1536 + 384 in its perceptron, in all
/// 1,774,464; twelve of them, 384 for the class token, 197·384 for positions, 384·3·16² + 384 for the patches, 2·384 for
/// the last norm and 385,000 in the head are 22,050,664.
#[test]
fn full_sizes_have_the_published_number_of_parameters() {
    let _turn = alone();
    let device = Device::flex().autodiff();
    assert_eq!(ModelName::Resnet50.init(1000, 0.0, 0, &device).parameter_count(), 25_557_032);
    assert_eq!(ModelName::DeitTiny.init(1000, 0.0, 0, &device).parameter_count(), 5_717_416);
    assert_eq!(ModelName::DeitSmall.init(1000, 0.0, 0, &device).parameter_count(), 22_050_664);
}

/// The published state dicts have 320 entries (`resnet50`), of which 53 are `num_batches_tracked` counters that
/// inference does not need, and 152 (`deit_tiny_patch16_224` and `deit_small_patch16_224`).
#[test]
fn state_dict_keys_are_those_of_torchvision_and_timm() {
    let _turn = alone();
    let device = Device::flex();
    let resnet = weights::state_dict(&ModelName::Resnet50.init(1000, 0.0, 0, &device));
    assert_eq!(resnet.len(), 320 - 53);
    for (key, shape) in [
        ("conv1.weight", vec![64, 3, 7, 7]),
        ("layer1.0.downsample.0.weight", vec![256, 64, 1, 1]),
        ("layer1.0.downsample.1.running_var", vec![256]),
        ("layer4.2.conv2.weight", vec![512, 512, 3, 3]),
        ("fc.weight", vec![1000, 2048]),
    ] {
        assert_eq!(resnet.get(key).map(|tensor| tensor.shape.clone()), Some(shape), "{key}");
    }
    let deit = weights::state_dict(&ModelName::DeitTiny.init(1000, 0.0, 0, &device));
    assert_eq!(deit.len(), 152);
    for (key, shape) in [
        ("cls_token", vec![1, 1, 192]),
        ("pos_embed", vec![1, 197, 192]),
        ("patch_embed.proj.weight", vec![192, 3, 16, 16]),
        ("blocks.11.attn.qkv.weight", vec![576, 192]),
        ("blocks.0.mlp.fc1.bias", vec![768]),
        ("head.weight", vec![1000, 192]),
    ] {
        assert_eq!(deit.get(key).map(|tensor| tensor.shape.clone()), Some(shape), "{key}");
    }
    let small = weights::state_dict(&ModelName::DeitSmall.init(1000, 0.0, 0, &device));
    assert!(small.keys().eq(deit.keys()), "the sizes of DeiT differ in width alone");
    for (key, shape) in [
        ("pos_embed", vec![1, 197, 384]),
        ("blocks.11.attn.qkv.weight", vec![1152, 384]),
        ("blocks.0.mlp.fc1.bias", vec![1536]),
        ("head.weight", vec![1000, 384]),
    ] {
        assert_eq!(small.get(key).map(|tensor| tensor.shape.clone()), Some(shape), "{key}");
    }
}

#[test]
fn evaluation_on_an_autodiff_device_equals_the_plain_one_and_moves_no_statistics() {
    let _turn = alone();
    for (name, device) in devices() {
        let live = minis(&device.clone().autodiff());
        for ((model_name, plain), (_, live)) in minis(&device).into_iter().zip(live) {
            let images = pseudo_random([2, 3, 96, 96], 5, &device);
            // Running statistics away from their start, so that using the batch's instead would show.
            let (plain, live) = (trained_a_little(plain, &device), trained_a_little(live, &device));
            let before = weights::state_dict(&live);
            let expected = plain.forward(images.clone(), Mode::EVAL, &mut Taps::none());
            for images in [images.clone(), images.autodiff()] {
                let found = live.forward(images, Mode::EVAL, &mut Taps::none());
                let difference = relative_difference(&numbers(&found.inner()), &numbers(&expected));
                assert!(difference < ROUNDING, "{name}, {model_name}: {difference}");
            }
            assert_eq!(weights::state_dict(&live), before, "{name}, {model_name}");
        }
    }
}

fn trained_a_little(model: Model, device: &Device) -> Model {
    let images = pseudo_random([4, 3, 96, 96], 6, device) * 2.0 + 0.5;
    model.forward(images, Mode::train(0), &mut Taps::none());
    model
}

#[test]
fn a_training_pass_moves_the_running_statistics_of_the_model_and_not_of_its_evaluated_copy() {
    let _turn = alone();
    for (name, device) in devices() {
        let (_, model) = minis(&device.clone().autodiff()).remove(0);
        let copy = model.valid();
        let before = weights::state_dict(&copy);
        let model = trained_a_little(model, &device);
        assert_ne!(weights::state_dict(&model), before, "{name}: training moved nothing");
        assert_eq!(weights::state_dict(&copy), before, "{name}: the copy shares its statistics");
        let valid = weights::state_dict(&model.valid());
        assert_eq!(weights::state_dict(&model), valid, "{name}: an update is pending");
    }
}

/// On paper: constant planes of 1 and 3. Mean 2, biased variance 1, and PyTorch's unbiased estimate over n = 2·h·w
/// numbers is n/(n−1). One update with momentum 0.1: mean 0.2, variance 0.9 + 0.1·n/(n−1).
#[test]
fn running_statistics_are_pytorchs() {
    let _turn = alone();
    use burn::tensor::Tensor;
    use driftscope::models::{BatchNorm2d, Initialiser};
    for (name, device) in devices() {
        let norm = BatchNorm2d::new(1, 1.0, &mut Initialiser::new(&device.clone().autodiff(), 0));
        let ones = Tensor::<4>::ones([1, 1, 2, 3], &device);
        norm.forward(Tensor::cat(vec![ones.clone(), ones * 3.0], 0), Mode::train(0));
        let (mean, variance) = (norm.running_mean.value(), norm.running_var.value());
        let expected = 0.9 + 0.1 * 12.0 / 11.0;
        assert!((numbers(&mean.inner())[0] - 0.2).abs() < 1e-6, "{name}");
        assert!((numbers(&variance.inner())[0] - expected).abs() < 1e-6, "{name}");
    }
}

#[test]
fn a_model_loads_what_it_saved_and_lists_what_does_not_fit() {
    let _turn = alone();
    let device = Device::flex();
    let path = Path::new("some.safetensors");
    for (name, model) in minis(&device) {
        let saved = weights::state_dict(&model);
        let bytes = weights::encode(&saved, &[("format", "pt")]).unwrap();
        let (read, metadata) = weights::decode(&bytes, path).unwrap();
        assert_eq!(metadata.get("format").map(String::as_str), Some("pt"));
        let other = name.init(10, 0.0, 2, &device);
        assert_ne!(weights::state_dict(&other), saved, "{name}: another seed is another model");
        let loaded = weights::load_state_dict(other, read.clone(), path).unwrap();
        assert_eq!(weights::state_dict(&loaded), saved, "{name}");

        let mut wrong = read;
        let (_, first) = wrong.pop_first().unwrap();
        wrong.insert("an.extra.name".to_string(), first);
        let error = weights::load_state_dict(loaded, wrong, path).unwrap_err().to_string();
        for part in ["some.safetensors", "1 missing", "1 unexpected (an.extra.name)"] {
            assert!(error.contains(part), "{error}");
        }
    }
}

#[test]
fn a_truncated_file_is_an_error_that_names_it() {
    let _turn = alone();
    let (_, model) = minis(&Device::flex()).remove(0);
    let bytes = weights::encode(&weights::state_dict(&model), &[("format", "pt")]).unwrap();
    let error = weights::decode(&bytes[..bytes.len() / 2], Path::new("half.safetensors")).unwrap_err();
    assert!(error.to_string().contains("half.safetensors"));
}
