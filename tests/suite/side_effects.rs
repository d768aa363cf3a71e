//! Looking changes nothing: a run that is explained at every epoch, by every method that there is, trains to the bytes of
//! one that is not.

use crate::support::{alone, fast_device, minis, pseudo_random, succeed};
use driftscope::explain::{Explainer, Target, explain};
use driftscope::models::ModelName;
use driftscope::weights;
use serde_json::Value;
use std::fs;

#[test]
fn a_run_with_explanations_trains_to_the_same_bytes_as_one_without() {
    let _turn = alone();
    for name in [ModelName::ResnetMini, ModelName::DeitMini] {
        let (dir, model) = (tempfile::tempdir().unwrap(), name.as_str());
        let fitting = Explainer::all().into_iter().filter(|explainer| explainer.fits(&name.taps()).unwrap()).map(cheap);
        let all = serde_json::to_string(&fitting.clone().collect::<Vec<_>>()).unwrap();
        for (name, explainers) in [("looking", format!("explainers = {all}\n")), ("blind", "explainers = []\n".into())]
        {
            let text = format!(
                "model = \"{model}\"\nepochs = 2\nbatch_size = 8\n{explainers}\
                 [data]\ntrain_per_class = 3\nval_per_class = 1\n[panel]\nper_class = 1\n"
            );
            fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
            succeed(dir.path(), &["train", "--config", &format!("{name}.toml"), "--run-dir", name]);
        }
        for epoch in ["epoch-0000", "epoch-0001", "epoch-0002"] {
            let [looking, blind] = ["looking", "blind"].map(|run| dir.path().join(run).join(epoch));
            for file in ["model.safetensors", "optimizer.safetensors", "state.json"] {
                let same = fs::read(looking.join(file)).unwrap() == fs::read(blind.join(file)).unwrap();
                assert!(same, "{model}: {epoch}/{file} differs");
            }
            let [seen, unseen] = [&looking, &blind].map(|run| training_half(&run.join("metrics.json")));
            assert_eq!(seen, unseen, "{model}: {epoch}");
            let files = fs::read_dir(looking.join("explanations")).unwrap().count();
            assert_eq!(files, fitting.clone().count(), "{model}: {epoch}");
            assert!(!blind.join("explanations").exists());
        }
    }
}

/// The method with as few passes as it takes.
fn cheap(explainer: Explainer) -> String {
    let settings = match explainer.name().as_str() {
        "smooth-grad" => ":samples=2",
        "integrated-gradients" => ":steps=2",
        "occlusion" => ":window=8",
        _ => "",
    };
    explainer.name() + settings
}

fn training_half(path: &std::path::Path) -> Value {
    let mut metrics: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut training = metrics["training"].take();
    training["seconds"] = Value::Null;
    training
}

#[test]
fn explaining_leaves_every_byte_of_a_model_and_gives_the_same_maps_twice() {
    let _turn = alone();
    let device = fast_device();
    for (name, model) in minis(&device.clone().autodiff()) {
        let before = weights::state_dict(&model);
        let images = pseudo_random([2, 3, 96, 96], 9, &device);
        let explainers = Explainer::defaults(&name.taps());
        let look =
            || explain(&model.valid(), &explainers, images.clone(), &[Some(0), Some(1)], &[Target::Label]).unwrap();
        let (once, twice) = (look(), look());
        assert_eq!(once, twice, "{name}");
        assert_eq!(weights::state_dict(&model), before, "{name}");
    }
}
