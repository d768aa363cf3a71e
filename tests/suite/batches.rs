//! Batches that do not come out even, and learning rates that nothing survives.

use crate::support::{alone, driftscope, fast_device, numbers, pseudo_random, relative_difference, succeed};
use burn::tensor::{Int, Tensor, TensorData};
use driftscope::models::{Mode, Model, ModelName, Taps};
use driftscope::probe::cross_entropy;
use driftscope::train::StepGradients;
use driftscope::weights::{self, StateDict};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Ten classes of one picture: ten samples an epoch.
const TEN: &str = "epochs = 1\nexplainers = []\n[data]\ntrain_per_class = 1\nval_per_class = 1\n";
/// Nothing but the samples decides the gradients, and a step is the learning rate times the gradient.
const PLAIN: &str = "[augmentation]\ncrop_scale = [1.0, 1.0]\nflip = 0.0\n\
                     [optimizer]\nkind = \"sgd\"\nmomentum = 0.0\n[schedule]\nlearning_rate = 0.1\n";

fn train(dir: &Path, run: &str, settings: &str) -> StateDict {
    fs::write(dir.join("config.toml"), settings).unwrap();
    succeed(dir, &["train", "--config", "config.toml", "--run-dir", run]);
    let path = dir.join(run).join("epoch-0001/model.safetensors");
    weights::decode(&fs::read(&path).unwrap(), &path).unwrap().0
}

fn train_loss(dir: &Path, run: &str) -> f64 {
    let metrics = fs::read(dir.join(run).join("epoch-0001/metrics.json")).unwrap();
    serde_json::from_slice::<Value>(&metrics).unwrap()["training"]["train_loss"].as_f64().unwrap()
}

fn all(tensors: &StateDict) -> Vec<f32> {
    tensors.values().flat_map(|tensor| tensor.values.iter().copied()).collect()
}

/// A model's gradients of the mean loss over images of these classes, which come in batches of these sizes.
fn gradients(model: &Model, images: &Tensor<4>, classes: &[i64], sizes: &[usize]) -> Vec<f32> {
    let (mut sum, mut done) = (StepGradients::default(), 0);
    for &size in sizes {
        let labels = TensorData::new(classes[done..done + size].to_vec(), [size, 1]);
        let labels = Tensor::<2, Int>::from_data(labels, &images.device());
        let logits = model.forward(images.clone().narrow(0, done, size), Mode::EVAL, &mut Taps::none());
        sum.add(model, (cross_entropy(logits, labels).sum() / classes.len() as f64).backward());
        done += size;
    }
    let names = weights::state_dict(model).into_keys();
    names.filter_map(|name| sum.take(&name)).flat_map(|gradient| numbers(&gradient.flat())).collect()
}

/// Eight images at once, and in batches of three, three and a last one of two.
///
/// The same products are summed in another order. Float32 rounds each addition by at most 2⁻²⁴ of its result, so a sum of `n`
/// products is off by at most `n·2⁻²⁴` of the sum of their magnitudes. Here `n` is 8 images times 145 tokens, and the
/// gradients of single images stand for the products of each.
#[test]
fn gradients_of_a_few_batches_sum_to_those_of_all_images_at_once() {
    let _turn = alone();
    let device = fast_device();
    let model = ModelName::DeitMini.init(8, 0.0, 1, &device.clone().autodiff());
    let (images, classes) = (pseudo_random([8, 3, 96, 96], 5, &device.autodiff()), [0, 1, 2, 3, 4, 5, 6, 7]);
    let [at_once, in_parts] = [&[8][..], &[3, 3, 2]].map(|sizes| gradients(&model, &images, &classes, sizes));
    let mut magnitudes = vec![0.0; at_once.len()];
    for image in 0..8 {
        let single = gradients(&model, &images.clone().narrow(0, image, 1), &classes[image..=image], &[1]);
        // Of the mean over all images it is an eighth.
        magnitudes.iter_mut().zip(single).for_each(|(sum, value)| *sum += value.abs() / 8.0);
    }
    let norm = |values: &[f32]| values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    let difference: Vec<f32> = at_once.iter().zip(&in_parts).map(|(one, other)| one - other).collect();
    let bound = 8.0 * 145.0 / f64::from(1 << 24) * norm(&magnitudes);
    assert!(norm(&at_once) > 100.0 * bound, "the bound says something");
    assert!(norm(&difference) <= bound, "{} of at most {bound}", norm(&difference));
}

/// Ten samples in steps of eight: the second step has two. A step's gradient is the mean over its samples however many
/// batches they come in, so batches of 8, of 4 and 4, and of 3, 3 and 2 move the weights alike.
///
/// Two steps move a weight by the sum of two gradients, each of which another order of summation changes by less than
/// 7·10⁻⁵ (see above); a thousandth of the greatest move is ten times as much.
#[test]
fn accumulated_batches_are_one_batch_and_a_remainder_counts_by_its_samples() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str, batch: usize, accumulate: usize| {
        let head = format!("model = \"deit_mini\"\nbatch_size = {batch}\naccumulate = {accumulate}\n");
        (train(dir.path(), name, &(head + TEN + PLAIN)), train_loss(dir.path(), name))
    };
    let start = dir.path().join("eight/epoch-0000/model.safetensors");
    let (eight, loss) = run("eight", 8, 1);
    let start = weights::decode(&fs::read(&start).unwrap(), &start).unwrap().0;
    let (fours, its_loss) = run("fours", 4, 2);
    // Float32 sums in another order.
    let moved = |end: &StateDict| -> Vec<f32> { all(end).iter().zip(all(&start)).map(|(a, b)| a - b).collect() };
    let difference = relative_difference(&moved(&fours), &moved(&eight));
    assert!(difference < 1e-3, "{difference} of the greatest move");
    assert!((loss - its_loss).abs() < 1e-5, "{loss} and {its_loss}");

    // Steps of nine and one in batches of 3, 3, 3 and 1.
    let (nine, _) = run("nine", 9, 1);
    let (threes, _) = run("threes", 3, 3);
    let difference = relative_difference(&moved(&threes), &moved(&nine));
    assert!(difference < 1e-3, "{difference} of the greatest move");
    assert!(relative_difference(&moved(&nine), &moved(&eight)) > 1e-2, "other steps are other weights");
}

/// Batch norm has a variance to estimate from one picture too, and mixing has nobody to mix it with.
#[test]
fn a_last_batch_of_one_and_a_batch_larger_than_the_data_train() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let mixing = "[augmentation]\nmixup = 0.4\ncutmix = 1.0\n";
    for (name, model, sizes, more) in [
        ("one", "resnet_mini", "batch_size = 9\n", ""),
        ("ones", "resnet_mini", "batch_size = 1\n", ""),
        ("mixed one", "resnet_mini", "batch_size = 3\n", mixing),
        ("mixed odd", "deit_mini", "batch_size = 7\naccumulate = 3\n", mixing),
        ("huge", "deit_mini", "batch_size = 4000\naccumulate = 1000\n", mixing),
    ] {
        let tensors = train(dir.path(), name, &format!("model = \"{model}\"\n{sizes}{TEN}{more}"));
        assert!(all(&tensors).iter().all(|value| value.is_finite()), "{name}");
        assert!(train_loss(dir.path(), name).is_finite(), "{name}");
    }
}

/// No epoch that blew up is sealed, and the one before it is whole.
#[test]
fn learning_rates_beyond_all_numbers_end_in_an_error_that_says_so() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    for (run, model, rate) in
        [("a", "deit_mini", "1e30"), ("b", "deit_mini", "1e300"), ("c", "resnet_mini", "1.7976931348623157e308")]
    {
        let text = format!("model = \"{model}\"\nbatch_size = 4\n{TEN}[schedule]\nwarmup_epochs = 0.0\n");
        fs::write(dir.path().join("config.toml"), text).unwrap();
        let arguments = ["train", "--config", "config.toml", "--run-dir", run, "--lr", rate];
        let output = driftscope(dir.path(), &arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{rate}: {message}");
        assert!(message.contains("epoch 1") && !message.contains("panicked"), "{rate}: {message}");
        let sealed = |epoch: usize| dir.path().join(format!("{run}/epoch-{epoch:04}/manifest.json")).exists();
        assert_eq!([0, 1].map(sealed), [true, false], "{rate}");
    }
}
