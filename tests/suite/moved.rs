//! Runs whose surroundings have changed: data that moved or was altered, another working directory, more epochs, a terminal
//! that cannot move its cursor. Each works, or says in one line what to type.

use crate::support::{self, alone, succeed};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Two classes of striped pictures, lying or standing, six to train on and two to validate and test on each.
fn stripes(root: &Path) {
    for (split, count) in [("train", 6), ("val", 2), ("test", 2)] {
        for (class, lying) in [("lying", true), ("standing", false)] {
            let folder = root.join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            for number in 0..count {
                let pixel = |x: u32, y: u32| {
                    let place = if lying { y } else { x } + number;
                    image::Rgb([if place % 8 < 4 { 220 } else { 30 }, (20 * number) as u8, 90])
                };
                image::RgbImage::from_fn(32, 32, pixel).save(folder.join(format!("{number}.png"))).unwrap();
            }
        }
    }
}

const RECIPE: &str = "model = \"deit_mini\"\nepochs = 1\nbatch_size = 4\n[panel]\nper_class = 1\noverlays = 0\n";

/// A run on stripes, its data and panel given by relative paths.
fn trained(dir: &Path) {
    stripes(&dir.join("pics"));
    fs::write(dir.join("recipe.toml"), RECIPE).unwrap();
    fs::write(dir.join("panel.txt"), "val/lying/0.png\nval/standing/1.png\n").unwrap();
    let listed = ["--set", "panel.list=panel.txt", "--set", "panel.per_class="];
    let train = ["train", "--config", "recipe.toml", "--data", "pics", "--run-dir", "run"];
    succeed(dir, &[&train[..], &listed[..]].concat());
}

fn refused(dir: &Path, arguments: &[&str], parts: &[&str]) -> String {
    support::refused(dir, arguments, 1, parts)
}

#[test]
fn a_run_whose_data_has_moved_is_told_where_it_is_and_does_what_it_did() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let accuracy = succeed(dir.path(), &["eval", "run", "--format", "json"]).stdout;
    fs::create_dir(dir.path().join("attic")).unwrap();
    fs::rename(dir.path().join("pics"), dir.path().join("attic/stripes")).unwrap();

    refused(dir.path(), &["eval", "run"], &["pics", "--data FOLDER"]);
    refused(dir.path(), &["train", "--resume", "run", "--run-dir", "b", "--epochs", "2"], &["pics", "--data FOLDER"]);
    let moved = ["--data", "attic/stripes"];
    let again = succeed(dir.path(), &["eval", "run", "--format", "json", moved[0], moved[1]]).stdout;
    assert_eq!(again, accuracy);
    succeed(dir.path(), &["train", "--resume", "run", moved[0], moved[1]]);
    succeed(dir.path(), &["train", "--resume", "run", "--run-dir", "branch", "--epochs", "2", moved[0], moved[1]]);
    assert!(dir.path().join("branch/epoch-0002/manifest.json").exists());
    // Other pictures are not the same data.
    stripes(&dir.path().join("other"));
    fs::rename(dir.path().join("other/val/lying/0.png"), dir.path().join("other/val/lying/9.png")).unwrap();
    let other = ["--data", "other"];
    let parts = ["not what the run began with", "1 missing, the first is val/lying/0.png", "1 new"];
    refused(dir.path(), &["eval", "run", other[0], other[1]], &parts);
    refused(dir.path(), &["train", "--resume", "run", other[0], other[1]], &parts);
}

/// Neither the folder of the data nor the list of the panel is looked for from where a person stands by then.
#[test]
fn a_run_is_branched_from_another_directory_and_without_its_list() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    fs::remove_file(dir.path().join("panel.txt")).unwrap();
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    succeed(&elsewhere, &["train", "--resume", "../run", "--run-dir", "branch", "--epochs", "2", "--lr", "1e-4"]);
    assert!(elsewhere.join("branch/epoch-0002/manifest.json").exists());
    let record =
        |run: &Path| -> serde_json::Value { serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap() };
    assert_eq!(record(&elsewhere.join("branch"))["panel"], record(&dir.path().join("run"))["panel"]);
}

/// Same names, other pixels: what a run says of such pictures would be false.
#[test]
fn pictures_that_changed_under_their_names_are_named() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let path = dir.path().join("pics/val/lying/1.png");
    let mut inverted = image::open(&path).unwrap().to_rgb8();
    inverted.iter_mut().for_each(|byte| *byte = 255 - *byte);
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    inverted.save(&path).unwrap();
    // With its old time, it is another file still.
    fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();

    let changed = ["images have changed", "1 of the val split", "val/lying/1.png"];
    refused(dir.path(), &["train", "--resume", "run"], &changed);
    refused(dir.path(), &["eval", "run", "--split", "val"], &changed);
    let output = succeed(dir.path(), &["eval", "run", "--split", "test"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("1 of the val split"));
}

/// A run of before driftscope kept digests: its panel's pictures are all that it knows.
#[test]
fn of_an_older_run_the_panel_is_compared_and_the_rest_is_said_to_be_unknown() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let run = dir.path().join("run");
    let mut record: serde_json::Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    record.as_object_mut().unwrap().remove("content_digest");
    record["panel"].as_object_mut().unwrap().remove("pictures");
    fs::write(run.join("run.json"), record.to_string()).unwrap();
    fs::remove_file(run.join("pictures.sha256")).unwrap();

    let output = succeed(dir.path(), &["train", "--resume", "run"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("those of its panel are the same (2)"), "{message}");
    image::RgbImage::new(32, 32).save(dir.path().join("pics/val/standing/1.png")).unwrap();
    let changed = ["images have changed", "1 of the panel, the first is val/standing/1.png"];
    refused(dir.path(), &["train", "--resume", "run"], &changed);
    refused(dir.path(), &["eval", "run"], &changed);
}

#[test]
fn more_epochs_and_bad_pictures_are_answered_with_what_to_type() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let hint = ["epochs: 1 there, 2 here", "branch off: driftscope train --resume run --run-dir DIR"];
    refused(dir.path(), &["train", "--resume", "run", "--epochs", "2"], &hint);
    // Which pictures are used stays the same, so the flag may come later.
    succeed(dir.path(), &["train", "--resume", "run", "--skip-bad-images"]);
    fs::write(dir.path().join("pics/train/lying/0.png"), "no picture").unwrap();
    refused(dir.path(), &["train", "--resume", "run"], &["train/lying/0.png"]);
    refused(
        dir.path(),
        &["train", "--resume", "run", "--skip-bad-images"],
        &["skipped, cannot be read", "1 missing, the first is train/lying/0.png"],
    );
}

/// `script` gives the program a terminal.
#[test]
fn a_terminal_that_cannot_move_its_cursor_gets_plain_lines() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    stripes(&dir.path().join("pics"));
    fs::write(dir.path().join("recipe.toml"), RECIPE).unwrap();
    let train =
        format!("{} train --config recipe.toml --data pics --run-dir 'my run'", env!("CARGO_BIN_EXE_driftscope"));
    let mut script = Command::new("script");
    script.current_dir(dir.path()).env("TERM", "dumb").args(["-qec", &train, "/dev/null"]);
    let output = script.output().expect("script, of bsdutils");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("epoch 1/1") && text.contains("best epoch"), "{text}");
}

/// The pictures of two runs have the same names and other pixels: what is said of both would be false.
#[test]
fn runs_of_other_pictures_under_the_same_names_do_not_compare() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    image::RgbImage::new(32, 32).save(dir.path().join("pics/val/lying/0.png")).unwrap();
    let listed = ["--set", "panel.list=panel.txt", "--set", "panel.per_class="];
    let train = ["train", "--config", "recipe.toml", "--data", "pics", "--run-dir", "other"];
    succeed(dir.path(), &[&train[..], &listed[..]].concat());
    for command in [
        &["compare", "run", "other"][..],
        &["drift", "run", "--floor", "other"],
        &["animate", "run", "other"],
        &["explain", "run", "other"],
    ] {
        refused(dir.path(), command, &["cannot be compared", "val/lying/0.png"]);
    }
    let output = succeed(dir.path(), &["report", "run", "other"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("val/lying/0.png is another image"));
}

/// A figure is never written over a picture that it shows, nor over anything else of somebody's.
#[test]
fn explaining_writes_over_nothing_that_it_did_not_write() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let photo = dir.path().join("photo.png");
    fs::copy(dir.path().join("pics/val/lying/0.png"), &photo).unwrap();
    let before = fs::read(&photo).unwrap();
    refused(dir.path(), &["explain", "run", "photo.png", "-o", "."], &["photo.png was not written by"]);
    assert_eq!(fs::read(&photo).unwrap(), before);
    fs::create_dir(dir.path().join("seen")).unwrap();
    fs::write(dir.path().join("seen/summary.json"), "{\"mine\": 1}").unwrap();
    refused(dir.path(), &["explain", "run", "photo.png", "-o", "seen"], &["summary.json was not written by"]);
    for _ in 0..2 {
        succeed(dir.path(), &["explain", "run", "photo.png", "-o", "again"]);
    }
}
