//! The standard plots of a run: loss, accuracy, and every drift measure over the epochs.

use crate::draw::{FAINT, INK, Mark, MatrixPanel, MatrixPlots, Plot, Plots, Series, looks_of_curves};
use crate::drift::{Against, Analysis, DriftEstimate, MOVED_SCALE, Matrix, Pair};
use crate::measure::Measure;
use crate::picture::Rgb;
use crate::store::{ALL_IMAGES, EpochMetrics, TrainingMetrics};

/// Plots side by side.
const COLUMNS: usize = 2;

/// What a sheet of plots is made of.
#[derive(Debug)]
pub struct Curves<'a> {
    /// The heading of the sheet.
    pub title: String,
    /// Losses and accuracies.
    pub metrics: &'a [EpochMetrics],
    /// Everything else.
    pub analysis: &'a Analysis,
    /// Since which epochs it is shown how far the evidence moved.
    pub moved: &'a [Against],
    /// Measures that are shown as they are, against the first of the references of `moved`.
    pub measures: &'a [Measure],
}

/// Loss and accuracy of a run over the epochs; how far the evidence moved since each of the references, with a curve for every
/// explainer and target and its interval; and a plot for every measure, with its floors and its chance level too. What a run has
/// nothing of has no plot.
pub fn curves(of: Curves) -> Plots {
    let against = of.moved.first().copied().unwrap_or(Against::Previous);
    let learning = [loss(of.metrics), accuracy(of.metrics)];
    let moved = of.moved.iter().map(|&against| moved(of.analysis, against));
    let drift = of.measures.iter().map(|&measure| drift(of.analysis, measure, against));
    let plots = learning.into_iter().chain(moved).chain(drift);
    let plots = plots.filter(|plot| plot.series.iter().any(|series| !series.points.is_empty())).collect();
    Plots { title: of.title, plots, columns: COLUMNS }
}

fn loss(metrics: &[EpochMetrics]) -> Plot {
    let series = vec![
        learned("training", FAINT, metrics, |training| training.train_loss),
        learned("validation", INK, metrics, |training| Some(training.val_loss)),
    ];
    Plot { title: "Loss".to_string(), note: "nats".to_string(), series, ..Plot::default() }
}

fn accuracy(metrics: &[EpochMetrics]) -> Plot {
    let series = vec![
        learned("training", FAINT, metrics, |training| training.train_accuracy),
        learned("validation", INK, metrics, |training| Some(training.val_accuracy)),
    ];
    let (title, note) = ("Accuracy".to_string(), "share of the images".to_string());
    Plot { title, note, series, range: Some([0.0, 1.0]), ..Plot::default() }
}

/// In no colour of a method.
fn learned(name: &str, colour: Rgb, metrics: &[EpochMetrics], of: impl Fn(&TrainingMetrics) -> Option<f64>) -> Series {
    let point = |metrics: &EpochMetrics| Some((metrics.epoch as f64, of(metrics.training.as_ref()?)?));
    let points = metrics.iter().filter_map(point).collect();
    Series { name: name.to_string(), colour, points, ..Series::default() }
}

/// Explainers and targets in the order of the page.
fn views(analysis: &Analysis) -> Vec<(&str, &str)> {
    let of_matrices = analysis.matrices.iter().map(|matrix| (matrix.explainer.as_str(), matrix.target.as_str()));
    let of_drift = analysis.drift.iter().map(|one| (one.explainer.as_str(), one.target.as_str()));
    let mut views: Vec<(&str, &str)> = Vec::new();
    for view in of_matrices.chain(of_drift) {
        if !views.contains(&view) {
            views.push(view);
        }
    }
    // Targets stay in the order of the run.
    views.sort_by_key(|view| view.0);
    views
}

/// The name and the look of each explainer and target. An explainer has one colour in every plot and on the page, whatever it
/// explains; its targets differ by their marks.
fn named(analysis: &Analysis) -> Vec<((&str, &str), Series)> {
    let views = views(analysis);
    let mut explainers: Vec<&str> = views.iter().map(|view| view.0).collect();
    explainers.dedup();
    let place = |view: &(&str, &str)| explainers.iter().position(|&one| one == view.0).unwrap_or_default();
    let looks = looks_of_curves(&views.iter().map(place).collect::<Vec<_>>());
    let of = |(&(explainer, target), &(colour, mark)): (&(&'_ str, &'_ str), &(Rgb, Mark))| {
        let title = analysis.titles.get(explainer).map_or(explainer, String::as_str);
        let several = views.iter().any(|view| view.0 == explainer && view.1 != target);
        let target = if several { format!(", {target}") } else { String::new() };
        Series { name: title.to_string() + &target, colour, mark, ..Series::default() }
    };
    let series: Vec<Series> = views.iter().zip(&looks).map(of).collect();
    views.into_iter().zip(series).collect()
}

/// How far the evidence moved since a reference: a curve for every explainer and target. What is within noise lies at 0.
fn moved(analysis: &Analysis, against: Against) -> Plot {
    let curve = |((explainer, target), named): ((&str, &str), Series)| {
        let matrix =
            analysis.matrices.iter().find(|one| (one.explainer.as_str(), one.target.as_str()) == (explainer, target));
        let pairs = matrix.map_or(Vec::new(), |matrix| pairs(analysis, matrix, against));
        let point =
            |&(epoch, pair): &(usize, &Pair)| (epoch as f64, pair.moved.map_or(f64::NAN, |moved| moved.max(0.0)));
        let band = |&(epoch, pair): &(usize, &Pair)| {
            pair.interval.map(|[low, high]| (epoch as f64, low.max(0.0), high.max(0.0)))
        };
        Series { points: pairs.iter().map(point).collect(), band: pairs.iter().filter_map(band).collect(), ..named }
    };
    let series = named(analysis).into_iter().map(curve).collect();
    let since = match against {
        Against::Previous => "since the epoch before",
        Against::First => "since the first epoch",
        Against::Best => "since the best epoch",
        Against::Named => "since a chosen epoch",
    };
    let label = analysis.matrices.first().map_or("", |matrix| &matrix.measure);
    let label = label.parse().map_or("", |measure: Measure| measure.label());
    Plot {
        title: format!("Moved {since}"),
        note: label.to_string(),
        scale: MOVED_SCALE.to_string(),
        series,
        range: None,
        still: analysis.matrices.first().map(|matrix| matrix.margin),
    }
}

/// A matrix's pairs with the epoch that each other one is compared with, by the other one.
fn pairs<'a>(analysis: &Analysis, matrix: &'a Matrix, against: Against) -> Vec<(usize, &'a Pair)> {
    // The best epoch and a chosen one are the same all along, and may be the later one.
    let fixed = analysis.drift.iter().find(|one| one.against == against && one.explainer == matrix.explainer);
    let pair = |&epoch: &usize| {
        let pair = match against {
            Against::Previous => matrix.step(epoch),
            Against::First => matrix.from_first(epoch),
            Against::Best | Against::Named => {
                let other = fixed?.reference_epoch;
                matrix.pair(epoch.max(other), epoch.min(other))
            }
        };
        Some((epoch, pair?))
    };
    matrix.epochs.iter().filter_map(pair).collect()
}

/// One measure against one reference, as it is: a curve for every explainer and target.
fn drift(analysis: &Analysis, measure: Measure, against: Against) -> Plot {
    let of_plot = |estimate: &&DriftEstimate| {
        estimate.group == ALL_IMAGES && estimate.measure == measure.name() && estimate.against == against
    };
    let estimates: Vec<&DriftEstimate> = analysis.drift.iter().filter(of_plot).collect();
    let curve = |((explainer, target), Series { name, colour, mark, .. }): ((&str, &str), Series)| {
        let own = estimates
            .iter()
            .filter(|estimate| (estimate.explainer.as_str(), estimate.target.as_str()) == (explainer, target));
        Series { name, colour, mark, ..curve_through(own.copied()) }
    };
    let series = named(analysis).into_iter().map(curve).filter(|series| !series.points.is_empty());
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
    Plot { title: measure.label().to_string(), note, series: series.collect(), ..Plot::default() }
}

/// The matrix of every explainer and target of a run, on one sheet.
pub fn matrices(title: &str, analysis: &Analysis) -> MatrixPlots {
    let panel = |matrix: &Matrix| {
        let name = analysis.titles.get(&matrix.explainer).unwrap_or(&matrix.explainer);
        let note = match matrix.settled().map(|settled| settled.epoch) {
            Some(Some(epoch)) => format!("settled at epoch {epoch}"),
            Some(None) => "not settled yet".to_string(),
            None => String::new(),
        };
        let row = |(place, &epoch): (usize, &usize)| {
            let earlier = matrix.epochs[..place].iter();
            earlier.map(|&one| matrix.pair(epoch, one).and_then(|pair| pair.moved)).collect()
        };
        MatrixPanel {
            title: format!("{name} ({})", matrix.target),
            note,
            epochs: matrix.epochs.clone(),
            moved: matrix.epochs.iter().enumerate().map(row).collect(),
            phases: matrix.phases.iter().map(|phase| [phase.from, phase.to]).collect(),
        }
    };
    let margin = analysis.matrices.first().map_or(0.0, |matrix| matrix.margin);
    let panels = analysis.matrices.iter().filter(|matrix| matrix.epochs.len() > 1).map(panel).collect();
    MatrixPlots { title: title.to_string(), scale: MOVED_SCALE.to_string(), panels, margin, columns: COLUMNS }
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
    use super::super::answer::testing::{analysis, matrix};
    use super::*;
    use crate::drift::testing::estimate;
    use crate::store::tests::of_accuracy;

    fn trained(epoch: usize, train_loss: Option<f64>, val_accuracy: f64) -> EpochMetrics {
        let training = TrainingMetrics { train_loss, val_loss: f64::NAN, ..of_accuracy(val_accuracy) };
        EpochMetrics { epoch, training: Some(training), drift: vec![], randomised: vec![] }
    }

    fn sheet(analysis: &Analysis, metrics: &[EpochMetrics], moved: &[Against], measures: &[Measure]) -> Vec<Plot> {
        curves(Curves { title: "run".to_string(), metrics, analysis, moved, measures }).plots
    }

    fn titles(plots: &[Plot]) -> Vec<&str> {
        plots.iter().map(|plot| plot.title.as_str()).collect()
    }

    #[test]
    fn a_measure_has_a_plot_and_an_explainer_a_curve_in_its_own_colour() {
        let rollout =
            |value| DriftEstimate { explainer: "rollout".into(), ..estimate("spearman", Against::First, 2, value) };
        let drift = vec![
            rollout(Some(0.25)),
            estimate("spearman", Against::First, 1, Some(0.5)),
            estimate("spearman", Against::First, 2, None),
            estimate("spearman", Against::Previous, 2, Some(0.7)),
            DriftEstimate { group: "stays-right".into(), ..rollout(Some(0.125)) },
            DriftEstimate {
                interval: Some([0.1, 0.3]),
                seed_floor: Some(0.4),
                ..estimate("top20-iou", Against::First, 1, Some(0.2))
            },
        ];
        let analysis = Analysis { drift, ..analysis(vec![]) };
        let plots = sheet(&analysis, &[], &[Against::First], &[Measure::TopIou20, Measure::Spearman]);
        assert_eq!(titles(&plots), ["IoU of the top 20 %", "Spearman correlation"]);
        let names = |plot: &Plot| plot.series.iter().map(|series| series.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&plots[1]), ["Grad-CAM", "Attention rollout"]);
        let looks = looks_of_curves(&[0, 1]);
        let [cam, rollout] = &plots[1].series[..] else { panic!("two curves") };
        assert_eq!([cam.colour, rollout.colour], [looks[0].0, looks[1].0]);
        // Another target of the first method has its colour, and another mark.
        let twice = analysis.drift.iter().filter(|one| one.explainer == "grad-cam" && one.measure == "spearman");
        let twice = twice.map(|one| DriftEstimate { target: "prediction".into(), ..one.clone() });
        let both = Analysis { drift: analysis.drift.iter().cloned().chain(twice).collect(), ..analysis };
        let curves = &sheet(&both, &[], &[Against::First], &[Measure::Spearman])[0].series;
        let look = |series: &Series| (series.colour, series.mark);
        assert_eq!(curves.iter().map(look).collect::<Vec<_>>(), [looks[0], (looks[0].0, Mark::Square), looks[1]]);
        assert!(cam.points[0] == (1.0, 0.5) && cam.points[1].0 == 2.0 && cam.points[1].1.is_nan());
        assert_eq!((&rollout.points[..], &rollout.floor[..]), (&[(2.0, 0.25)][..], &[(2.0, 0.9)][..]));
        let iou = &plots[0].series[0];
        assert_eq!((&iou.band[..], &iou.seed_floor[..]), (&[(1.0, 0.1, 0.3)][..], &[(1.0, 0.4)][..]));
        assert!(cam.band.is_empty() && cam.seed_floor.is_empty() && cam.chance.is_empty());
        assert_eq!(plots[1].note, "compared with the first epoch");
    }

    /// The records of the tests moved by 40, with an interval of 5 to both sides, until epoch 2 and by -1 from there on.
    #[test]
    fn how_far_it_moved_has_a_plot_for_each_reference_and_noise_lies_at_zero() {
        let both = analysis(vec![matrix("grad-cam", "label", &[0, 1, 2, 3], 2), matrix("rollout", "any", &[1, 2], 9)]);
        let plots = sheet(&both, &[], &[Against::Previous, Against::First], &[]);
        assert_eq!(titles(&plots), ["Moved since the epoch before", "Moved since the first epoch"]);
        assert_eq!(plots[0].series[0].points, [(1.0, 40.0), (2.0, 40.0), (3.0, 0.0)]);
        assert_eq!(plots[0].series[0].band[1..], [(2.0, 35.0, 45.0), (3.0, 0.0, 4.0)]);
        assert_eq!(plots[1].series[0].points, [(1.0, 40.0), (2.0, 40.0), (3.0, 40.0)]);
        assert_eq!((plots[0].still, plots[0].series[1].name.as_str()), (Some(5.0), "Attention rollout"));
        // Against epoch 2, which is also the later one of some.
        let chosen = DriftEstimate { reference_epoch: 2, ..estimate("spearman", Against::Named, 0, Some(0.1)) };
        let chosen = Analysis { drift: vec![chosen], ..both };
        let plots = sheet(&chosen, &[], &[Against::Named], &[]);
        assert_eq!(plots[0].series[0].points, [(0.0, 40.0), (1.0, 40.0), (3.0, 0.0)]);
    }

    #[test]
    fn a_matrix_has_a_panel_a_method() {
        let plots = matrices(
            "run",
            &analysis(vec![matrix("grad-cam", "label", &[0, 1, 2, 3], 1), matrix("rollout", "any", &[1], 1)]),
        );
        assert_eq!((plots.panels.len(), plots.margin), (1, 5.0));
        let panel = &plots.panels[0];
        assert_eq!((panel.title.as_str(), panel.note.as_str()), ("Grad-CAM (label)", "settled at epoch 1"));
        assert_eq!(panel.moved[2..], [vec![Some(40.0), Some(-1.0)], vec![Some(40.0), Some(-1.0), Some(-1.0)]]);
        assert_eq!(panel.phases, [[1, 3]]);
    }

    #[test]
    fn learning_is_plotted_from_the_first_epoch_that_has_a_number_and_in_no_colour_of_a_method() {
        let metrics = [trained(0, None, 0.1), trained(1, Some(2.0), 0.5)];
        let plots = sheet(&analysis(vec![]), &metrics, &[Against::Previous], &[]);
        assert_eq!(titles(&plots), ["Loss", "Accuracy"]);
        assert_eq!(plots[0].series[0].points, [(1.0, 2.0)]);
        assert_eq!(
            (plots[1].series[1].points.as_slice(), plots[1].range),
            (&[(0.0, 0.1), (1.0, 0.5)][..], Some([0.0, 1.0]))
        );
        assert!(
            plots
                .iter()
                .flat_map(|plot| &plot.series)
                .all(|series| { !looks_of_curves(&[0, 1, 2, 3, 4, 5]).iter().any(|look| look.0 == series.colour) })
        );
        assert!(sheet(&analysis(vec![]), &[], &[Against::First], &[Measure::Spearman]).is_empty());
    }
}
