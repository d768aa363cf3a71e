//! The matrix of a run, epoch by epoch: a new epoch adds one row.

use super::distances::Measured;
use super::matrix::{Floor, Matrix, Phase, Settled};
use super::options::Settling;
use super::pairs::{Judged, Ruler, Still};
use super::phases::{phases, square};

/// One explainer and target, as far as the run has come.
#[derive(Clone, Debug)]
pub(super) struct Growing {
    explainer: String,
    target: String,
    epochs: Vec<Measured>,
    /// An element an epoch: the pairs with the earlier ones that it was measured against.
    rows: Vec<Vec<Judged>>,
}

impl Growing {
    pub(super) fn new(explainer: &str, target: &str) -> Self {
        Growing { explainer: explainer.into(), target: target.into(), epochs: Vec::new(), rows: Vec::new() }
    }

    /// How many epochs there are.
    pub(super) fn epochs(&self) -> usize {
        self.epochs.len()
    }

    /// What was measured of the latest epoch by itself.
    pub(super) fn latest(&self) -> Option<&Measured> {
        self.epochs.last()
    }

    /// Adds the row of an epoch.
    pub(super) fn add(&mut self, mut now: Measured, ruler: &Ruler<'_>) {
        self.rows.push(ruler.row(&self.epochs, &now));
        // The row has them.
        now.earlier = Vec::new();
        self.epochs.push(now);
    }

    /// The epochs and their pairs, and what follows from them.
    pub(super) fn matrix(&self, ruler: &Ruler<'_>, patience: usize) -> Matrix {
        let epochs: Vec<usize> = self.epochs.iter().map(|one| one.epoch).collect();
        let on_panel = |later, earlier| self.still(Floor::Noise, later, earlier).is_some_and(Still::on_panel);
        let phases = phases(epochs.len(), on_panel);
        let seeds = self.rows.iter().flatten().any(|judged| judged.still_for_seed.is_some());
        let floors = [Floor::Noise, Floor::Seed].into_iter().filter(|&floor| floor == Floor::Noise || seeds);
        let (measure, margin) = (ruler.measure, ruler.margin.moved());
        Matrix {
            explainer: self.explainer.clone(),
            target: self.target.clone(),
            measure: measure.name().to_string(),
            margin,
            patience,
            phases: phases.into_iter().map(|(from, to)| Phase { from: epochs[from], to: epochs[to] }).collect(),
            settled: floors.filter_map(|floor| self.settled(floor, ruler, patience)).collect(),
            pairs: self.rows.iter().flatten().map(|judged| judged.pair.clone()).collect(),
            epochs,
        }
    }

    /// Whether a pair is still, by the places of its epochs; none where that is not known.
    fn still(&self, floor: Floor, later: usize, earlier: usize) -> Option<&Still> {
        let judged = self.rows[later].get(earlier.checked_sub(self.epochs[later].from)?)?;
        match floor {
            Floor::Noise => Some(&judged.still),
            Floor::Seed => judged.still_for_seed.as_ref(),
        }
    }

    /// From which epoch on every two are still; nothing is said of a single epoch.
    pub(super) fn settled(&self, floor: Floor, ruler: &Ruler<'_>, patience: usize) -> Option<Settled> {
        let last = self.epochs.len().checked_sub(1).filter(|&last| last > 0)?;
        let since = |asked: &dyn Fn(&Still) -> bool| {
            square(last, |later, earlier| self.still(floor, later, earlier).is_some_and(asked))
        };
        let enough = |start: usize| (last - start >= patience).then(|| self.epochs[start].epoch);
        let start = since(&Still::on_panel);
        let mut resampled: Vec<Option<usize>> = (0..ruler.resamples.count())
            .map(|panel| enough(since(&|still: &Still| still.on_resample(panel))))
            .collect();
        // Not yet is later than any epoch.
        resampled.sort_by_key(|epoch| epoch.map_or(usize::MAX, |epoch| epoch));
        let not_yet = resampled.iter().filter(|epoch| epoch.is_none()).count();
        let share = (!resampled.is_empty()).then(|| not_yet as f64 / resampled.len() as f64);
        let settling = Settling { margin: ruler.margin, patience };
        let of = [self.explainer.as_str(), &self.target];
        let settled = Settled::since(of, ruler.measure, floor, settling, (self.epochs[start].epoch, last - start));
        Some(Settled { interval: middle_of(&resampled), not_yet: share, ..settled })
    }
}

/// The middle 95 % of ordered epochs, both ends among them; none without any.
fn middle_of(epochs: &[Option<usize>]) -> Option<[Option<usize>; 2]> {
    let place = |thousandths: usize| (epochs.len() * thousandths).div_ceil(1000).checked_sub(1);
    Some([*epochs.get(place(25)?)?, *epochs.get(place(975)?)?])
}
