//! How far a run is: its epochs, the part of the epoch that is under way, and how its losses went so far.

use crate::drift::{MOVED_SCALE, Matrix, Pair, moved_cell};
use crate::explain::Explainer;
use crate::progress::{Around, Line, Phase, Progress, Screen, clock, sparkline};
use crate::report::wrapped;
use crate::run::Meter;
use crate::store::EpochMetrics;
use std::time::Instant;

/// The last so many epochs are shown as a curve at the foot, and in the line of an epoch.
const CURVE: usize = 20;
const SHORT_CURVE: usize = 10;
/// The ends of the curve of *moved*.
const ENDS: [f64; 2] = [0.0, 100.0];
const TRAINING: &str = "training";

/// Tells a person how far a run is.
#[derive(Debug)]
pub(super) struct Dashboard<'a> {
    progress: &'a Progress,
    /// Of the run, in all.
    epochs: usize,
    /// The method whose evidence stands in the line of an epoch.
    lead: Option<Lead>,
    epoch: usize,
    begun: Instant,
    /// The share of the run that was done before this process began, and that is done by now; in [0, 1].
    shares: [f64; 2],
    /// The training under way.
    phase: Phase<'a>,
    training: Vec<String>,
    /// Validation losses and accuracies by epoch.
    losses: Vec<f64>,
    accuracies: Vec<f64>,
    /// Whether it has been said what the numbers of *moved* mean.
    scale_said: bool,
}

/// The method whose evidence stands in the line of an epoch.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    explainer: String,
    title: String,
}

impl Lead {
    /// The first class-specific one: its maps are about a class, not about the image alone. Where there is none, the first.
    pub(super) fn of(explainers: &[Explainer]) -> Option<Self> {
        let specific = explainers.iter().find(|explainer| explainer.class_specific());
        let one = specific.or(explainers.first())?;
        Some(Self { explainer: one.name(), title: one.title() })
    }
}

impl<'a> Dashboard<'a> {
    /// Of a run of so many epochs, of which those in `history` are done.
    pub(super) fn new(progress: &'a Progress, epochs: usize, lead: Option<Lead>, history: &[EpochMetrics]) -> Self {
        let mut dashboard = Self {
            progress,
            epochs,
            lead,
            epoch: 0,
            begun: Instant::now(),
            shares: [0.0; 2],
            phase: progress.phase(TRAINING),
            training: Vec::new(),
            losses: Vec::new(),
            accuracies: Vec::new(),
            scale_said: false,
        };
        history.iter().for_each(|metrics| dashboard.remember(metrics));
        dashboard
    }

    /// Says one line.
    pub(super) fn say(&self, line: &str) {
        self.progress.say(line);
    }

    /// An epoch's training begins, of which `seen` images were seen earlier; the share of its steps that is done is in [0, 1].
    pub(super) fn begin_epoch(&mut self, epoch: usize, seen: usize, share: f64) {
        self.epoch = epoch;
        self.phase = self.progress.phase_from(TRAINING, seen);
        let done = self.share(share);
        // A resumed run did not do its earlier epochs in no time.
        let before = if self.shares[1] > 0.0 { self.shares[0] } else { done };
        self.shares = [before, done];
        self.show();
    }

    /// A step of the epoch's training is done: `meter` knows the images seen, of `images` in all.
    pub(super) fn step(&mut self, meter: &Meter, images: usize) {
        self.shares[1] = self.share(meter.count as f64 / images.max(1) as f64);
        let nothing = f64::NAN;
        let loss = format!("loss {:.4}", meter.loss().unwrap_or(nothing));
        let accuracy = format!("accuracy {:.3}", meter.accuracy().unwrap_or(nothing));
        let values = format!("{loss} · {accuracy}");
        self.training = vec![loss, accuracy];
        self.show();
        self.phase.done_with(meter.count, images, &values);
    }

    /// Another part of the epoch begins.
    pub(super) fn phase(&self, name: &'static str) -> Phase<'a> {
        self.progress.phase(name)
    }

    /// An epoch is sealed; `matrices` are those of all epochs so far.
    pub(super) fn sealed(&mut self, metrics: &EpochMetrics, matrices: &[Matrix]) {
        self.remember(metrics);
        let screen = Screen::of_stderr();
        if !self.scale_said && self.of_lead(matrices).is_some_and(|matrix| matrix.step(metrics.epoch).is_some()) {
            self.scale_said = true;
            scale(screen).iter().for_each(|line| self.say(line));
        }
        self.say(&self.row(metrics, matrices, screen));
        if self.progress.details() {
            details(metrics, matrices, screen).iter().for_each(|line| self.say(&screen.cut(line)));
        }
        self.training.clear();
        self.shares[1] = metrics.epoch as f64 / self.epochs.max(1) as f64;
        self.show();
    }

    fn remember(&mut self, metrics: &EpochMetrics) {
        if let Some(training) = &metrics.training {
            self.losses.push(training.val_loss);
            self.accuracies.push(training.val_accuracy);
        }
    }

    /// The matrix of the lead method, of its first target.
    fn of_lead<'m>(&self, matrices: &'m [Matrix]) -> Option<&'m Matrix> {
        let lead = self.lead.as_ref()?;
        matrices.iter().find(|matrix| matrix.explainer == lead.explainer)
    }

    /// The share of the run that is done when `of_epoch` of the epoch under way is.
    fn share(&self, of_epoch: f64) -> f64 {
        (self.epoch.saturating_sub(1) as f64 + of_epoch) / self.epochs.max(1) as f64
    }

    fn show(&self) {
        let [before, done] = self.shares;
        let gone = self.begun.elapsed().as_secs_f64();
        let mut above = vec![format!("{}/{}", self.epoch, self.epochs), format!("{} gone", clock(gone))];
        if done > before {
            above.push(format!("{} left", clock(gone * (1.0 - done) / (done - before))));
        }
        let curve = |what: &str, values: &[f64]| {
            values.last().map(|last| format!("{what} {} {last:.3}", sparkline(values, CURVE, None)))
        };
        let of = |name: &str, parts: Vec<String>| Line { name: name.to_string(), share: None, parts };
        let validation = [curve("loss", &self.losses), curve("accuracy", &self.accuracies)];
        let below = [of("train", self.training.clone()), of("val", validation.into_iter().flatten().collect())];
        self.progress.surround(Around {
            heading: format!("epoch {}/{}", self.epoch, self.epochs),
            above: vec![Line { name: "epochs".to_string(), share: Some(done), parts: above }],
            below: below.into_iter().filter(|line| !line.parts.is_empty()).collect(),
        });
    }

    /// An epoch in one line: validation loss and accuracy, and how far the lead method's maps moved since the epoch before.
    /// Where the screen is narrow it says less, in shorter words.
    fn row(&self, metrics: &EpochMetrics, matrices: &[Matrix], screen: Screen) -> String {
        let width = self.epochs.to_string().len();
        let head = format!("{:>width$}/{}", metrics.epoch, self.epochs);
        let Some(training) = &metrics.training else { return screen.cut(&format!("epoch {head}")) };
        let (loss, accuracy) = (training.val_loss, training.val_accuracy);
        let matrix = self.of_lead(matrices);
        let step = |matrix: &Matrix, epoch: usize| matrix.step(epoch).map(|step| step.moved);
        let words = matrix.and_then(|matrix| step(matrix, metrics.epoch)).map(moved_cell);
        let curve = match (matrix, screen.unicode) {
            (Some(matrix), true) => {
                let steps = matrix.epochs.iter().filter_map(|&epoch| step(matrix, epoch));
                let moved: Vec<f64> = steps.map(|moved| moved.unwrap_or(f64::NAN)).collect();
                format!(" {}", sparkline(&moved, SHORT_CURVE, Some(ENDS)))
            }
            _ => String::new(),
        };
        let title = self.lead.as_ref().map_or("", |lead| &lead.title);
        let said = |name: &str| words.iter().map(|words| format!("{name}moved {words}{curve}")).collect::<Vec<_>>();
        let long = vec![format!("epoch {head}"), format!("val loss {loss:.4}"), format!("accuracy {accuracy:.3}")];
        let short = words.as_ref().map_or(String::new(), |words| match words.parse::<f64>() {
            Ok(_) => format!(" moved {words}"),
            Err(_) => format!(" {words}"),
        });
        let seconds = vec![format!("{:.1} s", training.seconds)];
        let forms = [
            screen.dotted(&[long.clone(), said(&format!("{title} ")), seconds].concat()),
            screen.dotted(&[long.clone(), said(&format!("{title} "))].concat()),
            screen.dotted(&[long, said("")].concat()),
            format!("{head} loss {loss:.3} acc {accuracy:.3}{short}{curve}"),
            format!("{head} loss {loss:.2} acc {accuracy:.2}{short}"),
        ];
        screen.first_that_fits(&forms)
    }
}

/// What the numbers of *moved* mean, in lines that fit.
fn scale(screen: Screen) -> Vec<String> {
    wrapped(&format!("moved: {MOVED_SCALE}"), screen.columns, 2).lines().map(str::to_string).collect()
}

/// More about an epoch: what its training made of it, and a line a method and target.
fn details(metrics: &EpochMetrics, matrices: &[Matrix], screen: Screen) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{value:.3}"));
    let mut lines = Vec::new();
    if let Some(training) = &metrics.training {
        let top5 = format!("val top-5 {}", number(training.val_top5));
        let mut parts = match training.train_loss {
            Some(loss) => {
                let accuracy = format!("accuracy {}", number(training.train_accuracy));
                vec![format!("    train loss {loss:.4}"), accuracy, top5]
            }
            None => vec![format!("    {top5}")],
        };
        parts.extend(training.learning_rate.map(|rate| format!("learning rate {rate:.1e}")));
        lines.push(screen.joined(&parts));
    }
    for matrix in matrices {
        let Some(step) = matrix.step(metrics.epoch) else { continue };
        let first = matrix.from_first(metrics.epoch).filter(|first| first.reference_epoch != step.reference_epoch);
        let since = |pair: &Pair| format!("{} since epoch {}", moved_cell(pair.moved), pair.reference_epoch);
        let mut parts = vec![format!("    {} ({}) moved {}", matrix.explainer, matrix.target, since(step))];
        parts.extend(first.map(since));
        let dead = step.dead;
        parts.extend(
            (dead > 0).then(|| format!("{dead} {} without evidence", if dead == 1 { "image" } else { "images" })),
        );
        lines.push(screen.joined(&parts));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::testing::matrix;
    use crate::store::tests::of_accuracy;

    fn metrics() -> EpochMetrics {
        EpochMetrics { epoch: 3, training: Some(of_accuracy(0.512)), drift: vec![], randomised: vec![] }
    }

    fn row(columns: usize, unicode: bool, moved: f64) -> String {
        let progress = Progress::new();
        let lead = Lead { explainer: "grad-cam".to_string(), title: "Grad-CAM".to_string() };
        let dashboard = Dashboard::new(&progress, 10, Some(lead), &[]);
        let matrices = [matrix("grad-cam", &[Some(100.0), None, Some(moved)], None)];
        dashboard.row(&metrics(), &matrices, Screen { columns, rows: 24, unicode })
    }

    #[test]
    fn an_epoch_is_one_line_that_says_less_where_there_is_less_room() {
        let found = [80, 70, 61, 40, 30, 12].map(|columns| row(columns, true, 50.0));
        assert_eq!(
            found,
            [
                "epoch  3/10 · val loss 1.0000 · accuracy 0.512 · Grad-CAM moved 50 █·▅ · 1.0 s",
                "epoch  3/10 · val loss 1.0000 · accuracy 0.512 · Grad-CAM moved 50 █·▅",
                "epoch  3/10 · val loss 1.0000 · accuracy 0.512 · moved 50 █·▅",
                " 3/10 loss 1.000 acc 0.512 moved 50 █·▅",
                " 3/10 loss 1.00 acc 0.51 move…",
                " 3/10 loss …",
            ]
        );
        assert_eq!(row(40, true, -6.0), " 3/10 loss 1.00 acc 0.51 within noise");
        let plain = "epoch  3/10 | val loss 1.0000 | accuracy 0.512 | Grad-CAM moved within noise";
        assert_eq!(row(80, false, -6.0), plain);
    }

    #[test]
    fn the_scale_of_moved_is_said_in_lines_that_fit() {
        let of = |columns| scale(Screen { columns, rows: 24, unicode: true });
        assert_eq!(of(80), ["moved: 0 is what noise does, 100 is another image's map"]);
        assert_eq!(of(30), ["moved: 0 is what noise does,", "  100 is another image's map"]);
    }

    #[test]
    fn details_are_a_line_a_method() {
        let mut matrices = [matrix("grad-cam", &[Some(40.0), None, Some(3.0)], None)];
        let first = Pair { reference_epoch: 0, moved: Some(120.0), dead: 1, ..matrices[0].pairs[2].clone() };
        matrices[0].pairs.insert(2, first);
        let found = [80, 48]
            .map(|columns| details(&metrics(), &matrices, Screen { columns, rows: 24, unicode: true })[1].clone());
        assert_eq!(found[0], "    grad-cam (label) moved 3 since epoch 2 · 100 since epoch 0");
        assert_eq!(found[1], "    grad-cam (label) moved 3 since epoch 2");
    }
}
