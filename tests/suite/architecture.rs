//! The rooms keep their doors: `use` goes downward only, and a backend is named where backends live.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each room may use of the others. Anything may use `fsx` and `seed`; `cli` may use all.
const DOORS: [(&str, &[&str]); 18] = [
    ("cause", &["evidence", "explain", "faithfulness", "measure", "models", "weights"]),
    ("config", &["data", "explain", "models", "picture", "weights"]),
    ("data", &["picture"]),
    ("device", &[]),
    ("draw", &["measure", "picture"]),
    ("drift", &["store", "measure", "stats"]),
    ("evidence", &["data", "explain", "faithfulness", "measure", "models", "picture", "stats", "store", "weights"]),
    ("explain", &["models", "measure", "stats"]),
    ("faithfulness", &["measure", "stats"]),
    ("measure", &["stats"]),
    ("models", &["ops", "picture"]),
    ("ops", &[]),
    ("picture", &[]),
    ("report", &["draw", "drift", "store", "measure", "picture"]),
    ("stats", &[]),
    ("store", &["measure"]),
    (
        "train",
        &[
            "config", "data", "models", "ops", "weights", "evidence", "explain", "store", "draw", "drift", "report",
            "device", "measure", "picture", "stats",
        ],
    ),
    ("weights", &["models"]),
];

/// Rooms of plain data code, which never name Burn.
const WITHOUT_BURN: [&str; 9] =
    ["draw", "drift", "faithfulness", "measure", "picture", "report", "stats", "store", "fsx"];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut files) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(&root).unwrap().to_path_buf(), text));
            }
        }
    }
    assert!(files.len() > 20, "the sources were found");
    files
}

fn room(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_string()
}

/// Code without comments and without the tests at its end.
fn code(text: &str) -> String {
    let before_tests = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn rooms_use_only_rooms_below_them() {
    for (path, text) in sources() {
        let room = room(&path);
        let Some((_, allowed)) = DOORS.iter().find(|(name, _)| *name == room) else { continue };
        let code = code(&text);
        let used: BTreeSet<&str> = code
            .match_indices("crate::")
            .map(|(at, found)| &code[at + found.len()..])
            .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
            .collect();
        for other in used {
            let open = [room.as_str(), "fsx", "seed"].contains(&other) || allowed.contains(&other);
            assert!(open, "{} uses {other}, which {room} may not", path.display());
        }
    }
}

#[test]
fn the_numbers_half_never_names_burn() {
    for (path, text) in sources().into_iter().filter(|(path, _)| WITHOUT_BURN.contains(&room(path).as_str())) {
        assert!(!code(&text).contains("burn"), "{} names Burn", path.display());
    }
}

#[test]
fn only_device_and_ops_name_a_backend() {
    for (path, text) in sources().into_iter().filter(|(path, _)| !["device", "ops"].contains(&room(path).as_str())) {
        let code = code(&text);
        let words: BTreeSet<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for name in ["burn_tch", "burn_flex", "tch", "torch_sys", "LibTorch", "Flex", "Autodiff", "Dispatch"] {
            assert!(!words.contains(name), "{} names {name}", path.display());
        }
    }
}
