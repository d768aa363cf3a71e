use super::super::testing::{IMAGES, analysis, facts, matrix};
use super::*;
use crate::drift::{Against, DriftEstimate, Floor, Matrix, NotMeasurable, Settled, SpreadEstimate};
use crate::store::ALL_IMAGES;

const EPOCHS: [usize; 5] = [0, 1, 2, 3, 4];

fn grad_cam(still: usize) -> Matrix {
    matrix("grad-cam", "label", &EPOCHS, still)
}

fn rollout(still: usize) -> Matrix {
    matrix("rollout", "any", &EPOCHS, still)
}

fn sentences(analysis: &Analysis, facts: &Facts) -> Vec<String> {
    composed(analysis, facts).sentences.iter().map(Sentence::to_string).collect()
}

fn warned(analysis: &Analysis, facts: &Facts) -> Vec<String> {
    composed(analysis, facts).warnings.iter().map(Sentence::to_string).collect()
}

/// The pair of the last and the first epoch.
fn whole(matrix: &mut Matrix) -> &mut crate::drift::Pair {
    matrix.pairs.iter_mut().find(|pair| (pair.epoch, pair.reference_epoch) == (4, 0)).unwrap()
}

#[test]
fn a_run_that_settled_says_when_its_largest_step_and_what_moved_most() {
    let mut matrix = grad_cam(2);
    whole(&mut matrix).images[5] = Some(150.0);
    whole(&mut matrix).images_moved = Some(18);
    let expected = [
        "Grad-CAM settled at epoch 2 (95 % interval 2 to 3): from then on no two epochs are more than 5 apart (0 is what \
         noise does, 100 is another image's map).",
        "Its largest step was from epoch 1 to 2: it moved 40, while the validation accuracy went from 0.300 to 0.500.",
        "Since epoch 0 it moved 40, 18 of 24 images by more than noise; most of all the image 5.jpg (as far as another image's map).",
    ];
    assert_eq!(sentences(&analysis(vec![matrix]), &facts()), expected);
    assert!(warned(&analysis(vec![grad_cam(2)]), &facts()).is_empty());
}

/// Eight images of class 1 move by 80, the rest of the panel by 20: the class is named and not one of its images. Of class 0
/// only four count.
#[test]
fn a_class_is_named_where_five_of_its_images_count() {
    let mut matrix = grad_cam(2);
    let of = |image: usize| match image {
        0..4 => Some(300.0),
        4..8 => None,
        8..16 => Some(80.0),
        _ => Some(20.0),
    };
    whole(&mut matrix).images = (0..IMAGES).map(of).collect();
    let facts = Facts { labels: (0..IMAGES).map(|image| image / 8).collect(), ..facts() };
    let said = sentences(&analysis(vec![matrix]), &facts);
    assert_eq!(said[2], "Since epoch 0 it moved 40; most of all the class class 1 (80 on 8 images).");
}

#[test]
fn a_run_that_has_not_settled_says_so_and_in_how_many_panels() {
    let analysis = analysis(vec![grad_cam(4)]);
    let expected = "Grad-CAM has not settled by epoch 4 (nor in 97 % of resampled panels): of its last 3 epochs some are more \
                    than 5 apart (0 is what noise does, 100 is another image's map).";
    assert_eq!(sentences(&analysis, &facts())[0], expected);
    assert_eq!(warned(&analysis, &facts()), ["Not settled when training ended: Grad-CAM."]);
}

#[test]
fn an_interval_that_ends_in_not_yet_gives_its_share() {
    let mut matrix = grad_cam(2);
    matrix.settled[0].interval = Some([Some(2), None]);
    matrix.settled[0].not_yet = Some(0.04);
    let said = sentences(&analysis(vec![matrix]), &facts()).remove(0);
    let start =
        "Grad-CAM settled at epoch 2 (95 % interval 2 to not yet; not yet in 4 % of resampled panels): from then";
    assert!(said.starts_with(start), "{said}");
}

/// The middle 95 % of the panels agree: with the panel itself, or with one another. What would be 0 % is left out.
#[test]
fn an_interval_of_one_epoch_is_said_as_what_it_is() {
    let of = |interval: usize, not_yet: f64| {
        let mut matrix = grad_cam(2);
        matrix.settled[0].interval = Some([Some(interval); 2]);
        matrix.settled[0].not_yet = Some(not_yet);
        sentences(&analysis(vec![matrix]), &facts()).remove(0)
    };
    let start = "Grad-CAM settled at epoch 2 (the same in 95 % of resampled panels): from then";
    assert!(of(2, 0.004).starts_with(start), "{}", of(2, 0.004));
    let other = "Grad-CAM settled at epoch 2 (epoch 1 in 95 % of resampled panels; not yet in 2 % of resampled \
                 panels): from then";
    assert!(of(1, 0.02).starts_with(other), "{}", of(1, 0.02));
}

#[test]
fn averaged_weights_another_seed_and_quiet_steps_are_said() {
    let mut matrix = grad_cam(0);
    let seed = Settled { against_floor: Floor::Seed, epoch: Some(1), ..matrix.settled[0].clone() };
    matrix.settled.push(seed);
    let said = sentences(&analysis(vec![matrix]), &Facts { averaged: true, ..facts() });
    assert!(said[0].starts_with("Grad-CAM of the averaged weights (EMA) settled at epoch 0"), "{said:?}");
    assert_eq!(said[1], "Against the floor of another seed it settled at epoch 1.");
    assert_eq!(said[2], "No step from one epoch to the next was more than noise.");
    assert_eq!(said[3], "Since epoch 0 it has not moved by more than noise.");
}

/// Every step is noise, and first and last are 40 apart.
#[test]
fn small_steps_that_add_up_are_said_to() {
    let mut matrix = grad_cam(0);
    whole(&mut matrix).moved = Some(40.0);
    let said = sentences(&analysis(vec![matrix]), &facts());
    assert_eq!(said[1], "No step from one epoch to the next was more than noise.");
    assert_eq!(said[2], "Since epoch 0 they add up: it moved 40.");
}

#[test]
fn few_images_few_epochs_and_what_is_not_measurable_have_no_headline() {
    let few = Analysis { images: vec!["a.jpg".into(); 4], ..analysis(vec![grad_cam(2)]) };
    assert_eq!(sentences(&few, &facts()), ["The panel has 4 images: a headline needs 5."]);
    let two = analysis(vec![matrix("grad-cam", "label", &[0, 1], 1)]);
    let said = sentences(&two, &facts());
    assert_eq!(said[0], "Grad-CAM cannot have settled: 3 epochs with evidence are needed, and there are 2.");
    let one = analysis(vec![matrix("grad-cam", "label", &[1], 1)]);
    assert_eq!(sentences(&one, &facts()), ["Grad-CAM has no two epochs to compare."]);
    assert_eq!(sentences(&analysis(vec![]), &facts()), ["No method has two epochs to compare."]);

    let mut dark = grad_cam(4);
    for pair in &mut dark.pairs {
        (pair.moved, pair.interval, pair.not_measurable) = (None, None, Some(NotMeasurable::ChanceWithinFloor));
    }
    let expected =
        "Whether Grad-CAM settled is not measurable here: noise changes its maps as much as another image does.";
    assert_eq!(sentences(&analysis(vec![dark]), &facts()), [expected]);
}

/// Class-specific methods go before others, the true class before the prediction, and a method that fails the test of its
/// parameters has no headline.
#[test]
fn the_headline_is_about_a_class_specific_method_that_passes_its_test() {
    let prediction = matrix("grad-cam", "prediction", &EPOCHS, 2);
    let all = analysis(vec![rollout(2), prediction, grad_cam(3)]);
    let said = sentences(&all, &facts());
    assert!(said[0].starts_with("Grad-CAM (label) has not settled"), "{said:?}");
    let two = analysis(vec![matrix("eigen-grad-cam", "label", &EPOCHS, 2), grad_cam(2)]);
    let of = |order: &[&str]| {
        let order = order.iter().map(|kind| kind.to_string()).collect();
        composed(&two, &Facts { order, ..facts() }).lead.unwrap()[0].clone()
    };
    assert_eq!([of(&["grad-cam", "eigen-grad-cam"]), of(&[])], ["grad-cam", "eigen-grad-cam"]);
    let failed = Facts { failed: vec!["grad-cam".to_string()], ..facts() };
    assert!(sentences(&all, &failed)[0].starts_with("Attention rollout settled"));
    let warning = &warned(&all, &failed)[0];
    assert!(warning.contains("parameter-randomisation test") && warning.contains("Grad-CAM"), "{warning}");
}

#[test]
fn the_target_prediction_says_how_many_images_changed_it() {
    let mut prediction = matrix("grad-cam", "prediction", &EPOCHS, 2);
    whole(&mut prediction).retargeted = 7;
    let said = sentences(&analysis(vec![grad_cam(2), prediction]), &facts());
    let expected = "The predicted class of 7 of 24 images changed since epoch 0: maps of the target prediction explain another \
                    class there.";
    assert_eq!(said.last().unwrap(), expected);
}

/// Of 800 images of eight classes 100 are right by chance; 97.5 % of guessing stays below 100 + 1.96 · √(800 · 7/64) = 118.3,
/// the binomial's own end is 119. So 0.145 (116) is at chance level and 0.155 (124) is not; of 16 images 5 are.
#[test]
fn an_accuracy_that_luck_explains_is_at_chance_level() {
    let with = |accuracy: f64, validated| {
        let mut facts = Facts { validated, ..facts() };
        facts.metrics[4].training.as_mut().unwrap().val_accuracy = accuracy;
        warned(&analysis(vec![grad_cam(2)]), &facts)
    };
    let found = with(0.145, Some(800));
    let start = "The validation accuracy is at chance level: at epoch 4 it is 0.145 on 800 images; guessing among 8 classes gives \
                 0.125";
    assert!(found[0].starts_with(start), "{found:?}");
    assert!(with(0.155, Some(800)).is_empty());
    assert!(!with(0.3125, Some(16)).is_empty() && !with(0.125, None).is_empty() && with(0.13, None).is_empty());
}

#[test]
fn overfitting_needs_a_gap_and_a_loss_that_rises() {
    let with = |train: f64, losses: [f64; 5]| {
        let mut facts = facts();
        for (metrics, loss) in facts.metrics.iter_mut().zip(losses) {
            metrics.training.as_mut().unwrap().val_loss = loss;
        }
        facts.metrics[4].training.as_mut().unwrap().train_accuracy = Some(train);
        warned(&analysis(vec![grad_cam(2)]), &facts)
    };
    let rising = [2.0, 1.5, 1.0, 1.25, 1.5];
    let expected = "Overfitting: the training accuracy is 0.950, that of validation 0.720, and the validation loss rose from 1.000 \
                    at epoch 2 to 1.500 at epoch 4.";
    assert_eq!(with(0.95, rising), [expected]);
    assert!(with(0.9, rising).is_empty() && with(0.95, [2.0, 1.5, 1.25, 1.0, 1.0]).is_empty());
}

#[test]
fn a_loss_that_is_no_number_comes_first() {
    let mut facts = facts();
    facts.metrics[3].training.as_mut().unwrap().val_loss = f64::NAN;
    facts.metrics[4].training.as_mut().unwrap().val_accuracy = 0.125;
    let found = warned(&analysis(vec![grad_cam(2)]), &facts);
    assert!(found[0].starts_with("The loss is not a number at epoch 3"), "{found:?}");
    assert!(found[1].contains("chance level"), "{found:?}");
}

#[test]
fn methods_disagree_where_their_epochs_are_more_than_two_apart() {
    let of = |one: usize, other: usize| warned(&analysis(vec![grad_cam(one), rollout(other)]), &facts());
    assert!(of(0, 2).is_empty());
    let found = of(2, 4);
    assert_eq!(
        found,
        ["Not settled when training ended: Attention rollout."],
        "2 and the last epoch, 4, are two apart"
    );
    let apart = "The methods disagree about when: Grad-CAM settled at epoch 0 and Attention rollout has not.";
    assert_eq!(of(0, 4)[1], apart);
}

/// By Spearman Grad-CAM moved 40. A divergence with floor 0.1 and chance 0.6 moved (0.5 - 0.1) / 0.5 = 80 %, which is far from
/// it; at 0.4 it is 60 %, which is not; where floor and chance are alike it says nothing.
#[test]
fn measures_disagree_where_they_are_far_apart() {
    let with = |value: f64, chance: f64| {
        let estimate = DriftEstimate {
            explainer: "grad-cam".into(),
            target: "label".into(),
            measure: "js-divergence".into(),
            against: Against::First,
            epoch: 4,
            reference_epoch: 0,
            group: ALL_IMAGES.into(),
            value: Some(value),
            interval: None,
            floor: Some(0.1),
            seed_floor: None,
            chance: Some(chance),
            defined: IMAGES,
            undefined: 0,
            dead: 0,
        };
        warned(&Analysis { drift: vec![estimate], ..analysis(vec![grad_cam(2)]) }, &facts())
    };
    let expected = "The measures disagree about how far Grad-CAM moved since epoch 0: 80 by Jensen-Shannon divergence, 40 by \
                    Spearman correlation.";
    assert_eq!(with(0.5, 0.6), [expected]);
    assert!(with(0.4, 0.6).is_empty() && with(0.5, 0.11).is_empty());
}

/// By Spearman Grad-CAM settled at epoch 0 of 4. One epoch later is no disagreement, four are, and so is not yet.
#[test]
fn measures_that_settled_at_other_times_are_named() {
    let by = |measure: &str, epoch| Settled {
        measure: measure.into(),
        epoch,
        interval: None,
        not_yet: None,
        ..grad_cam(0).settled[0].clone()
    };
    let with = |settled_by| warned(&Analysis { settled_by, ..analysis(vec![grad_cam(0)]) }, &facts());
    assert!(with(vec![by("js-divergence", Some(1))]).is_empty());
    let expected = "By other measures Grad-CAM settled at other times: not yet by IoU of the top 20 % and at epoch 4 by \
                    Jensen-Shannon divergence.";
    assert_eq!(with(vec![by("top20-iou", None), by("js-divergence", Some(4))]), [expected]);
}

#[test]
fn maps_that_speak_against_the_class_and_maps_without_evidence_are_named() {
    let mass = |descriptor: &str, value: f64| SpreadEstimate {
        explainer: "grad-cam".into(),
        target: "label".into(),
        descriptor: descriptor.into(),
        epoch: 4,
        layer: None,
        head: None,
        value: Some(value),
        interval: None,
        floor: None,
        defined: IMAGES,
        undefined: 0,
    };
    let with = |negative: f64| {
        let spread = vec![mass("positive-mass", 1.0), mass("negative-mass", negative)];
        warned(&Analysis { spread, ..analysis(vec![grad_cam(2)]) }, &facts())
    };
    // 1.5 of 2.5 is 60 %.
    let expected =
        "Most of the evidence in the maps speaks against the class: Grad-CAM (60 %). Look at them in signed colours.";
    assert_eq!(with(1.5), [expected]);
    assert!(with(1.0).is_empty());

    let mut dead = grad_cam(2);
    (whole(&mut dead).dead, whole(&mut dead).defined) = (IMAGES, 0);
    assert_eq!(warned(&analysis(vec![dead]), &facts()), ["All maps are zero, constant or not finite: Grad-CAM."]);
}

/// Steps of 40, 40, 90 and 0: the third is more than twice the usual 40. Its accuracy rises by 0.2 in one run and stays in the
/// other.
#[test]
fn a_jump_while_the_accuracy_is_flat_is_named() {
    let mut matrix = grad_cam(3);
    let jump = matrix.pairs.iter_mut().find(|pair| (pair.epoch, pair.reference_epoch) == (3, 2)).unwrap();
    jump.moved = Some(90.0);
    let all = analysis(vec![matrix]);
    let learning = warned(&all, &facts());
    let mut flat = facts();
    flat.metrics[3].training.as_mut().unwrap().val_accuracy = 0.505;
    let expected = "From epoch 2 to 3 the accuracy is flat (0.500, then 0.505), yet the maps moved far more than in the usual step: \
         Grad-CAM 90.";
    assert_eq!(warned(&all, &flat), [learning, vec![expected.to_string()]].concat());
}
