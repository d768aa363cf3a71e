//! Names that would like to be more: tags, quotes, blanks, newlines, commas and emoji in classes, pictures and runs.

use crate::support::{alone, driftscope, succeed};
use serde_json::Value;
use std::fs;
use std::path::Path;

const CLASSES: [&str; 5] =
    ["<img src=x onerror=1>", "a,b \"quoted\" 'name'", "line\nbreak\ttab", "émoji 😀 日本", "label"];
const PICTURES: [&str; 2] = ["<b onclick=alert(1)>&amp;.png", "new\nline \"x\", 'y' 😀@2x.png"];

fn pictures(root: &Path) {
    for split in ["train", "val", "test"] {
        for (label, class) in CLASSES.iter().enumerate() {
            let folder = root.join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            for (number, name) in PICTURES.iter().enumerate() {
                let picture = image::RgbImage::from_fn(24, 24, |x, y| {
                    image::Rgb([x as u8 * 9, y as u8 * 9, (label * 40 + number * 9) as u8])
                });
                picture.save(folder.join(name)).unwrap();
            }
        }
    }
}

/// CSV as RFC 4180 has it.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            letter => cell.push(letter),
        }
    }
    rows
}

/// What a person or a folder is called cannot forge a second line, or an escape sequence for the terminal.
#[test]
fn an_error_about_a_strange_name_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let evil = "evil\nerror: \x1b[2Jgone";
    let in_toml = evil.replace('\n', "\\n").replace('\x1b', "\\u001b");
    fs::write(dir.join("c.toml"), format!("model = \"deit_mini\"\n\"{in_toml}\" = 1\n")).unwrap();
    fs::create_dir_all(dir.join(evil).join("train/a")).unwrap();
    let list = format!("panel.list={evil}");
    let train = ["train", "--model", "deit_mini"];
    for (arguments, code) in [
        (&["runs", &format!("{evil}/nowhere")][..], 1),
        (&["drift", evil], 1),
        (&["data", evil], 1),
        (&["report", "nowhere", "--out", &format!("{evil}/x/y.html")], 1),
        (&["train", "--config", "c.toml"], 2),
        (&[&train[..], &["--data", evil]].concat(), 1),
        (&[&train[..], &["--weights", evil]].concat(), 1),
        (&[&train[..], &["--set", &list]].concat(), 1),
        (&[&train[..], &["--set", "data.source=textures", "--set", &format!("optimizer.kind={evil}")]].concat(), 2),
        (&[&train[..], &["--set", &format!("panel.targets=[\"{in_toml}\"]")]].concat(), 2),
    ] {
        let output = driftscope(dir, arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
        let errors = message.lines().filter(|line| line.starts_with("error:")).count();
        assert!(errors == 1 && !message.contains('\x1b'), "{arguments:?}: {message}");
    }
}

#[test]
fn strange_names_go_through_training_and_every_way_of_looking_as_they_are() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    pictures(&dir.join("some pictures"));
    let run = "a \"run\" <i> 😀";
    let train = ["train", "--model", "deit_mini", "--data", "some pictures", "--epochs", "1", "--batch-size", "4"];
    let more = ["--set", "panel.per_class=1", "--set", "panel.overlays=1", "--methods", "grad-cam", "--run-dir", run];
    succeed(dir, &[&train[..], &more[..]].concat());
    let said = |arguments: &[&str]| String::from_utf8(succeed(dir, arguments).stdout).unwrap();
    // A class is a word on one line: what breaks lines is escaped.
    let mut sorted = CLASSES.map(|class| class.replace('\n', "\\x0a").replace('\t', "\\x09"));
    sorted.sort_unstable();

    let data: Value = serde_json::from_str(&said(&["data", "some pictures", "--format", "json"])).unwrap();
    assert_eq!(data["classes"], serde_json::json!(sorted));
    let table = rows(&said(&["eval", run, "--format", "csv", "--confusion", "confusion.csv"]));
    let named: Vec<&str> = table[1..=CLASSES.len()].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(named, sorted);
    assert!(table.iter().all(|row| row.len() == table[0].len()), "{table:?}");
    let confusion = rows(&fs::read_to_string(dir.join("confusion.csv")).unwrap());
    assert!(confusion.len() == 1 + CLASSES.len() && confusion.iter().all(|row| row.len() == confusion[0].len()));

    said(&["report", run, "--out", "page.html"]);
    let page = fs::read_to_string(dir.join("page.html")).unwrap();
    for evil in ["<b onclick", "<i>", "<img src=x"] {
        assert!(!page.contains(evil), "{evil} is an element of the page");
    }
    assert!(page.contains("\\u003cb onclick") && page.contains("émoji 😀 日本"), "names are shown as they are");

    said(&["drift", run, "--images"]);
    let images = rows(&said(&["drift", run, "--images", "--format", "csv"]));
    assert!(images.iter().all(|row| row.len() == images[0].len()), "{images:?}");
    let runs = rows(&said(&["runs", ".", "--format", "csv"]));
    assert!(runs.len() == 2 && runs[1][0].ends_with(run), "{runs:?}");
    said(&["plot", run, "--out", "plot.svg"]);
    assert!(!fs::read_to_string(dir.join("plot.svg")).unwrap().contains("<i>"));
    said(&["animate", run, "--out", "film.png"]);
    said(&["export", run, "out.safetensors"]);
    let picture = format!("some pictures/val/{}/{}", CLASSES[3], PICTURES[1]);
    said(&["explain", run, &picture, "--targets", "émoji 😀 日本", "--out", "seen"]);
    said(&["train", "--resume", run]);
}
