//! The standard plots of a run: loss, accuracy, and every drift measure over the epochs.

use crate::draw::{Plot, Plots, Series, look_of_curve};
use crate::drift::{Against, DriftEstimate};
use crate::measure::Measure;
use crate::store::{ALL_IMAGES, EpochMetrics, TrainingMetrics};
use std::collections::BTreeMap;

/// Plots side by side.
const COLUMNS: usize = 2;

/// Loss and accuracy of a run over the epochs, then a plot for every drift measure with a curve for every explainer and
/// target, its interval, its floors and its chance level. What a run has nothing of has no plot. `titles` are what
/// explainers are called, by their names.
pub fn curves(
    title: &str,
    metrics: &[EpochMetrics],
    estimates: &[DriftEstimate],
    titles: &BTreeMap<String, String>,
    against: Against,
) -> Plots {
    let learning = [loss(metrics), accuracy(metrics)];
    let drift = Measure::ALL.into_iter().map(|measure| drift(estimates, titles, measure, against));
    let plots = learning.into_iter().chain(drift);
    let plots = plots.filter(|plot| plot.series.iter().any(|series| !series.points.is_empty())).collect();
    Plots { title: title.to_string(), plots, columns: COLUMNS }
}

fn loss(metrics: &[EpochMetrics]) -> Plot {
    let series = vec![
        learned("training", 0, metrics, |training| training.train_loss),
        learned("validation", 1, metrics, |training| Some(training.val_loss)),
    ];
    Plot { title: "Loss".to_string(), note: "nats".to_string(), series, range: None }
}

fn accuracy(metrics: &[EpochMetrics]) -> Plot {
    let series = vec![
        learned("training", 0, metrics, |training| training.train_accuracy),
        learned("validation", 1, metrics, |training| Some(training.val_accuracy)),
    ];
    Plot { title: "Accuracy".to_string(), note: "share of the images".to_string(), series, range: Some([0.0, 1.0]) }
}

fn learned(name: &str, index: usize, metrics: &[EpochMetrics], of: impl Fn(&TrainingMetrics) -> Option<f64>) -> Series {
    let point = |metrics: &EpochMetrics| Some((metrics.epoch as f64, of(metrics.training.as_ref()?)?));
    let points = metrics.iter().filter_map(point).collect();
    let (colour, mark) = look_of_curve(index);
    Series { name: name.to_string(), colour, mark, points, ..Series::default() }
}

/// One measure against one reference: a curve for every explainer and target, in the order of the estimates.
fn drift(estimates: &[DriftEstimate], titles: &BTreeMap<String, String>, measure: Measure, against: Against) -> Plot {
    let of_plot = |estimate: &&DriftEstimate| {
        estimate.group == ALL_IMAGES && estimate.measure == measure.name() && estimate.against == against
    };
    let estimates: Vec<&DriftEstimate> = estimates.iter().filter(of_plot).collect();
    let mut curves: Vec<(&str, &str)> = Vec::new();
    for estimate in &estimates {
        let curve = (estimate.explainer.as_str(), estimate.target.as_str());
        if !curves.contains(&curve) {
            curves.push(curve);
        }
    }
    let several_targets = curves.iter().any(|curve| curve.1 != curves[0].1);
    let series = curves.iter().enumerate().map(|(index, &(explainer, target))| {
        let own = estimates
            .iter()
            .filter(|estimate| (estimate.explainer.as_str(), estimate.target.as_str()) == (explainer, target));
        let mut series = curve_through(own.copied());
        series.name = titles.get(explainer).map_or(explainer, String::as_str).to_string();
        if several_targets {
            series.name += &format!(", {target}");
        }
        (series.colour, series.mark) = look_of_curve(index);
        series
    });
    let reference = match against {
        Against::Previous => "compared with the epoch before",
        Against::First => "compared with the first epoch",
        Against::Best => "compared with the best epoch",
        Against::Named => "compared with a chosen epoch",
    };
    let note = match measure.unit() {
        "" => reference.to_string(),
        unit => format!("{unit} · {reference}"),
    };
    Plot { title: measure.label().to_string(), note, series: series.collect(), range: None }
}

/// The curve through estimates, one for each epoch. An undefined estimate is a gap.
fn curve_through<'a>(estimates: impl Iterator<Item = &'a DriftEstimate>) -> Series {
    let mut series = Series::default();
    for estimate in estimates {
        let epoch = estimate.epoch as f64;
        series.points.push((epoch, estimate.value.unwrap_or(f64::NAN)));
        series.band.extend(estimate.interval.map(|[low, high]| (epoch, low, high)));
        series.floor.extend(estimate.floor.map(|floor| (epoch, floor)));
        series.seed_floor.extend(estimate.seed_floor.map(|floor| (epoch, floor)));
        series.chance.extend(estimate.chance.map(|chance| (epoch, chance)));
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::testing::estimate;

    fn trained(epoch: usize, train_loss: Option<f64>, val_accuracy: f64) -> EpochMetrics {
        let training = TrainingMetrics {
            train_loss,
            train_accuracy: None,
            val_loss: f64::NAN,
            val_accuracy,
            val_top5: None,
            val_class_accuracy: vec![],
            learning_rate: None,
            seconds: 1.0,
        };
        EpochMetrics { epoch, training: Some(training), drift: vec![], randomised: vec![] }
    }

    #[test]
    fn a_measure_has_a_plot_and_an_explainer_a_curve() {
        let rollout =
            |value| DriftEstimate { explainer: "rollout".into(), ..estimate("spearman", Against::First, 2, value) };
        let estimates = [
            estimate("spearman", Against::First, 1, Some(0.5)),
            estimate("spearman", Against::First, 2, None),
            estimate("spearman", Against::Previous, 2, Some(0.7)),
            rollout(Some(0.25)),
            DriftEstimate { group: "stays-right".into(), ..rollout(Some(0.125)) },
            DriftEstimate {
                interval: Some([0.1, 0.3]),
                seed_floor: Some(0.4),
                ..estimate("top20-iou", Against::First, 1, Some(0.2))
            },
        ];
        let titles = BTreeMap::from([("grad-cam".to_string(), "Grad-CAM".to_string())]);
        let plots = curves("run", &[], &estimates, &titles, Against::First).plots;
        // In the order of `Measure::ALL`.
        assert_eq!(
            plots.iter().map(|plot| plot.title.as_str()).collect::<Vec<_>>(),
            ["IoU of the top 20 %", "Spearman correlation"]
        );
        let names = |plot: &Plot| plot.series.iter().map(|series| series.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&plots[1]), ["Grad-CAM", "rollout"]);
        let [cam, rollout] = &plots[1].series[..] else { panic!("two curves") };
        assert!(cam.points[0] == (1.0, 0.5) && cam.points[1].0 == 2.0 && cam.points[1].1.is_nan());
        assert_eq!((&rollout.points[..], &rollout.floor[..]), (&[(2.0, 0.25)][..], &[(2.0, 0.9)][..]));
        let iou = &plots[0].series[0];
        assert_eq!((&iou.band[..], &iou.seed_floor[..]), (&[(1.0, 0.1, 0.3)][..], &[(1.0, 0.4)][..]));
        assert!(cam.band.is_empty() && cam.seed_floor.is_empty() && cam.chance.is_empty());
        assert_eq!(plots[1].note, "compared with the first epoch");
    }

    #[test]
    fn learning_is_plotted_from_the_first_epoch_that_has_a_number() {
        let metrics = [trained(0, None, 0.1), trained(1, Some(2.0), 0.5)];
        let plots = curves("run", &metrics, &[], &BTreeMap::new(), Against::Previous).plots;
        assert_eq!(plots.iter().map(|plot| plot.title.as_str()).collect::<Vec<_>>(), ["Loss", "Accuracy"]);
        assert_eq!(plots[0].series[0].points, [(1.0, 2.0)]);
        assert_eq!(
            (plots[1].series[1].points.as_slice(), plots[1].range),
            (&[(0.0, 0.1), (1.0, 0.5)][..], Some([0.0, 1.0]))
        );
        assert!(curves("run", &[], &[], &BTreeMap::new(), Against::First).plots.is_empty());
    }
}
