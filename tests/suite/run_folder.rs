//! What training may touch in the folder that it is given: its own files, by exact name, and nothing else.

use crate::support::{self, alone, driftscope, succeed};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const TINY: [&str; 11] = [
    "train",
    "--model",
    "deit_mini",
    "--epochs",
    "1",
    "--set",
    "data.train_per_class=2",
    "--set",
    "data.val_per_class=1",
    "--set",
    "panel.per_class=1",
];

fn tiny<'a>(more: &[&'a str]) -> Vec<&'a str> {
    TINY.iter().chain(more).copied().collect()
}

/// What lies on the disk is in the way: the command fails with one line that holds all of `parts`, and no panic.
fn refused(dir: &Path, arguments: &[&str], parts: &[&str]) -> String {
    support::refused(dir, arguments, 1, parts)
}

/// Everything below a folder: contents of files, targets of links.
fn everything(root: &Path) -> BTreeMap<PathBuf, String> {
    let (mut all, mut folders) = (BTreeMap::new(), vec![root.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap();
            let content = if kind.is_symlink() {
                format!("link to {}", fs::read_link(&path).unwrap().display())
            } else if kind.is_dir() {
                folders.push(path.clone());
                "folder".to_string()
            } else {
                format!("{:?}", fs::read(&path).unwrap())
            };
            all.insert(path, content);
        }
    }
    all
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A folder of somebody's work, with names that look like leftovers, and a link out of it and one back up.
fn project(dir: &Path) -> PathBuf {
    let project = dir.join("proj");
    for name in ["notes.tmp", "sub/deep/thesis.tmp", "download.partial/model.bin", "epoch-0001.partial/mine.txt"] {
        write(&project.join(name), "mine");
    }
    write(&dir.join("elsewhere/other.tmp"), "mine");
    symlink(dir.join("elsewhere"), project.join("out")).unwrap();
    symlink(&project, project.join("sub/up")).unwrap();
    project
}

#[test]
fn a_folder_that_is_not_empty_and_no_run_is_refused_and_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    project(dir.path());
    let before = everything(dir.path());
    refused(dir.path(), &tiny(&["--run-dir", "proj"]), &["proj is not empty", "--run-dir"]);
    assert_eq!(everything(dir.path()), before);
    // A file where a folder should be.
    write(&dir.path().join("file"), "mine");
    refused(dir.path(), &tiny(&["--run-dir", "file"]), &["file"]);
    assert_eq!(fs::read_to_string(dir.path().join("file")).unwrap(), "mine");
}

#[test]
fn what_somebody_keeps_in_a_run_stays_there_when_it_is_resumed() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    succeed(dir.path(), &tiny(&["--run-dir", "run"]));
    let run = dir.path().join("run");
    let mine = ["notes.tmp", "deep/thesis.tmp", "download.partial/model.bin", "epoch-0001/mine.txt", ".notes.7.tmp"];
    mine.iter().for_each(|name| write(&run.join(name), "mine"));
    write(&dir.path().join("elsewhere/.metrics.csv.7.tmp"), "mine");
    symlink(dir.path().join("elsewhere"), run.join("out")).unwrap();
    symlink(&run, run.join("deep/up")).unwrap();
    // What a killed process of ours leaves.
    let ours = [".metrics.csv.7.tmp", "epoch-0002.partial/model.safetensors", "epoch-0001/.manifest.json.7.tmp"];
    ours.iter().for_each(|name| write(&run.join(name), "half"));

    succeed(dir.path(), &["train", "--resume", "run"]);
    mine.iter().for_each(|name| assert_eq!(fs::read_to_string(run.join(name)).unwrap(), "mine", "{name}"));
    assert!(dir.path().join("elsewhere/.metrics.csv.7.tmp").exists());
    ours.iter().for_each(|name| assert!(!run.join(name).exists(), "{name}"));
}

#[test]
fn what_lies_under_a_name_of_ours_is_named_before_the_first_batch() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    succeed(dir.path(), &tiny(&["--run-dir", "run"]));
    let run = dir.path().join("run");
    type Plant = fn(&Path);
    let plants: [(&str, Plant); 6] = [
        ("epoch-0002.partial", |path| fs::write(path, "mine").unwrap()),
        ("epoch-0002.partial", |path| symlink("elsewhere", path).unwrap()),
        ("epoch-0002.partial", |path| write(&path.join("mine.txt"), "mine")),
        ("epoch-0002", |path| write(&path.join("mine.txt"), "mine")),
        ("metrics.csv.moved", |_| {}),
        ("interrupted", |path| fs::write(path, "mine").unwrap()),
    ];
    for (name, plant) in plants.into_iter().filter(|(name, _)| *name != "metrics.csv.moved") {
        let path = run.join(name);
        plant(&path);
        let before = everything(&run);
        refused(dir.path(), &["train", "--resume", "run"], &[name]);
        assert_eq!(everything(&run), before, "{name}");
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            fs::remove_dir_all(&path).unwrap()
        } else {
            fs::remove_file(&path).unwrap()
        }
    }
    // One of the run's own files, turned into a folder.
    fs::remove_file(run.join("metrics.csv")).unwrap();
    fs::create_dir(run.join("metrics.csv")).unwrap();
    refused(dir.path(), &["train", "--resume", "run"], &["metrics.csv"]);
}

#[test]
fn a_branch_goes_into_an_empty_folder_and_an_unfinished_one_is_made_again() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    succeed(dir.path(), &tiny(&["--run-dir", "run"]));
    write(&dir.path().join("fk/panel/mine.txt"), "mine");
    let before = everything(&dir.path().join("fk"));
    let branch = ["train", "--resume", "run", "--run-dir", "fk", "--epochs", "2"];
    refused(dir.path(), &branch, &["fk is not empty", "panel"]);
    assert_eq!(everything(&dir.path().join("fk")), before);

    // Killed while it was copied together: half a copy, and the note that says whose it is.
    let from = fs::canonicalize(dir.path()).unwrap().join("run");
    let half = dir.path().join("half");
    write(&half.join("epoch-0000.partial/model.safetensors"), "half");
    write(&half.join("branching.json"), &serde_json::json!({ "schema": 1, "from": from }).to_string());
    refused(dir.path(), &tiny(&["--run-dir", "half"]), &["a branch of", "not finished"]);
    let again = ["train", "--resume", "run", "--run-dir", "half", "--epochs", "2"];
    let output = driftscope(from.parent().unwrap(), &again).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(half.join("epoch-0002/manifest.json").exists());
    assert!(!half.join("branching.json").exists() && !half.join("epoch-0000.partial").exists());
}

/// Everything that can fail is tried before run.json is written.
#[test]
fn a_run_that_cannot_begin_leaves_no_folder_and_the_next_command_is_the_first() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    for (more, code) in [
        (["--weights", "typo.safetensors"], 1),
        (["--methods", "rollout:start_block=99"], 2),
        (["--set", "panel.targets=[\"nobody\"]"], 2),
        // `TINY` sets panel.per_class, which can never stand beside a list.
        (["--set", "panel.list=nowhere.txt"], 2),
    ] {
        support::refused(dir.path(), &tiny(&["--run-dir", "run", more[0], more[1]]), code, &[]);
        assert!(!dir.path().join("run").exists(), "{more:?}");
    }
    // Stopped between run.json and its first epoch, a run begins anew; what else lies there stays.
    succeed(dir.path(), &tiny(&["--run-dir", "run"]));
    let run = dir.path().join("run");
    ["epoch-0000", "epoch-0001"].iter().for_each(|epoch| fs::remove_dir_all(run.join(epoch)).unwrap());
    write(&run.join("panel/011.png"), "of an earlier panel");
    write(&run.join("mine.txt"), "mine");
    succeed(dir.path(), &tiny(&["--run-dir", "run", "--seed", "5"]));
    assert!(!run.join("panel/011.png").exists() && run.join("mine.txt").exists());
    let record: serde_json::Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["config"]["seed"], 5);
    refused(dir.path(), &tiny(&["--run-dir", "run"]), &["already holds a run", "--resume run"]);
}

/// A learning rate that blows the weights up in the only step of the only epoch: no loss of training tells.
#[test]
fn an_epoch_whose_validation_is_not_finite_is_not_sealed() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let output = driftscope(dir.path(), &tiny(&["--run-dir", "run", "--lr", "1e30"])).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("validation loss became NaN at epoch 1"), "{message}");
    assert!(dir.path().join("run/epoch-0000/manifest.json").exists());
    assert!(!dir.path().join("run/epoch-0001").exists());
    assert!(!dir.path().join("run/epoch-0001.partial").exists());
}

#[test]
fn runs_are_listed_at_any_depth_and_a_broken_one_is_named() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    succeed(dir.path(), &tiny(&["--run-dir", "runs/a/b/c/d/e/whole"]));
    write(&dir.path().join("runs/aa/run.json"), "{\"schema\": 1");
    write(&dir.path().join("runs/newer/run.json"), "{\"schema\": 99}");
    symlink(dir.path().join("runs"), dir.path().join("runs/a/loop")).unwrap();
    let output = driftscope(dir.path(), &["runs", "runs"]).output().unwrap();
    let (table, message) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(table.matches("whole").count(), 1, "{table}");
    assert!(
        message.contains("runs/aa") && message.contains("runs/newer") && message.contains("schema 99"),
        "{message}"
    );
}

/// What lies in a run's epochs that nobody sealed stays behind: links up and out, and somebody's notes.
#[test]
fn a_branch_holds_what_was_sealed_and_nothing_else() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    succeed(dir.path(), &tiny(&["--run-dir", "run"]));
    let run = dir.path().join("run");
    symlink("..", run.join("epoch-0000/up")).unwrap();
    write(&run.join("epoch-0000/notes.txt"), "mine");
    write(&run.join("panel/notes.txt"), "mine");
    succeed(dir.path(), &["train", "--resume", "run", "--run-dir", "branch", "--epochs", "2"]);
    let branch = dir.path().join("branch");
    assert!(branch.join("epoch-0002/manifest.json").exists() && branch.join("panel/000.png").exists());
    for foreign in ["epoch-0000/up", "epoch-0000/notes.txt", "panel/notes.txt"] {
        assert!(fs::symlink_metadata(branch.join(foreign)).is_err(), "{foreign}");
    }
    // A byte that is not what was sealed does not go into a branch.
    let metrics = run.join("epoch-0000/confusion.csv");
    fs::write(&metrics, fs::read_to_string(&metrics).unwrap().replace('0', "1")).unwrap();
    let again = ["train", "--resume", "run", "--run-dir", "second", "--epochs", "2"];
    refused(dir.path(), &again, &["epoch-0000/confusion.csv", "SHA-256"]);
}

#[test]
fn no_run_begins_inside_another_and_event_files_follow_no_link() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    succeed(dir.path(), &tiny(&["--run-dir", "run"]));
    for inside in ["run/epoch-0002", "run/panel/run", "run/superseded-1"] {
        refused(dir.path(), &tiny(&["--run-dir", inside]), &["run"]);
        assert!(!dir.path().join(inside).exists(), "{inside}");
    }
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    symlink(dir.path().join("elsewhere"), dir.path().join("run/tensorboard")).unwrap();
    refused(dir.path(), &["train", "--resume", "run"], &["run/tensorboard"]);
    assert!(fs::read_dir(dir.path().join("elsewhere")).unwrap().next().is_none());
}

/// A save that a kill left without its manifest is a leftover; one with somebody's file in it is named before any work.
#[test]
fn a_save_in_mid_epoch_is_removed_or_named_before_the_first_batch() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    succeed(dir.path(), &tiny(&["--run-dir", "run"]));
    let run = dir.path().join("run");
    for save in ["interrupted", "interrupted.old"] {
        write(&run.join(save).join("state.json"), "{}");
        succeed(dir.path(), &["train", "--resume", "run"]);
        assert!(!run.join(save).exists());
        write(&run.join(save).join("notes.txt"), "mine");
        refused(dir.path(), &["train", "--resume", "run"], &["notes.txt"]);
        assert_eq!(fs::read_to_string(run.join(save).join("notes.txt")).unwrap(), "mine");
        fs::remove_dir_all(run.join(save)).unwrap();
    }
}

/// The damaged epoch is named and left out; the rest of the run is not lost with it.
#[test]
fn a_run_goes_on_without_the_metrics_of_an_epoch_that_is_damaged() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    succeed(dir.path(), &tiny(&["--run-dir", "run"]));
    let metrics = dir.path().join("run/epoch-0000/metrics.json");
    fs::write(&metrics, fs::read_to_string(&metrics).unwrap().replace("\"epoch\": 0", "\"epoch\": 7")).unwrap();
    let output = succeed(dir.path(), &["train", "--resume", "run"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("left out of tables and ranking") && message.contains("epoch-0000"), "{message}");
}

#[test]
fn a_record_that_no_driftscope_wrote_is_refused_in_words() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    succeed(dir.path(), &tiny(&["--run-dir", "run"]));
    let path = dir.path().join("run/run.json");
    let whole: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let changes: [(&str, serde_json::Value); 8] = [
        ("/panel/labels", serde_json::json!([])),
        ("/panel/labels/0", serde_json::json!(99)),
        ("/config/batch_size", serde_json::json!(0)),
        ("/config/accumulate", serde_json::json!(0)),
        ("/config/preprocessing/size", serde_json::json!(300)),
        ("/config/preprocessing/resize", serde_json::json!(1)),
        ("/config/panel/targets", serde_json::json!([])),
        ("/config/drop_path", serde_json::json!(5.0)),
    ];
    for (pointer, value) in changes {
        let mut record = whole.clone();
        *record.pointer_mut(pointer).unwrap() = value;
        fs::write(&path, record.to_string()).unwrap();
        for command in [&["train", "--resume", "run"][..], &["explain", "run"], &["eval", "run"]] {
            refused(dir.path(), command, &["run/run.json is not a run's record"]);
        }
    }
}

/// An epoch that lost its manifest is no epoch, and nobody is left to wonder why it is not shown.
#[test]
fn an_epoch_without_its_manifest_is_said_to_be_left_out() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    succeed(dir.path(), &tiny(&["--run-dir", "run"]));
    fs::remove_file(dir.path().join("run/epoch-0000/manifest.json")).unwrap();
    for command in [&["drift", "run"][..], &["report", "run"], &["plot", "run", "-o", "plot.svg"]] {
        let output = driftscope(dir.path(), command).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("epoch-0000 has no manifest.json"), "{command:?}: {message}");
    }
}
