//! What the sentences need to know beside the analysis.

use crate::store::{EpochMetrics, RunReader, StoreError};
use serde_json::Value;

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
    /// The kinds of methods in the order of the run's settings.
    pub(super) order: Vec<String>,
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
        let record = reader.record()?;
        let config = &record["config"];
        Ok(Facts {
            classes: reader.info().classes.clone(),
            labels: reader.info().panel.labels.clone(),
            validated: last.map(|&epoch| validated(reader, epoch)).transpose()?.flatten(),
            averaged: !config["ema"].is_null(),
            order: order(&config["explainers"]),
            failed: failed(metrics.last()),
            metrics,
        })
    }

    /// Where an explainer stands in the run's settings, after all of them where it does not. Its name is its kind with its settings
    /// behind it.
    pub(super) fn place(&self, explainer: &str) -> usize {
        let is_kind =
            |kind: &str| explainer.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        let fitting = self.order.iter().enumerate().filter(|(_, kind)| is_kind(kind));
        // grad-cam begins the name of grad-cam-plus-plus.
        let longest = fitting.max_by_key(|(place, kind)| (kind.len(), std::cmp::Reverse(*place)));
        longest.map_or(self.order.len(), |(place, _)| place)
    }

    /// Validation accuracy of an epoch.
    pub(super) fn accuracy(&self, epoch: usize) -> Option<f64> {
        let metrics = self.metrics.iter().find(|metrics| metrics.epoch == epoch)?;
        Some(metrics.training.as_ref()?.val_accuracy)
    }
}

/// The kinds of some explainers' settings.
fn order(explainers: &Value) -> Vec<String> {
    let kinds = explainers.as_array().into_iter().flatten().filter_map(|one| one["kind"].as_str());
    kinds.map(str::to_string).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explainer_stands_where_its_kind_is_named() {
        let order =
            order(&serde_json::json!([{"kind": "rollout"}, {"kind": "grad-cam"}, {"kind": "grad-cam-plus-plus"}]));
        let facts = Facts { order, ..Facts::default() };
        let names = ["rollout-fusion-max", "grad-cam-layer-3", "grad-cam", "grad-cam-plus-plus", "le-grad"];
        assert_eq!(names.map(|name| facts.place(name)), [0, 1, 1, 2, 3]);
    }
}
