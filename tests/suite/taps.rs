//! The proofs that explaining stands on: taps give the analytic gradient, whichever way they are differentiated.

use crate::support::{alone, devices, minis, numbers, pseudo_random, relative_difference};
use burn::tensor::{Device, Int, Tensor};
use driftscope::models::{Mode, Model, Tap, Taps, Watch};

/// Gradients that pass through the same float32 operations, summed in another order at most.
const ROUNDING: f32 = 1e-4;
/// Explicit attention forms probabilities where the fused kernel streams them: same mathematics, other rounding.
const ATTENTION: f32 = 1e-4;

/// The tap whose gradient explains a class.
fn last_feature_tap(model: &Model) -> Tap {
    let is_map = |tap: &Tap| matches!(tap, Tap::Stage(_) | Tap::BlockNorm(_));
    model.taps().into_iter().map(|spec| spec.tap).rfind(is_map).unwrap()
}

/// The gradient of the logits of class 0 and 1 (one an image) at `tap`.
fn gradient(model: &Model, images: Tensor<4>, tap: Tap, watch: Watch) -> Vec<f32> {
    let mut taps = Taps::request(&model.taps(), &[(tap, watch)]).unwrap();
    let device = images.device().inner();
    let logits = model.forward(images, Mode::EVAL, &mut taps);
    let targets = Tensor::<2, Int>::from_ints([[0], [1]], &device);
    let gradients = logits.gather(1, targets).sum().backward();
    numbers(&taps.into_seen()[0].gradient(&gradients).unwrap())
}

fn images(device: &Device) -> Tensor<4> {
    pseudo_random([2, 3, 96, 96], 7, device)
}

/// On paper: pooling and a linear head. `logit_c = Σ_k W_ck · mean(A_k) + b_c`, so `∂logit_c/∂A_k = W_ck/(rows·columns)`
/// in every cell.
#[test]
fn a_lifted_activation_has_the_analytic_gradient_under_a_pooled_linear_head() {
    let _turn = alone();
    for (name, device) in devices() {
        for autodiff in [false, true] {
            let device = if autodiff { device.clone().autodiff() } else { device.clone() };
            let (_, model) = minis(&device).remove(0);
            let Model::ResNet(resnet) = &model else { panic!("the first mini is the ResNet") };
            let weight = numbers(&resnet.fc.weight.val().inner());
            let channels = weight.len() / 10;
            for watch in [Watch::Lift, Watch::Probe] {
                let found = gradient(&model, images(&device.clone().inner()), Tap::Stage(4), watch);
                let cells = found.len() / (2 * channels);
                let expected: Vec<f32> =
                    (0..2 * channels).flat_map(|row| std::iter::repeat_n(weight[row] / cells as f32, cells)).collect();
                let difference = relative_difference(&found, &expected);
                assert!(difference < ROUNDING, "{name}, autodiff {autodiff}, {watch:?}: {difference}");
            }
        }
    }
}

#[test]
fn a_zero_probe_and_a_lifted_activation_agree_with_parameters_frozen_or_not() {
    let _turn = alone();
    for (name, device) in devices() {
        let plain = minis(&device);
        let trained = minis(&device.clone().autodiff());
        for ((model_name, frozen), (_, live)) in plain.iter().zip(&trained) {
            let tap = last_feature_tap(frozen);
            let reference = gradient(frozen, images(&device), tap, Watch::Lift);
            for (model, watch) in [(frozen, Watch::Probe), (live, Watch::Lift), (live, Watch::Probe)] {
                let found = gradient(model, images(&device), tap, watch);
                let difference = relative_difference(&found, &reference);
                assert!(difference < ROUNDING, "{name}, {model_name}, {watch:?}: {difference}");
            }
        }
    }
}

#[test]
fn explicit_and_fused_attention_give_the_same_logits() {
    let _turn = alone();
    for (name, device) in devices() {
        let (_, model) = minis(&device).remove(1);
        let fused = model.forward(images(&device), Mode::EVAL, &mut Taps::none());
        let attention: Vec<_> = model.taps().iter().map(|spec| (spec.tap, Watch::Value)).collect();
        let mut taps = Taps::request(&model.taps(), &attention).unwrap();
        let explicit = model.forward(images(&device), Mode::EVAL, &mut taps);
        let difference = relative_difference(&numbers(&explicit), &numbers(&fused));
        assert!(difference < ATTENTION, "{name}: {difference}");
    }
}

#[test]
fn a_requested_tap_is_never_absent_and_has_the_grid_it_promises() {
    let _turn = alone();
    for (_, device) in devices() {
        for (name, model) in minis(&device) {
            let specs = model.taps();
            let wanted: Vec<_> = specs.iter().map(|spec| (spec.tap, Watch::Value)).collect();
            let mut taps = Taps::request(&specs, &wanted).unwrap();
            model.forward(images(&device), Mode::EVAL, &mut taps);
            let seen = taps.into_seen();
            assert_eq!(seen.len(), specs.len(), "{name}");
            for tapped in seen {
                let [_, _, rows, columns] = tapped.value().dims();
                let [grid_rows, grid_columns] = tapped.spec.grid;
                let tokens = tapped.spec.prefix_tokens + grid_rows * grid_columns;
                let expected = match tapped.spec.tap {
                    Tap::Attention(_) => [tokens, tokens],
                    _ => [grid_rows, grid_columns],
                };
                assert_eq!([rows, columns], expected, "{name}, {}", tapped.spec.tap);
                assert!(grid_rows >= 7, "{name}: a map of a smaller grid is vacuous");
            }
        }
    }
}

#[test]
fn an_unknown_tap_is_an_error_that_names_those_there_are() {
    let _turn = alone();
    let (_, model) = minis(&Device::flex()).remove(0);
    let error = Taps::request(&model.taps(), &[(Tap::Attention(3), Watch::Value)]).unwrap_err().to_string();
    assert!(error.contains("blocks.3.attn") && error.contains("layer4"), "{error}");
}

#[test]
fn attention_rows_sum_to_one() {
    let _turn = alone();
    for (_, device) in devices() {
        let (_, model) = minis(&device).remove(1);
        let wanted = [(Tap::Attention(0), Watch::Value)];
        let mut taps = Taps::request(&model.taps(), &wanted).unwrap();
        model.forward(images(&device), Mode::EVAL, &mut taps);
        let rows = taps.into_seen()[0].value().sum_dim(3);
        // 145 float32 shares.
        assert!(numbers(&rows).iter().all(|sum| (sum - 1.0).abs() < 1e-5));
    }
}
