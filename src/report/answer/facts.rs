//! What the sentences need to know beside the analysis.

use crate::store::{EpochMetrics, RunReader, StoreError};

/// Of one run.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Facts {
    /// The metrics of every epoch that has some, ascending.
    pub(super) metrics: Vec<EpochMetrics>,
    /// Class names by class index.
    pub(super) classes: Vec<String>,
    /// The true class of each image of the panel.
    pub(super) labels: Vec<usize>,
    /// How many images the last epoch was validated on, where that is known.
    pub(super) validated: Option<usize>,
    /// Whether a moving average of the weights is what was explained.
    pub(super) averaged: bool,
    /// The explainers that fail the parameter-randomisation test on this model.
    pub(super) failed: Vec<String>,
}

impl Facts {
    /// # Errors
    ///
    /// When a file of the run cannot be read.
    pub(super) fn of(reader: &RunReader) -> Result<Self, StoreError> {
        let mut metrics = Vec::new();
        for &epoch in reader.epochs() {
            match reader.metrics(epoch) {
                Err(StoreError::NotSealed { .. }) => continue,
                read => metrics.push(read?),
            }
        }
        let last = reader.epochs().last();
        Ok(Facts {
            classes: reader.info().classes.clone(),
            labels: reader.info().panel.labels.clone(),
            validated: last.map(|&epoch| validated(reader, epoch)).transpose()?.flatten(),
            averaged: !reader.record()?["config"]["ema"].is_null(),
            failed: failed(metrics.last()),
            metrics,
        })
    }

    /// Validation accuracy of an epoch.
    pub(super) fn accuracy(&self, epoch: usize) -> Option<f64> {
        let metrics = self.metrics.iter().find(|metrics| metrics.epoch == epoch)?;
        Some(metrics.training.as_ref()?.val_accuracy)
    }
}

/// How many images an epoch was validated on, by its confusion matrix; none where it kept none, or not what was sealed.
fn validated(reader: &RunReader, epoch: usize) -> Result<Option<usize>, StoreError> {
    let table = match reader.confusion(epoch) {
        Err(StoreError::Damaged { .. }) => None,
        read => read?,
    };
    let Some(table) = table else { return Ok(None) };
    let (text, classes) = (String::from_utf8_lossy(&table).into_owned(), reader.info().classes.len());
    // The counts are behind the class, whose name may have commas. The first line names the classes.
    let row =
        |line: &str| line.rsplit(',').take(classes).map(|count| count.parse::<usize>().ok()).sum::<Option<usize>>();
    Ok(text.lines().skip(1).map(row).sum())
}

/// The explainers whose maps at an epoch hardly depend on what the model has learnt.
fn failed(metrics: Option<&EpochMetrics>) -> Vec<String> {
    let all = metrics.into_iter().flat_map(|metrics| &metrics.randomised);
    all.filter(|test| test.passes() == Some(false)).map(|test| test.explainer.clone()).collect()
}
