//! What a picture shows does not depend on the pictures beside it.

use crate::support::{alone, fast_device, minis, pseudo_random};
use driftscope::explain::{Explainer, Target, explain};

/// Of the greatest value of both maps: float32 sums in another order.
const ROUNDING: f32 = 3e-5;

/// The method with as few passes as it takes.
fn cheap(explainer: &Explainer) -> Explainer {
    let settings = match explainer.name().as_str() {
        "smooth-grad" => ":samples=2",
        "integrated-gradients" => ":steps=2",
        "occlusion" => ":window=8",
        _ => "",
    };
    (explainer.name() + settings).parse().unwrap_or_else(|_| explainer.clone())
}

#[test]
fn every_explainer_sees_in_a_picture_alone_what_it_sees_in_a_batch() {
    let _turn = alone();
    let device = fast_device();
    let (labels, targets) = ([Some(0), Some(3)], [Target::Label]);
    for (name, model) in minis(&device) {
        let images = pseudo_random([2, 3, 96, 96], 21, &device) * 2.0;
        for explainer in Explainer::all().iter().filter(|one| one.fits(&name.taps()).unwrap()).map(cheap) {
            let methods = [explainer.clone()];
            let together = explain(&model, &methods, images.clone(), &labels, &targets).unwrap();
            let maps = together.explainers[0].targets.iter().flat_map(|target| &target.explanations);
            let maps = maps.flat_map(|one| one.map.values());
            let greatest = maps.fold(0.0_f32, |most, value| most.max(value.abs()));
            assert!(greatest > 0.0, "{name}, {}: nothing but zeros", explainer.name());
            // A cell of it is the difference of two logits, which is off by as much as they are.
            let logits = together.logits.values.iter().fold(0.0_f32, |most, logit| most.max(logit.abs()));
            let greatest = if explainer.name().starts_with("occlusion") { greatest.max(logits) } else { greatest };
            // The second: the one before it is at its side in the batch.
            let image = images.clone().narrow(0, 1, 1);
            let alone = explain(&model, &methods, image, &labels[1..], &targets).unwrap();
            let [alone, beside] = [(&alone, 0), (&together, 1)]
                .map(|(of, image)| of.explainers[0].targets[0].explanations[image].map.values());
            let differences = alone.iter().zip(beside).map(|(alone, beside)| (alone - beside).abs());
            let difference = differences.fold(0.0, f32::max) / greatest;
            assert!(difference < ROUNDING, "{name}, {}: {difference}", explainer.name());
        }
    }
}
