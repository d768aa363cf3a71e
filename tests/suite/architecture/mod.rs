//! The rooms keep their doors: imports go down only and in no circle, Burn is named where tensors are, and a backend where
//! backends are. `docs/architecture.md` says what each room owns.

mod imports;

use imports::{Module, Sources};
use std::collections::{BTreeMap, BTreeSet};

/// The rooms from top to bottom, and what each may use of the others. Anything may use `FLOOR`; `cli` may use all.
const ROOMS: [(&str, &[&str]); 21] = [
    ("bench", &["train", "probe", "config", "explain", "data", "models", "ops", "measure", "device"]),
    (
        "train",
        &[
            "probe", "run", "config", "report", "draw", "drift", "store", "explain", "weights", "data", "models",
            "ops", "measure", "picture", "stats", "device", "progress",
        ],
    ),
    ("probe", &["faithfulness", "explain", "weights", "data", "models", "ops", "store", "measure", "stats", "picture"]),
    ("run", &["config", "weights", "data", "models", "store", "picture", "stats"]),
    ("config", &["explain", "weights", "data", "models", "picture"]),
    ("explain", &["models", "measure", "stats"]),
    ("weights", &["checkpoints", "models"]),
    ("checkpoints", &[]),
    ("data", &["store", "picture"]),
    ("models", &["ops", "picture"]),
    ("report", &["draw", "drift", "store", "measure", "picture"]),
    ("drift", &["store", "measure", "stats"]),
    ("faithfulness", &["measure", "stats"]),
    ("draw", &["measure", "picture"]),
    ("store", &["measure"]),
    ("measure", &["stats"]),
    ("stats", &[]),
    ("picture", &[]),
    ("progress", &[]),
    ("device", &["ops"]),
    ("ops", &[]),
];

/// What every room may use, and what uses nothing.
const FLOOR: [&str; 4] = ["fsx", "seed", "precision", "free_memory"];

/// The program itself, above all rooms.
const TOP: [&str; 2] = ["cli", "main"];

/// Rooms of plain data code, which never name Burn.
const WITHOUT_BURN: [&str; 15] = [
    "checkpoints",
    "report",
    "drift",
    "faithfulness",
    "draw",
    "store",
    "measure",
    "stats",
    "picture",
    "progress",
    "seed",
    "precision",
    "free_memory",
    "fsx",
    "main",
];

fn room(module: &Module) -> &str {
    module.first().map_or("main", String::as_str)
}

/// What `room` may use beside itself and the floor; `None` where it may use all.
fn open_to(room: &str) -> Option<&'static [&'static str]> {
    if TOP.contains(&room) {
        return None;
    }
    if FLOOR.contains(&room) {
        return Some(&[]);
    }
    let row = ROOMS.iter().find(|(name, _)| *name == room);
    Some(row.unwrap_or_else(|| panic!("the room {room} is not in the table: add it with what it may use")).1)
}

#[test]
fn the_table_has_every_room_and_only_reaches_down() {
    let sources = Sources::read();
    let found: BTreeSet<&str> = sources.all().map(|source| room(&source.module)).collect();
    let known = TOP.into_iter().chain(ROOMS.iter().map(|(name, _)| *name)).chain(FLOOR);
    assert_eq!(found, known.collect(), "the rooms under src/ and those of the table");
    for (at, (name, below)) in ROOMS.iter().enumerate() {
        for other in *below {
            let place = ROOMS.iter().position(|(name, _)| name == other);
            assert!(place.is_some_and(|place| place > at), "{name} may use {other}, which does not stand below it");
        }
    }
}

#[test]
fn rooms_use_only_rooms_below_them() {
    let sources = Sources::read();
    let mut faults = Vec::new();
    for source in sources.all() {
        let own = room(&source.module);
        let allowed = open_to(own);
        for written in &source.written {
            let shown = written.segments.join("::");
            if written.leaves(&source.module) {
                faults.push(format!("{}: {shown} climbs out of its room: write crate::", source.path.display()));
            }
            let Some(target) = sources.resolve(source, written) else { continue };
            let other = room(&target);
            let open = allowed.is_none_or(|allowed| {
                allowed.contains(&other) || other == own || FLOOR.contains(&other) && !FLOOR.contains(&own)
            });
            if !open {
                faults.push(format!("{}: {shown} is of {other}, which {own} may not use", source.path.display()));
            }
        }
    }
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_use_one_another_in_no_circle() {
    let sources = Sources::read();
    let circles: Vec<String> = circles(&sources.edges())
        .into_iter()
        .map(|files| files.iter().map(|module| sources.file(module)).collect::<Vec<_>>().join(", "))
        .collect();
    assert!(circles.is_empty(), "files in a circle:\n{}", circles.join("\n"));
}

/// Groups of files that each lead to one another: a file is in a circle with all that it reaches and that reach it.
fn circles(edges: &BTreeMap<&Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reached = |from: &Module| {
        let (mut reached, mut waiting) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = waiting.pop() {
            for target in edges.get(&next).into_iter().flatten() {
                if reached.insert(target.clone()) {
                    waiting.push(target.clone());
                }
            }
        }
        reached
    };
    let all: BTreeMap<&Module, BTreeSet<Module>> = edges.keys().map(|&module| (module, reached(module))).collect();
    let mut groups: Vec<BTreeSet<Module>> = Vec::new();
    for (&module, below) in &all {
        if below.contains(module) && !groups.iter().any(|group| group.contains(module)) {
            groups.push(below.iter().filter(|other| all[other].contains(module)).cloned().collect());
        }
    }
    groups
}

#[test]
fn circles_are_found() {
    let module = |name: &str| vec![name.to_string()];
    let (a, b, c, d) = (module("a"), module("b"), module("c"), module("d"));
    let edges = BTreeMap::from([
        (&a, BTreeSet::from([b.clone()])),
        (&b, BTreeSet::from([c.clone(), d.clone()])),
        (&c, BTreeSet::from([a.clone()])),
        (&d, BTreeSet::new()),
    ]);
    assert_eq!(circles(&edges), vec![BTreeSet::from([a.clone(), b.clone(), c.clone()])], "d leads nowhere");
}

#[test]
fn the_numbers_half_never_names_burn() {
    let sources = Sources::read();
    for source in sources.all().filter(|source| WITHOUT_BURN.contains(&room(&source.module))) {
        let named = source.words.iter().find(|word| *word == "burn" || word.starts_with("burn_"));
        assert!(named.is_none(), "{} names {named:?}", source.path.display());
    }
}

#[test]
fn only_device_and_ops_name_a_backend() {
    let sources = Sources::read();
    for source in sources.all().filter(|source| !["device", "ops"].contains(&room(&source.module))) {
        for name in
            ["burn_autodiff", "burn_tch", "burn_flex", "tch", "torch_sys", "LibTorch", "Flex", "Autodiff", "Dispatch"]
        {
            assert!(!source.words.contains(name), "{} names {name}", source.path.display());
        }
    }
}
