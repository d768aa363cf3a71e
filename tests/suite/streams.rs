//! The world around a command: streams that are closed, homes that are not there, places that cannot be written, signals.

use crate::support::{alone, driftscope, succeed};
use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

const SMALL: &str = "model = \"resnet_mini\"\nepochs = 1\nbatch_size = 8\n[data]\ntrain_per_class = 1\n\
                     val_per_class = 1\n[panel]\nper_class = 1\noverlays = 0\n";

fn small_run(dir: &Path) {
    fs::write(dir.join("small.toml"), SMALL).unwrap();
    succeed(dir, &["train", "--config", "small.toml", "--run-dir", "run"]);
}

/// Every command that only looks, with a run where it needs one.
const LOOKING: [&[&str]; 11] = [
    &["runs", "."],
    &["data", "textures"],
    &["completions", "bash"],
    &["drift", "run"],
    &["drift", "run", "--format", "json"],
    &["compare", "run", "run"],
    &["eval", "run"],
    &["cause", "run"],
    &["explain", "run", "--out", "seen"],
    &["report", "run", "--out", "page.html"],
    &["plot", "run", "--out", "plot.svg"],
];

/// `sh -c` with `"$@"` as the command line of driftscope.
fn shell(dir: &Path, script: &str, arguments: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_driftscope");
    Command::new("sh").args(["-c", script, "sh", binary]).args(arguments).current_dir(dir).output().unwrap()
}

/// What `| head` does: the reader goes away after its first bytes, or before them.
#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    small_run(dir.path());
    for arguments in LOOKING {
        // A table comes at once, so before its first byte or after it makes no difference to most.
        for bytes in if arguments[0] == "drift" { vec![0, 1] } else { vec![0] } {
            let mut command = driftscope(dir.path(), arguments);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut stdout = child.stdout.take().unwrap();
            stdout.read_exact(&mut vec![0; bytes]).unwrap();
            drop(stdout);
            let output = child.wait_with_output().unwrap();
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{arguments:?} after {bytes}: {} {message}", output.status);
            assert!(!message.contains("panicked") && !message.contains("error:"), "{arguments:?}: {message}");
        }
    }
}

/// The reader of a pipe that was named as output goes away before it has all: the file was not written. The weights are more
/// than a pipe holds, so the writer is still there when the reader leaves.
#[test]
fn a_reader_of_a_named_pipe_that_goes_away_is_a_failure() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    small_run(dir.path());
    let pipe = dir.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = driftscope(dir.path(), &["export", "run", "pipe"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    fs::File::open(&pipe).unwrap().read_exact(&mut [0]).unwrap();
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("cannot write pipe") && output.stdout.is_empty(), "{message}");
}

/// Without one of them a command does its work, and says what went wrong by its exit code at least.
#[test]
fn closed_streams_and_full_ones_end_in_no_panic() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    small_run(dir.path());
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let script = format!("exec \"$@\" {closed}");
        for arguments in [&["runs", "."][..], &["drift", "run"], &["report", "run", "--out", "page.html"]] {
            let output = shell(dir.path(), &script, arguments);
            assert_eq!(output.status.code(), Some(0), "{closed} {arguments:?}");
        }
        assert_eq!(shell(dir.path(), &script, &["drift", "nowhere"]).status.code(), Some(1), "{closed}");
    }
    for arguments in [&["runs", "."][..], &["drift", "run", "--format", "csv"], &["data", "textures"]] {
        let output = shell(dir.path(), "exec \"$@\" >/dev/full", arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        assert!(message.contains("error:") && !message.contains("panicked"), "{arguments:?}: {message}");
    }
    let output = shell(dir.path(), "exec \"$@\" 2>/dev/full", &["train", "--resume", "run"]);
    assert_eq!(output.status.code(), Some(0), "progress that nobody can read");
}

#[test]
fn without_a_home_everything_that_needs_none_works_and_the_rest_says_what_it_looked_for() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    small_run(dir.path());
    let homeless = |arguments: &[&str]| {
        let output = driftscope(dir.path(), arguments).env_clear().output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let folder = dir.path().join("pictures");
    for split in ["train", "val"] {
        for class in ["a", "b"] {
            fs::create_dir_all(folder.join(split).join(class)).unwrap();
            let picture = image::RgbImage::from_fn(20, 20, |x, y| image::Rgb([x as u8 * 9, y as u8 * 9, 7]));
            picture.save(folder.join(split).join(class).join("1.png")).unwrap();
        }
    }
    for arguments in [&["runs", "."][..], &["eval", "run"], &["drift", "run"], &["data", "pictures"]] {
        let (code, message) = homeless(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {message}");
    }
    let (code, message) = homeless(&["train", "--model", "deit_tiny", "--data", "pictures", "--run-dir", "tiny"]);
    assert!(code == Some(1) && message.contains("pretrained"), "{message}");
    let (code, message) = homeless(&["data", "dtd"]);
    assert!(code == Some(1) && message.contains("DTD was not found"), "{message}");
}

/// /proc takes no files, not even from root.
#[test]
fn a_place_that_cannot_be_written_is_named_before_any_work_is_lost() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    small_run(dir.path());
    let train = ["train", "--config", "small.toml", "--run-dir", "/proc/run"];
    for arguments in [
        &train[..],
        &["report", "run", "--out", "/proc/page.html"],
        &["plot", "run", "--out", "/proc/plot.svg"],
        &["export", "run", "/proc/out.safetensors"],
        &["explain", "run", "--out", "/proc/seen"],
        &["animate", "run", "--out", "/proc/film.gif"],
        &["eval", "run", "--confusion", "/proc/confusion.csv"],
        &["report", "run", "--out", "nowhere/page.html"],
        &["report", "run", "--out", "."],
        &["train", "--resume", "run", "--run-dir", "/proc/branch", "--epochs", "2"],
    ] {
        let output = driftscope(dir.path(), arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        // A file is built beside its place, under a name of which its own is a part.
        let place =
            Path::new(arguments[3..].iter().find(|one| one.contains('/') || **one == ".").unwrap_or(&arguments[2]));
        let name = place.file_name().map_or(".", |name| name.to_str().unwrap());
        assert!(message.contains("error:") && message.contains(name), "{arguments:?}: {message}");
        assert!(!message.contains("panicked"), "{arguments:?}: {message}");
    }
}

/// The second Ctrl-C does not wait for the step to end; what was sealed stays whole.
#[test]
fn a_second_interrupt_stops_at_once_and_the_sealed_epochs_stay_whole() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    // One long step an epoch: there is time for a second signal in it.
    let text = SMALL
        .replace("epochs = 1", "epochs = 50\naccumulate = 100")
        .replace("train_per_class = 1", "train_per_class = 20");
    fs::write(dir.path().join("long.toml"), text).unwrap();
    let arguments = ["train", "--config", "long.toml", "--run-dir", "run"];
    let mut child = driftscope(dir.path(), &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !dir.path().join("run/epoch-0000/manifest.json").exists() {
        assert!(child.try_wait().unwrap().is_none(), "ended before its first epoch");
        sleep(Duration::from_millis(5));
    }
    let interrupt = |child: &std::process::Child| {
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    };
    sleep(Duration::from_millis(200));
    interrupt(&child);
    sleep(Duration::from_millis(30));
    interrupt(&child);
    let status = child.wait().unwrap();
    assert!(status.code() == Some(130) || status.signal() == Some(2), "{status}");
    for arguments in [&["eval", "run"][..], &["explain", "run", "--out", "seen"], &["runs", "."]] {
        succeed(dir.path(), arguments);
    }
}
