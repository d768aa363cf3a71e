//! What follows from a run's sealed epochs: its history as a table, and which epochs keep their weights.

use super::error::TrainError;
use crate::config::KeepConfig;
use crate::run::{RunDir, RunError};
use crate::store::layout::{HISTORY_FILE, HISTORY_TABLE};
use crate::store::{EpochMetrics, RunReader, Scored, StoreError};

/// Every sealed epoch's metrics, in order. Those that are not what was sealed are left out, which `damaged` is told; such an
/// epoch keeps its weights.
pub(super) fn history(run: &RunDir, mut damaged: impl FnMut(StoreError)) -> Result<Vec<EpochMetrics>, TrainError> {
    let reader = RunReader::open(run.path())?;
    let mut history = Vec::new();
    for &epoch in reader.epochs() {
        match reader.metrics(epoch) {
            Err(error @ StoreError::Damaged { .. }) => damaged(error),
            read => history.push(read?),
        }
    }
    Ok(history)
}

/// Brings the run in line with its sealed epochs, whose [`history`] this is: writes metrics.jsonl and metrics.csv anew from
/// them, and removes mid-epoch saves they supersede and the weights of those that are neither among the best nor among the
/// last, nor `steadiest`, the best one where the evidence has a say. A process may be killed before or in the middle of this, so a resumed run begins with it.
pub(super) fn tidy(
    run: &RunDir,
    history: &[EpochMetrics],
    keep: KeepConfig,
    steadiest: Option<Scored>,
) -> Result<(), TrainError> {
    let mut lines = String::new();
    let mut table =
        String::from("epoch,learning_rate,train_loss,train_accuracy,val_loss,val_accuracy,val_top5,seconds\n");
    for metrics in history {
        let path = run.path().join(HISTORY_FILE);
        lines +=
            &serde_json::to_string(metrics).map_err(|source| RunError::Encode { path, source: Box::new(source) })?;
        lines.push('\n');
        table += &row(metrics);
    }
    run.write(HISTORY_FILE, lines.as_bytes())?;
    run.write(HISTORY_TABLE, table.as_bytes())?;
    run.clear_superseded(history.last().map(|metrics| metrics.epoch))?;
    for epoch in pruned(history, keep, steadiest) {
        run.prune(epoch)?;
    }
    Ok(())
}

/// The training half of an epoch as a row; drift has its own table.
fn row(metrics: &EpochMetrics) -> String {
    let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let cells = metrics.training.as_ref().map(|training| {
        let (loss, accuracy) = (Some(training.val_loss), Some(training.val_accuracy));
        let seconds = Some(training.seconds);
        let train = [training.learning_rate, training.train_loss, training.train_accuracy];
        train.into_iter().chain([loss, accuracy, training.val_top5, seconds]).map(cell).collect::<Vec<_>>().join(",")
    });
    format!("{},{}\n", metrics.epoch, cells.unwrap_or_else(|| ",,,,,,".to_string()))
}

/// Epochs that keep no weights: neither one of the best by validation accuracy, nor the steadiest, nor one of the last.
fn pruned(history: &[EpochMetrics], keep: KeepConfig, steadiest: Option<Scored>) -> Vec<usize> {
    let scored = |metrics: &EpochMetrics| {
        let val_accuracy = metrics.training.as_ref().map_or(0.0, |training| training.val_accuracy);
        Scored { epoch: metrics.epoch, val_accuracy }
    };
    let mut ranked: Vec<Scored> = history.iter().map(scored).collect();
    ranked.sort_by(Scored::best_first);
    let best: Vec<usize> = ranked.into_iter().take(keep.best).chain(steadiest).map(|best| best.epoch).collect();
    let last_from = history.len().saturating_sub(keep.last.max(1));
    history[..last_from].iter().map(|metrics| metrics.epoch).filter(|epoch| !best.contains(epoch)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::of_accuracy;

    #[test]
    fn the_best_and_the_last_keep_their_weights() {
        let history: Vec<EpochMetrics> = [0.1, 0.5, 0.7, 0.7, 0.6, 0.4]
            .into_iter()
            .enumerate()
            .map(|(epoch, val_accuracy)| EpochMetrics {
                epoch,
                training: Some(of_accuracy(val_accuracy)),
                drift: Vec::new(),
                randomised: Vec::new(),
            })
            .collect();
        let keep = |best, last| KeepConfig { best, last, stable_within: None };
        assert_eq!(pruned(&history, keep(1, 2), None), [0, 1, 3]);
        assert_eq!(pruned(&history, keep(0, 1), None), [0, 1, 2, 3, 4]);
        assert!(pruned(&history, keep(9, 1), None).is_empty());
        assert_eq!(pruned(&history, keep(1, 2), Some(Scored { epoch: 1, val_accuracy: 0.5 })), [0, 3]);
        // All alike: the best is the first that was trained.
        let mut alike = history;
        alike.iter_mut().filter_map(|metrics| metrics.training.as_mut()).for_each(|half| half.val_accuracy = 0.5);
        assert_eq!(pruned(&alike, keep(1, 1), None), [0, 2, 3, 4]);
    }
}
