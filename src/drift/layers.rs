//! The drift of single blocks and heads, where a method keeps a map for each.

use rayon::prelude::*;

use super::compare::{Other, partners};
use super::epoch_maps::EpochMaps;
use super::records::LayerEstimate;
use crate::measure::{Measure, Prepared};
use crate::seed;
use crate::stats::{Resamples, Table};

/// Every measure of every block and head between two epochs; nothing unless both have maps of the same blocks and heads.
pub(super) fn layer_estimates(
    current: &EpochMaps<'_>,
    other: &Other<'_>,
    measures: &[Measure],
    resamples: &Resamples,
) -> Vec<LayerEstimate> {
    let both = current.explanations.layer_maps.as_ref().zip(other.maps.explanations.layer_maps.as_ref());
    let Some((now, _)) = both.filter(|(now, before)| (now.layers, now.heads) == (before.layers, before.heads)) else {
        return Vec::new();
    };
    let of_layer = |layer: usize| {
        let heads: Vec<[Table; 2]> =
            (0..now.heads).map(|head| head_tables(current, other.maps, layer, head, measures)).collect();
        let mean =
            [0, 1].map(|which| mean_of(&heads.iter().map(|tables| &tables[which]).collect::<Vec<_>>(), measures.len()));
        let parts =
            std::iter::once((None, &mean)).chain(heads.iter().enumerate().map(|(head, tables)| (Some(head), tables)));
        parts
            .flat_map(|(head, tables)| part(current, other, (layer, head), tables, measures, resamples))
            .collect::<Vec<_>>()
    };
    (0..now.layers).into_par_iter().flat_map_iter(of_layer).collect()
}

/// By image and measure: between the epochs, and between different images of the current one.
fn head_tables(
    current: &EpochMaps<'_>,
    other: &EpochMaps<'_>,
    layer: usize,
    head: usize,
    measures: &[Measure],
) -> [Table; 2] {
    let images = current.images();
    let prepare = |maps: &EpochMaps<'_>| -> Vec<Option<Prepared>> {
        (0..images).map(|image| maps.explanations.layer_map(image, layer, head).map(Prepared::new)).collect()
    };
    let (now, before) = (prepare(current), prepare(other));
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

/// The estimates of one block or head.
fn part(
    current: &EpochMaps<'_>,
    other: &Other<'_>,
    (layer, head): (usize, Option<usize>),
    [drift, chance]: &[Table; 2],
    measures: &[Measure],
    resamples: &Resamples,
) -> Vec<LayerEstimate> {
    let images = current.images();
    let intervals = resamples.intervals(drift, &(0..images).collect::<Vec<_>>());
    let estimate = |(column, measure): (usize, &Measure)| {
        let (value, defined) = drift.mean(column, 0..images);
        LayerEstimate {
            explainer: current.explanations.explainer.clone(),
            measure: measure.name().to_string(),
            layer,
            head,
            epoch: current.epoch,
            against: other.against,
            reference_epoch: other.maps.epoch,
            value,
            interval: intervals[column],
            chance: chance.mean(column, 0..images).0,
            defined,
            undefined: images - defined,
        }
    };
    measures.iter().enumerate().map(estimate).collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::testing::explanations;
    use super::*;
    use crate::store::{Against, Explanations, LayerMaps};

    /// Two blocks of two heads on three images; head 1 of block 0 is reversed between the epochs, the rest stays.
    #[test]
    fn the_head_that_drifted_is_the_one_that_is_found() {
        let values = explanations("attention", 1, 12).maps;
        let mut reversed = values.clone();
        for image in 0..3 {
            reversed[(image * 4 + 1) * 16..][..16].reverse();
        }
        let at = |epoch, values: Option<Vec<f32>>| {
            let layer_maps = values.map(|values| LayerMaps { layers: 2, heads: 2, values });
            EpochMaps::new(epoch, Cow::Owned(Explanations { layer_maps, ..explanations("attention", 1, 3) }))
        };
        let (now, before) = (at(2, Some(reversed)), at(1, Some(values)));
        let other = Other { against: Against::Previous, maps: &before };
        let estimates = layer_estimates(&now, &other, &[Measure::TotalVariation], &Resamples::new(50, 3));
        assert_eq!(estimates.len(), 2 * (1 + 2));
        for estimate in &estimates {
            let still = estimate.layer == 1 || estimate.head == Some(0);
            assert_eq!(estimate.value == Some(0.0), still, "{estimate:?}");
            assert!(estimate.chance.unwrap() > 0.0 && estimate.defined == 3);
        }
        let value = |head| estimates.iter().find(|one| one.layer == 0 && one.head == head).unwrap().value.unwrap();
        assert!((value(None) - value(Some(1)) / 2.0).abs() < 1e-12);
        let without = at(1, None);
        let other = Other { against: Against::Previous, maps: &without };
        assert!(layer_estimates(&now, &other, &Measure::LIVE, &Resamples::new(50, 3)).is_empty());
    }
}
