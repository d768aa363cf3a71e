//! The standard plots of a run: loss, accuracy, and every drift measure over the epochs.

use super::explained::method_title;
use super::plot::{PALETTE, Plot, Plots, Series};
use crate::drift::{Against, DriftFigure, Measure};
use crate::store::{ALL_IMAGES, EpochMetrics, TrainingMetrics};

/// Plots side by side.
const COLUMNS: usize = 2;

/// Loss and accuracy of a run over the epochs, then a plot for every drift measure with a curve for every explainer and
/// target, its interval, its noise floor and its chance level. What a run has nothing of has no plot.
pub fn curves(title: &str, metrics: &[EpochMetrics], figures: &[DriftFigure], against: Against) -> Plots {
    let learning = [loss(metrics), accuracy(metrics)];
    let drift = Measure::ALL.into_iter().map(|measure| drift(figures, measure, against));
    let plots = learning.into_iter().chain(drift);
    let plots = plots.filter(|plot| plot.series.iter().any(|series| !series.points.is_empty())).collect();
    Plots { title: title.to_string(), plots, columns: COLUMNS }
}

fn loss(metrics: &[EpochMetrics]) -> Plot {
    let series = vec![
        learned("training", 0, metrics, |training| training.train_loss),
        learned("validation", 1, metrics, |training| Some(training.val_loss)),
    ];
    Plot { title: "Loss (nats)".to_string(), series, range: None }
}

fn accuracy(metrics: &[EpochMetrics]) -> Plot {
    let series = vec![
        learned("training", 0, metrics, |training| training.train_accuracy),
        learned("validation", 1, metrics, |training| Some(training.val_accuracy)),
    ];
    Plot { title: "Accuracy".to_string(), series, range: Some([0.0, 1.0]) }
}

fn learned(
    name: &str,
    colour: usize,
    metrics: &[EpochMetrics],
    of: impl Fn(&TrainingMetrics) -> Option<f64>,
) -> Series {
    let point = |metrics: &EpochMetrics| Some((metrics.epoch as f64, of(metrics.training.as_ref()?)?));
    let points = metrics.iter().filter_map(point).collect();
    Series { name: name.to_string(), colour: PALETTE[colour], points, ..Series::default() }
}

/// One measure against one reference: a curve for every explainer and target, in the order of the figures.
fn drift(figures: &[DriftFigure], measure: Measure, against: Against) -> Plot {
    let of_plot = |figure: &&DriftFigure| {
        figure.group == ALL_IMAGES && figure.measure == measure.name() && figure.against == against
    };
    let figures: Vec<&DriftFigure> = figures.iter().filter(of_plot).collect();
    let mut curves: Vec<(&str, &str)> = Vec::new();
    for figure in &figures {
        let curve = (figure.explainer.as_str(), figure.target.as_str());
        if !curves.contains(&curve) {
            curves.push(curve);
        }
    }
    let several_targets = curves.iter().any(|curve| curve.1 != curves[0].1);
    let series = curves.iter().enumerate().map(|(index, &(explainer, target))| {
        let own =
            figures.iter().filter(|figure| (figure.explainer.as_str(), figure.target.as_str()) == (explainer, target));
        let mut series = moved(own.copied());
        series.name = method_title(explainer);
        if several_targets {
            series.name += &format!(", {target}");
        }
        series.colour = PALETTE[index % PALETTE.len()];
        series
    });
    let reference = match against {
        Against::Previous => "to the epoch before",
        Against::First => "to the first epoch",
        Against::Best => "to the best epoch",
        Against::Named => "to a chosen epoch",
    };
    Plot { title: format!("{} {reference}", measure.label()), series: series.collect(), range: None }
}

/// The curve of some figures, one an epoch. A figure that is not defined is a gap.
fn moved<'a>(figures: impl Iterator<Item = &'a DriftFigure>) -> Series {
    let mut series = Series::default();
    for figure in figures {
        let epoch = figure.epoch as f64;
        series.points.push((epoch, figure.value.unwrap_or(f64::NAN)));
        series.band.extend(figure.interval.map(|[low, high]| (epoch, low, high)));
        series.floor.extend(figure.floor.map(|floor| (epoch, floor)));
        series.chance.extend(figure.chance.map(|chance| (epoch, chance)));
    }
    series
}
