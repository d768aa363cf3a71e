//! What is drawn: the colours of every heat map, against the maps on disk.

use super::SEEN;
use super::browser::probed;
use super::runs::{LAST, Runs, SIDE, demo_runs};
use crate::support::alone;
use driftscope::draw::ColourMap;
use driftscope::measure::{Heatmap, MapStatus};
use driftscope::report::{PageOptions, html};
use serde_json::Value;

/// The colour of a share of full evidence, at this step of the 256 or one beside it.
///
/// The page rounds to one of 256 steps a share it reads from 16 bits, which is off by up to 1/131070: where the exact
/// share lies that close to the border of two steps, either is right.
///
/// `mix` says what a colour becomes over the picture; it is given the share, too.
pub(super) fn is_colour(
    map: ColourMap,
    share: f64,
    found: [u8; 3],
    mix: impl Fn([u8; 3], f64) -> [u8; 3],
    tolerance: u8,
) -> bool {
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
