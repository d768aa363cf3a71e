//! Which blocks and heads moved, where a method keeps a map for each.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::figures::{Reference, View, partners};
use crate::measure::{Measure, Prepared};
use crate::seed;
use crate::stats::{Resamples, Table};
use crate::store::Against;

/// How the maps of one block or head moved between two epochs.
///
/// A head's number means the same thing all through a run, so heads compare between its epochs and not between runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerEstimate {
    /// The method.
    pub explainer: String,
    /// The measure's name.
    pub measure: String,
    /// The block, counted from 0.
    pub layer: usize,
    /// The head, counted from 0; none for the mean over the block's heads.
    pub head: Option<usize>,
    /// The epoch that is measured.
    pub epoch: usize,
    /// Which other epoch it compares with.
    pub against: Against,
    /// The other epoch.
    pub reference_epoch: usize,
    /// Mean over the images where it is defined. None where it is defined for none.
    pub value: Option<f64>,
    /// 95 % bootstrap interval over the images.
    pub interval: Option<[f64; 2]>,
    /// The same measure between maps of different images at `epoch`, one pairing of the panel with itself.
    pub chance: Option<f64>,
    /// Images where it is defined.
    pub defined: usize,
    /// Images where it is not.
    pub undefined: usize,
}

/// Every measure of every block and head between two epochs; nothing where one of them has no such maps, or others.
pub(super) fn layer_figures(
    current: View<'_>,
    reference: &Reference<'_>,
    measures: &[Measure],
    resamples: &Resamples,
) -> Vec<LayerEstimate> {
    let both = current.explanations.layer_maps.as_ref().zip(reference.view.explanations.layer_maps.as_ref());
    let Some((now, _)) = both.filter(|(now, before)| (now.layers, now.heads) == (before.layers, before.heads)) else {
        return Vec::new();
    };
    let of_layer = |layer: usize| {
        let heads: Vec<[Table; 2]> =
            (0..now.heads).map(|head| head_tables(current, reference.view, layer, head, measures)).collect();
        let mean =
            [0, 1].map(|which| mean_of(&heads.iter().map(|tables| &tables[which]).collect::<Vec<_>>(), measures.len()));
        let parts =
            std::iter::once((None, &mean)).chain(heads.iter().enumerate().map(|(head, tables)| (Some(head), tables)));
        parts
            .flat_map(|(head, tables)| part(current, reference, (layer, head), tables, measures, resamples))
            .collect::<Vec<_>>()
    };
    (0..now.layers).into_par_iter().flat_map_iter(of_layer).collect()
}

/// By image and measure: between the epochs, and between different images of the current one.
fn head_tables(current: View<'_>, reference: View<'_>, layer: usize, head: usize, measures: &[Measure]) -> [Table; 2] {
    let images = current.explanations.images();
    let prepare = |view: View<'_>| -> Vec<Option<Prepared>> {
        (0..images).map(|image| view.explanations.layer_map(image, layer, head).map(Prepared::new)).collect()
    };
    let (now, before) = (prepare(current), prepare(reference));
    let partners = partners(images, &mut seed::chance());
    let between = |one: &Option<Prepared>, other: &Option<Prepared>, measure: usize| {
        measures[measure].between_prepared(one.as_ref()?, other.as_ref()?)
    };
    let drift = Table::of(images, measures.len(), |image, measure| between(&now[image], &before[image], measure));
    let chance = Table::of(images, measures.len(), |image, measure| {
        // One image alone is only ever paired with itself, which is no chance at all.
        (partners[image] != image).then_some(())?;
        between(&now[image], &now[partners[image]], measure)
    });
    [drift, chance]
}

/// The mean over tables, cell by cell, of what is defined.
fn mean_of(tables: &[&Table], columns: usize) -> Table {
    let images = tables.first().map_or(0, |table| table.column(0).len());
    Table::of(images, columns, |image, column| {
        let defined: Vec<f64> = tables.iter().filter_map(|table| table.at(image, column)).collect();
        (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
    })
}

/// The figures of one block or head.
fn part(
    current: View<'_>,
    reference: &Reference<'_>,
    (layer, head): (usize, Option<usize>),
    [drift, chance]: &[Table; 2],
    measures: &[Measure],
    resamples: &Resamples,
) -> Vec<LayerEstimate> {
    let images = current.explanations.images();
    let intervals = resamples.intervals(drift, &(0..images).collect::<Vec<_>>());
    let figure = |(column, measure): (usize, &Measure)| {
        let (value, defined) = drift.mean(column, 0..images);
        LayerEstimate {
            explainer: current.explanations.explainer.clone(),
            measure: measure.name().to_string(),
            layer,
            head,
            epoch: current.epoch,
            against: reference.against,
            reference_epoch: reference.view.epoch,
            value,
            interval: intervals[column],
            chance: chance.mean(column, 0..images).0,
            defined,
            undefined: images - defined,
        }
    };
    measures.iter().enumerate().map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::explanations;
    use super::*;
    use crate::store::{Explanations, LayerMaps};

    /// Two blocks of two heads on three images; head 1 of block 0 is turned round between the epochs, the rest stays.
    #[test]
    fn the_head_that_moved_is_the_one_that_is_found() {
        let values = explanations("attention", 1, 12).maps;
        let mut moved = values.clone();
        for image in 0..3 {
            moved[(image * 4 + 1) * 16..][..16].reverse();
        }
        let at = |values: Vec<f32>| Explanations {
            layer_maps: Some(LayerMaps { layers: 2, heads: 2, values }),
            ..explanations("attention", 1, 3)
        };
        let (now, before) = (at(moved), at(values));
        let view = |epoch, explanations| View { epoch, explanations, maps: &[] };
        let reference = Reference { against: Against::Previous, view: view(1, &before) };
        let figures = layer_figures(view(2, &now), &reference, &[Measure::TotalVariation], &Resamples::new(50, 3));
        assert_eq!(figures.len(), 2 * (1 + 2));
        for figure in &figures {
            let still = figure.layer == 1 || figure.head == Some(0);
            assert_eq!(figure.value == Some(0.0), still, "{figure:?}");
            assert!(figure.chance.unwrap() > 0.0 && figure.defined == 3);
        }
        let value = |head| figures.iter().find(|one| one.layer == 0 && one.head == head).unwrap().value.unwrap();
        assert!((value(None) - value(Some(1)) / 2.0).abs() < 1e-12);
        let without = explanations("attention", 1, 3);
        let reference = Reference { against: Against::Previous, view: view(1, &without) };
        assert!(layer_figures(view(2, &now), &reference, &Measure::LIVE, &Resamples::new(50, 3)).is_empty());
    }
}
