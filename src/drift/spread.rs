//! What the maps of an epoch are like, averaged over the panel: how local the evidence is, and how much there is of it.

use super::epoch_maps::EpochMaps;
use super::records::{ATTENTION_DISTANCE, ImageSpread, SpreadEstimate};
use crate::measure::Descriptor;
use crate::stats::{Resamples, Table};

/// Every descriptor of every target at one epoch: the means over the panel, and the values by image. `floor` are the maps
/// of the perturbed panel.
pub(super) fn spread_estimates(
    current: &EpochMaps<'_>,
    floor: &EpochMaps<'_>,
    resamples: &Resamples,
) -> (Vec<SpreadEstimate>, Vec<ImageSpread>) {
    let images = current.images();
    let (mut estimates, mut values) = (Vec::new(), Vec::new());
    for (target, kind) in current.explanations.target_kinds.iter().enumerate() {
        let table = |maps: &EpochMaps<'_>| {
            let value = |image, column: usize| maps.map(image, target).descriptor(Descriptor::ALL[column]);
            Table::of(images, Descriptor::ALL.len(), value)
        };
        let (now, perturbed) = (table(current), table(floor));
        let intervals = resamples.intervals(&now, &(0..images).collect::<Vec<_>>());
        for (column, descriptor) in Descriptor::ALL.into_iter().enumerate() {
            let (value, defined) = now.mean(column, 0..images);
            estimates.push(SpreadEstimate {
                explainer: current.explanations.explainer.clone(),
                target: kind.clone(),
                descriptor: descriptor.name().to_string(),
                epoch: current.epoch,
                layer: None,
                head: None,
                value,
                interval: intervals[column],
                floor: perturbed.mean(column, 0..images).0,
                defined,
                undefined: images - defined,
            });
            values.push(ImageSpread {
                explainer: current.explanations.explainer.clone(),
                target: kind.clone(),
                descriptor,
                epoch: current.epoch,
                values: now.column(column),
            });
        }
    }
    (estimates, values)
}

/// How far attention reaches at one epoch: in all, by block, and by block and head; nothing where it was not stored.
pub(super) fn attention_reach(current: &EpochMaps<'_>, resamples: &Resamples) -> Vec<SpreadEstimate> {
    let Some(reach) = &current.explanations.attention_distance else { return Vec::new() };
    let (images, layers, heads) = (current.images(), reach.layers, reach.heads);
    let mut parts = vec![(None, None)];
    for layer in 0..layers {
        parts.push((Some(layer), None));
        parts.extend((0..heads).map(|head| (Some(layer), Some(head))));
    }
    let value = |image: usize, column: usize| {
        let of_image = &reach.values[image * layers * heads..][..layers * heads];
        let part = match parts[column] {
            (Some(layer), Some(head)) => &of_image[layer * heads + head..][..1],
            (Some(layer), None) => &of_image[layer * heads..][..heads],
            (None, _) => of_image,
        };
        let mean = part.iter().map(|&value| f64::from(value)).sum::<f64>() / part.len() as f64;
        mean.is_finite().then_some(mean)
    };
    let table = Table::of(images, parts.len(), value);
    let intervals = resamples.intervals(&table, &(0..images).collect::<Vec<_>>());
    let estimate = |(column, &(layer, head)): (usize, &(Option<usize>, Option<usize>))| {
        let (value, defined) = table.mean(column, 0..images);
        SpreadEstimate {
            explainer: current.explanations.explainer.clone(),
            target: current.explanations.target_kinds.first().cloned().unwrap_or_default(),
            descriptor: ATTENTION_DISTANCE.to_string(),
            epoch: current.epoch,
            layer,
            head,
            value,
            interval: intervals[column],
            floor: None,
            defined,
            undefined: images - defined,
        }
    };
    parts.iter().enumerate().map(estimate).collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::testing::explanations;
    use super::*;
    use crate::store::{AttentionDistance, Explanations};

    /// One image's evidence in one cell of 16, the other's in all of them: effective areas 1/16 and 1, mean 17/32. The
    /// perturbed images are both uniform.
    #[test]
    fn spread_is_averaged_over_the_panel_beside_its_floor() {
        let uniform = [1.0; 16];
        let one = std::array::from_fn(|cell| f32::from(cell == 5));
        let explanations = Explanations {
            maps: [one, uniform].concat(),
            floor_maps: [uniform, uniform].concat(),
            ..explanations("cam", 1, 2)
        };
        let maps = EpochMaps::new(3, Cow::Owned(explanations));
        let (estimates, values) = spread_estimates(&maps, &maps.perturbed(), &Resamples::new(100, 2));
        let area = estimates.iter().find(|estimate| estimate.descriptor == "effective-area").unwrap();
        assert!((area.value.unwrap() - 17.0 / 32.0).abs() < 1e-12 && (area.floor.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!((area.epoch, area.defined, area.undefined), (3, 2, 0));
        let [low, high] = area.interval.unwrap();
        assert!((low - 1.0 / 16.0).abs() < 1e-12 && (high - 1.0).abs() < 1e-12);
        let of_area = values.iter().find(|one| one.descriptor == Descriptor::EffectiveArea).unwrap();
        assert!((of_area.values[0].unwrap() - 1.0 / 16.0).abs() < 1e-12);
    }

    /// Two images, two blocks of two heads: 0.1, 0.3, 0.5, 0.7 and all 0.2 more.
    #[test]
    fn attention_reach_is_by_head_by_block_and_in_all() {
        let values = vec![0.1, 0.3, 0.5, 0.7, 0.3, 0.5, 0.7, 0.9];
        let distance = AttentionDistance { layers: 2, heads: 2, values };
        let explanations = Explanations { attention_distance: Some(distance), ..explanations("rollout", 1, 2) };
        let maps = EpochMaps::new(1, Cow::Owned(explanations));
        let estimates = attention_reach(&maps, &Resamples::new(100, 2));
        let found: Vec<_> = estimates.iter().map(|one| (one.layer, one.head, one.value.unwrap())).collect();
        let expected = [
            (None, None, 0.5),
            (Some(0), None, 0.3),
            (Some(0), Some(0), 0.2),
            (Some(0), Some(1), 0.4),
            (Some(1), None, 0.7),
            (Some(1), Some(0), 0.6),
            (Some(1), Some(1), 0.8),
        ];
        assert_eq!(found.len(), expected.len());
        for ((layer, head, value), (expected_layer, expected_head, expected)) in found.into_iter().zip(expected) {
            assert_eq!((layer, head), (expected_layer, expected_head));
            // The inputs are single precision.
            assert!((value - expected).abs() < 1e-7, "{layer:?} {head:?} {value}");
        }
    }
}
