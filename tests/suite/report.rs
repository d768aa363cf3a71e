//! The HTML report, opened in a real browser: a script beside its own drives the controls and says what it saw, and what
//! was drawn is compared with the maps on disk.

mod browser;
mod runs;
mod wide;
mod workbench;

use crate::support::alone;
use browser::{Probe, probed};
use driftscope::draw::ColourMap;
use driftscope::measure::{Heatmap, MapStatus};
use driftscope::report::{PageOptions, html, html_with};
use runs::{CNN, EVIL, LAST, Runs, SIDE, VIT, demo_runs, two_runs};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The page of two small runs, driven once for all tests.
static SEEN: LazyLock<(Runs, Probe)> = LazyLock::new(|| {
    let runs = two_runs();
    let page = html_with(&runs.with_analyses()).unwrap();
    let seen = probed(&page, &runs.grids(), 1280);
    (runs, seen)
});

/// The colour of a share of full evidence, at this step of the 256 or one beside it.
///
/// The page rounds to one of 256 steps a share it reads from 16 bits, which is off by up to 1/131070: where the exact
/// share lies that close to the border of two steps, either is right.
///
/// `mix` says what a colour becomes over the picture; it is given the share, too.
fn is_colour(map: ColourMap, share: f64, found: [u8; 3], mix: impl Fn([u8; 3], f64) -> [u8; 3], tolerance: u8) -> bool {
    let step = (share.clamp(0.0, 1.0) * 255.0).round();
    [step - 1.0, step, step + 1.0].into_iter().filter(|step| (0.0..=255.0).contains(step)).any(|step| {
        let expected = mix(map.at(step / 255.0), step / 255.0);
        expected.iter().zip(found).all(|(&one, other)| one.abs_diff(other) <= tolerance)
    })
}

fn rgb(value: &Value) -> [u8; 3] {
    [0, 1, 2].map(|channel| value[channel].as_u64().unwrap() as u8)
}

/// Which map a canvas says it shows.
fn shown<'a>(runs: &'a Runs, canvas: &Value, epoch: &str) -> (&'a str, Heatmap) {
    let (run, explainer) = (canvas["run"].as_str().unwrap(), canvas["explainer"].as_str().unwrap());
    let (name, file) = runs.explanations(run, explainer, canvas[epoch].as_str().unwrap().parse().unwrap());
    let image = file.image_ids.iter().position(|id| canvas["image"] == id.as_str()).unwrap();
    (name, file.map(image, 0).unwrap())
}

fn strongest(map: &Heatmap, signed: bool) -> f64 {
    map.values().iter().map(|&value| f64::from(if signed { value.abs() } else { value.max(0.0) })).fold(0.0, f64::max)
}

/// Checks the cell centres of all canvases against the stored maps, and their middle lines against the maps as the PNG
/// overlays scale them; says how many maps were alive.
fn check_drawn(runs: &Runs, canvases: &Value, colours: ColourMap) -> usize {
    let mut alive = 0;
    for canvas in canvases.as_array().unwrap() {
        let (_, map) = shown(runs, canvas, "epoch");
        let pixels: Vec<[u8; 3]> = canvas["pixels"].as_array().unwrap().iter().map(rgb).collect();
        let side = canvas["side"].as_u64().unwrap() as usize;
        assert_eq!(pixels.len(), map.values().len());
        let full = strongest(&map, colours.is_diverging());
        if map.status() != MapStatus::Alive || full == 0.0 {
            assert_ne!(canvas["status"], "alive");
            assert!(pixels.iter().all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]), "{canvas}");
            continue;
        }
        alive += 1;
        let scaled = map.resize_bilinear(side, side).unwrap();
        let middle = &scaled.values()[side / 2 * side..][..side];
        let line: Vec<[u8; 3]> = canvas["line"].as_array().unwrap().iter().map(rgb).collect();
        assert_eq!(line.len(), side);
        // Where cells are even numbers of pixels wide, no pixel is at a cell's centre.
        let centres = if (side / map.rows()) % 2 == 1 { map.values() } else { &[] };
        for (&value, &pixel) in centres.iter().zip(&pixels).chain(middle.iter().zip(&line)) {
            let share = f64::from(value) / full;
            let share = if colours.is_diverging() { (share + 1.0) / 2.0 } else { share };
            assert!(is_colour(colours, share, pixel, |colour, _| colour, 0), "{share} is {pixel:?} in {canvas}");
        }
    }
    alive
}

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

/// Two methods of one model and one of the other, six images: 18 canvases, all of one epoch. Dead, broken and purely
/// negative maps are one image each, at one epoch.
#[test]
fn one_slider_moves_every_map_of_every_method_and_model() {
    let (runs, seen) = &*SEEN;
    let steps = seen["slider"].as_array().unwrap();
    assert_eq!(steps.len(), LAST + 1);
    for (epoch, step) in steps.iter().enumerate() {
        assert_eq!((&step["epoch"], &step["drawn"]), (&epoch.into(), &serde_json::json!([epoch])));
        assert_eq!(step["text"], format!("Epoch {epoch} of {LAST}"));
        assert_eq!(step["hash"], format!("#epoch={epoch}&colours=inferno&scale=own&run=0&method=grad-cam"));
        assert_eq!(step["canvases"].as_array().unwrap().len(), 18);
        let alive = check_drawn(runs, &step["canvases"], ColourMap::Inferno);
        assert_eq!(alive, if epoch == 2 { 18 - 3 } else { 18 });
    }
}

/// What a reader of the README gets: both minis, trained by the demo's recipes and drawn as their files say.
#[test]
fn the_page_of_the_demo_shows_what_its_runs_hold() {
    let _turn = alone();
    let (runs, side, grids) = demo_runs();
    let seen = probed(&html(&runs.readers, &PageOptions::default()).unwrap(), &grids, 1440);
    assert!(seen.console.is_empty(), "{:?}", seen.console);
    let steps = seen["slider"].as_array().unwrap();
    assert_eq!(steps.len(), 3);
    for (epoch, step) in steps.iter().enumerate() {
        assert_eq!(step["drawn"], serde_json::json!([epoch]));
        let canvases = step["canvases"].as_array().unwrap();
        assert!(canvases.len() >= 3 * 6 && canvases.iter().all(|canvas| canvas["side"] == side));
        assert!(check_drawn(&runs, &step["canvases"], ColourMap::Inferno) > 0);
    }
}

#[test]
fn every_colour_map_is_the_one_of_the_pictures() {
    let (runs, seen) = &*SEEN;
    for map in ColourMap::ALL {
        assert_eq!(check_drawn(runs, &seen["colours"][map.name()], map), 18, "{map}");
    }
}

/// Under a map is its picture in grey g = 51 + 0.6 (0.299 r + 0.587 g + 0.114 b). A colour of share s covers it by
/// c = s^((1 - o) / o) at opacity o, here 0.65: all of it at full colour, nothing of it at 0. A pixel is g (1 - c) + colour c;
/// the browser rounds in the order that suits it, so they may differ by one where a sum lies half-way.
#[test]
fn colours_cover_a_grey_picture_by_their_strength() {
    let (runs, seen) = &*SEEN;
    for canvas in seen["blended"].as_array().unwrap() {
        let (_, map) = shown(runs, canvas, "epoch");
        let picture = runs.picture(canvas["image"].as_str().unwrap());
        let [rows, cols] = map.grid();
        let middle = |cell: usize, cells: usize| (2 * cell as u32 + 1) * SIDE / (2 * cells as u32);
        for (cell, (&value, pixel)) in map.values().iter().zip(canvas["pixels"].as_array().unwrap()).enumerate() {
            let [red, green, blue] =
                picture.get_pixel(middle(cell % cols, cols), middle(cell / cols, rows)).0.map(f64::from);
            let grey = 51.0 + (0.6 * (0.299 * red + 0.587 * green + 0.114 * blue)).round();
            let mix = |over: [u8; 3], share: f64| {
                let cover = share.powf(0.35 / 0.65);
                over.map(|channel| (grey * (1.0 - cover) + f64::from(channel) * cover).round() as u8)
            };
            let share = f64::from(value) / strongest(&map, false);
            assert!(is_colour(ColourMap::Inferno, share, rgb(pixel), mix, 1), "{share} is {pixel} in {canvas}");
        }
    }
}

/// The strongest value of a canvas's image over all epochs that count.
fn common_scale(runs: &Runs, canvas: &Value, signed: bool) -> f64 {
    let (run, explainer) = (canvas["run"].as_str().unwrap(), canvas["explainer"].as_str().unwrap());
    let maps = (0..=LAST).map(|epoch| runs.explanations(run, explainer, epoch).1).filter(|file| file.is_evidence());
    let of_image = maps.map(|file| {
        let image = file.image_ids.iter().position(|id| canvas["image"] == id.as_str()).unwrap();
        file.map(image, 0).unwrap()
    });
    let alive = of_image.filter(|map| map.status() != MapStatus::NonFinite);
    alive.map(|map| strongest(&map, signed)).fold(0.0, f64::max)
}

#[test]
fn a_common_scale_is_the_greatest_of_all_epochs() {
    let (runs, seen) = &*SEEN;
    for canvas in seen["common"].as_array().unwrap() {
        let (_, map) = shown(runs, canvas, "epoch");
        let full = common_scale(runs, canvas, false);
        for (&value, pixel) in map.values().iter().zip(canvas["pixels"].as_array().unwrap()) {
            let share = f64::from(value) / full;
            assert!(is_colour(ColourMap::Inferno, share, rgb(pixel), |colour, _| colour, 0), "{share}: {canvas}");
        }
    }
}

/// All maps of `two_runs` have a sign, and nothing was chosen yet.
#[test]
fn signed_maps_start_in_two_hues_on_one_scale_an_image() {
    let (runs, seen) = &*SEEN;
    let canvases = seen["defaults"].as_array().unwrap();
    assert_eq!(canvases.len(), 18);
    for canvas in canvases {
        let (_, map) = shown(runs, canvas, "epoch");
        let full = common_scale(runs, canvas, true);
        for (&value, pixel) in map.values().iter().zip(canvas["pixels"].as_array().unwrap()) {
            let share = (f64::from(value) / full + 1.0) / 2.0;
            assert!(is_colour(ColourMap::Diverging, share, rgb(pixel), |colour, _| colour, 0), "{share}: {canvas}");
        }
    }
}

/// With each map on its own scale a change is the difference of the two maps, each divided by its own strongest value.
#[test]
fn changes_are_differences_of_any_two_epochs() {
    let (runs, seen) = &*SEEN;
    let of_cards = seen["change"].as_array().unwrap();
    assert!(of_cards.len() == 18 && of_cards.iter().all(|canvas| canvas["since"] == "1" && canvas["epoch"] == "3"));
    let of_strip = seen["compared"].as_array().unwrap();
    assert!(of_strip.len() == 3 && of_strip.iter().all(|canvas| canvas["since"] == "2" && canvas["epoch"] == "3"));
    for canvas in of_cards.iter().chain(of_strip) {
        let ((_, now), (_, before)) = (shown(runs, canvas, "epoch"), shown(runs, canvas, "since"));
        if before.status() == MapStatus::NonFinite {
            continue;
        }
        let scaled = |map: &Heatmap, cell: usize| match strongest(map, true) {
            0.0 => 0.0,
            full => f64::from(map.values()[cell]) / full,
        };
        for (cell, pixel) in canvas["pixels"].as_array().unwrap().iter().enumerate() {
            let share = (scaled(&now, cell) - scaled(&before, cell) + 1.0) / 2.0;
            assert!(is_colour(ColourMap::Diverging, share, rgb(pixel), |colour, _| colour, 0), "{share}: {canvas}");
        }
    }
}

#[test]
fn keys_and_the_play_button_move_the_epoch() {
    let (_, seen) = &*SEEN;
    assert_eq!(seen["keys"], serde_json::json!([1, 0]));
    assert_eq!(seen["playing"], serde_json::json!({"pressed": "true", "text": "Pause"}));
    assert_eq!(seen["played"], serde_json::json!({"epoch": LAST, "pressed": "false", "drawn": [LAST]}));
    assert_eq!(seen["replayed"], 1, "from the first epoch again, one step after 0.8 s");
}

/// `two_runs` gives image i the drift that `runs::drift` says, and what was predicted that `runs::predicted` says.
#[test]
fn images_are_sorted_and_filtered() {
    let (runs, seen) = &*SEEN;
    let ids = |at: &[usize]| serde_json::json!(at.iter().map(|&at| runs.ids[at].as_str()).collect::<Vec<_>>());
    assert_eq!(seen["sorted"]["panel"], ids(&[0, 1, 2, 3, 4, 5]));
    for (sort, of) in [("0", 0), ("1", 1), ("2", 2)] {
        let mut order: Vec<usize> = (0..6).collect();
        order.sort_by(|&one, &other| runs::drift(of, other, LAST).total_cmp(&runs::drift(of, one, LAST)));
        assert_eq!(seen["sorted"][sort], ids(&order), "by view {sort}");
    }
    assert_ne!(seen["sorted"]["0"], seen["sorted"]["1"]);
    // The slider moves no card; only a click sorts by the epoch it is at.
    assert_eq!(seen["pinned"]["order"], seen["sorted"]["0"]);
    assert_eq!(seen["pinned"]["count"], format!("6 of 6 images, as of epoch {LAST}"));
    assert_eq!(seen["pinned"]["again"], format!("Sort and filter by epoch {}", LAST - 1));
    let mut order: Vec<usize> = (0..6).collect();
    order.sort_by(|&one, &other| runs::drift(0, other, LAST - 1).total_cmp(&runs::drift(0, one, LAST - 1)));
    assert_eq!(seen["sortedAgain"], serde_json::json!({"order": ids(&order), "hidden": true}));
    assert_ne!(seen["sortedAgain"]["order"], seen["sorted"]["0"]);
    let like = |wanted: &dyn Fn(usize) -> bool| ids(&(0..6).filter(|&image| wanted(image)).collect::<Vec<_>>());
    let right = |image: usize| (0..2).all(|run| runs::predicted(run, image, LAST) == runs::label(image));
    let changed =
        |image: usize| (0..2).any(|run| runs::predicted(run, image, LAST) != runs::predicted(run, image, LAST - 1));
    assert_eq!(seen["filtered"]["right"], like(&right));
    assert_eq!(seen["filtered"]["wrong"], like(&|image| !right(image)));
    assert_eq!(seen["filtered"]["changed"], like(&changed));
    assert_eq!(seen["classed"]["order"], like(&|image| runs.classes[runs::label(image)] == seen["classed"]["name"]));
    for filter in ["right", "wrong", "changed"] {
        let count = seen["filtered"][filter].as_array().unwrap().len();
        assert!((1..6).contains(&count), "{filter} keeps {count} of 6: it would not show if it did nothing");
    }
}

#[test]
fn methods_are_switched_off_and_on() {
    let (_, seen) = &*SEEN;
    assert_eq!(seen["switched"], serde_json::json!([format!("{VIT}/grad-cam"), format!("{VIT}/rollout")]));
    assert_eq!(seen["switchedBack"], 3);
}

#[test]
fn a_link_opens_an_image_at_an_epoch() {
    let (runs, seen) = &*SEEN;
    let link = &seen["link"];
    assert_eq!((&link["open"], &link["id"], &link["epoch"]), (&true.into(), &runs.ids[1].as_str().into(), &1.into()));
    let mut frames = BTreeMap::<String, Vec<u64>>::new();
    for frame in link["frames"].as_array().unwrap() {
        assert_eq!(frame["image"], runs.ids[1].as_str());
        frames
            .entry(format!("{}/{}", frame["run"], frame["explainer"]))
            .or_default()
            .push(frame["epoch"].as_u64().unwrap());
    }
    assert!(
        frames.len() == 3 && frames.values().all(|epochs| epochs.iter().copied().eq(0..=LAST as u64)),
        "{frames:?}"
    );
    assert_eq!(seen["linkKeys"], 2);
    assert_eq!(
        seen["closed"],
        serde_json::json!({"open": false, "hash": "#epoch=2&since=previous&colours=inferno&scale=own&run=1&method=rollout"})
    );
}

#[test]
fn every_part_of_an_analysis_is_shown() {
    let (_, seen) = &*SEEN;
    let sections = seen["sections"].as_array().unwrap();
    assert_eq!(sections.len(), 12, "{sections:?}");
    assert_eq!(seen["nav"], seen["headings"]);
    assert_eq!(seen["nav"].as_array().unwrap().len(), 11);
    let charts = seen["charts"].as_array().unwrap();
    let drift = charts.iter().find(|chart| chart["title"] == format!("{VIT} · Attention rollout")).unwrap();
    // From epoch 1 to 3 as `runs::moved` says; the seed floor 0.55 between floor 0.9 and chance 0.2 is half-way.
    let expected = [
        "movedas far as another image’s map, 130 [126, 134]",
        "another seed’s map50",
        "settled, by the noise floor: epoch 2",
    ];
    assert_eq!(drift["legend"], serde_json::json!(expected), "{drift}");
    assert_eq!(drift["bands"], 1);
    assert_eq!(seen["table"], 2, "pairs of epochs 2 and 3");
    assert_eq!(seen["warnings"], serde_json::json!([format!("{VIT}: The accuracy is at chance level.")]));
    assert_eq!(seen["jumps"], serde_json::json!([format!("{VIT}: one image is blank")]));
    let rows = serde_json::json!([
        [
            format!("{CNN} · Grad-CAM"),
            "settled at epoch 2 [1, not yet]",
            "not settled yet",
            "3 [-1, 7]epoch 2 to 3",
            "100 epoch 1 to 3",
            "4 of 6"
        ],
        [
            format!("{VIT} · Attention rollout"),
            "settled at epoch 2 [1, not yet]",
            "not settled yet",
            "not measurable epoch 2 to 3",
            "100 epoch 1 to 3",
            "4 of 6"
        ],
    ]);
    assert_eq!((&seen["summaries"][0], &seen["summaries"][2]), (&rows[0], &rows[1]));
}

/// From epoch 1 to 3 the panel moved 130, and its images by `runs::drift` 30, 40.1, 50.2, 60.3, 0.4 and 10.5 in view 0. Image 2
/// becomes right, the others stay so; the estimate's interval of 0.5 to 0.7 is 57.1 to 28.6 between floor 0.9 and chance 0.2.
#[test]
fn what_happened_to_the_prediction_has_a_mean_that_is_grey_of_few_images() {
    let (_, seen) = &*SEEN;
    let rows = seen["outcomes"].as_array().unwrap();
    let first: Vec<_> = rows.iter().map(|row| serde_json::json!([row["texts"][0], row["texts"][1]])).collect();
    let expected = serde_json::json!([
        ["All images", "100 6 images"],
        ["Stays right", "28 [29, 57]5 images"],
        ["Becomes right", "50 [29, 57]1 image"],
        ["Becomes wrong", "–"],
        ["Stays wrong", "–"],
    ]);
    assert_eq!(Value::from(first), expected);
    let few: Vec<_> = rows.iter().map(|row| row["few"][1] == true).collect();
    assert_eq!(few, [false, false, true, false, false]);
    let note = seen["outcomesNote"].as_str().unwrap();
    assert!(note.contains("since the first epoch") && note.contains("fewer than 5 images is grey"), "{note}");
}

/// Each cell of each matrix has the colour of what `runs::moved` says of its pair: the one of within the margin of 5, which
/// the diagonal has too; one of 19 of inferno's from 0.9 down to 0.2; or grey.
#[test]
fn cells_of_a_matrix_have_the_colour_of_what_moved() {
    let (_, seen) = &*SEEN;
    let matrices = seen["matrices"].as_array().unwrap();
    assert_eq!(matrices.len(), 3);
    for (view, matrix) in matrices.iter().enumerate() {
        assert_eq!(matrix["view"], view);
        assert!(matrix["label"].as_str().unwrap().contains("settled at epoch 2 [1, not yet]"), "{matrix}");
        assert_eq!((&matrix["phase"], &matrix["settled"]), (&serde_json::json!([1, 2]), &serde_json::json!([1, 2])));
        for (row, column) in (0..9).map(|cell| (cell / 3, cell % 3)) {
            let found = matrix["cells"][row][column].as_str().unwrap();
            let moved =
                if row == column { Some(0.0) } else { runs::moved(view, 1 + row.max(column), 1 + row.min(column)) };
            let numbers = found.trim_start_matches("rgb(").trim_end_matches(')').split(',');
            let found: Vec<u8> = numbers.map(|number| number.trim().parse().unwrap()).collect();
            match moved {
                None => assert_eq!(found, [0xd3, 0xd0, 0xc9]),
                Some(moved) if moved <= 5.0 => assert_eq!(found, [0xbf, 0xdf, 0xbf]),
                Some(moved) => {
                    let step = ((moved - 5.0) / 95.0 * 19.0).floor().min(18.0);
                    let colour = [found[0], found[1], found[2]];
                    assert!(is_colour(ColourMap::Inferno, 0.9 - 0.7 * step / 18.0, colour, |colour, _| colour, 0));
                }
            }
        }
    }
}

/// In the matrix of the first view: the pointer over epochs 1 and 2, a click there, then the keyboard to epochs 1 and 3.
#[test]
fn a_matrix_says_what_its_cells_stand_for_and_goes_there() {
    let (runs, seen) = &*SEEN;
    let yardsticks = "IoU of the top 20 % 0.60, noise floor 0.90, seed floor 0.55, chance 0.20. 4 of 6 images moved.";
    let hover = format!("Epoch 1 to 2: moved 40 [36, 44]. {yardsticks}");
    assert_eq!(seen["matrixHover"], serde_json::json!({"epoch": 3, "since": "first", "tip": hover}));
    assert_eq!((&seen["matrixClick"]["epoch"], &seen["matrixClick"]["since"]), (&2.into(), &"1".into()));
    assert_eq!(seen["matrixHash"], "#epoch=2&since=1&run=0&method=grad-cam");
    let keyed = format!("Epoch 1 to 3: moved as far as another image’s map, 130 [126, 134]. {yardsticks}");
    assert_eq!(seen["matrixKeys"], serde_json::json!({"epoch": 2, "since": "1", "tip": keyed}));
    assert_eq!(seen["matrixSays"], keyed);
    assert_eq!((&seen["matrixEnter"]["epoch"], &seen["matrixEnter"]["since"]), (&3.into(), &"1".into()));
    // By `runs::drift`: images 4, 3, 2 and 1 of view 0 moved 60.4, 50.3, 40.2 and 30.1 to epoch 2.
    let most = [(4, 60), (3, 50), (2, 40), (1, 30)];
    let most = most.map(|(image, moved)| serde_json::json!({"id": runs.ids[image], "text": format!("moved {moved}")}));
    assert_eq!(seen["most"], serde_json::json!(most));
    assert_eq!(seen["mostTitle"], format!("Moved most, epoch 1 to 2 {CNN} · Grad-CAM"));
    let tables = &seen["matrixTable"];
    assert_eq!(tables[0], serde_json::json!([["2", "40", ""], ["3", "100", "3"]]));
    assert_eq!(tables[2][1], serde_json::json!(["3", "100", "not measurable"]));
}

#[test]
fn sentences_answer_first_and_lead_to_what_they_are_about() {
    let (runs, seen) = &*SEEN;
    let words = "Grad-CAM: the evidence settled at epoch 2 (95 % interval 1 to 2, margin 5). Its largest step was to epoch 1, \
        while the accuracy went from 0 % to 25 %. Since then image 4 of class";
    for (answer, run) in seen["answers"].as_array().unwrap().iter().zip([CNN, VIT]) {
        assert!(answer.as_str().unwrap().starts_with(&format!("{run} {words} {EVIL}")), "{answer}");
    }
    let links = seen["answerLinks"].as_array().unwrap();
    assert_eq!(links[..3], ["#run=0&method=grad-cam", "#run=0&epoch=2", "#run=0&epoch=1"].map(Value::from));
    assert_eq!(seen["answerEpoch"], serde_json::json!({"epoch": 2, "open": false, "class": ""}));
    assert_eq!(seen["answerImage"], serde_json::json!({"epoch": 2, "open": true, "class": ""}));
    assert_eq!(seen["answerClass"], serde_json::json!({"epoch": 2, "open": false, "class": runs.classes[1]}));
}

#[test]
fn an_address_brings_back_all_that_the_page_showed() {
    let (_, seen) = &*SEEN;
    let most = format!("Moved most, epoch 1 to 2 {VIT} · Attention rollout");
    let expected = serde_json::json!({"epoch": 2, "since": "1", "mode": "change", "sort": "class", "outcome": "right",
        "shown": [0, 2], "most": most});
    assert_eq!(seen["deep"], expected);
    let hash = "#epoch=2&since=1&mode=change&outcome=right&sort=class&colours=inferno&scale=own&run=1&method=rollout&shown=0.2";
    assert_eq!(seen["deepHash"], hash);
}

#[test]
fn of_several_runs_the_settings_that_differ_are_named() {
    let (_, seen) = &*SEEN;
    assert_eq!(seen["madeLine"], format!("2 runs. They differ in model {CNN}, {VIT}"));
    assert_eq!(seen["made"], serde_json::json!([["", CNN, VIT], ["model", CNN, VIT]]));
}

/// Sorted by the third column, the first model's accuracy on the panel, greatest first.
#[test]
fn classes_are_sorted_by_a_column() {
    let (runs, seen) = &*SEEN;
    let accuracy = |class: usize| {
        let of: Vec<usize> = (0..6).filter(|&image| runs::label(image) == class).collect();
        of.iter().filter(|&&image| runs::predicted(0, image, LAST) == class).count() as f64 / of.len() as f64
    };
    let mut order: Vec<usize> = (0..3).collect();
    order.sort_by(|&one, &other| accuracy(other).total_cmp(&accuracy(one)));
    let rows = seen["classTable"].as_array().unwrap();
    let found: Vec<&str> = rows.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(found, order.iter().map(|&class| runs.classes[class].as_str()).collect::<Vec<_>>());
    assert_eq!(rows[0][2], format!("{}\u{a0}%", 100.0 * accuracy(order[0])));
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
