//! Memory that is not there: one line that says what was asked, what was free and which batch may fit, from every command
//! that has a batch size.

#![cfg(all(target_os = "linux", feature = "libtorch"))]

use crate::support::{alone, driftscope, succeed};
use std::path::Path;
use std::process::Command;

/// What a process may map, KiB: libtorch and a mini fit, the batches below do not.
const LIMIT: &str = "ulimit -v 1600000 && exec \"$0\" \"$@\"";

/// Runs a command with little memory and expects exit code 1 and the line.
fn short_of_memory(dir: &Path, arguments: &[&str], parts: &[&str]) {
    let plain = driftscope(dir, arguments);
    let mut limited = Command::new("sh");
    limited.current_dir(dir).args(["-c", LIMIT]).arg(plain.get_program()).args(arguments);
    limited.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // Every thread has a share of the heap set aside.
    limited.envs([("OMP_NUM_THREADS", "1"), ("RAYON_NUM_THREADS", "1"), ("MALLOC_ARENA_MAX", "1")]);
    let output = limited.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
    assert!(!message.contains("panicked") && !message.contains("frame #"), "{arguments:?}: {message}");
    let line = message.lines().last().unwrap_or_default();
    for part in [&["error: out of memory: tried to allocate ", " GiB were free"], parts].concat() {
        assert!(line.contains(part), "{arguments:?}: no '{part}' in {message}");
    }
}

#[test]
fn every_command_with_a_batch_size_says_in_one_line_that_memory_does_not_suffice() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // 1,200 images of 96 pixels are 133 MB of input, and a step of the larger mini keeps some fifty times as much.
    let common = ["--set", "data.train_per_class=120", "--set", "data.val_per_class=1", "--set", "explainers=[]"];
    let run = ["--model", "resnet_mini", "--data", "textures", "--device", "cpu", "--epochs", "1"];
    let batch = ["--batch-size", "1200", "--run-dir", "big"];
    let half = "it had batches of 1200 images: --batch-size 600 may fit";
    short_of_memory(dir, &[&["train"], &run[..], &common[..], &batch[..]].concat(), &[half]);

    let small = ["--set", "data.train_per_class=1", "--set", "data.val_per_class=120"];
    let folder = ["--set", "explainers=[]", "--run-dir", "small"];
    succeed(dir, &[&["train"], &run[..], &small[..], &folder[..]].concat());
    // A split of 1,200 images is one batch at most.
    let eval = ["eval", "small", "--split", "val", "--batch-size", "100000", "--device", "cpu"];
    short_of_memory(dir, &eval, &[half]);

    let bench = ["bench", "--model", "resnet_mini", "--batch-size", "1200", "--device", "cpu", "--seconds", "0"];
    short_of_memory(dir, &bench, &[half]);
}
