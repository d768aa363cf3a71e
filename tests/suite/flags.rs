//! Wrong arguments: each ends with its exit code and one message that says which flag and what was expected.

use crate::support::{alone, driftscope, succeed};
use std::fs;

/// Arguments, exit code, and words of the message. `run` is a small run of epochs 0 and 1, `cnn` its twin.
const WRONG: [(&str, i32, &[&str]); 68] = [
    ("", 2, &["Usage"]),
    ("fly", 2, &["fly"]),
    ("train", 2, &["--model"]),
    ("train --model", 2, &["--model"]),
    ("train --model vgg", 2, &["vgg", "resnet50", "deit_mini"]),
    ("train --model deit_mini --epochs -1", 2, &["-1"]),
    ("train --model deit_mini --epochs 0", 2, &["epochs"]),
    ("train --model deit_mini --epochs many", 2, &["many", "--epochs"]),
    ("train --model deit_mini --epochs 99999999999", 2, &["99999999999", "--epochs"]),
    ("train --model deit_mini --epochs +5", 2, &["+5", "--epochs"]),
    ("train --model deit_mini --batch-size 0", 2, &["batch_size"]),
    ("train --model deit_mini --lr fast", 2, &["fast", "--lr"]),
    ("train --model deit_mini --lr -1", 2, &["-1"]),
    ("train --model deit_mini --lr=-1", 2, &["schedule.learning_rate"]),
    ("train --model deit_mini --lr 0", 2, &["schedule.learning_rate"]),
    ("train --model deit_mini --lr nan", 2, &["schedule.learning_rate"]),
    ("train --model deit_mini --lr inf", 2, &["schedule.learning_rate"]),
    ("train --model deit_mini --seed 1.5", 2, &["--seed"]),
    ("train --model deit_mini --device gpu", 2, &["gpu", "cuda:N"]),
    ("train --model deit_mini --device cuda:99", 1, &["cuda:99"]),
    ("train --model deit_mini --weights nowhere.pth", 1, &["nowhere.pth"]),
    ("train --model deit_mini --weights notes.txt", 1, &["notes.txt", "safetensors", "a text file"]),
    ("train --model deit_mini --weights pretrained", 2, &["pretrained", "deit_mini"]),
    ("train --model deit_mini --data nowhere", 1, &["nowhere"]),
    ("train --model deit_mini --data notes.txt", 1, &["notes.txt"]),
    ("train --model deit_mini --split 2", 2, &["data.split"]),
    ("train --model deit_mini --skip-bad-images", 2, &["data.skip_bad_images"]),
    ("train --model deit_mini --methods tea-leaves", 2, &["tea-leaves"]),
    ("train --model resnet_mini --methods rollout", 2, &["rollout", "attention"]),
    ("train --model deit_mini --methods grad-cam:layer=99", 2, &["grad-cam"]),
    ("train --model deit_mini --methods grad-cam,grad-cam", 2, &["grad-cam", "twice"]),
    ("train --model deit_mini --set epochs", 2, &["epochs", "key=value"]),
    ("train --model deit_mini --set nobody=1", 2, &["nobody"]),
    ("train --model deit_mini --set epochs.more=1", 2, &["epochs"]),
    ("train --model deit_mini --set optimizer.kind=lion", 2, &["lion", "adamw"]),
    ("train --model deit_mini --set epochs=many", 2, &["epochs"]),
    ("train --model deit_mini --set panel.targets=[\"nobody\"]", 2, &["nobody"]),
    ("train --model deit_mini --set panel.list=nowhere.txt", 1, &["nowhere.txt", "panel.list"]),
    ("train --model deit_mini --stop-when-stable 0", 2, &["stable"]),
    ("train --config nowhere.toml", 1, &["nowhere.toml"]),
    ("train --config notes.txt", 2, &["notes.txt"]),
    ("train --resume nowhere", 1, &["nowhere"]),
    ("train --resume run@first", 2, &["@first", "@best"]),
    ("train --resume run@9", 1, &["epoch 9", "0, 1"]),
    ("train --model deit_mini --run-dir notes.txt", 1, &["notes.txt"]),
    ("eval", 2, &["RUN"]),
    ("eval run --split all", 2, &["all", "test"]),
    ("eval run --batch-size 0", 2, &["--batch-size"]),
    ("export run", 2, &["OUT"]),
    ("export run out.safetensors --precision int8", 2, &["int8", "bfloat16"]),
    ("runs notes.txt", 1, &["notes.txt"]),
    ("data", 2, &["SOURCE"]),
    ("explain run --methods grad-cam:layer=99", 2, &["grad-cam"]),
    ("explain run --targets tartan", 2, &["tartan"]),
    ("explain run --colours mud", 2, &["mud", "inferno"]),
    ("drift run --against tomorrow", 2, &["tomorrow", "previous"]),
    ("drift run --epoch 9", 1, &["--epoch 9"]),
    ("drift run --fail-above spearman", 2, &["spearman"]),
    ("drift run --margin 101", 2, &["101", "--margin", "noise"]),
    ("drift run --patience 0", 2, &["--patience", "at least 1"]),
    ("drift run --matrix --images", 2, &["--matrix", "--images"]),
    ("drift run --images --groups", 2, &["--images", "--groups"]),
    ("cause run --from 0", 2, &["--to"]),
    ("compare run", 2, &["RUN"]),
    ("animate run --image 99", 1, &["99"]),
    ("help fly", 2, &["fly"]),
    ("plot run --matrix --against first", 2, &["--matrix", "--against"]),
    ("plot run --out plot.pdf", 2, &["plot.pdf", ".svg"]),
];

#[test]
fn wrong_arguments_end_with_their_code_and_say_what_was_expected() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("notes.txt"), "not what it is taken for\n").unwrap();
    let small = ["--set", "data.train_per_class=1", "--set", "data.val_per_class=1", "--set", "panel.per_class=1"];
    let train = ["train", "--model", "resnet_mini", "--epochs", "1", "--run-dir", "run"];
    succeed(dir, &[&train[..], &small[..]].concat());
    let names = || {
        let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let (mut problems, mut messages) = (String::new(), String::new());
    for (line, code, words) in WRONG {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let output = driftscope(dir, &arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        // How many GPUs there are is the machine's, and so is where the folder lies.
        if !line.contains("cuda") {
            messages += &format!("$ driftscope {line}\n{message}\n").replace(&*dir.to_string_lossy(), "DIR");
        }
        let one_error = line.is_empty() || message.lines().filter(|line| line.starts_with("error:")).count() == 1;
        let left = names().into_iter().filter(|name| !before.contains(name)).collect::<Vec<_>>();
        let wrong = [
            (output.status.code() != Some(code), format!("ends with {}", output.status)),
            (!output.stdout.is_empty(), "writes to stdout".to_string()),
            (message.contains("panicked") || !one_error, "does not print one error".to_string()),
            (!words.iter().all(|word| message.contains(word)), format!("does not say {words:?}")),
            (!left.is_empty(), format!("leaves {left:?} behind")),
        ];
        for (_, problem) in wrong.iter().filter(|(wrong, _)| *wrong) {
            problems += &format!("driftscope {line}: {problem}: {message}\n");
        }
        left.iter().for_each(|name| drop(fs::remove_dir_all(dir.join(name))));
    }
    assert!(problems.is_empty(), "{problems}");
    // The words themselves: a change of them is looked at.
    insta::assert_snapshot!("errors", messages);
}
