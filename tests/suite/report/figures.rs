//! The sentences, matrices, tables and charts, against the figures that the page was given.

use super::SEEN;
use super::drawn::is_colour;
use super::runs::{self, CNN, EVIL, LAST, VIT};
use driftscope::draw::ColourMap;
use serde_json::Value;

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
    assert!(note.contains("since epoch 1,") && note.contains("fewer than 5 images is grey"), "{note}");
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
