//! The HTML report, opened in a real browser: a script beside its own drives the controls and says what it saw, and what
//! was drawn is compared with the maps on disk. Here: the page as a whole.

mod browser;
mod controls;
mod drawn;
mod figures;
mod runs;
mod wide;
mod workbench;

use browser::{Probe, probed};
use driftscope::report::{PageOptions, html, html_with};
use runs::{CNN, EVIL, Runs, VIT, two_runs};
use std::sync::LazyLock;

/// The page of two small runs, driven once for all tests.
static SEEN: LazyLock<(Runs, Probe)> = LazyLock::new(|| {
    let runs = two_runs();
    let page = html_with(&runs.with_analyses()).unwrap();
    let seen = probed(&page, &runs.grids(), 1280);
    (runs, seen)
});

#[test]
fn nothing_fails_and_nothing_leaves_the_page() {
    let (_, seen) = &*SEEN;
    for none in ["blocked", "requests", "nameless", "wide"] {
        assert_eq!(seen[none], serde_json::json!([]), "{none}");
    }
    assert!(seen.console.is_empty(), "{:?}", seen.console);
}

#[test]
fn a_phone_has_room_for_all_of_it() {
    let runs = two_runs();
    let page = html_with(&runs.with_analyses()).unwrap();
    let seen = probed(&page, &runs.grids(), 390);
    assert_eq!((&seen["phone"], &seen["wide"]), (&true.into(), &serde_json::json!([])));
    first_screen(&seen, 844.0);
}

#[test]
fn a_window_has_room_for_the_first_screen() {
    first_screen(&SEEN.1, 800.0);
}

/// The slider, the sentences, the matrices and the images that moved most are there, above the end of a screen this high.
fn first_screen(seen: &Probe, height: f64) {
    for name in ["made-line", "epoch", "answers", "warnings", "matrices", "most"] {
        let part = &seen["fold"][name];
        assert_eq!(part["empty"], false, "{name}");
        assert!(part["bottom"].as_f64().unwrap() <= height, "{name} ends at {part}");
    }
}

#[test]
fn strings_of_the_data_stay_text() {
    let (_, seen) = &*SEEN;
    assert_eq!(seen["injected"], serde_json::json!({"images": 0, "ran": false}));
    assert!(seen["classTable"].as_array().unwrap().iter().any(|row| row[0] == EVIL), "{}", seen["classTable"]);
    assert_eq!(seen["start"]["heading"], format!("{CNN} · {VIT}"));
}

/// The page names no place outside itself but the namespace of SVG, which no browser fetches.
#[test]
fn the_page_has_no_external_address() {
    let runs = two_runs();
    let page = html(&runs.readers, &PageOptions::default()).unwrap();
    let without = page.replace("http://www.w3.org/2000/svg", "");
    for scheme in ["http:", "https:", "//cdn", "@import", "url(", "src=\"//", "import(", "fetch(", "XMLHttpRequest"] {
        assert!(!without.contains(scheme), "{scheme}");
    }
}

#[test]
fn runs_of_one_panel_share_its_pictures() {
    let runs = two_runs();
    let page = html(&runs.readers, &PageOptions::default()).unwrap();
    assert_eq!(page.matches("data:image/png;base64,").count(), 6);
    assert_eq!(page.matches(r#""begun":1700000000,"#).count(), 2, "and each says when it began");
}

/// The largest page promised: 200 photographs of 224 pixels, 10 epochs, 3 methods on 14 by 14 cells. Pictures and maps are
/// noise, which no encoder makes smaller; photographs are kinder. The figures are those of every measure, of 47 classes
/// and of the four outcomes, in all their digits.
#[test]
fn a_panel_of_200_images_10_epochs_and_3_methods_is_under_15_megabytes() {
    let run = runs::large_run();
    let page = html_with(&[(&run.reader, &run.analysis)]).unwrap();
    let megabytes = page.len() as f64 / 1e6;
    assert!((8.0..15.0).contains(&megabytes), "{megabytes} MB");
}
