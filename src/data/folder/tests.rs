//! Which images are found, under which names, and what is said of the rest.

use super::classes::Found;
use super::*;
use crate::data::Split;
use crate::picture::Limits;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

fn touch(root: &Path, names: &[&str]) {
    for name in names {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
}

fn config(root: &Path) -> FolderConfig {
    FolderConfig::of(root.to_path_buf())
}

fn found(root: &Path) -> Found {
    find(&config(root)).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(config: &FolderConfig, parts: &[&str]) {
    let error = find(config).err().expect("refused").to_string();
    for part in parts {
        assert!(error.contains(part), "'{part}' is missing from: {error}");
    }
}

fn ids(found: &Found, split: Split) -> Vec<(&str, usize)> {
    found.splits[split as usize].samples().iter().map(|sample| (sample.id.as_str(), sample.label)).collect()
}

fn noted(found: &Found, parts: &[&str]) {
    for part in parts {
        assert!(found.notes.iter().any(|note| note.contains(part)), "'{part}' is missing from: {:?}", found.notes);
    }
}

/// DTD's layout with these lists of split 1.
fn dtd_of(lists: [&str; 3]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["images/a/a_1.jpg", "images/a/a_2.jpg", "images/b/b_1.jpg", "images/b/b_2.jpg", "labels/x"]);
    for (name, text) in ["train", "val", "test"].into_iter().zip(lists) {
        fs::write(dir.path().join(format!("labels/{name}1.txt")), text).unwrap();
    }
    dir
}

#[test]
fn dtd_follows_its_official_lists() {
    let dir = dtd_of(["b/b_1.jpg\na/a_1.jpg\n", "a/a_2.jpg\n", "b/b_2.jpg\n\n"]);
    let all = found(dir.path());
    assert_eq!(all.classes, ["a", "b"]);
    assert_eq!(ids(&all, Split::Train), [("b/b_1.jpg", 1), ("a/a_1.jpg", 0)]);
    assert_eq!(ids(&all, Split::Test), [("b/b_2.jpg", 1)]);
    let only = |class: &str| FolderConfig { classes: vec![class.to_string()], ..config(dir.path()) };
    let one = find(&only("b")).unwrap();
    assert_eq!((ids(&one, Split::Train), ids(&one, Split::Val)), (vec![("b/b_1.jpg", 0)], vec![]));
    refused(&only("c"), &["'c'", "a, b"]);
}

#[test]
fn a_list_from_windows_is_read_as_any_other() {
    let dir = dtd_of(["\u{feff}b/b_1.jpg\r\na/a_1.jpg\r\n", "a/a_2.jpg\r\n", ""]);
    let all = found(dir.path());
    assert_eq!(ids(&all, Split::Train), [("b/b_1.jpg", 1), ("a/a_1.jpg", 0)]);
    noted(&all, &["1 image in images/ that no list of this split names"]);
}

#[test]
fn a_wrong_line_of_a_list_is_named() {
    let good = "a/a_1.jpg\nb/b_1.jpg\n";
    for (lists, parts) in [
        ([good, "a/a_1.jpg", ""], ["val1.txt: line 1", "train1.txt names it too"]),
        (["a/a_1.jpg\nb/b_1.jpg\n\na/a_1.jpg", "a/a_2.jpg", ""], ["train1.txt: line 4", "line 1 already names it"]),
        ([good, "/etc/a.jpg", ""], ["val1.txt: line 1", "absolute"]),
        ([good, "a/../../x.jpg", ""], ["val1.txt: line 1", "leads out"]),
        ([good, "a_2.jpg", ""], ["val1.txt: line 1", "no class folder"]),
        ([good, "a//a_2.jpg", ""], ["val1.txt: line 1", "without a name"]),
        ([good, "c/c_1.jpg", ""], ["val1.txt: no line of the train list is of c", "cannot be learned"]),
    ] {
        refused(&config(dtd_of(lists).path()), &parts);
    }
    let dir = dtd_of([good, "a/a_9.jpg\na/a_2.jpg", "b/b_2.jpg"]);
    let all = found(dir.path());
    assert_eq!(all.bad.len(), 1);
    assert!(all.bad[0].path.ends_with("images/a/a_9.jpg"));
    assert!(all.bad[0].reason.contains("line 1 of") && all.bad[0].reason.contains("val1.txt"), "{}", all.bad[0]);
    fs::write(dir.path().join("labels/val1.txt"), b"a/\xff.jpg").unwrap();
    refused(&config(dir.path()), &["val1.txt", "UTF-8"]);
}

#[test]
fn a_split_that_there_is_not_is_refused_with_those_that_there_are() {
    let dir = dtd_of(["a/a_1.jpg\nb/b_1.jpg", "a/a_2.jpg", "b/b_2.jpg"]);
    touch(dir.path(), &["labels/train2.txt", "labels/val2.txt", "labels/train4.txt", "labels/val4.txt"]);
    refused(&FolderConfig { split: 11, ..config(dir.path()) }, &["split 11", "there are splits 1 to 2, 4"]);
    let yolo = tempfile::tempdir().unwrap();
    touch(yolo.path(), &["images/train/1.jpg", "labels/train/1.txt"]);
    refused(&config(yolo.path()), &["labels", "train1.txt"]);
}

/// Round(0.8 · 10) = 8 of each class of ten are for training, round(0.1 · 10) = 1 for validation.
#[test]
fn a_folder_a_class_is_split_the_same_way_every_time() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..20).map(|n| format!("{}/{n:02}.png", ["x", "y"][n % 2])).collect();
    touch(dir.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    touch(dir.path(), &["x/notes.txt"]);
    let (one, two) = (found(dir.path()), found(dir.path()));
    assert_eq!(one.splits.each_ref().map(|split| split.samples().len()), [16, 2, 2]);
    for split in Split::ALL {
        assert_eq!(ids(&one, split), ids(&two, split));
    }
    noted(&one, &["1 file ending in .txt"]);
}

#[test]
fn too_few_pictures_for_a_split_say_how_many_are_needed() {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["x/1.png", "x/2.png", "y/1.png", "y/2.png", "y/3.png", "y/4.png"]);
    let problem = found(dir.path()).problem.unwrap();
    for part in ["x (2), y (4)", "80/10/10", "at least 5", "train/"] {
        assert!(problem.contains(part), "'{part}' is missing from: {problem}");
    }
    touch(dir.path(), &["y/5.png"]);
    let all = found(dir.path());
    assert_eq!(all.problem, None);
    noted(&all, &["no validation image of: x (2)"]);
}

#[test]
fn split_folders_are_taken_as_they_are_and_folders_below_a_class_are_searched() {
    let dir = tempfile::tempdir().unwrap();
    let deep = ["train/x/1.JPG", "train/x/sub/deep/2.pgm", "train/y/2.png", "valid/x/3.png", "valid/y/4.png"];
    touch(dir.path(), &deep);
    let all = found(dir.path());
    assert_eq!(ids(&all, Split::Train), [("train/x/1.JPG", 0), ("train/x/sub/deep/2.pgm", 0), ("train/y/2.png", 1)]);
    assert_eq!(ids(&all, Split::Val), [("valid/x/3.png", 0), ("valid/y/4.png", 1)]);
    assert!(ids(&all, Split::Test).is_empty() && all.notes.is_empty(), "{:?}", all.notes);
}

#[test]
fn everything_that_is_left_out_is_counted_and_said() {
    let dir = tempfile::tempdir().unwrap();
    touch(
        dir.path(),
        &["train/x/1.png", "train/y/1.png", "val/x/2.png", "val/y/2.png", "test/x/3.png", "test/z/3.png"],
    );
    touch(dir.path(), &["train/x/._1.png", "train/x/.hidden.png", "train/x/a.txt", "train/y/b.TXT", "train/y/README"]);
    touch(dir.path(), &["train/.DS_Store", "val/x/Thumbs.db", "val/desktop.ini", "__MACOSX/x/1.png", "train/x/a.heic"]);
    touch(dir.path(), &["train/stray.png", "other/1.png", "train/x/.git/1.png"]);
    let all = found(dir.path());
    assert_eq!(all.classes, ["x", "y"]);
    assert_eq!(all.splits.each_ref().map(|split| split.samples().len()), [2, 2, 1]);
    noted(
        &all,
        &[
            "2 files ending in .txt",
            "1 file ending in .heic: ",
            "1 file without an ending",
            "2 hidden files or folders",
            "1 file named ._",
            "4 files or folders of macOS or Windows",
            "1 image in no class folder: ",
            "1 folder beside train/, val/ and test/: ",
            "1 class in test/ that train/ does not have: ",
            "no test image of: y",
        ],
    );
}

#[test]
fn a_split_under_another_name_is_left_out_with_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["train/x/1.png", "train/y/1.png", "val/x/2.png", "val/y/2.png"]);
    touch(dir.path(), &["Test/x/3.png", "eval/x/3.png", "others/x/3.png"]);
    let all = found(dir.path());
    assert!(ids(&all, Split::Test).is_empty());
    let split = "2 folders beside train/, val/ and test/ named as a split; the one to test on is called test/";
    noted(&all, &[split, "1 folder beside train/, val/ and test/: "]);
}

#[test]
fn layouts_that_do_not_work_are_refused_in_words() {
    let refuse = |names: &[&str], parts: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), names);
        refused(&config(dir.path()), &[parts, &[&*dir.path().display().to_string()]].concat());
    };
    refuse(&["train/x/1.png", "test/x/2.png"], &["train/ but no val/"]);
    refuse(&["train/x/1.png", "val/x/2.png", "valid/x/2.png"], &["val/ and valid/", "keep one"]);
    refuse(&["train/x/1.png", "val/x/1.png", "val/q/2.png"], &["train/ has no images of q", "cannot be learned"]);
    refuse(&["val/x/1.png", "test/x/2.png"], &["no train/"]);
    let hint = "if train is a class beside car, plane, give its folder another name";
    refuse(&["train/1.png", "car/1.png", "plane/1.png", "test/1.png"], &["train/ but no val/", hint]);
    for [train, val, test] in
        [["Train", "val", "test"], ["training", "validation", "testing"], ["TRAIN", "Dev", "eval"]]
    {
        let pictures = [train, val, test].map(|split| format!("{split}/x/1.png"));
        let said = format!("{train}/");
        refuse(&pictures.each_ref().map(String::as_str), &[&said, "look like splits", "call them train/, val/"]);
    }
    refuse(
        &["x/1.png", "y/notes.txt", "y/.hidden"],
        &["/y: a class without an image", "1 file ending in .txt", "hidden"],
    );
    refuse(&["train/x/1.png", "train/y/a.txt", "val/x/2.png"], &["train/y: a class without an image", ".txt"]);
    refuse(&["1.png", "2.png"], &["no images in class folders", "2 images in no class folder", "train/ and val/"]);
    refuse(&[".gitkeep"], &["no images in class folders", "1 hidden file"]);
    let nowhere = Path::new("/nowhere/at/all");
    refused(&config(nowhere), &["/nowhere/at/all", "no such folder"]);
    refused(&config(Path::new("/dev/null")), &["/dev/null", "it is a file"]);
}

#[test]
fn one_class_is_a_problem_with_a_hint_at_the_folder_within() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..6).flat_map(|n| [format!("pets/cat/{n}.png"), format!("pets/dog/{n}.png")]).collect();
    touch(dir.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let problem = found(dir.path()).problem.unwrap();
    assert!(problem.contains("only one class, 'pets'") && problem.contains(&format!("{}/pets", dir.path().display())));
}

#[test]
fn what_driftscope_wrote_is_no_data() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..5).flat_map(|n| [format!("x/{n}.png"), format!("y/{n}.png")]).collect();
    touch(dir.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let run = r#"{"schema": 1, "driftscope": "0.1.0", "name": "r", "model": "deit_mini"}"#;
    let summary = r#"{"schema": 1, "driftscope": "0.1.0", "runs": []}"#;
    touch(dir.path(), &["checkpoints/r/panel/1.png", "run/panel/1.png", "explained/1.png", "x/r/1.png"]);
    for (name, text) in [
        ("checkpoints/r/run.json", run),
        ("run/run.json", run),
        ("x/r/run.json", run),
        ("explained/summary.json", summary),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let all = found(dir.path());
    assert_eq!(all.classes, ["x", "y"]);
    assert_eq!(all.splits.iter().map(|split| split.samples().len()).sum::<usize>(), 10);
    noted(&all, &["3 folders with a run of driftscope", "1 folder written by driftscope explain"]);
    refused(&config(&dir.path().join("run")), &["the folder of a run, not data"]);
    // A file of that name that somebody else wrote makes no run.
    touch(dir.path(), &["z/1.png", "z/2.png", "z/3.png"]);
    fs::write(dir.path().join("z/run.json"), r#"{"model": "shoe"}"#).unwrap();
    assert_eq!(found(dir.path()).classes, ["x", "y", "z"]);
}

/// Figures that were written among a class's images, in the data's own folder, and in one of their own.
#[test]
fn figures_beside_pictures_are_left_out_alone() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..10).flat_map(|n| [format!("x/{n}.png"), format!("y/{n}.png")]).collect();
    touch(dir.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let summary = serde_json::json!({
        "schema": 1, "driftscope": "0.1.0", "runs": [{"run": "r", "folder": "r@3"}], "figures": ["seen.png"],
    });
    touch(dir.path(), &["own/seen.png", "own/r@3/gradcam.safetensors"]);
    for place in ["x", ".", "own"] {
        let place = dir.path().join(place);
        touch(&place, &["seen.png", "r@3/gradcam.safetensors"]);
        fs::write(place.join("summary.json"), summary.to_string()).unwrap();
    }
    let all = found(dir.path());
    assert_eq!(all.classes, ["x", "y"]);
    assert_eq!(all.splits.each_ref().map(|split| split.samples().len()), [16, 2, 2]);
    let seen = |split| ids(&all, split).iter().any(|(id, _)| id.contains("seen"));
    assert!(!Split::ALL.into_iter().any(seen));
    noted(&all, &["1 folder written by driftscope explain", "files or folders that driftscope explain wrote"]);
    refused(&config(&dir.path().join("own")), &["a folder written by driftscope explain, not data"]);
}

#[test]
fn an_unfinished_branch_of_a_run_is_no_class() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..5).flat_map(|n| [format!("x/{n}.png"), format!("y/{n}.png")]).collect();
    touch(dir.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    touch(dir.path(), &["branch/panel/1.png"]);
    fs::write(dir.path().join("branch/branching.json"), r#"{"schema": 1, "from": "/runs/a"}"#).unwrap();
    let all = found(dir.path());
    assert_eq!(all.classes, ["x", "y"]);
    noted(&all, &["1 folder with a run of driftscope"]);
    refused(&config(&dir.path().join("branch")), &["the folder of a run, not data"]);
}

#[test]
fn links_are_followed_once_and_never_in_circles() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    touch(dir.path(), &["train/x/1.png", "train/y/1.png", "val/x/1.png", "val/y/1.png"]);
    touch(elsewhere.path(), &["2.png", "in/3.png"]);
    symlink(elsewhere.path(), dir.path().join("train/x/a_link")).unwrap();
    symlink(elsewhere.path().join("in"), dir.path().join("train/x/z_link")).unwrap();
    symlink(dir.path(), dir.path().join("train/x/up")).unwrap();
    symlink(".", dir.path().join("train/y/self")).unwrap();
    symlink("nowhere", dir.path().join("train/y/broken.png")).unwrap();
    let all = found(dir.path());
    let train = ids(&all, Split::Train);
    assert!(
        train.contains(&("train/x/a_link/2.png", 0)) && train.contains(&("train/x/a_link/in/3.png", 0)),
        "{train:?}"
    );
    assert!(train.contains(&("train/y/broken.png", 1)), "a bad image, which is said when it is read");
    assert_eq!(train.len(), 5, "a link up brings in no other class and no other split: {train:?}");
    noted(&all, &["3 links to a folder that is searched already"]);
}

#[test]
fn no_link_brings_in_the_pictures_of_another_class_or_split() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..10).flat_map(|n| [format!("a/{n}.png"), format!("b/in/{n}.png")]).collect();
    touch(dir.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    symlink("../b", dir.path().join("a/more")).unwrap();
    symlink("../b/in", dir.path().join("a/still_more")).unwrap();
    let all = found(dir.path());
    assert_eq!(all.splits.each_ref().map(|split| split.samples().len()), [16, 2, 2]);
    let owns = |(id, label): &(&str, usize)| id.starts_with(["a/", "b/in/"][*label]) && !id.contains("more");
    assert!(Split::ALL.into_iter().all(|split| ids(&all, split).iter().all(owns)));
    noted(&all, &["2 links to a folder that is searched already"]);

    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["train/a/1.png", "train/b/2.png", "val/a/3.png", "val/b/4.png", "test/a/5.png"]);
    symlink("../../val/a", dir.path().join("train/a/leak")).unwrap();
    symlink("../../test", dir.path().join("train/b/leak")).unwrap();
    let all = found(dir.path());
    assert_eq!(ids(&all, Split::Train), [("train/a/1.png", 0), ("train/b/2.png", 1)]);
    assert_eq!(ids(&all, Split::Val), [("val/a/3.png", 0), ("val/b/4.png", 1)]);
    assert_eq!(ids(&all, Split::Test), [("test/a/5.png", 0)]);
    noted(&all, &["2 links to a folder that is searched already"]);
}

#[test]
fn names_that_are_no_text_stay_apart_and_a_folder_named_as_a_picture_is_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["train/x/1.png/in.png", "train/y/1.png", "val/x/1.png", "val/y/1.png"]);
    for name in [b"\xff.png", b"\xfe.png"] {
        fs::write(dir.path().join("train/y").join(std::ffi::OsStr::from_bytes(name)), "").unwrap();
    }
    let train = found(dir.path());
    let train: Vec<&str> = ids(&train, Split::Train).into_iter().map(|(id, _)| id).collect();
    assert_eq!(train, ["train/x/1.png/in.png", "train/y/1.png", "train/y/\\xfe.png", "train/y/\\xff.png"]);
}

/// The rules of the first version: flat, eight endings, hidden images counted, a backslash in a name a slash.
#[test]
fn an_older_run_finds_the_ids_that_it_found() {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["train/x/1.png", "train/x/.2.png", "train/x/sub/3.png", "train/x/4.ppm", "train/x/a\\5.png"]);
    touch(dir.path(), &["train/y/1.png", "val/x/1.png", "val/y/1.png", "val/z/1.png", "train/x/._1.png"]);
    let old: FolderConfig = serde_json::from_value(serde_json::json!({
        "root": dir.path(), "split": 1, "classes": [], "skip_bad_images": false,
    }))
    .unwrap();
    assert_eq!((old.rules, old.limits), (0, Limits::default()));
    let all = find(&old).unwrap();
    let train: Vec<&str> = ids(&all, Split::Train).into_iter().map(|(id, _)| id).collect();
    assert_eq!(train, ["train/x/.2.png", "train/x/1.png", "train/x/a/5.png", "train/y/1.png"]);
    noted(&all, &["1 folder within a class, which the rules of this older run do not search"]);
}
