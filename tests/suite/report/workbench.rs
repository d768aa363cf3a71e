//! The panel of many methods, the dialog, the scatter plot, the confusion matrices, paper and downloads, in a browser.

use super::browser::{Probe, probed_by};
use super::wide::{CLASSES, END, IMAGES, NINE, Wide, confusion, label, one_epoch, predicted, step, wide_runs};
use driftscope::report::html_with;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

const DRIVE: &str = include_str!("workbench.js");

static SEEN: LazyLock<(Wide, Probe)> = LazyLock::new(|| {
    let runs = wide_runs();
    let page = html_with(&runs.with_analyses()).unwrap();
    let seen = probed_by(&page, &runs.grids(), 1280, DRIVE);
    (runs, seen)
});

fn ids(wanted: impl Fn(usize) -> bool) -> Value {
    let runs = &SEEN.0;
    (0..IMAGES).filter(|&image| wanted(image)).map(|image| runs.ids[image].as_str()).collect()
}

#[test]
fn nine_methods_of_two_targets_have_a_chip_each_and_maps_that_can_be_read() {
    let seen = &SEEN.1;
    let chips = seen["chips"].as_array().unwrap();
    assert_eq!(chips.len(), 2 + NINE.len() + 2, "runs, methods, targets: {chips:?}");
    let tiles = seen["tiles"].as_array().unwrap();
    // Seven methods ask about a class, by label and by prediction; two do not; the other run has one, by both.
    assert_eq!(tiles.len(), 2 * 7 + 2 + 2);
    let different: BTreeSet<String> =
        tiles.iter().map(|tile| format!("{}{}{}", tile["run"], tile["explainer"], tile["target"])).collect();
    assert_eq!(different.len(), tiles.len());
    for tile in tiles {
        assert!(tile["side"].as_u64().unwrap() >= 96, "{tile}");
    }
}

#[test]
fn maps_of_a_run_that_ended_early_stand_level_with_the_others() {
    let seen = &SEEN.1;
    let level = seen["level"].as_array().unwrap();
    assert_eq!(level.len(), 2);
    assert_eq!(level[0], level[1]);
    assert_eq!(seen["badges"], json!(["", "epoch 1"]));
}

#[test]
fn a_phone_has_room_for_many_methods_and_long_names() {
    let (runs, _) = &*SEEN;
    let page = html_with(&runs.with_analyses()).unwrap();
    let seen = probed_by(&page, &runs.grids(), 390, DRIVE);
    assert_eq!(seen["wide"], json!([]));
    assert!(seen["narrowest"].as_u64().unwrap() >= 90, "{}", seen["narrowest"]);
}

/// At epoch 3 maps of rollout and LeGrad have no value above 0; LayerCAM's have none below it at any epoch.
#[test]
fn only_methods_that_ask_about_a_class_can_lack_evidence_for_it() {
    let seen = &SEEN.1;
    let expected =
        json!({"layer-cam": "alive", "le-grad": "no evidence for the class", "rollout": "nothing above zero"});
    assert_eq!(seen["nothing"], expected);
    assert_eq!(seen["ramps"], json!(["inferno", "diverging"]));
}

/// Threshold 0.5 between floor 0.1 and chance 0.9 is 50: `step` exceeds it at the last epoch from image 5 on.
#[test]
fn an_image_moved_more_than_noise_by_its_own_threshold() {
    let first_cards: Vec<Value> = ids(|image| step(image, END) > 50.0).as_array().unwrap()[..12].to_vec();
    assert_eq!(SEEN.1["movedMore"], Value::from(first_cards));
}

#[test]
fn classes_have_intervals_and_counts_and_are_grey_under_five_images() {
    let (runs, seen) = &*SEEN;
    let rows = seen["classes"].as_array().unwrap();
    let long = rows.iter().find(|row| row["name"] == runs.classes[0].as_str()).unwrap();
    // The mean of 4, 14, 24, 34, 44 and 54; the interval as `wide` works it out.
    assert_eq!((&long["moved"], &long["few"]), (&"29[25, 50] n = 6".into(), &false.into()));
    let lone = rows.iter().find(|row| row["name"] == runs.classes[1].as_str()).unwrap();
    assert_eq!((&lone["moved"], &lone["few"]), (&"64n = 1".into(), &true.into()));
}

/// Predictions, frames and the points of both lines of the long run: the same middles, epoch by epoch, within a pixel.
#[test]
fn everything_of_an_epoch_is_in_one_column_of_the_dialog() {
    let dialog = &SEEN.1["dialog"];
    assert_eq!(dialog["bar"], true);
    let frames: Vec<i64> = (0..=END).map(|epoch| dialog["frames"][epoch.to_string()].as_i64().unwrap()).collect();
    assert!(frames.is_sorted() && frames[0] < frames[1]);
    let near = |found: i64, epoch: usize| assert!((found - frames[epoch]).abs() <= 1, "epoch {epoch}: {dialog}");
    let predictions = dialog["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), END + 1 + 2, "one for each epoch of each run, however many methods there are");
    for (epoch, one) in predictions[..=END].iter().enumerate() {
        assert_eq!(one[0], format!("Epoch {epoch}"));
        near(one[1].as_i64().unwrap(), epoch);
    }
    let points = dialog["points"].as_array().unwrap();
    assert_eq!(points.len(), 2);
    (0..=END).for_each(|epoch| near(points[0][epoch].as_i64().unwrap(), epoch));
    // No step leads to the first epoch.
    (1..=END).for_each(|epoch| near(points[1][epoch - 1].as_i64().unwrap(), epoch));
    assert_eq!((&dialog["current"], &dialog["slid"]), (&json!(["4", "1"]), &json!(["1", "1"])));
}

#[test]
fn keys_of_the_dialog_lead_to_the_largest_jump_and_the_next_image_from_its_top() {
    let (runs, seen) = &*SEEN;
    assert_eq!(seen["jump"], "2", "`step` is largest to epoch 2");
    assert!(seen["next"]["scrolled"].as_f64().unwrap() > 0.0, "the dialog is longer than the window");
    assert_eq!((&seen["next"]["id"], &seen["next"]["top"]), (&runs.ids[1].as_str().into(), &0.into()));
    assert_eq!(seen["before"], runs.ids[0].as_str());
    assert_eq!(seen["barBack"], true);
}

#[test]
fn a_cell_of_the_confusion_matrix_leads_to_its_images() {
    let (runs, seen) = &*SEEN;
    let shown = &seen["confusion"];
    let total = CLASSES * 40;
    let note = shown["note"].as_str().unwrap();
    assert!(note.starts_with(&format!("All {total} validation images of many at epoch {END}:")), "{note}");
    assert_eq!(shown["figures"], json!([format!("Epoch {END}"), "Change since epoch 0", "Confused most"]));
    // 4 of the first class are taken for the third at epoch 4, none at epoch 0; the panel has none.
    assert_eq!(confusion(END)[0][2], 4);
    assert_eq!(shown["rows"], json!([[runs.classes[0], runs.classes[2], "4", "+4", "–"]]));
    assert_eq!(seen["cell"]["order"], ids(|image| (label(image), predicted(image, END)) == (2, 3)));
    assert_eq!(seen["cell"]["order"].as_array().unwrap().len(), 1);
    let name = format!("many, epoch {END}: {} taken for {} ×", runs.classes[2], runs.classes[3]);
    assert_eq!(seen["cell"]["name"], name);
    assert_eq!(seen["cleared"], json!({"count": 12, "hidden": true}));
}

/// The arrow keys lead to the same cell, which is named and counted as they pass, move no epoch, and Enter shows its images.
#[test]
fn the_keyboard_reaches_every_cell_of_the_confusion_matrix() {
    let (runs, seen) = &*SEEN;
    let said = format!("{} taken for {}: {}", runs.classes[2], runs.classes[3], confusion(END)[2][3]);
    assert_eq!(seen["keyed"], json!({"focused": true, "tip": said, "said": said, "epoch": END.to_string()}));
    assert_eq!(seen["keyedCell"]["order"], seen["cell"]["order"]);
    assert_eq!(seen["keyedCell"]["name"], seen["cell"]["name"]);
    assert_eq!(seen["keyedCell"]["focused"], false, "the focus goes with the view");
}

/// From epoch 2 to 3, images 3, 7, 11, 15 and 19 become wrong and the rest stay right; image n moved 10 n + 3.
#[test]
fn a_dot_of_the_scatter_plot_is_an_image() {
    let (runs, seen) = &*SEEN;
    let dots = seen["dots"].as_array().unwrap();
    assert_eq!(dots.len(), IMAGES);
    for pair in dots.windows(2) {
        assert!(pair[1]["y"].as_f64().unwrap() < pair[0]["y"].as_f64().unwrap(), "the next image moved more");
    }
    for (image, dot) in dots.iter().enumerate() {
        assert_eq!(dot["id"], runs.ids[image].as_str());
        let wrong = predicted(image, 3) != label(image);
        assert_eq!(dot["shape"] == dots[3]["shape"], wrong, "image {image}");
        assert_eq!(dot["x"].as_f64().unwrap() < dots[0]["x"].as_f64().unwrap() - 20.0, wrong, "image {image}");
    }
    let fates = json!(["stays right15", "becomes right0", "becomes wrong5", "stays wrong0"]);
    assert_eq!(seen["fates"], fates);
    assert_eq!(seen["dotOpened"], json!({"open": true, "id": runs.ids[7]}));
    assert_eq!(seen["brushed"], ids(|image| (4..=6).contains(&image)));
}

#[test]
fn figures_and_cards_are_handed_over_as_files() {
    let (runs, seen) = &*SEEN;
    let files = seen["files"].as_array().unwrap();
    assert_eq!(files.len(), 3, "{files:?}");
    let kinds: Vec<&str> = files.iter().map(|file| file["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text/csv", "image/svg+xml", "image/png"]);
    let csv: Vec<&str> = files[0]["text"].as_str().unwrap().split("\r\n").collect();
    assert_eq!(csv.len(), 1 + IMAGES);
    assert_eq!(csv[0], "image,class,moved,change of probability,prediction");
    // The name of class 1 has a comma. At both epochs logit 3 stands against 46 of 0, so nothing changed.
    assert_eq!(csv[7], format!("{},\"{}\",63,0,stays right", runs.ids[6], runs.classes[1]));
    let svg = files[1]["text"].as_str().unwrap();
    assert!(!svg.contains("var(") && !svg.contains("class="), "what a style sheet says is written out");
    assert_eq!((&seen["svg"]["error"], files[2]["name"].as_str().unwrap().ends_with(".png")), (&false.into(), true));
    assert!(seen["svg"]["paths"].as_u64().unwrap() >= IMAGES as u64 && files[2]["size"].as_u64().unwrap() > 1000);
    assert_eq!(seen["blocked"], json!([]));
}

#[test]
fn paper_has_every_image_with_its_maps_and_the_epoch() {
    let expected = json!({"cards": IMAGES, "unpainted": 0, "pictures": 0,
        "epoch": format!("Epoch 3 of {END}, compared with the epoch before.")});
    assert_eq!((&SEEN.1["print"], &SEEN.1["afterPrint"]), (&expected, &12.into()));
}

#[test]
fn a_run_of_one_epoch_is_shown() {
    let (reader, _dir) = one_epoch();
    let page = html_with(&[(&reader, json!({}))]).unwrap();
    let drive = "await settle(); document.querySelector('#cards h3 button').click(); await settle();
        key('m', $('strip')); key(']', $('strip'));
        seen.one = [order().length, canvases('#strip-body .film', {'one/grad-cam': 7}).length, $('confusion-note').textContent];";
    let seen = probed_by(&page, &json!({}), 1280, drive);
    assert_eq!((&seen["one"][0], &seen["one"][1]), (&1.into(), &1.into()), "a card, and a frame of the film");
    assert!(seen["one"][2].as_str().unwrap().starts_with("These runs hold no confusion matrices"));
}
