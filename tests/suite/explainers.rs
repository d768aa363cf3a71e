//! Explainers on paper: closed forms and conserved sums.

use crate::support::{alone, devices, fast_device, minis, numbers, pseudo_random, relative_difference};
use burn::tensor::Tensor;
use driftscope::explain::{Explained, Explainer, GradCam, Rollout, Target, explain};
use driftscope::measure::MapStatus;
use driftscope::models::{Mode, Model, Tap, Taps, Watch};
use driftscope::store::format::{TITLES, title_of};

/// Sums of a few hundred float32 products.
const ROUNDING: f32 = 1e-5;

fn look(model: &Model, explainer: Explainer, images: &Tensor<4>) -> Explained {
    explain(model, &[explainer], images.clone(), &[Some(0), Some(3)], &[Target::Label]).unwrap()
}

fn taps(model: &Model, images: &Tensor<4>, wanted: &[Tap]) -> Vec<Tensor<4>> {
    let wanted: Vec<_> = wanted.iter().map(|&tap| (tap, Watch::Value)).collect();
    let mut taps = Taps::request(&model.taps(), &wanted).unwrap();
    model.forward(images.clone(), Mode::EVAL, &mut taps);
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
            let map = explained.explainers[0].targets[0].explanations[image].map.values();
            let cells = rows * columns;
            let closed: Vec<f32> = (0..cells)
                .map(|cell| {
                    let evidence =
                        |k: usize| weight[class * channels + k] * activation[(image * channels + k) * cells + cell];
                    (0..channels).map(evidence).sum::<f32>() / cells as f32
                })
                .collect();
            assert!(relative_difference(map, &closed) < ROUNDING, "{name}");
            let (sum, logit) = (map.iter().sum::<f32>(), explained.logits.values[image * 10 + class]);
            assert!((sum - (logit - bias[class])).abs() < 1e-4 * logit.abs().max(1.0), "{name}: {sum} against {logit}");
            assert_eq!(explained.explainers[0].targets[0].explanations[image].map.status(), MapStatus::Alive);
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
            let map = explained.explainers[0].targets[0].explanations[image].map.values();
            assert!(relative_difference(map, &expected) < ROUNDING, "{name}");
            let total = map.iter().map(|&share| f64::from(share)).sum::<f64>() + rollout[0];
            assert!((total - 1.0).abs() < 1e-5, "{name}: the row of the class token sums to {total}");
            assert_eq!(explained.explainers[0].targets[0].explanations[image].map.status(), MapStatus::Alive);
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
            let explainers = Explainer::defaults(&model_name.taps());
            let together = explain(&model, &explainers, images.clone(), &[Some(0), Some(3)], &[Target::Label]).unwrap();
            for (index, explainer) in explainers.into_iter().enumerate() {
                let alone = look(&model, explainer.clone(), &images);
                let [found, expected] =
                    [&together.explainers[index], &alone.explainers[0]].map(|of| &of.targets[0].explanations);
                for (found, expected) in found.iter().zip(expected) {
                    // Attention taps switch the model to explicit attention.
                    let difference = relative_difference(found.map.values(), expected.map.values());
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
    let error =
        explain(&model, &[Explainer::Rollout(Rollout::default())], images, &[Some(0)], &[Target::Label]).unwrap_err();
    assert!(error.to_string().contains("attention"), "{error}");
}

/// On paper, as for Grad-CAM, and the sum too: HiResCAM is `W_ck·A_k/(h·w)` under a pooled linear head.
#[test]
fn hires_cam_under_a_pooled_linear_head_is_grad_cam() {
    let _turn = alone();
    for (name, device) in devices() {
        let (_, model) = minis(&device).remove(0);
        let images = pseudo_random([2, 3, 96, 96], 14, &device);
        let maps = |specification: &str| {
            let mut explained = look(&model, specification.parse().unwrap(), &images);
            explained.explainers.remove(0).targets.remove(0).explanations
        };
        for (hires, grad_cam) in maps("hires-cam").iter().zip(&maps("grad-cam")) {
            assert!(relative_difference(hires.map.values(), grad_cam.map.values()) < ROUNDING, "{name}");
        }
    }
}

/// Every method that fits a model, alone and with all others in one call. Attention taps switch to explicit attention,
/// and a probe adds where a lift replaces: float32 rounding, which gradients through a few layers carry further.
#[test]
fn all_explainers_together_give_what_each_gives_alone_for_every_target() {
    let _turn = alone();
    let device = fast_device();
    for (name, model) in minis(&device) {
        let images = pseudo_random([2, 3, 96, 96], 15, &device);
        let fits = |explainer: &Explainer| explainer.fits(&model.taps()).unwrap();
        let explainers: Vec<Explainer> = Explainer::all().into_iter().filter(fits).collect();
        assert_eq!(explainers.len(), if name.spec().has_attention() { 15 } else { 10 }, "{name}");
        let targets = [Target::Label, Target::Prediction, Target::Class(3)];
        let together = explain(&model, &explainers, images.clone(), &[Some(0), Some(3)], &targets).unwrap();
        for (explainer, found) in explainers.iter().zip(&together.explainers) {
            let expected = if explainer.class_specific() { 3 } else { 1 };
            assert_eq!(found.targets.len(), expected, "{}", explainer.name());
            assert!(found.targets.get(2).is_none_or(|target| target.classes == [3, 3]));
            for (target, found) in targets.iter().zip(&found.targets) {
                let alone =
                    explain(&model, std::slice::from_ref(explainer), images.clone(), &[Some(0), Some(3)], &[*target]);
                let expected = alone.unwrap().explainers.remove(0).targets.remove(0).explanations;
                for (found, expected) in found.explanations.iter().zip(&expected) {
                    let difference = relative_difference(found.map.values(), expected.map.values());
                    assert!(difference < 1e-3, "{name}, {}, {target:?}: {difference}", explainer.name());
                    assert_eq!(found.map.status(), MapStatus::Alive, "{name}, {}", explainer.name());
                }
            }
        }
    }
}

/// The axiom: attributions sum to the difference of logits. A ReLU's kinks and a softmax's curve leave a hundredth at 64
/// points, and more points leave less, down to float32's rounding, where a fresh ResNet, whose branches start at zero, is
/// at once.
#[test]
fn integrated_gradients_sum_to_the_difference_of_logits() {
    let _turn = alone();
    let device = fast_device();
    for (name, model) in minis(&device) {
        let images = pseudo_random([2, 3, 96, 96], 16, &device);
        let gap = |steps: usize| {
            let explained = look(&model, format!("integrated-gradients:steps={steps}").parse().unwrap(), &images);
            let baseline = numbers(&model.forward(images.zeros_like(), Mode::EVAL, &mut Taps::none()));
            let mut worst = 0.0_f32;
            for (image, class) in [(0, 0), (1, 3)] {
                let explanation = &explained.explainers[0].targets[0].explanations[image];
                let difference = explained.logits.values[image * 10 + class] - baseline[image * 10 + class];
                let sum: f32 = explanation.map.values().iter().sum();
                let gap = explanation.completeness_gap.unwrap();
                assert!((sum - difference - gap).abs() < 1e-4 * difference.abs().max(1.0), "{name}: {gap}");
                worst = worst.max(gap.abs() / difference.abs());
            }
            worst
        };
        let (coarse, fine) = (gap(2), gap(64));
        assert!(fine < 1e-2 && fine < coarse.max(1e-5), "{name}: {coarse} with 2 points, {fine} with 64");
    }
}

/// By hand: the logit of the picture minus that of the picture with one cell (8×8 pixels of zeros) covered.
#[test]
fn occlusion_is_what_covering_a_cell_takes_from_the_logit() {
    let _turn = alone();
    let device = fast_device();
    for (name, model) in minis(&device) {
        let images = pseudo_random([1, 3, 96, 96], 17, &device);
        let explained =
            explain(&model, &["occlusion".parse().unwrap()], images.clone(), &[Some(4)], &[Target::Label]).unwrap();
        let (row, column) = (5, 7);
        let hole = Tensor::<4>::zeros([1, 3, 8, 8], &device);
        let covered = images.slice_assign([0..1, 0..3, row * 8..row * 8 + 8, column * 8..column * 8 + 8], hole);
        let logit = numbers(&model.forward(covered, Mode::EVAL, &mut Taps::none()))[4];
        let found = explained.explainers[0].targets[0].explanations[0].map.values()[row * 12 + column];
        assert!((found - (explained.logits.values[4] - logit)).abs() < 1e-5, "{name}: {found}");
    }
}

/// One head of rollout up to the first block alone: half of that head's attention.
#[test]
fn rollout_by_head_keeps_a_map_for_every_block_and_head() {
    let _turn = alone();
    let device = fast_device();
    let (_, model) = minis(&device).remove(1);
    let images = pseudo_random([2, 3, 96, 96], 18, &device);
    let explained = look(&model, "rollout:per_head=true".parse().unwrap(), &images);
    let attention = taps(&model, &images, &[Tap::Attention(0)]).remove(0);
    let [_, heads, tokens, _] = attention.dims();
    let attention = numbers(&attention);
    for (image, explanation) in explained.explainers[0].targets[0].explanations.iter().enumerate() {
        assert_eq!(explanation.layers.len(), 4);
        assert!(explanation.layers.iter().all(|layer| layer.len() == heads));
        for head in 0..heads {
            let start = (image * heads + head) * tokens * tokens;
            let expected: Vec<f32> = attention[start + 1..start + tokens].iter().map(|share| share / 2.0).collect();
            assert!(relative_difference(explanation.layers[0][head].values(), &expected) < ROUNDING);
        }
    }
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let _turn = alone();
    let device = burn::tensor::Device::flex();
    let models = minis(&device);
    for (model, specification, parts) in [
        (0, "grad-cam:layer=5", ["layer is 5", "[1, 2, 3, 4]"]),
        (1, "grad-cam:layer=4", ["layer is 4", "[0, 1, 2, 3]"]),
        (1, "raw-attention:block=9", ["block is 9", "[0, 1, 2, 3]"]),
        (1, "rollout:discard=1", ["discard is 1", "less than 1"]),
        (1, "rollout:start_block=4", ["start_block is 4", "[0, 1, 2, 3]"]),
        (0, "occlusion:window=13", ["window is 13", "expected 1 to 12"]),
        (0, "smooth-grad:samples=0", ["samples is 0", "expected 1 to"]),
        (0, "le-grad", ["le-grad", "attention"]),
    ] {
        let images = pseudo_random([1, 3, 96, 96], 1, &device);
        let explainers = [specification.parse().unwrap()];
        let error =
            explain(&models[model].1, &explainers, images, &[Some(0)], &[Target::Label]).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{specification}: {error}");
    }
}

/// What files of the first schema leave unsaid is what they would say now, settings included.
#[test]
fn the_frozen_titles_are_those_of_the_methods() {
    for (name, title) in TITLES {
        let explainer: Explainer = name.parse().unwrap();
        assert_eq!((explainer.method().name, explainer.method().title), (name, title));
        assert_eq!(explainer.title(), title_of(name));
    }
    for (text, title) in [
        ("grad-cam:layer=3", "Grad-CAM (layer 3)"),
        ("rollout:fusion=max:discard=0.9:per-head=true", "Attention rollout (discard 0.9 fusion max per head)"),
    ] {
        let explainer: Explainer = text.parse().unwrap();
        assert_eq!((explainer.title(), title_of(&explainer.name())), (title.to_string(), title.to_string()));
    }
}
