//! Explainers on paper: closed forms and conserved sums.

use crate::support::{alone, devices, minis, numbers, pseudo_random, relative_difference};
use burn::tensor::Tensor;
use driftscope::explain::{Explained, Explainer, GradCam, Rollout, explain};
use driftscope::heatmap::MapStatus;
use driftscope::models::{Mode, Model, Tap, Taps, Watch};

/// Sums of a few hundred float32 products.
const ROUNDING: f32 = 1e-5;

fn look(model: &Model, explainer: Explainer, images: &Tensor<4>) -> Explained {
    explain(model, &[explainer], images.clone(), &[0, 3]).unwrap()
}

fn taps(model: &Model, images: &Tensor<4>, wanted: &[Tap]) -> Vec<Tensor<4>> {
    let wanted: Vec<_> = wanted.iter().map(|&tap| (tap, Watch::Value)).collect();
    let mut taps = Taps::request(&model.taps(), &wanted).unwrap();
    model.forward(images.clone(), Mode::Eval, &mut taps);
    taps.into_seen().iter().map(|tapped| tapped.value()).collect()
}

/// On paper: under pooling and a linear head `w_k = W_ck/(h·w)`, so the signed map is `Σ_k W_ck·A_k/(h·w)` and its sum
/// is `logit_c − b_c`.
#[test]
fn grad_cam_under_a_pooled_linear_head_is_its_closed_form_and_sums_to_logit_minus_bias() {
    let _turn = alone();
    for (name, device) in devices() {
        let (_, model) = minis(&device).remove(0);
        let Model::ResNet(resnet) = &model else { panic!("the first mini is the ResNet") };
        let images = pseudo_random([2, 3, 96, 96], 11, &device);
        let explained = look(&model, Explainer::GradCam(GradCam::default()), &images);
        let activation = taps(&model, &images, &[Tap::Stage(4)]).remove(0);
        let [_, channels, rows, columns] = activation.dims();
        let (weight, bias) = (numbers(&resnet.fc.weight.val()), numbers(&resnet.fc.bias.val()));
        let activation = numbers(&activation);
        for (image, class) in [(0, 0), (1, 3)] {
            let map = explained.maps[0][image].values();
            let cells = rows * columns;
            let closed: Vec<f32> = (0..cells)
                .map(|cell| {
                    let evidence =
                        |k: usize| weight[class * channels + k] * activation[(image * channels + k) * cells + cell];
                    (0..channels).map(evidence).sum::<f32>() / cells as f32
                })
                .collect();
            assert!(relative_difference(map, &closed) < ROUNDING, "{name}");
            let (sum, logit) = (map.iter().sum::<f32>(), explained.logits[image][class]);
            assert!((sum - (logit - bias[class])).abs() < 1e-4 * logit.abs().max(1.0), "{name}: {sum} against {logit}");
            assert_eq!(explained.maps[0][image].status(), MapStatus::Alive);
        }
    }
}

/// Against whole matrices multiplied one after another, `R ← (½A + ½I)·R`, in float64.
#[test]
fn rollout_equals_the_product_of_whole_matrices_and_its_shares_are_at_most_one() {
    let _turn = alone();
    for (name, device) in devices() {
        let (_, model) = minis(&device).remove(1);
        let images = pseudo_random([2, 3, 96, 96], 12, &device);
        let explained = look(&model, Explainer::Rollout(Rollout::default()), &images);
        let blocks: Vec<Tap> =
            model.taps().into_iter().map(|spec| spec.tap).filter(|tap| matches!(tap, Tap::Attention(_))).collect();
        let attention = taps(&model, &images, &blocks);
        let [_, heads, tokens, _] = attention[0].dims();
        let attention: Vec<Vec<f32>> = attention.iter().map(numbers).collect();
        for image in 0..2 {
            let mut rollout: Vec<f64> =
                (0..tokens * tokens).map(|cell| f64::from(u8::from(cell % (tokens + 1) == 0))).collect();
            for block in &attention {
                let mean = |cell: usize| {
                    let head = |head: usize| f64::from(block[(image * heads + head) * tokens * tokens + cell]);
                    (0..heads).map(head).sum::<f64>() / heads as f64
                };
                let step: Vec<f64> = (0..tokens * tokens)
                    .map(|cell| 0.5 * mean(cell) + 0.5 * f64::from(u8::from(cell % (tokens + 1) == 0)))
                    .collect();
                rollout = product(&step, &rollout, tokens);
            }
            let expected: Vec<f32> = rollout[1..tokens].iter().map(|&share| share as f32).collect();
            let map = explained.maps[0][image].values();
            assert!(relative_difference(map, &expected) < ROUNDING, "{name}");
            let total = map.iter().map(|&share| f64::from(share)).sum::<f64>() + rollout[0];
            assert!((total - 1.0).abs() < 1e-5, "{name}: the row of the class token sums to {total}");
            assert_eq!(explained.maps[0][image].status(), MapStatus::Alive);
        }
    }
}

fn product(left: &[f64], right: &[f64], side: usize) -> Vec<f64> {
    let mut out = vec![0.0; side * side];
    for row in 0..side {
        for inner in 0..side {
            for column in 0..side {
                out[row * side + column] += left[row * side + inner] * right[inner * side + column];
            }
        }
    }
    out
}

#[test]
fn explainers_together_give_what_each_gives_alone() {
    let _turn = alone();
    for (name, device) in devices() {
        for (model_name, model) in minis(&device) {
            let images = pseudo_random([2, 3, 96, 96], 13, &device);
            let explainers = Explainer::defaults(model_name);
            let together = explain(&model, &explainers, images.clone(), &[0, 3]).unwrap();
            for (index, explainer) in explainers.into_iter().enumerate() {
                let alone = look(&model, explainer.clone(), &images);
                for (found, expected) in together.maps[index].iter().zip(&alone.maps[0]) {
                    // Attention taps switch the model to explicit attention.
                    let difference = relative_difference(found.values(), expected.values());
                    assert!(difference < 1e-4, "{name}, {model_name}, {}: {difference}", explainer.name());
                }
            }
        }
    }
}

#[test]
fn a_cnn_has_no_rollout_and_says_so() {
    let _turn = alone();
    let device = burn::tensor::Device::flex();
    let (_, model) = minis(&device).remove(0);
    let images = pseudo_random([1, 3, 96, 96], 1, &device);
    let error = explain(&model, &[Explainer::Rollout(Rollout::default())], images, &[0]).unwrap_err();
    assert!(error.to_string().contains("attention"), "{error}");
}
