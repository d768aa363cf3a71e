//! What the controls, the keyboard and the address do.

use super::SEEN;
use super::runs::{self, LAST, VIT};
use std::collections::BTreeMap;

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
fn an_address_brings_back_all_that_the_page_showed() {
    let (_, seen) = &*SEEN;
    let most = format!("Moved most, epoch 1 to 2 {VIT} · Attention rollout");
    let expected = serde_json::json!({"epoch": 2, "since": "1", "mode": "change", "sort": "class", "outcome": "right",
        "shown": [0, 2], "most": most});
    assert_eq!(seen["deep"], expected);
    let hash = "#epoch=2&since=1&mode=change&outcome=right&sort=class&colours=inferno&scale=own&run=1&method=rollout&shown=0.2";
    assert_eq!(seen["deepHash"], hash);
}
