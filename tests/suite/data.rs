//! Data as a person meets it: every picture checked, every one that is left out said, and limits that a flag raises.

use crate::support::{driftscope, succeed};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;

/// train/ and val/ with two classes of two pictures each.
fn pictures(root: &Path) {
    for split in ["train", "val"] {
        for class in ["a", "b"] {
            let folder = root.join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            for name in ["1.png", "2.jpg"] {
                let shade = |x: u32, y: u32| image::Rgb([x as u8 * 5, y as u8 * 7, (x * y) as u8]);
                image::RgbImage::from_fn(40, 30, shade).save(folder.join(name)).unwrap();
            }
        }
    }
}

/// `driftscope data` with a cache of its own.
fn data(dir: &Path, arguments: &[&str]) -> Output {
    let cache = dir.join("cache");
    let arguments = [&["data"], arguments].concat();
    driftscope(dir, &arguments).env("DRIFTSCOPE_CACHE", cache).output().unwrap()
}

fn texts(output: &Output) -> (String, String) {
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn data_decodes_every_picture_and_names_each_that_is_bad() {
    let dir = tempfile::tempdir().unwrap();
    pictures(&dir.path().join("pics"));
    let (good, _) = texts(&data(dir.path(), &["pics"]));
    assert!(good.contains("2 classes, 4 train, 4 val, 0 test images, 0 skipped") && good.contains("bytes"), "{good}");

    let jpeg = dir.path().join("pics/train/a/2.jpg");
    let bytes = fs::read(&jpeg).unwrap();
    fs::write(&jpeg, &bytes[..bytes.len() * 3 / 4]).unwrap();
    fs::write(dir.path().join("pics/val/b/page.png"), "<html><body>sorry</body></html>").unwrap();
    let output = data(dir.path(), &["pics"]);
    let (_, error) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    for part in ["2 of 9 images", "train/a/2.jpg: truncated", "val/b/page.png: it is an HTML page", "--skip-bad-images"]
    {
        assert!(error.contains(part), "'{part}' is missing from: {error}");
    }

    let output = data(dir.path(), &["pics", "--skip-bad-images", "--format", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["skipped"].as_array().unwrap().len(), 2);
    assert!(value["skipped"][0]["reason"].as_str().unwrap().contains("truncated"));
    assert!(texts(&output).1.contains("page.png: it is an HTML page"));

    fs::remove_file(dir.path().join("pics/val/b/page.png")).unwrap();
    let output = data(dir.path(), &["pics", "--quick"]);
    assert!(output.status.success());
    assert!(texts(&output).0.contains("only headers were read"), "a JPEG's header does not tell");
}

#[test]
fn a_limit_is_raised_by_a_flag() {
    let dir = tempfile::tempdir().unwrap();
    pictures(&dir.path().join("pics"));
    image::RgbImage::new(2000, 1001).save(dir.path().join("pics/val/a/great.png")).unwrap();
    let (_, error) = texts(&data(dir.path(), &["pics", "--max-megapixels", "2"]));
    assert!(
        error.contains("great.png: 2000 × 1001 pixels are 3 megapixels") && error.contains("--max-megapixels"),
        "{error}"
    );
    assert!(data(dir.path(), &["pics", "--max-megapixels", "3"]).status.success());
    assert!(data(dir.path(), &["pics"]).status.success());
    // 2000 · 1001 pixels of three bytes are 5.7 MiB.
    let (_, error) = texts(&data(dir.path(), &["pics", "--max-decoder-mib", "5"]));
    assert!(error.contains("need 6 MiB to be decoded") && error.contains("raise it with --max-decoder-mib"), "{error}");
    assert!(data(dir.path(), &["pics", "--max-decoder-mib", "16"]).status.success());
    assert_eq!(data(dir.path(), &["pics", "--max-megapixels", "0"]).status.code(), Some(2));
}

#[test]
fn a_folder_that_cannot_be_trained_on_can_be_counted() {
    let dir = tempfile::tempdir().unwrap();
    pictures(&dir.path().join("pics"));
    let (few, _) = texts(&data(dir.path(), &["pics/train"]));
    assert!(few.contains("2 classes") && few.contains("at least 5 images"), "{few}");
    fs::remove_dir_all(dir.path().join("pics/train/b")).unwrap();
    fs::remove_dir_all(dir.path().join("pics/val/b")).unwrap();
    let (one, _) = texts(&data(dir.path(), &["pics"]));
    assert!(one.contains("1 classes") && one.contains("only one class, 'a'"), "{one}");
    let train = ["train", "--model", "deit_mini", "--data", "pics", "--run-dir", "run"];
    let output = driftscope(dir.path(), &train).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(texts(&output).1.contains("only one class, 'a'"), "{}", texts(&output).1);
    assert!(!dir.path().join("run").exists());
}

#[test]
fn a_split_for_folders_that_are_split_is_refused_and_a_namesake_is_pointed_at() {
    let dir = tempfile::tempdir().unwrap();
    pictures(&dir.path().join("textures"));
    let (_, error) = texts(&data(dir.path(), &["./textures", "--split", "2"]));
    assert!(error.contains("--split") && error.contains("taken as they are"), "{error}");
    let (embedded, _) = texts(&data(dir.path(), &["textures"]));
    assert!(embedded.contains("10 classes") && embedded.contains("type ./textures"), "{embedded}");
    let (folder, _) = texts(&data(dir.path(), &["./textures"]));
    assert!(folder.contains("2 classes") && !folder.contains("type ./textures"), "{folder}");
}

#[test]
fn data_is_counted_without_a_home_and_with_a_cache_that_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    pictures(&dir.path().join("pics"));
    let mut homeless = driftscope(dir.path(), &["data", "pics"]);
    homeless.env_remove("HOME").env_remove("XDG_CACHE_HOME").env_remove("DRIFTSCOPE_CACHE");
    assert!(homeless.output().unwrap().status.success());
    let mut blocked = driftscope(dir.path(), &["data", "pics"]);
    blocked.env("DRIFTSCOPE_CACHE", "/dev/null/nowhere");
    assert!(blocked.output().unwrap().status.success());
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["pics"], "nothing is written beside the data");
}

#[test]
fn what_is_left_out_is_said_when_training_begins() {
    let dir = tempfile::tempdir().unwrap();
    pictures(&dir.path().join("pics"));
    fs::write(dir.path().join("pics/train/a/notes.txt"), "notes").unwrap();
    let train = ["train", "--model", "deit_mini", "--data", "pics", "--epochs", "1", "--run-dir", "run"];
    let said = String::from_utf8(succeed(dir.path(), &train).stderr).unwrap();
    assert!(said.contains("left out: 1 file ending in .txt") && said.contains("train/a/notes.txt"), "{said}");
    let record: Value = serde_json::from_slice(&fs::read(dir.path().join("run/run.json")).unwrap()).unwrap();
    assert_eq!(record["config"]["data"]["rules"].as_u64(), Some(2));
}

#[test]
fn help_and_readme_name_exactly_the_formats_that_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let help = String::from_utf8(succeed(dir.path(), &["data", "--help"]).stdout).unwrap();
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for format in &driftscope::picture::FORMATS {
        assert!(help.contains(format.name) && readme.contains(format.name), "{}", format.name);
    }
    for other in ["AVIF", "HEIC", "JPEG 2000", "ICO"] {
        assert!(!help.contains(other), "{other}");
    }
}
