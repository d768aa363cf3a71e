//! What a person reads, word for word: the help of every command, and every table. A change shows in a file of
//! `tests/suite/snapshots`; `INSTA_UPDATE=always cargo test` writes them anew, to be read before they are committed.

use crate::old_runs::unpack;
use crate::support::{alone, driftscope, succeed};
use std::path::Path;

/// Every command, in the order of the help.
const COMMANDS: [&str; 15] = [
    "train",
    "eval",
    "export",
    "runs",
    "data",
    "explain",
    "drift",
    "cause",
    "compare",
    "animate",
    "plot",
    "report",
    "bench",
    "list",
    "completions",
];

/// What `driftscope ARGUMENTS…` prints.
fn answer(dir: &Path, arguments: &[&str]) -> String {
    String::from_utf8(succeed(dir, arguments).stdout).unwrap()
}

/// `answer`, with the digits of every number that has a point replaced by `#`: what floating-point arithmetic of another
/// processor may change. A sign goes with them.
fn without_digits(text: &str) -> String {
    let number = |word: &str| word.contains('.') && !word.ends_with('.') && word.parse::<f64>().is_ok();
    let masked = |word: &str| -> String {
        word.chars()
            .map(|letter| {
                if letter == '-' {
                    ' '
                } else if letter == '.' {
                    '.'
                } else {
                    '#'
                }
            })
            .collect()
    };
    let edges = |letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == '-' || letter == '+');
    let mut rest = text;
    let mut shown = String::new();
    while !rest.is_empty() {
        let end = rest.find(edges).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        shown += &if number(word) { masked(word) } else { word.to_string() };
        let edge = after.chars().next().map_or(0, char::len_utf8);
        shown += &after[..edge];
        rest = &after[edge..];
    }
    shown
}

#[test]
fn digits_are_masked_and_nothing_else() {
    assert_eq!(
        without_digits("a 1.25 -0.5 [-1.00, 2.50] 12 run-2 v1.x\n"),
        "a #.##  #.# [ #.##, #.##] 12 run-2 v1.x\n"
    );
}

#[test]
fn the_help_of_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let help = |arguments: &[&str]| {
        let output = driftscope(dir.path(), arguments).env("COLUMNS", "100").output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let all = help(&["--help"]);
    for command in COMMANDS {
        assert!(all.contains(&format!("\n  {command} ")), "{command} is listed");
        insta::assert_snapshot!(format!("help-{command}"), help(&[command, "--help"]));
    }
    insta::assert_snapshot!("help", all);
    // The same again, in the other way to ask.
    assert_eq!(help(&["help"]), all);
    assert_eq!(help(&["help", "list"]), help(&["list", "--help"]));
    assert!(help(&["help", "--help"]).contains("Print the help of a command"));
}

#[test]
fn what_there_is_to_choose_from() {
    let dir = tempfile::tempdir().unwrap();
    for what in ["models", "methods", "measures"] {
        insta::assert_snapshot!(format!("list-{what}"), answer(dir.path(), &["list", what]));
    }
    // Which devices there are depends on the machine; `flex` is everywhere.
    let devices: serde_json::Value =
        serde_json::from_str(&answer(dir.path(), &["list", "devices", "--format", "json"])).unwrap();
    let names: Vec<&str> =
        devices["devices"].as_array().unwrap().iter().filter_map(|row| row["device"].as_str()).collect();
    assert_eq!(names.last(), Some(&"flex"), "{devices}");
}

/// An old run keeps the figures of its maps, which are its own and not those of this machine.
#[test]
fn the_tables_of_a_runs_drift() {
    let dir = tempfile::tempdir().unwrap();
    unpack(dir.path(), "textures");
    let drift = ["drift", "textures", "--resamples", "50"];
    for (name, more) in [
        ("drift", &[][..]),
        ("drift-all", &["--all"]),
        ("drift-matrix", &["--matrix"]),
        ("drift-groups", &["--groups", "--measures", "spearman"]),
        ("drift-images", &["--images"]),
        ("drift-spread", &["--spread"]),
        ("drift-csv", &["--format", "csv", "--measures", "spearman"]),
    ] {
        insta::assert_snapshot!(name, without_digits(&answer(dir.path(), &[&drift[..], more].concat())));
    }
    let twice = ["compare", "textures", "textures", "--resamples", "50"];
    insta::assert_snapshot!("compare", without_digits(&answer(dir.path(), &twice)));
    insta::assert_snapshot!("runs", answer(dir.path(), &["runs", "."]));
    insta::assert_snapshot!("runs-json", answer(dir.path(), &["runs", ".", "--format", "json"]));
}

#[test]
fn the_tables_of_what_a_model_answers() {
    let _turn = alone();
    let dir = tempfile::tempdir().unwrap();
    unpack(dir.path(), "textures");
    let ask = |arguments: &[&str]| without_digits(&answer(dir.path(), arguments));
    insta::assert_snapshot!("data", ask(&["data", "textures"]));
    insta::assert_snapshot!("eval", ask(&["eval", "textures", "--device", "cpu", "--split", "val"]));
    // Rank and class may differ where two logits are close: only the frame is held.
    let table = ask(&["explain", "textures", "--device", "cpu", "--methods", "rollout"]);
    let heading = table.lines().next().unwrap();
    assert_eq!(
        heading.split_whitespace().collect::<Vec<_>>(),
        ["picture", "label", "run", "predicted", "probability", "figure"]
    );
    assert_eq!(table.lines().count(), 11, "one row per image of the panel: {table}");
}
