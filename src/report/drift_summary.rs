//! A drift analysis in words: what drifted most, when it settled, how far above the floor.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::drift::{Analysis, DriftEstimate, Floor, Outcome};
use crate::measure::Measure;
use crate::store::{ALL_IMAGES, Against};

/// How many images are named as those that drifted most.
const IMAGES: usize = 3;

/// A few lines for a person, most important first; what is not known is left out.
///
/// The words are about one measure: the Jensen-Shannon divergence, or the first one that was asked for. Drift is
/// given as a share of the way from the floor to chance: 0 % is noise, 100 % is as different as the maps of different images
/// are.
pub fn drift_summary(analysis: &Analysis) -> String {
    let mut text = String::new();
    let Some(measure) = spoken_of(&analysis.drift) else {
        return format!("{}: no two epochs to compare\n", analysis.run);
    };
    let ours: Vec<&DriftEstimate> =
        analysis.drift.iter().filter(|one| one.measure == measure.name() && one.group == ALL_IMAGES).collect();
    let last = ours.iter().map(|estimate| estimate.epoch).max().unwrap_or_default();
    let (run, model, images) = (&analysis.run, &analysis.model, counted(analysis.images.len(), "image"));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{run} ({model}): {images}, in {}", measure.label());
    for line in since_first(&ours, measure, last) {
        let _ = writeln!(text, "  {line}");
    }
    for line in [
        largest_step(&ours, measure),
        most_drifted_group(analysis, measure, last),
        most_drifted(analysis, measure, last),
    ] {
        line.into_iter().for_each(|line| text += &format!("  {line}\n"));
    }
    for line in settled(analysis, measure) {
        let _ = writeln!(text, "  {line}");
    }
    for warning in &analysis.warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    text
}

/// The measure the words are about.
fn spoken_of(estimates: &[DriftEstimate]) -> Option<Measure> {
    let known = |measure: Measure| estimates.iter().any(|estimate| estimate.measure == measure.name());
    let first = || estimates.first()?.measure.parse().ok();
    if known(Measure::JensenShannon) { Some(Measure::JensenShannon) } else { first() }
}

/// How far an estimate is on the way from the floor (0) to chance (1); `None` where one of them is not known or they are
/// equal.
fn share(estimate: &DriftEstimate, measure: Measure) -> Option<f64> {
    let [value, floor, chance] =
        [estimate.value?, estimate.floor?, estimate.chance?].map(|value| measure.distance(value));
    (chance > floor).then(|| (value - floor) / (chance - floor))
}

/// `1 image`, `2 images`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn name(estimate: &DriftEstimate) -> String {
    format!("{} ({})", estimate.explainer, estimate.target)
}

/// How far the maps of each explainer drifted since the first epoch, the greatest drift first.
fn since_first(estimates: &[&DriftEstimate], measure: Measure, last: usize) -> Vec<String> {
    let at_the_end = estimates.iter().filter(|one| one.against == Against::First && one.epoch == last);
    let mut drifted: Vec<_> = at_the_end.filter_map(|one| Some((*one, one.value?))).collect();
    drifted.sort_by(|(one, _), (other, _)| {
        let place = |estimate: &DriftEstimate| share(estimate, measure).unwrap_or(f64::NEG_INFINITY);
        place(other).total_cmp(&place(one))
    });
    let several = drifted.len() > 1;
    let line = |(index, (estimate, value)): (usize, (&DriftEstimate, f64))| {
        let most = if index == 0 && several { "drifted most" } else { "drifted" };
        let mut line = format!("{} {most} since epoch {}: {value:.3}", name(estimate), estimate.reference_epoch);
        if let Some([low, high]) = estimate.interval {
            line += &format!(" [{low:.3}, {high:.3}]");
        }
        line += &format!(" at epoch {}", estimate.epoch);
        if let (Some(share), Some(floor), Some(chance)) = (share(estimate, measure), estimate.floor, estimate.chance) {
            line += &if share > 0.0 {
                let percent = 100.0 * share;
                format!(", {percent:.0} % of the way from the floor ({floor:.3}) to chance ({chance:.3})")
            } else {
                format!(", within the floor ({floor:.3}; chance is {chance:.3})")
            };
        }
        line
    };
    drifted.into_iter().enumerate().map(line).collect()
}

/// The step between neighbouring epochs with the greatest drift.
fn largest_step(estimates: &[&DriftEstimate], measure: Measure) -> Option<String> {
    let steps = estimates.iter().filter(|one| one.against == Against::Previous);
    let known = steps.filter_map(|one| Some((one, measure.distance(one.value?))));
    let (step, _) = known.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let (from, to, value) = (step.reference_epoch, step.epoch, step.value?);
    Some(format!("the largest step: {} from epoch {from} to {to}, {value:.3}", name(step)))
}

/// Which images drifted most since the first epoch, by what happened to their prediction.
fn most_drifted_group(analysis: &Analysis, measure: Measure, last: usize) -> Option<String> {
    let ours = analysis.drift.iter().filter(|one| {
        let outcome = Outcome::ALL.iter().any(|outcome| outcome.name() == one.group);
        outcome && one.measure == measure.name() && one.against == Against::First && one.epoch == last
    });
    let known = ours.filter_map(|one| Some((one, measure.distance(one.value?))));
    let (group, _) = known.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let (value, images) = (group.value?, counted(group.defined, "image"));
    Some(format!(
        "by prediction: {} drifted most where it {}, {value:.3} on {images}",
        name(group),
        group.group.replace('-', " ")
    ))
}

/// The images that drifted most since the first epoch, over all explainers.
fn most_drifted(analysis: &Analysis, measure: Measure, last: usize) -> Option<String> {
    let ours = analysis
        .image_drift
        .iter()
        .filter(|one| one.measure == measure.name() && one.against == Against::First && one.epoch == last);
    let mut farthest: BTreeMap<usize, f64> = BTreeMap::new();
    for drift in ours {
        for (image, value) in drift.values.iter().enumerate() {
            let Some(distance) = value.map(|value| measure.distance(value)) else { continue };
            let known = farthest.entry(image).or_insert(distance);
            *known = known.max(distance);
        }
    }
    let mut images: Vec<(usize, f64)> = farthest.into_iter().collect();
    images.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let names: Vec<&str> =
        images.iter().take(IMAGES).filter_map(|(image, _)| Some(analysis.images.get(*image)?.as_str())).collect();
    (!names.is_empty()).then(|| format!("the images that drifted most: {}", names.join(", ")))
}

/// When each explainer settled.
fn settled(analysis: &Analysis, measure: Measure) -> Vec<String> {
    let ours = analysis.settled.iter().filter(|one| one.measure == measure.name());
    let line = |one: &crate::drift::Settled| {
        let floor = match one.against_floor {
            Floor::Noise => "noise",
            Floor::Seed => "a second seed",
        };
        let (explainer, target, steps) = (&one.explainer, &one.target, counted(one.steps, "step"));
        match one.epoch {
            Some(epoch) => {
                format!("{explainer} ({target}) settled at epoch {epoch}: {steps} within {floor} since")
            }
            None => format!("{explainer} ({target}) has not settled: its last step is more than {floor}"),
        }
    };
    ours.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{ImageDrift, Settled};

    fn estimate(explainer: &str, against: Against, epoch: usize, value: f64) -> DriftEstimate {
        DriftEstimate {
            explainer: explainer.into(),
            target: "label".into(),
            measure: "js-divergence".into(),
            against,
            epoch,
            reference_epoch: if against == Against::First { 0 } else { epoch - 1 },
            group: ALL_IMAGES.into(),
            value: Some(value),
            interval: Some([value - 0.05, value + 0.05]),
            floor: Some(0.0),
            seed_floor: None,
            chance: Some(0.5),
            defined: 2,
            undefined: 0,
            dead: 0,
        }
    }

    fn analysis() -> Analysis {
        let wrong =
            DriftEstimate { group: "becomes-wrong".into(), defined: 1, ..estimate("rollout", Against::First, 2, 0.4) };
        let settled = |explainer: &str, epoch| Settled {
            explainer: explainer.into(),
            target: "label".into(),
            measure: "js-divergence".into(),
            against_floor: Floor::Noise,
            epoch,
            steps: epoch.map_or(0, |epoch| 2 - epoch),
            margin: 5.0,
            patience: 2,
            interval: None,
            not_yet: None,
        };
        Analysis {
            run: "dtd".into(),
            model: "deit_tiny".into(),
            images: vec!["a.jpg".into(), "b.jpg".into()],
            titles: BTreeMap::new(),
            accuracy: BTreeMap::new(),
            drift: vec![
                estimate("grad-cam", Against::Previous, 1, 0.3),
                estimate("rollout", Against::Previous, 2, 0.1),
                estimate("grad-cam", Against::First, 2, 0.1),
                estimate("rollout", Against::First, 2, 0.2),
                wrong,
            ],
            image_drift: vec![ImageDrift {
                explainer: "rollout".into(),
                target: "label".into(),
                measure: "js-divergence".into(),
                against: Against::First,
                epoch: 2,
                reference_epoch: 0,
                values: vec![Some(0.1), Some(0.3)],
            }],
            paths: vec![],
            matrices: vec![],
            settled: vec![settled("grad-cam", Some(1)), settled("rollout", None)],
            spread: vec![],
            image_spread: vec![],
            agreement: vec![],
            layers: vec![],
            warnings: vec!["look here".into()],
        }
    }

    /// 0.2 is 40 % of the way from 0 to 0.5, 0.1 is 20 %.
    #[test]
    fn a_summary_says_what_drifted_most_and_when_it_settled() {
        let expected = "\
dtd (deit_tiny): 2 images, in Jensen-Shannon divergence
  rollout (label) drifted most since epoch 0: 0.200 [0.150, 0.250] at epoch 2, 40 % of the way from the floor (0.000) to chance (0.500)
  grad-cam (label) drifted since epoch 0: 0.100 [0.050, 0.150] at epoch 2, 20 % of the way from the floor (0.000) to chance (0.500)
  the largest step: grad-cam (label) from epoch 0 to 1, 0.300
  by prediction: rollout (label) drifted most where it becomes wrong, 0.400 on 1 image
  the images that drifted most: b.jpg, a.jpg
  grad-cam (label) settled at epoch 1: 1 step within noise since
  rollout (label) has not settled: its last step is more than noise
  warning: look here
";
        assert_eq!(drift_summary(&analysis()), expected);
    }

    #[test]
    fn what_is_within_the_floor_is_no_share_of_the_way() {
        let quiet = DriftEstimate { floor: Some(0.25), ..estimate("rollout", Against::First, 2, 0.2) };
        let summary = drift_summary(&Analysis { drift: vec![quiet], ..analysis() });
        assert!(summary.contains("at epoch 2, within the floor (0.250; chance is 0.500)\n"), "{summary}");
    }

    #[test]
    fn a_run_of_one_epoch_has_nothing_to_say() {
        let one = Analysis { drift: vec![], ..analysis() };
        assert_eq!(drift_summary(&one), "dtd: no two epochs to compare\n");
    }
}
