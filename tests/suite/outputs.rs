//! What a person names: where output goes, which run and which class are meant, and what is refused before the work.

use crate::support::{self, alone, driftscope, succeed};
use driftscope::store::Explanations;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

const SMALL: [&str; 12] = [
    "--epochs",
    "1",
    "--set",
    "batch_size=8",
    "--set",
    "data.train_per_class=2",
    "--set",
    "data.val_per_class=1",
    "--set",
    "panel.per_class=1",
    "--set",
    "panel.overlays=0",
];

fn train(dir: &Path, model: &str, run: &str, more: &[&str]) {
    succeed(dir, &[&["train", "--model", model, "--run-dir", run], &SMALL[..], more].concat());
}

fn refused(dir: &Path, arguments: &[&str], part: &str) {
    support::refused(dir, arguments, 1, &[part]);
}

/// What can never be right, whatever lies on the disk.
fn wrong(dir: &Path, arguments: &[&str], part: &str) {
    support::refused(dir, arguments, 2, &[part]);
}

#[test]
fn output_goes_to_stdout_through_links_and_never_over_a_run() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    train(path, "deit_mini", "run", &[]);
    let stdout = |arguments: &[&str]| succeed(path, arguments).stdout;

    // `-` is stdout and nothing else is said there; SVG and GIF where no ending says otherwise.
    assert!(stdout(&["report", "run", "-o", "-"]).starts_with(b"<!"));
    assert!(stdout(&["plot", "run", "-o", "-"]).starts_with(b"<svg"));
    assert!(stdout(&["animate", "run", "-o", "-"]).starts_with(b"GIF8"));
    let exported = stdout(&["export", "run", "-"]);
    stdout(&["export", "run", "w.safetensors"]);
    assert!(exported == fs::read(path.join("w.safetensors")).unwrap());
    let [dash, device] = ["-", "/dev/stdout"].map(|out| stdout(&["eval", "run", "--confusion", out]));
    assert_eq!(dash, device);
    assert_eq!(String::from_utf8(dash).unwrap().lines().count(), 1 + 10, "the matrix and nothing else");
    assert!(!path.join("-").exists());

    // A device stays one, a link stays one, and what it leads to is made.
    symlink("/dev/null", path.join("null")).unwrap();
    symlink("page.html", path.join("link")).unwrap();
    for out in ["null", "link"] {
        stdout(&["report", "run", "-o", out]);
        assert!(fs::symlink_metadata(path.join(out)).unwrap().is_symlink());
    }
    assert!(fs::metadata(path.join("page.html")).unwrap().len() > 1000);

    let model = fs::read(path.join("run/epoch-0001/model.safetensors")).unwrap();
    for arguments in [
        &["export", "run", "run/epoch-0001/model.safetensors"][..],
        &["report", "run", "-o", "run/run.json"],
        &["plot", "run", "-o", "run/panel/000.png"],
        &["animate", "run", "-o", "run/epoch-0001/x.gif"],
        &["eval", "run", "--confusion", "run/metrics.csv"],
        &["explain", "run", "-o", "run/epoch-0001"],
    ] {
        refused(path, arguments, "belongs to the run");
    }
    assert!(model == fs::read(path.join("run/epoch-0001/model.safetensors")).unwrap());
    stdout(&["report", "run", "-o", "run/report.html"]); // a file of one's own beside the run's

    fs::create_dir(path.join("folder.svg")).unwrap();
    refused(path, &["plot", "run", "-o", "folder.svg"], "is a folder");
    wrong(path, &["export", "run", "w.pth"], "ends in .safetensors");
    refused(path, &["report", "run", "-o", "absent/page.html"], "there is no folder absent");
    wrong(path, &["plot", "run", "-o", "x.pdf"], "ends in .svg or .png");
    refused(path, &["explain", "run", "-o", "page.html"], "is not a folder");
    refused(path, &["eval", "run", "--confusion", &"n".repeat(300)], "--confusion");

    // A picture with a long path gets a name that fits, and one that is not there is said not to be.
    let folder = path.join("p".repeat(200)).join("q".repeat(200));
    fs::create_dir_all(&folder).unwrap();
    fs::copy(path.join("run/panel/000.png"), folder.join("photo.png")).unwrap();
    let photo = folder.join("photo.png");
    stdout(&["explain", "run", photo.to_str().unwrap(), "--methods", "grad-cam", "-o", "seen"]);
    let names = fs::read_dir(path.join("seen")).unwrap().map(|entry| entry.unwrap().file_name());
    let long = names.filter(|name| name.to_string_lossy().ends_with("photo.png")).count();
    assert_eq!(long, 1);
    refused(path, &["explain", "run", "photo@2x.png"], "no file or folder 'photo@2x.png'");

    // Again into its own folder, in whatever form: figures that it made and makes no more go, and nothing else does.
    fs::copy(path.join("run/panel/000.png"), path.join("photo.png")).unwrap();
    fs::create_dir(path.join("drawn")).unwrap();
    fs::write(path.join("drawn/mine.png"), "mine").unwrap();
    for form in ["svg", "png", "svg"] {
        let asked = ["explain", "run", "photo.png", "--methods", "grad-cam", "-o", "drawn", "--figures", form];
        stdout(&asked);
        let names = fs::read_dir(path.join("drawn")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut figures: Vec<String> = names.filter(|name| name.ends_with("png") || name.ends_with("svg")).collect();
        figures.sort();
        assert_eq!(figures, ["mine.png".to_string(), format!("photo.{form}")]);
        let summary: Value = serde_json::from_slice(&fs::read(path.join("drawn/summary.json")).unwrap()).unwrap();
        assert_eq!(summary["figures"], serde_json::json!([format!("photo.{form}")]));
    }
    fs::remove_file(path.join("photo.png")).unwrap();

    // A setting out of range is told as training tells it; what a model has nothing for is another matter.
    wrong(path, &["explain", "run", "--methods", "rollout:start_block=99"], "rollout: start_block is 99");
    wrong(path, &["explain", "run", "--methods", "all,occlusion:window=99"], "occlusion: window is 99");
    train(path, "resnet_mini", "cnn", &[]);
    wrong(path, &["explain", "cnn", "--methods", "rollout"], "none of them fits");
}

#[test]
fn a_run_whose_name_is_not_utf_8_can_be_used() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    train(dir.path(), "deit_mini", "run", &[]);
    let name = OsStr::from_bytes(b"run\xff");
    fs::rename(dir.path().join("run"), dir.path().join(name)).unwrap();
    let with = |first: &[&str], spec: &[u8], rest: &[&str]| {
        let mut command = driftscope(dir.path(), first);
        let output = command.arg(OsStr::from_bytes(spec)).args(rest).output().unwrap();
        assert!(output.status.success(), "{first:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    with(&["export"], b"run\xff@last", &["w.safetensors"]);
    with(&["eval"], b"run\xff@1", &[]);
    with(&["report", "-o", "page.html"], b"run\xff", &[]);
    with(&["explain", "--methods", "grad-cam"], b"run\xff@0", &[]);
    with(&["train", "--resume"], b"run\xff", &[]);
}

#[test]
fn a_run_without_a_finished_epoch_is_said_to_have_none() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    train(dir.path(), "deit_mini", "run", &[]);
    for epoch in ["epoch-0000", "epoch-0001"] {
        fs::remove_dir_all(dir.path().join("run").join(epoch)).unwrap();
    }
    for arguments in [
        &["drift", "run"][..],
        &["plot", "run"],
        &["report", "run"],
        &["animate", "run"],
        &["cause", "run"],
        &["compare", "run", "run"],
        &["eval", "run"],
        &["export", "run", "w.safetensors"],
        &["explain", "run"],
    ] {
        refused(dir.path(), arguments, "run holds no finished epoch yet");
    }
}

/// A folder of pictures with classes that are called as nobody expects.
fn odd_classes(dir: &Path, classes: &[&str], train: usize) {
    for (index, class) in classes.iter().enumerate() {
        for (split, count) in [("train", train), ("val", 1)] {
            let folder = dir.join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            for number in 0..count {
                let shade = (40 * index + 7 * number) as u8;
                let picture = image::RgbImage::from_fn(96, 96, |x, y| image::Rgb([shade, x as u8, y as u8]));
                picture.save(folder.join(format!("{number}.png"))).unwrap();
            }
        }
    }
}

#[test]
fn classes_can_be_asked_for_whatever_they_are_called() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    odd_classes(&dir.path().join("pics"), &["a", "a,b", "label"], 2);
    let run = ["train", "--model", "deit_mini", "--data", "pics", "--epochs", "1", "--run-dir", "run"];
    let targets = ["--set", "panel.targets=[\"label\", \"class:label\"]", "--methods", "grad-cam"];
    succeed(dir.path(), &[&run[..], &targets].concat());
    let shown = |targets: &[&str]| -> Vec<String> {
        succeed(dir.path(), &[&["explain", "run", "--methods", "grad-cam", "-o", "seen"], targets].concat());
        let summary = fs::read(dir.path().join("seen/summary.json")).unwrap();
        let summary: Value = serde_json::from_slice(&summary).unwrap();
        let targets = summary.pointer("/runs/0/explainers/0/targets").unwrap().as_array().unwrap().clone();
        targets.iter().map(|target| target.as_str().unwrap().to_string()).collect()
    };
    assert_eq!(shown(&["--targets", "a,b"]), ["a,b"]);
    assert_eq!(shown(&["--targets", "label,a"]), ["label", "a"]);
    assert_eq!(shown(&["--targets", "class:label", "--targets", "prediction"]), ["class:label", "prediction"]);
    succeed(dir.path(), &["cause", "run", "--targets", "class:a,b"]);
    wrong(dir.path(), &["explain", "run", "--targets", "label,nobody"], "'nobody'");
    // The run's own maps are kept under names that tell the two apart.
    let path = dir.path().join("run/epoch-0001/explanations/grad-cam.safetensors");
    let kept = Explanations::decode(&fs::read(&path).unwrap(), &path).unwrap();
    assert_eq!(kept.target_kinds, ["label", "class:label"]);
    assert_eq!(kept.targets, [0, 2, 1, 2, 2, 2], "the label of each picture, and the class called label");
}

#[test]
fn runs_of_the_same_pictures_compare_whatever_else_they_learned_from() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    train(path, "deit_mini", "few", &[]);
    train(path, "deit_mini", "more", &["--set", "data.train_per_class=3"]);
    // Another digest, since the data is not the same; the panel's pictures are, there being one a class.
    let digest = |run: &str| {
        let record: Value = serde_json::from_slice(&fs::read(path.join(run).join("run.json")).unwrap()).unwrap();
        record.pointer("/panel/digest").unwrap().clone()
    };
    assert_ne!(digest("few"), digest("more"));
    succeed(path, &["compare", "few", "more"]);

    train(path, "deit_mini", "others", &["--set", "data.seed=1"]);
    refused(path, &["compare", "few", "others"], "10 images there, 10 here, 0 of them shared");
    fs::copy(path.join("others/panel/003.png"), path.join("more/panel/003.png")).unwrap();
    refused(path, &["compare", "few", "more"], "003.png is not what was sealed");
}
